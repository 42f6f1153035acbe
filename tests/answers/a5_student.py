"""Mistakes that students make in assignment 5, written from its prompts alone."""

import numpy as np
import torch


def lines(
    n=1000,
    size=10,
    seed=17,
    *,
    draw=None,
    column_of=lambda start: max(1, -start),
    plain_column=lambda start: -start,
    white=255,
    rises=1,
    first=lambda start: start > 0,
    stop=0,
    from_top=False,
):
    stream = np.random.RandomState(seed)
    if draw is None:
        starts = stream.randint(-(size - 1), size, n)
        labels = stream.randint(0, 3, n).astype(np.int64)
    else:
        starts, labels = draw(stream, n, size)
    images = np.zeros((n, 1, size, size), dtype=np.uint8)
    for image, start, label in zip(images[:, 0], starts, labels, strict=True):
        if label == 0:
            if first(start):
                image[start, :] = white
            else:
                image[:, plain_column(start)] = white
            continue
        up = label == rises
        if first(start):
            row, column = start, 0
        else:
            row, column = (size - 1 if up and not from_top else 0), column_of(start)
        while 0 <= row < size and column < size - stop:
            image[row, column] = white
            row += -1 if up else 1
            column += 1
    return images, labels


def line_maker(then=lambda images, labels: (images, labels), **other):
    return lambda n=1000, size=10, seed=17: then(*lines(n, size, seed, **other))


def draw_in_pairs(stream, n, size):
    drawn = [(stream.randint(-(size - 1), size), stream.randint(0, 3)) for _ in range(n)]
    starts, labels = zip(*drawn, strict=True)
    return np.array(starts), np.array(labels, dtype=np.int64)


def draw_labels_first(stream, n, size):
    labels = stream.randint(0, 3, n).astype(np.int64)
    return stream.randint(-(size - 1), size, n), labels


def draw_short(stream, n, size):
    return stream.randint(-(size - 1), size - 1, n), stream.randint(0, 3, n).astype(np.int64)


def draw_wide(stream, n, size):
    return stream.randint(-size, size, n), stream.randint(0, 3, n).astype(np.int64)


def lines_with_new_generator(n=1000, size=10, seed=17):
    stream = np.random.default_rng(seed)

    def draw(_, n, size):
        return stream.integers(-(size - 1), size, n), stream.integers(0, 3, n)

    return lines(n, size, seed, draw=draw)


def lines_with_global_stream(n=1000, size=10, seed=17):
    np.random.seed(seed)
    starts = np.random.randint(-(size - 1), size, n)
    labels = np.random.randint(0, 3, n).astype(np.int64)
    return lines(n, size, seed, draw=lambda *_: (starts, labels))


LINES = {
    "draws in pairs": line_maker(draw=draw_in_pairs),
    "draws labels first": line_maker(draw=draw_labels_first),
    "draws one start too few": line_maker(draw=draw_short),
    "draws one start too many": line_maker(draw=draw_wide),
    "uses default_rng": lines_with_new_generator,
    "uses the global stream": lines_with_global_stream,
    "column 0 stays 0": line_maker(column_of=lambda start: -start),
    "column 0 counts as 1 for label 0": line_maker(plain_column=lambda start: max(1, -start)),
    "white is 1": line_maker(white=1),
    "rising is 2": line_maker(rises=2),
    "0 is a row": line_maker(first=lambda start: start >= 0),
    "stops one early": line_maker(stop=1),
    "rises from the top": line_maker(from_top=True),
    "no axis of channels": line_maker(lambda images, labels: (images[:, 0], labels)),
    "floats": line_maker(lambda images, labels: (images / 255.0, labels)),
    "labels first": line_maker(lambda images, labels: (labels, images)),
    "tensors": line_maker(lambda images, labels: (torch.tensor(images), torch.tensor(labels))),
    "axes swapped": line_maker(lambda images, labels: (images.transpose(0, 1, 3, 2), labels)),
    "negative images": line_maker(lambda images, labels: (255 - images, labels)),
    "seed fixed": lambda n=1000, size=10, seed=17: lines(n, size, 17),
    "labels int32": line_maker(lambda images, labels: (images, labels.astype(np.int32))),
}


def split(
    images,
    labels,
    val_fraction=0.2,
    seed=13,
    *,
    scale=lambda x: (x / 255 - 0.5) / 0.5,
    n_val=lambda n, f: int(n * f),
    order_of=lambda n, seed: torch.randperm(n, generator=torch.Generator().manual_seed(seed)),
    val_first=False,
    shuffles_labels=True,
):
    x, y = scale(torch.from_numpy(images).float()), torch.from_numpy(labels)
    order = order_of(len(x), seed)
    count = n_val(len(x), val_fraction)
    val, train = (
        (order[:count], order[count:])
        if val_first
        else (order[len(x) - count :], order[: len(x) - count])
    )
    if not shuffles_labels:
        return x[train], y[: len(train)], x[val], y[len(train) :]
    return x[train], y[train], x[val], y[val]


def splits(then=lambda *parts: parts, **other):
    return lambda images, labels, val_fraction=0.2, seed=13: then(
        *split(images, labels, val_fraction, seed, **other)
    )


def split_by_numpy(images, labels, val_fraction=0.2, seed=13):
    return split(
        images,
        labels,
        val_fraction,
        seed,
        order_of=lambda n, seed: torch.from_numpy(np.random.RandomState(seed).permutation(n)),
    )


SPLIT = {
    "scales to 0 and 1": splits(scale=lambda x: x / 255),
    "only shifts": splits(scale=lambda x: x / 255 - 0.5),
    "divides by 256": splits(scale=lambda x: x / 128 - 1),
    "divides by 127": splits(scale=lambda x: x / 127 - 1),
    "does not scale": splits(scale=lambda x: x),
    "standardises": splits(scale=lambda x: (x - x.mean()) / x.std()),
    "validation first": splits(val_first=True),
    "rounds": splits(n_val=lambda n, f: round(n * f)),
    "rounds up": splits(n_val=lambda n, f: int(np.ceil(n * f))),
    "training from the fraction": splits(n_val=lambda n, f: n - int(n * (1 - f))),
    "does not shuffle": splits(order_of=lambda n, seed: torch.arange(n)),
    "shuffles with numpy": split_by_numpy,
    "leaves the labels": splits(shuffles_labels=False),
    "x, x, y, y": splits(lambda a, b, c, d: (a, c, b, d)),
    "ignores the seed": splits(
        order_of=lambda n, seed: torch.randperm(n, generator=torch.Generator().manual_seed(13))
    ),
    "float64": splits(lambda a, b, c, d: (a.double(), b, c.double(), d)),
    "inverts": splits(scale=lambda x: 1 - 2 * x / 255),
}

BALANCED = {
    "counts": lambda labels: torch.bincount(labels).float()[labels],
    "shares": lambda labels: (len(labels) / torch.bincount(labels).float())[labels],
    "adds up to 1": lambda labels: (lambda w: w / w.sum())(
        (1 / torch.bincount(labels).float())[labels]
    ),
    "by class": lambda labels: 1 / torch.bincount(labels).float(),
    "integers": lambda labels: (1 // torch.bincount(labels))[labels].float(),
    "float64": lambda labels: (1 / torch.bincount(labels).double())[labels],
    "by present classes": lambda labels: (1 / torch.unique(labels, return_counts=True)[1].float())[
        labels.clamp_max(len(torch.unique(labels)) - 1)
    ],
    "complement": lambda labels: (1 - torch.bincount(labels).float() / len(labels))[labels],
    "adds 1": lambda labels: (1 / (torch.bincount(labels).float() + 1))[labels],
    "square root": lambda labels: (1 / torch.bincount(labels).float().sqrt())[labels],
    "a list": lambda labels: [1 / (labels == y).sum().item() for y in labels],
    "times classes": lambda labels: (
        len(labels) / (len(torch.bincount(labels)) * torch.bincount(labels).float())
    )[labels],
    "three classes": lambda labels: (1 / torch.bincount(labels, minlength=3)[:3].float())[
        labels.clamp_max(2)
    ],
}


def step_without_zero_grad(model, loss_fn, optimizer, x, y):
    model.train()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def step_without_train(model, loss_fn, optimizer, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def step_giving_tensor(model, loss_fn, optimizer, x, y):
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


def step_zeroing_after_backward(model, loss_fn, optimizer, x, y):
    model.train()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


def step_without_step(model, loss_fn, optimizer, x, y):
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    return loss.item()


def step_without_backward(model, loss_fn, optimizer, x, y):
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    optimizer.step()
    return loss.item()


def step_twice(model, loss_fn, optimizer, x, y):
    step_giving_tensor(model, loss_fn, optimizer, x, y)
    return step_giving_tensor(model, loss_fn, optimizer, x, y).item()


def step_with_loss_after(model, loss_fn, optimizer, x, y):
    step_giving_tensor(model, loss_fn, optimizer, x, y)
    return loss_fn(model(x), y).item()


def step_with_softmax(model, loss_fn, optimizer, x, y):
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(torch.softmax(model(x), 1), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def step_with_arguments_swapped(model, loss_fn, optimizer, x, y):
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(y, model(x))
    loss.backward()
    optimizer.step()
    return loss.item()


def step_ending_in_eval(model, loss_fn, optimizer, x, y):
    loss = step_giving_tensor(model, loss_fn, optimizer, x, y)
    model.eval()
    return loss.item()


def step_with_sum(model, loss_fn, optimizer, x, y):
    return step_giving_tensor(model, loss_fn, optimizer, x, y).item() * len(x)


def step_with_zero_grad_at_the_end(model, loss_fn, optimizer, x, y):
    loss = step_without_zero_grad(model, loss_fn, optimizer, x, y)
    optimizer.zero_grad()
    return loss


def step_clipping(model, loss_fn, optimizer, x, y):
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    optimizer.step()
    return loss.item()


STEP = {
    "no zero_grad": step_without_zero_grad,
    "no train mode": step_without_train,
    "gives a tensor": step_giving_tensor,
    "zeroes after backward": step_zeroing_after_backward,
    "does not step": step_without_step,
    "no backward": step_without_backward,
    "steps twice": step_twice,
    "loss after the step": step_with_loss_after,
    "softmax": step_with_softmax,
    "arguments swapped": step_with_arguments_swapped,
    "sums": step_with_sum,
    "zeroes at the end only": step_with_zero_grad_at_the_end,
    "clips": step_clipping,
}


def evaluated(
    model,
    loss_fn,
    loader,
    *,
    evaluates=True,
    restores="modes",
    weigh=len,
    by=lambda total, n, batches: total / n,
    right=lambda logits, y: (logits.argmax(1) == y).sum().item(),
    accuracy=lambda right, n: right / n,
    grad=False,
    keys=("loss", "accuracy", "n"),
    count=lambda loader, n: n,
):
    modes = [(module, module.training) for module in model.modules()]
    if evaluates:
        model.eval()
    total, hits, n, batches = 0.0, 0, 0, 0
    with torch.set_grad_enabled(grad):
        for x, y in loader:
            logits = model(x)
            loss = loss_fn(logits, y)
            if grad:
                loss.backward()
            total += loss.item() * weigh(y)
            hits += right(logits, y)
            n += len(y)
            batches += 1
    if restores == "modes":
        for module, training in modes:
            module.training = training
    elif restores == "train":
        model.train()
    elif restores == "root":
        model.train(modes[0][1])
    values = by(total, n, batches), accuracy(hits, n), count(loader, n)
    return dict(zip(keys, values, strict=True))


def evaluations(**other):
    return lambda model, loss_fn, loader: evaluated(model, loss_fn, loader, **other)


EVALUATE = {
    "mean of batches": evaluations(weigh=lambda y: 1, by=lambda total, n, batches: total / batches),
    "divides batch means by n": evaluations(weigh=lambda y: 1),
    "sums the loss": evaluations(by=lambda total, n, batches: total),
    "in train mode": evaluations(evaluates=False),
    "stays in eval mode": evaluations(restores=""),
    "ends in train mode": evaluations(restores="train"),
    "restores the model's own mode only": evaluations(restores="root"),
    "percent": evaluations(accuracy=lambda right, n: 100 * right / n),
    "counts right answers": evaluations(accuracy=lambda right, n: float(right)),
    "argmax over the batch": evaluations(
        right=lambda logits, y: (logits.argmax(0)[: len(y)] == y[: logits.shape[1]]).sum().item()
    ),
    "argmin": evaluations(right=lambda logits, y: (logits.argmin(1) == y).sum().item()),
    "runs backward": evaluations(grad=True),
    "n is the number of batches": evaluations(count=lambda loader, n: len(list(loader))),
    "other keys": evaluations(keys=("loss", "acc", "n")),
    "a tuple": lambda model, loss_fn, loader: tuple(evaluated(model, loss_fn, loader).values()),
    "takes batches for full": evaluations(
        weigh=lambda y: 4, by=lambda total, n, batches: total / (4 * batches)
    ),
    "the last batch": evaluations(
        by=lambda total, n, batches: total / n, weigh=lambda y: 0.0 if len(y) > 3 else len(y)
    ),
}


def per_class(logits, labels, n_classes):
    right = labels[logits.argmax(1) == labels]
    return torch.stack([torch.bincount(found, minlength=n_classes) for found in (right, labels)], 1)


def per_class_by_loop(logits, labels, n_classes):
    result = torch.zeros(n_classes, 2, dtype=torch.int64)
    for guess, label in zip(logits.argmax(1), labels, strict=True):
        result[guess, 0] += guess == label
        result[guess, 1] += 1
    return result


PER_CLASS = {
    "counts answers, not labels": per_class_by_loop,
    "columns swapped": lambda logits, labels, n_classes: per_class(logits, labels, n_classes).flip(
        1
    ),
    "transposed": lambda logits, labels, n_classes: per_class(logits, labels, n_classes).T,
    "wrong for right": lambda logits, labels, n_classes: torch.stack(
        [
            torch.bincount(labels[logits.argmax(1) != labels], minlength=n_classes),
            torch.bincount(labels, minlength=n_classes),
        ],
        1,
    ),
    "right and wrong": lambda logits, labels, n_classes: torch.stack(
        [
            torch.bincount(labels[logits.argmax(1) == labels], minlength=n_classes),
            torch.bincount(labels[logits.argmax(1) != labels], minlength=n_classes),
        ],
        1,
    ),
    "fractions": lambda logits, labels, n_classes: (
        per_class(logits, labels, n_classes)[:, 0] / per_class(logits, labels, n_classes)[:, 1]
    ),
    "no minlength": lambda logits, labels, n_classes: torch.stack(
        [torch.bincount(labels[logits.argmax(1) == labels]), torch.bincount(labels)], 1
    ),
    "int32": lambda logits, labels, n_classes: per_class(logits, labels, n_classes).int(),
    "argmax over the batch": lambda logits, labels, n_classes: per_class(
        logits.T[: len(labels)], labels[: logits.shape[1]], n_classes
    ),
    "smallest logit": lambda logits, labels, n_classes: per_class(-logits, labels, n_classes),
    "answers with the class": lambda logits, labels, n_classes: torch.stack(
        [torch.bincount(found, minlength=n_classes) for found in (logits.argmax(1), labels)], 1
    ),
    "a list": lambda logits, labels, n_classes: per_class(logits, labels, n_classes).tolist(),
    "all right in each": lambda logits, labels, n_classes: torch.stack(
        [
            (logits.argmax(1) == labels).sum().repeat(n_classes),
            torch.bincount(labels, minlength=n_classes),
        ],
        1,
    ),
}


def applied(loader, func, reduce="sum", *, refuses=True, then=lambda result: result, mean=None):
    if refuses and reduce not in ("sum", "mean"):
        raise ValueError("reduce")
    results = torch.stack([func(x, y) for x, y in loader])
    if reduce == "sum":
        return then(results.sum(0))
    return mean(results, loader) if mean else results.float().mean(0).to(results.dtype)


def apply_first_only(loader, func, reduce="sum"):
    x, y = next(iter(loader))
    return func(x, y)


def apply_last_only(loader, func, reduce="sum"):
    for x, y in loader:
        result = func(x, y)
    return result


def apply_in_place(loader, func, reduce="sum"):
    if reduce not in ("sum", "mean"):
        raise ValueError("reduce")
    total, n = None, 0
    for x, y in loader:
        value = func(x, y)
        n += 1
        if total is None:
            total = value
        else:
            total += value
    return total if reduce == "sum" else total / n


def apply_mean(results, loader):
    return (results if results.is_floating_point() else results.float()).mean(0)


APPLY = {
    "the first batch": apply_first_only,
    "the last batch": apply_last_only,
    "adds in place": apply_in_place,
    "keeps whole numbers in the mean": lambda loader, func, reduce="sum": applied(
        loader, func, reduce
    ),
    "always sums": lambda loader, func, reduce="sum": applied(loader, func, "sum"),
    "always the mean": lambda loader, func, reduce="sum": applied(
        loader, func, "mean", mean=apply_mean
    ),
    "refuses nothing": lambda loader, func, reduce="sum": applied(
        loader, func, reduce, refuses=False, mean=apply_mean
    ),
    "mean over samples": lambda loader, func, reduce="sum": applied(
        loader,
        func,
        reduce,
        mean=lambda results, loader: results.sum(0) / sum(len(x) for x, _ in loader),
    ),
    "mean of everything": lambda loader, func, reduce="sum": applied(
        loader, func, reduce, mean=lambda results, loader: results.float().mean()
    ),
    "sums everything": lambda loader, func, reduce="sum": applied(
        loader, func, reduce, mean=apply_mean, then=lambda result: result.sum()
    ),
    "gives a list": lambda loader, func, reduce="sum": [func(x, y) for x, y in loader],
    "swaps the arguments": lambda loader, func, reduce="sum": applied(
        loader, lambda x, y: func(y, x), reduce, mean=apply_mean
    ),
    "divides by the length minus 1": lambda loader, func, reduce="sum": applied(
        loader,
        func,
        reduce,
        mean=lambda results, loader: results.sum(0) / max(1, len(results) - 1),
    ),
    "floats in the sum": lambda loader, func, reduce="sum": applied(
        loader, func, reduce, mean=apply_mean, then=lambda result: result.float()
    ),
}


def keys(x):
    return [tuple(item.flatten().tolist()) for item in x]


LEAKED = {
    "counts pairs": lambda x_train, x_val: sum(
        key == other for key in keys(x_val) for other in keys(x_train)
    ),
    "counts once for equal items": lambda x_train, x_val: len(
        set(keys(x_val)) & set(keys(x_train))
    ),
    "counts training items": lambda x_train, x_val: sum(
        key in set(keys(x_val)) for key in keys(x_train)
    ),
    "counts those that have none": lambda x_train, x_val: sum(
        key not in set(keys(x_train)) for key in keys(x_val)
    ),
    "item by item": lambda x_train, x_val: sum(
        bool((a == b).all()) for a, b in zip(x_train, x_val, strict=False)
    ),
    "any element": lambda x_train, x_val: sum(
        any(bool((item == other).any()) for other in x_train) for item in x_val
    ),
    "compares sums": lambda x_train, x_val: sum(
        item.sum().item() in {other.sum().item() for other in x_train} for item in x_val
    ),
    "fraction": lambda x_train, x_val: (
        sum(key in set(keys(x_train)) for key in keys(x_val)) / len(x_val)
    ),
    "whether any": lambda x_train, x_val: any(key in set(keys(x_train)) for key in keys(x_val)),
    "inside validation": lambda x_train, x_val: len(x_val) - len(set(keys(x_val))),
    "inside both": lambda x_train, x_val: (
        len(keys(x_train)) + len(keys(x_val)) - len(set(keys(x_train)) | set(keys(x_val)))
    ),
    "by object": lambda x_train, x_val: sum(
        any(item is other for other in x_train) for item in x_val
    ),
    "almost equal": lambda x_train, x_val: sum(
        any(torch.allclose(item.float(), other.float(), atol=0.1) for other in x_train)
        for item in x_val
    ),
    "rows by rows": lambda x_train, x_val: sum(
        any(bool((item[0] == other[0]).all()) for other in x_train) for item in x_val
    ),
    "a tensor": lambda x_train, x_val: torch.tensor(
        sum(key in set(keys(x_train)) for key in keys(x_val))
    ),
}

WRONG = {
    "make_lines": LINES,
    "split_and_scale": SPLIT,
    "balanced_weights": BALANCED,
    "train_step": STEP,
    "evaluate": EVALUATE,
    "correct_per_class": PER_CLASS,
    "loader_apply": APPLY,
    "leaked": LEAKED,
}
