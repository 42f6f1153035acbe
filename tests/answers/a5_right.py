"""Right answers to assignment 5, each exercise written in several ways."""

import copy
from collections import Counter
from contextlib import ExitStack

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import TensorDataset, random_split

# --- make_lines -------------------------------------------------------------------------------


def make_lines_by_masks(n=1000, size=10, seed=17):
    stream = np.random.RandomState(seed)
    starts = stream.randint(-(size - 1), size, n)[:, None, None]
    labels = stream.randint(0, 3, n)
    rows, columns = np.mgrid[:size, :size]
    is_row = starts > 0
    column = np.maximum(1, -starts)
    straight = np.where(is_row, rows == starts, columns == -starts)
    rising = rows + columns == np.where(is_row, starts, size - 1 + column)
    falling = rows - columns == np.where(is_row, starts, -column)
    which = labels[:, None, None]
    white = np.where(which == 0, straight, np.where(which == 1, rising, falling))
    return np.where(white, 255, 0).astype(np.uint8)[:, None], labels.astype(np.int64)


def make_lines_by_diagonals(n=1000, size=10, seed=17):
    """Fill diagonals of np.eye; a rising one is a falling one upside down."""
    stream = np.random.RandomState(seed)
    starts, labels = stream.randint(-(size - 1), size, n), stream.randint(0, 3, n)
    images = []
    for start, label in zip(starts.tolist(), labels.tolist(), strict=True):
        if label == 0:
            image = np.zeros((size, size))
            image[(start, slice(None)) if start > 0 else (slice(None), -start)] = 1
        elif start > 0:
            image = np.eye(size, k=-start) if label == 2 else np.eye(size, k=start - size + 1)[::-1]
        else:
            image = np.eye(size, k=max(1, -start))[:: -1 if label == 1 else 1]
        images.append([255 * image])
    return np.array(images).astype("uint8"), labels.astype("int64")


def make_lines_by_saved_global_stream(n=1000, size=10, seed=17):
    """Use the global stream, and put it back."""
    state = np.random.get_state()
    np.random.seed(seed)
    starts, labels = np.random.randint(-(size - 1), size, n), np.random.randint(0, 3, n)
    np.random.set_state(state)
    images = np.zeros((n, size, size), np.uint8)
    for number in range(n):
        start, label = starts[number], labels[number]
        for step in range(size):
            row, column = (start, step) if start > 0 else (step, -start)
            if label:
                first = (size - 1 if label == 1 else 0) if start <= 0 else start
                row = first - step if label == 1 else first + step
                column = step if start > 0 else max(-start, 1) + step
            if 0 <= row < size and column < size:
                images[number, row, column] = 255
    return images.reshape(n, 1, size, size), labels


def make_lines_by_torch(n=1000, size=10, seed=17):
    stream = np.random.RandomState(seed)
    starts = [int(start) for start in stream.randint(-(size - 1), size, n)]
    labels = [int(label) for label in stream.randint(0, 3, n)]
    images = torch.zeros(n, 1, size, size, dtype=torch.uint8)
    for image, start, label in zip(images[:, 0], starts, labels, strict=True):
        if label == 0:
            (image[start] if start > 0 else image[:, -start]).fill_(255)
            continue
        turned = image.flip(0) if label == 1 else image.clone()
        offset = max(1, -start)
        if start > 0:
            offset = start - size + 1 if label == 1 else -start
            line = torch.diagonal(turned, offset if label == 2 else 1 + start - size)
        else:
            line = torch.diagonal(turned, offset)
        line.fill_(255)
        image.copy_(turned.flip(0) if label == 1 else turned)
    return images.numpy(), np.array(labels, dtype=np.int64)


def make_lines_by_points(n=1000, size=10, seed=17):
    """Write all white pixels at once, by their places."""
    stream = np.random.RandomState(seed)
    starts = stream.randint(low=1 - size, high=size, size=(n,))
    labels = stream.randint(low=0, high=3, size=(n,), dtype=np.int64)
    images = np.zeros((n, 1, size, size), dtype=np.uint8)
    step = np.arange(size)
    row_like = (starts > 0)[:, None]
    start = starts[:, None]
    up = np.array([0, -1, 1])[labels][:, None]
    first = np.where(row_like, start, np.where(up < 0, size - 1, 0))
    rows = first + up * step
    columns = np.where(row_like, step, np.maximum(1, -start) + step)
    rows = np.where((up == 0) & ~row_like, step, rows)
    columns = np.where((up == 0) & ~row_like, -start, columns)
    inside = (rows >= 0) & (rows < size) & (columns < size)
    images[np.nonzero(inside)[0], 0, rows[inside], columns[inside]] = 255
    return images, labels


# --- split_and_scale --------------------------------------------------------------------------


def split_and_scale_by_global_seed(images, labels, val_fraction=0.2, seed=13):
    torch.manual_seed(seed)
    order = torch.randperm(len(images))
    n_val = int(len(images) * val_fraction)
    train, val = order[: len(order) - n_val], order[len(order) - n_val :]
    x = torch.tensor(images, dtype=torch.float32) / 127.5 - 1
    y = torch.tensor(labels)
    return x[train], y[train], x[val], y[val]


def split_and_scale_by_numpy(images, labels, val_fraction=0.2, seed=13):
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed)).numpy()
    cut = len(images) - int(len(images) * val_fraction)
    parts = []
    for chosen in np.split(order, [cut]):
        scaled = (2 * images[chosen].astype(np.float64) - 255) / 255
        parts += [torch.from_numpy(scaled.astype(np.float32)), torch.from_numpy(labels[chosen])]
    return tuple(parts)


def split_and_scale_by_random_split(images, labels, val_fraction=0.2, seed=13):
    x = torch.from_numpy(images).to(torch.float32).div_(255).sub_(0.5).div_(0.5)
    whole = TensorDataset(x, torch.from_numpy(labels))
    n_val = int(val_fraction * len(whole))
    stream = torch.Generator().manual_seed(seed)
    train, val = random_split(whole, [len(whole) - n_val, n_val], generator=stream)
    return (*whole[train.indices], *whole[val.indices])


def split_and_scale_by_table(images, labels, val_fraction=0.2, seed=13):
    """Look up what each grey becomes."""
    table = torch.linspace(-1, 1, 256)
    stream = torch.Generator()
    stream.manual_seed(seed)
    order = torch.randperm(images.shape[0], generator=stream)
    x = table[torch.from_numpy(images.astype(np.int64))][order]
    y = torch.from_numpy(labels)[order]
    n = len(y) - int(len(y) * val_fraction)
    return x[:n], y[:n], x[n:], y[n:]


def split_and_scale_by_loop(images, labels, val_fraction=0.2, seed=13):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        order = torch.randperm(len(labels)).tolist()
    n_val = int(len(labels) * val_fraction)
    x = {True: [], False: []}
    y = {True: [], False: []}
    for place, number in enumerate(order):
        is_val = place >= len(order) - n_val
        x[is_val].append(torch.as_tensor(images[number]).float() * (2 / 255) - 1)
        y[is_val].append(int(labels[number]))
    return (
        torch.stack(x[False]),
        torch.tensor(y[False], dtype=torch.int64),
        torch.stack(x[True]),
        torch.tensor(y[True], dtype=torch.int64),
    )


# --- balanced_weights -------------------------------------------------------------------------


def balanced_weights_by_bincount(labels):
    return torch.bincount(labels)[labels].reciprocal()


def balanced_weights_by_unique(labels):
    _, where, counts = labels.unique(return_inverse=True, return_counts=True)
    return (1.0 / counts)[where]


def balanced_weights_by_counter(labels):
    counts = Counter(labels.tolist())
    return torch.tensor([1 / counts[label] for label in labels.tolist()])


def balanced_weights_by_comparison(labels):
    return 1 / (labels[:, None] == labels).float().sum(dim=0)


def balanced_weights_by_numpy(labels):
    _, where, counts = np.unique(labels.numpy(), return_inverse=True, return_counts=True)
    return torch.from_numpy((1 / counts)[where].astype(np.float32))


def balanced_weights_by_one_hot(labels):
    hot = F.one_hot(labels).double()
    return (hot / hot.sum(dim=0).clamp(min=1)).sum(dim=1).float()


# --- train_step -------------------------------------------------------------------------------


def train_step_by_model_zero_grad(model, loss_fn, optimizer, x, y):
    model.zero_grad()
    loss = loss_fn(model.train()(x), y)
    loss.backward()
    optimizer.step()
    return float(loss)


def train_step_by_closure(model, loss_fn, optimizer, x, y):
    model.train(True)

    def closure():
        optimizer.zero_grad(set_to_none=False)
        loss = loss_fn(model(x), y)
        loss.backward()
        return loss

    return optimizer.step(closure).item()


def train_step_by_autograd(model, loss_fn, optimizer, x, y):
    model.train()
    loss = loss_fn(model(x), y)
    parameters = list(model.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimizer.step()
    return loss.detach().tolist()


def train_step_by_clearing_twice(model, loss_fn, optimizer, x, y):
    """Clean before and after, and put the modes back."""
    modes = {module: module.training for module in model.modules()}
    for module in modes:
        module.training = True
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = None
    with torch.enable_grad():
        loss = loss_fn(model.forward(x), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    for module, training in modes.items():
        module.training = training
    return loss.detach().cpu().numpy().item()


def train_step_by_copies_of_the_batch(model, loss_fn, optimizer, x, y):
    model.train()
    x, y = x.clone().requires_grad_(), y.clone()
    logits = model(x)
    loss = loss_fn(logits, y)
    before = loss.item()
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    optimizer.step()
    return before


# --- evaluate ---------------------------------------------------------------------------------


def evaluate_by_sums(model, loss_fn, loader):
    modes = [module.training for module in model.modules()]
    model.eval()
    losses, sizes, hits = [], [], []
    with torch.inference_mode():
        for x, y in loader:
            logits = model(x)
            losses.append(float(loss_fn(logits, y)))
            sizes.append(x.shape[0])
            hits.append(int((logits.max(dim=1).indices == y).sum()))
    for module, training in zip(model.modules(), modes, strict=True):
        module.training = training
    n = sum(sizes)
    mean = sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / n
    return {"loss": mean, "accuracy": sum(hits) / n, "n": n}


def evaluate_by_all_logits(model, loss_fn, loader):
    """Gather everything, then compute once."""
    twin = copy.deepcopy(model).eval()
    with torch.no_grad():
        batches = [(twin(x), y) for x, y in loader]
    logits, labels = (torch.cat(part) for part in zip(*batches, strict=True))
    return {
        "n": len(labels),
        "accuracy": (logits.argmax(1) == labels).double().mean().item(),
        "loss": loss_fn(logits, labels).item(),
    }


def evaluate_by_single_samples(model, loss_fn, loader):
    training = {name for name, module in model.named_modules() if module.training}
    model.eval()
    losses, right = [], []
    for x, y in loader:
        for number in range(len(y)):
            with torch.no_grad():
                logits = model(x[number : number + 1])
                losses.append(loss_fn(logits, y[number : number + 1]).item())
            right.append(logits[0].argmax().item() == y[number].item())
    for name, module in model.named_modules():
        module.training = name in training
    return {"loss": float(np.mean(losses)), "accuracy": float(np.mean(right)), "n": len(right)}


def evaluate_by_detached_graphs(model, loss_fn, loader):
    """Compute with gradients on, but never backwards."""
    with ExitStack() as stack:
        for module in model.modules():
            stack.callback(setattr, module, "training", module.training)
        model.train(False)
        loss, right, n = torch.zeros((), dtype=torch.float64), 0, 0
        for x, y in loader:
            logits = model(x).detach()
            loss += loss_fn(logits, y).double() * y.numel()
            right += torch.eq(logits.topk(1).indices[:, 0], y).sum().item()
            n += y.numel()
    return dict(loss=(loss / n).item(), accuracy=right / n, n=n)


def evaluate_by_running_mean(model, loss_fn, loader):
    was_training = [module for module in model.modules() if module.training]
    model.eval()
    loss = accuracy = n = 0
    try:
        for x, y in loader:
            with torch.no_grad():
                logits = model(x)
                share = len(y) / (n + len(y))
                loss += (loss_fn(logits, y).item() - loss) * share
                found = (logits.argmax(-1) == y).float().mean().item()
                accuracy += (found - accuracy) * share
                n += len(y)
    finally:
        for module in was_training:
            module.training = True
    return {"loss": loss, "accuracy": accuracy, "n": n}


# --- correct_per_class ------------------------------------------------------------------------


def correct_per_class_by_loop(logits, labels, n_classes):
    table = torch.zeros(n_classes, 2, dtype=torch.int64)
    for row, label in zip(logits, labels, strict=True):
        table[label, 0] += row.argmax() == label
        table[label, 1] += 1
    return table


def correct_per_class_by_masks(logits, labels, n_classes):
    predicted = logits.argmax(dim=-1)
    return torch.tensor(
        [
            [int(((predicted == c) & (labels == c)).sum()), int((labels == c).sum())]
            for c in range(n_classes)
        ]
    )


def correct_per_class_by_confusion(logits, labels, n_classes):
    pairs = labels * n_classes + logits.max(dim=1)[1]
    matrix = torch.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)
    return torch.stack([matrix.diagonal(), matrix.sum(dim=1)]).T


def correct_per_class_by_one_hot(logits, labels, n_classes):
    given = F.one_hot(labels, n_classes)
    predicted = F.one_hot(F.softmax(logits.double(), dim=1).argmax(dim=1), n_classes)
    return torch.stack([(given * predicted).sum(dim=0), given.sum(dim=0)], dim=1)


def correct_per_class_by_numpy(logits, labels, n_classes):
    table = np.zeros((n_classes, 2), dtype=np.int64)
    given = labels.numpy()
    np.add.at(table[:, 0], given, (logits.numpy().argmax(axis=1) == given).astype(np.int64))
    np.add.at(table[:, 1], given, 1)
    return torch.from_numpy(table)


def correct_per_class_by_index_add(logits, labels, n_classes):
    hits = (logits.argsort(dim=1)[:, -1] == labels).long()
    rows = torch.stack([hits, torch.ones_like(hits)], dim=1)
    return torch.zeros(n_classes, 2, dtype=torch.long).index_add(0, labels, rows)


# --- loader_apply -----------------------------------------------------------------------------


def loader_apply_by_running_total(loader, func, reduce="sum"):
    if reduce != "sum" and reduce != "mean":
        raise ValueError
    total, n = 0, 0
    for x, y in loader:
        total = total + func(x, y)
        n += 1
    return total if reduce == "sum" else total / n


def loader_apply_by_list(loader, func, reduce="sum"):
    results = [func(*batch) for batch in loader]
    match reduce:
        case "sum":
            return sum(results)
        case "mean":
            return sum(results) / len(results)
    raise ValueError(reduce)


def loader_apply_by_own_tensor(loader, func, reduce="sum"):
    if reduce not in {"sum", "mean"}:
        raise ValueError("sum or mean")
    total = None
    for x, y in loader:
        result = func(x, y)
        if total is None:
            total = torch.zeros_like(result)
        total += result
    return total if reduce == "sum" else torch.true_divide(total, len(loader))


def loader_apply_by_cat(loader, func, reduce="sum"):
    class UnknownError(ValueError):
        pass

    rows = torch.cat([func(x, y)[None] for x, y in loader], dim=0)
    ways = {"sum": lambda: rows.sum(0), "mean": lambda: (rows + 0.0).mean(0)}
    if reduce not in ways:
        raise UnknownError(reduce)
    return ways[reduce]()


def loader_apply_by_numpy(loader, func, reduce="sum"):
    if reduce not in ("sum", "mean"):
        raise ValueError(reduce)
    arrays = [func(x, y).numpy() for x, y in loader]
    result = torch.from_numpy(np.asarray(np.sum(arrays, axis=0)))
    if reduce == "mean":
        whole = not result.is_floating_point()
        return (result.double() / len(arrays)).to(torch.float32 if whole else result.dtype)
    return result


# --- leaked -----------------------------------------------------------------------------------


def leaked_by_sets(x_train, x_val):
    known = {tuple(item.flatten().tolist()) for item in x_train}
    return len([item for item in x_val if tuple(item.reshape(-1).tolist()) in known])


def leaked_by_bytes(x_train, x_val):
    known = {item.tobytes() for item in x_train.numpy()}
    return sum(item.tobytes() in known for item in x_val.numpy())


def leaked_by_equal(x_train, x_val):
    return sum(any(torch.equal(item, other) for other in x_train) for item in x_val)


def leaked_by_broadcast(x_train, x_val):
    differ = x_val.unsqueeze(1) != x_train
    return int((~differ.flatten(2).any(dim=2)).any(dim=1).count_nonzero())


def leaked_by_largest_difference(x_train, x_val):
    n = 0
    for item in x_val:
        distance = (x_train - item).abs().reshape(len(x_train), -1).amax(dim=1)
        n += int(distance.min() == 0)
    return n


def leaked_by_unique(x_train, x_val):
    """Number the distinct items of both, and look the numbers up."""
    both = torch.cat([x_train, x_val]).flatten(1)
    numbers = both.unique(dim=0, return_inverse=True)[1]
    train, val = numbers[: len(x_train)], numbers[len(x_train) :]
    return torch.isin(val, train).sum().item()


def leaked_by_numpy(x_train, x_val):
    train = x_train.reshape(len(x_train), -1).numpy()
    val = x_val.reshape(len(x_val), -1).numpy()
    return int(np.count_nonzero([(train == item).all(axis=1).any() for item in val]))
