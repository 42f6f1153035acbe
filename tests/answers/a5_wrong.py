"""Wrong answers to assignment 5; none is copied from the registered misconceptions."""

import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from answers.a5_right import (
    balanced_weights_by_bincount,
    correct_per_class_by_loop,
    evaluate_by_sums,
    leaked_by_sets,
    loader_apply_by_list,
    make_lines_by_masks,
    split_and_scale_by_global_seed,
    train_step_by_model_zero_grad,
)


def _changed(answer, change):
    """Return an answer whose result is changed."""
    return lambda *args, **kwargs: change(answer(*args, **kwargs))


# --- make_lines -------------------------------------------------------------------------------


def _lines(line, *, low=lambda size: 1 - size, high=lambda size: size, seed_of=lambda seed: seed):
    """Return a generator that draws each line by ``line(image, start, label)``."""

    def answer(n=1000, size=10, seed=17):
        stream = np.random.RandomState(seed_of(seed))
        starts, labels = stream.randint(low(size), high(size), n), stream.randint(0, 3, n)
        images = np.zeros((n, 1, size, size), np.uint8)
        for image, start, label in zip(images, starts.tolist(), labels.tolist(), strict=True):
            line(image[0], start, label)
        return images, labels

    return answer


def _draw(image, start, label, *, least=1, straight_least=0, shorter=0, width=1, white=255):
    size = len(image)
    if label == 0:
        place = start if start > 0 else max(straight_least, -start)
        if start > 0:
            image[place : place + width] = white
        else:
            image[:, place : place + width] = white
        return
    row, column = (start, 0) if start > 0 else ((size - 1) * (label == 1), max(least, -start))
    for step in range(size - shorter):
        r, c = row + (-step if label == 1 else step), column + step
        if 0 <= r < size and c < size:
            image[r, c : c + width] = white


def _draw_with(**settings):
    return lambda image, start, label: _draw(image, start, label, **settings)


def _to_the_left(image, start, label):
    _draw(image[:, ::-1] if label else image, start, label)


def _no_single_pixels(image, start, label):
    """Draw a diagonal only if it has more than one pixel."""
    if label == 1 and start == -(len(image) - 1):
        return
    _draw(image, start, label)


def _from_row_zero(image, start, label):
    """Let a rising line of a column begin in the first row, where it leaves the image at once."""
    if label == 1 and start <= 0:
        image[0, max(1, -start)] = 255
    else:
        _draw(image, start, label)


def _one_row_further(image, start, label):
    _draw(image, start + (start > 0 and start < len(image) - 1), label)


def _whole_diagonals(image, start, label):
    """Draw a diagonal to both of its ends."""
    if label == 1 and start > 0:
        _draw(image, start, 1)
    elif label:
        np.fill_diagonal(image[::-1] if label == 1 else image, 255)
    else:
        _draw(image, start, label)


def _reseeds_global(n=1000, size=10, seed=17):
    np.random.seed(seed)
    return make_lines_by_masks(n, size, seed)


def _draws_from_global(n=1000, size=10, seed=17):
    np.random.random()
    return make_lines_by_masks(n, size, seed)


# --- split_and_scale --------------------------------------------------------------------------


def _split(*, scale=None, order_of=lambda order: order, n_val=None, start=None):
    """Return a split with another scale, order, number or place of validation items."""

    def answer(images, labels, val_fraction=0.2, seed=13):
        n = len(images)
        order = order_of(torch.randperm(n, generator=torch.Generator().manual_seed(seed)))
        number = int(n * val_fraction) if n_val is None else n_val(n, val_fraction)
        x = torch.from_numpy(images).float()
        x = x / 127.5 - 1 if scale is None else scale(x)
        y = torch.from_numpy(labels)
        first = n - number if start is None else start(n, number)
        val = order[first : first + number]
        train = torch.cat([order[:first], order[first + number :]])
        return x[train], y[train], x[val], y[val]

    return answer


def _swaps_rows_and_columns(images, labels, val_fraction=0.2, seed=13):
    a, b, c, d = split_and_scale_by_global_seed(images, labels, val_fraction, seed)
    return a.mT, b, c.mT, d


def _first_channel_only(images, labels, val_fraction=0.2, seed=13):
    return split_and_scale_by_global_seed(images[:, :1], labels, val_fraction, seed)


def _fresh_permutation(images, labels, val_fraction=0.2, seed=13):
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(images)))
    n = len(images) - int(len(images) * val_fraction)
    x, y = torch.from_numpy(images).float() / 127.5 - 1, torch.from_numpy(labels)
    return x[order[:n]], y[order[:n]], x[order[n:]], y[order[n:]]


def _labels_in_place(images, labels, val_fraction=0.2, seed=13):
    result = split_and_scale_by_global_seed(images, labels, val_fraction, seed)
    labels.sort()
    labels[:] = labels[::-1]
    return result


def _validation_unscaled(images, labels, val_fraction=0.2, seed=13):
    a, b, c, d = split_and_scale_by_global_seed(images, labels, val_fraction, seed)
    return a, b, (c + 1) * 127.5, d


# --- balanced_weights -------------------------------------------------------------------------


def _for_three_classes(labels):
    weights = torch.zeros(len(labels))
    for label in range(3):
        found = labels == label
        weights[found] = 1 / found.sum()
    return weights


def _counts_of_neighbours(labels):
    """Count runs of equal labels instead of classes."""
    _, where, counts = labels.unique_consecutive(return_inverse=True, return_counts=True)
    return (1 / counts)[where]


def _whole_number_division(labels):
    return (1 // torch.bincount(labels).clamp(min=1)).float()[labels]


def _plus_one(labels):
    return (1 / (torch.bincount(labels) + 1).float())[labels]


def _sorts_its_input(labels):
    result = balanced_weights_by_bincount(labels)
    labels.copy_(labels.sort().values)
    return result


# --- train_step -------------------------------------------------------------------------------


def _step(*, before=None, between=None, after=None, result=None, batch=None, mode=None):
    """Return a step that does something more, or takes another batch."""

    def answer(model, loss_fn, optimizer, x, y):
        (mode or nn.Module.train)(model)
        if batch is not None:
            x, y = batch(x, y)
        optimizer.zero_grad()
        if before is not None:
            before(model, optimizer, x, y)
        loss = loss_fn(model(x), y)
        loss.backward()
        if between is not None:
            between(model, optimizer, x, y)
        optimizer.step()
        if after is not None:
            after(model, optimizer, x, y)
        return loss.item() if result is None else result(loss)

    return answer


def _only_root_trains(model):
    model.training = True


def _halves_the_gradients(model, *_):
    for parameter in model.parameters():
        parameter.grad /= 2


def _biases_stay(model, *_):
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            parameter.grad = None


def _lets_the_rate_fall(model, optimizer, x, y):
    for group in optimizer.param_groups:
        group["lr"] *= 0.9


def _new_optimizer(model, loss_fn, optimizer, x, y):
    """Take the step with a fresh optimizer, which remembers nothing."""
    rate = optimizer.param_groups[0]["lr"]
    fresh = type(optimizer)(model.parameters(), lr=rate)
    return train_step_by_model_zero_grad(model, loss_fn, fresh, x, y)


def _on_a_copy(model, loss_fn, optimizer, x, y):
    return train_step_by_model_zero_grad(copy.deepcopy(model), loss_fn, optimizer, x, y)


def _cleaned_between(model, loss_fn, optimizer, x, y):
    model.train()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.zero_grad(set_to_none=False)
    optimizer.step()
    return loss.item()


def _loss_of_a_second_pass(model, loss_fn, optimizer, x, y):
    model.train()
    before = loss_fn(model(x), y).item()
    train_step_by_model_zero_grad(model, loss_fn, optimizer, x, y)
    return before


def _loss_in_evaluation_mode(model, loss_fn, optimizer, x, y):
    model.eval()
    with torch.no_grad():
        before = loss_fn(model(x), y).item()
    train_step_by_model_zero_grad(model, loss_fn, optimizer, x, y)
    return before


def _train_too_late(model, loss_fn, optimizer, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    model.train()
    loss.backward()
    optimizer.step()
    return loss.item()


def _gradients_off_afterwards(model, loss_fn, optimizer, x, y):
    loss = train_step_by_model_zero_grad(model, loss_fn, optimizer, x, y)
    torch.set_grad_enabled(False)
    return loss


# --- evaluate ---------------------------------------------------------------------------------


def _evaluation(*, loss_of=None, right_of=None, enter=None, leave=None, finish=None):
    """Return an evaluation with another loss, count, or way into the mode and out of it."""

    def answer(model, loss_fn, loader):
        was = [(module, module.training) for module in model.modules()]
        model.eval() if enter is None else enter(model)
        total, right, n = 0.0, 0, 0
        with torch.no_grad():
            for x, y in loader:
                logits = model(x)
                if loss_of is None:
                    total += loss_fn(logits, y).item() * len(y)
                else:
                    total += loss_of(loss_fn, logits, y, loader)
                right += (
                    (logits.argmax(1) == y).sum().item()
                    if right_of is None
                    else right_of(logits, y)
                )
                n += len(y)
        if leave is None:
            for module, training in was:
                module.training = training
        else:
            leave(model, was)
        result = {"loss": total / n, "accuracy": right / n, "n": n}
        return result if finish is None else finish(result)

    return answer


def _restores_root(model, was):
    model.train(was[0][1])


def _restores_children(model, was):
    modes = dict(was)
    model.training = modes[model]
    for child in model.children():
        child.training = modes[child]


def _restores_backwards(model, was):
    for module, training in reversed(was):
        module.train(training)


def _only_batch_norm(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.eval()


def _only_dropout(model):
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.eval()


def _eval_if_training(model):
    if model.training:
        model.eval()


def _leaves_gradients_off(model, loss_fn, loader):
    result = evaluate_by_sums(model, loss_fn, loader)
    torch.set_grad_enabled(False)
    return result


def _zeroes_missing_gradients(model, loss_fn, loader):
    for parameter in model.parameters():
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    return evaluate_by_sums(model, loss_fn, loader)


def _resets_statistics(model, loss_fn, loader):
    result = evaluate_by_sums(model, loss_fn, loader)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.reset_running_stats()
    return result


# --- correct_per_class ------------------------------------------------------------------------


def _counted(predict, *, weigh=lambda table: table):
    def answer(logits, labels, n_classes):
        predicted = predict(logits)
        table = torch.zeros(n_classes, 2, dtype=torch.int64)
        for guess, label in zip(predicted.tolist(), labels.tolist(), strict=True):
            table[label, 0] += guess == label
            table[label, 1] += 1
        return weigh(table)

    return answer


def _starts_at_zero(logits):
    best = []
    for row in logits.tolist():
        place, value = 0, 0.0
        for number, logit in enumerate(row):
            if logit > value:
                place, value = number, logit
        best.append(place)
    return torch.tensor(best)


def _squeezed(logits, labels, n_classes):
    return correct_per_class_by_loop(logits.squeeze()[:, :], labels, n_classes)


def _minus_one_for_absent(table):
    table[table[:, 1] == 0] = -1
    return table


def _half_sure(logits, labels, n_classes):
    """Count a right answer only if its probability is above one half."""
    sure = logits.softmax(dim=1).amax(dim=1) > 0.5
    table = torch.zeros(n_classes, 2, dtype=torch.int64)
    for guess, label, counts in zip(logits.argmax(dim=1), labels, sure, strict=True):
        table[label, 0] += int(guess == label and counts)
        table[label, 1] += 1
    return table


def _for_any_predicted(logits, labels, n_classes):
    table = correct_per_class_by_loop(logits, labels, n_classes)
    for c in range(n_classes):
        if not (logits.argmax(dim=1) == c).any():
            table[c] = 0
    return table


# --- loader_apply -----------------------------------------------------------------------------


def _apply(way):
    """Return a reduction by ``way(results, reduce)``, where results is a list."""

    def answer(loader, func, reduce="sum"):
        return way([func(x, y) for x, y in loader], reduce)

    return answer


def _by_first_letter(results, reduce):
    if reduce[0] not in "sm":
        raise ValueError(reduce)
    return torch.stack(results).sum(0) if reduce[0] == "s" else sum(results) / len(results)


def _in_any_case(loader, func, reduce="sum"):
    return loader_apply_by_list(loader, func, reduce.lower())


def _by_key(results, reduce):
    return {"sum": sum(results), "mean": sum(results) / len(results)}[reduce]


def _substring(results, reduce):
    if reduce not in "sum or mean":
        raise ValueError(reduce)
    return sum(results) / len(results) if "m" in reduce and "e" in reduce else sum(results)


def _into_float32(results, reduce):
    if reduce not in ("sum", "mean"):
        raise ValueError(reduce)
    total = torch.zeros(results[0].shape)
    for result in results:
        total += result
    return total if reduce == "sum" else total / len(results)


def _mean_is_default(loader, func, reduce="mean"):
    return loader_apply_by_list(loader, func, reduce)


def _by_place(loader, func, reduce="sum"):
    if reduce not in ("sum", "mean"):
        raise ValueError(reduce)
    total = sum(func(*loader[number]) for number in range(len(loader)))
    return total if reduce == "sum" else total / len(loader)


def _running_halves(results, reduce):
    """Take the mean of the mean so far and the next one."""
    if reduce not in ("sum", "mean"):
        raise ValueError(reduce)
    if reduce == "sum":
        return sum(results)
    mean = results[0] + 0.0
    for result in results[1:]:
        mean = (mean + result) / 2
    return mean


def _one_batch(loader, func, reduce="sum"):
    """Put all batches together first."""
    if reduce not in ("sum", "mean"):
        raise ValueError(reduce)
    x, y = (torch.cat(part) for part in zip(*loader, strict=True))
    result = func(x, y)
    return result if reduce == "sum" else result / len(loader)


def _adds_to_data(results, reduce):
    if reduce not in ("sum", "mean"):
        raise ValueError(reduce)
    for result in results[1:]:
        results[0] += result
    return results[0] if reduce == "sum" else results[0] / len(results)


# --- leaked -----------------------------------------------------------------------------------


def _keys(key_of):
    """Return a count of validation items whose key occurs in training."""

    def answer(x_train, x_val):
        known = {key_of(item) for item in x_train}
        return sum(key_of(item) in known for item in x_val)

    return answer


def _rounded(item):
    return tuple(round(number, 4) for number in item.flatten().tolist())


def _first_channel(item):
    return tuple(item[0].flatten().tolist())


def _allclose(x_train, x_val):
    return sum(any(torch.allclose(item, other) for other in x_train) for item in x_val)


def _matched_one_to_one(x_train, x_val):
    left = [tuple(item.flatten().tolist()) for item in x_train]
    n = 0
    for item in x_val:
        key = tuple(item.flatten().tolist())
        if key in left:
            left.remove(key)
            n += 1
    return n


def _viewed(x_train, x_val):
    train, val = x_train.view(len(x_train), -1), x_val.view(len(x_val), -1)
    return int((val[:, None] == train).all(dim=2).any(dim=1).sum())


def _copies_within_validation(x_train, x_val):
    return leaked_by_sets(torch.cat([x_train, x_val[:1]]), x_val)


def _all_but_last(x_train, x_val):
    return leaked_by_sets(x_train[:-1] if len(x_train) > 1 else x_train, x_val)


def _distinct_both(x_train, x_val):
    train = {tuple(item.flatten().tolist()) for item in x_train}
    return len(train & {tuple(item.flatten().tolist()) for item in x_val})


WRONG = {
    "make_lines": {
        "two pixels wide": _lines(_draw_with(width=2)),
        "white is 254": _lines(_draw_with(white=254)),
        "straight lines avoid column 0": _lines(_draw_with(straight_least=1)),
        "diagonals begin in column 2": _lines(_draw_with(least=2)),
        "diagonals end early": _lines(_draw_with(shorter=1)),
        "diagonals run to the left": _lines(_to_the_left),
        "no lines of one pixel": _lines(_no_single_pixels),
        "rising from row 0": _lines(_from_row_zero),
        "one row further": _lines(_one_row_further),
        "diagonals through the corner": _lines(_whole_diagonals),
        "starts from -size": _lines(_draw, low=lambda size: -size),
        "no negative starts": _lines(_draw, low=lambda size: 0),
        "starts to size": _lines(_draw, high=lambda size: size + 1),
        "the next seed": _lines(_draw, seed_of=lambda seed: seed + 1),
        "default seed 13": lambda n=1000, size=10, seed=13: make_lines_by_masks(n, size, seed),
        "lists": _changed(make_lines_by_masks, lambda both: tuple(part.tolist() for part in both)),
        "tensors": _changed(make_lines_by_masks, lambda both: tuple(map(torch.from_numpy, both))),
        "labels int32": _changed(make_lines_by_masks, lambda xy: (xy[0], xy[1].astype(np.int32))),
        "labels in a column": _changed(make_lines_by_masks, lambda xy: (xy[0], xy[1][:, None])),
        "labels from 1": _changed(make_lines_by_masks, lambda xy: (xy[0], xy[1] + 1)),
        "one axis squeezed": _changed(make_lines_by_masks, lambda xy: (xy[0].squeeze(), xy[1])),
        "three channels": _changed(make_lines_by_masks, lambda xy: (xy[0].repeat(3, 1), xy[1])),
        "upside down": _changed(make_lines_by_masks, lambda xy: (xy[0][:, :, ::-1], xy[1])),
        "booleans": _changed(make_lines_by_masks, lambda xy: (xy[0] > 0, xy[1])),
        "seeds the global stream": _reseeds_global,
        "one draw from the global stream": _draws_from_global,
    },
    "split_and_scale": {
        "divided by 256": _split(scale=lambda x: x / 128 - 1),
        "a grey of 127 is zero": _split(scale=lambda x: (x - 127) / 128),
        "from 1 to -1": _split(scale=lambda x: 1 - x / 127.5),
        "by the largest pixel": _split(scale=lambda x: x / x.max() * 2 - 1),
        "by the image's own range": _split(
            scale=lambda x: (
                2
                * (x - x.amin((1, 2, 3), keepdim=True))
                / (x.amax((1, 2, 3), keepdim=True) - x.amin((1, 2, 3), keepdim=True) + 1e-9)
                - 1
            )
        ),
        "clamped at zero": _split(scale=lambda x: (x / 127.5 - 1).clamp(min=0)),
        "rounded": _split(scale=lambda x: ((x / 127.5 - 1) * 100).round() / 100),
        "order reversed": _split(order_of=lambda order: order.flip(0)),
        "order rolled": _split(order_of=lambda order: order.roll(1)),
        "training truncated": _split(n_val=lambda n, share: n - int(n * (1 - share))),
        "one more for validation": _split(n_val=lambda n, share: int(n * share) + 1),
        "fraction of training": _split(n_val=lambda n, share: int(n * share / (1 + share))),
        "validation from the middle": _split(start=lambda n, number: (n - number) // 2),
        "rows and columns swapped": _swaps_rows_and_columns,
        "one channel": _first_channel_only,
        "permuted by default_rng": _fresh_permutation,
        "labels reversed in place": _labels_in_place,
        "validation unscaled": _validation_unscaled,
        "a list": _changed(split_and_scale_by_global_seed, list),
        "arrays": _changed(
            split_and_scale_by_global_seed, lambda parts: tuple(part.numpy() for part in parts)
        ),
        "labels float": _changed(
            split_and_scale_by_global_seed, lambda p: (p[0], p[1].float(), p[2], p[3].float())
        ),
        "labels int32": _changed(
            split_and_scale_by_global_seed, lambda p: (p[0], p[1].int(), p[2], p[3].int())
        ),
        "flat images": _changed(
            split_and_scale_by_global_seed, lambda p: (p[0].flatten(1), p[1], p[2].flatten(1), p[3])
        ),
        "two pairs": _changed(split_and_scale_by_global_seed, lambda parts: (parts[:2], parts[2:])),
    },
    "balanced_weights": {
        "three classes only": _for_three_classes,
        "counts of neighbours": _counts_of_neighbours,
        "whole-number division": _whole_number_division,
        "one more in each count": _plus_one,
        "sorts its input": _sorts_its_input,
        "a column": _changed(balanced_weights_by_bincount, lambda weights: weights[:, None]),
        "a list": _changed(balanced_weights_by_bincount, lambda weights: weights.tolist()),
        "an array": _changed(balanced_weights_by_bincount, lambda weights: weights.numpy()),
        "minus signs": _changed(balanced_weights_by_bincount, lambda weights: -weights),
        "the largest is one": _changed(balanced_weights_by_bincount, lambda w: w / w.max()),
        "squared": _changed(balanced_weights_by_bincount, lambda weights: weights**2),
        "backwards": _changed(balanced_weights_by_bincount, lambda weights: weights.flip(0)),
        "half precision": _changed(balanced_weights_by_bincount, lambda weights: weights.half()),
        "rounded": _changed(balanced_weights_by_bincount, lambda w: (w * 100).round() / 100),
        "softmax of them": _changed(balanced_weights_by_bincount, lambda w: w.softmax(0)),
    },
    "train_step": {
        "only the root in train mode": _step(mode=_only_root_trains),
        "train mode after the forward pass": _train_too_late,
        "gradients halved": _step(between=_halves_the_gradients),
        "biases stay": _step(between=_biases_stay),
        "rate falls": _step(after=_lets_the_rate_fall),
        "a new optimizer": _new_optimizer,
        "on a copy": _on_a_copy,
        "cleaned before the step": _cleaned_between,
        "two passes": _loss_of_a_second_pass,
        "loss in evaluation mode": _loss_in_evaluation_mode,
        "gradients off afterwards": _gradients_off_afterwards,
        "first half of the batch": _step(batch=lambda x, y: (x[: len(x) // 2], y[: len(y) // 2])),
        "batch standardised": _step(batch=lambda x, y: ((x - x.mean(0)) / x.std(0), y)),
        "batch doubled in place": _step(after=lambda model, optimizer, x, y: x.mul_(2)),
        "batch wants gradients": _step(before=lambda m, o, x, y: x.requires_grad_()),
        "seeds the stream": _step(before=lambda *_: torch.manual_seed(0)),
        "weights shrink too": _step(
            after=lambda model, *_: [p.data.mul_(0.99) for p in model.parameters()]
        ),
        "parameters frozen afterwards": _step(
            after=lambda model, *_: [p.requires_grad_(False) for p in model.parameters()]
        ),
        "a tensor": _step(result=lambda loss: loss),
        "rounded": _step(result=lambda loss: round(loss.item(), 3)),
        "negative": _step(result=lambda loss: -loss.item()),
        "nothing": _step(result=lambda loss: None),
        "a whole number": _step(result=lambda loss: int(loss)),
    },
    "evaluate": {
        "root's mode for all": _evaluation(leave=_restores_root),
        "modes of the children only": _evaluation(leave=_restores_children),
        "modes given back from inside out": _evaluation(leave=_restores_backwards),
        "batch norm in eval mode only": _evaluation(enter=_only_batch_norm),
        "dropout in eval mode only": _evaluation(enter=_only_dropout),
        "eval mode if the root trains": _evaluation(enter=_eval_if_training),
        "gradients off afterwards": _leaves_gradients_off,
        "zeros for missing gradients": _zeroes_missing_gradients,
        "statistics reset": _resets_statistics,
        "always cross-entropy": _evaluation(
            loss_of=lambda loss_fn, z, y, loader: F.cross_entropy(z, y, reduction="sum").item()
        ),
        "weighted by the batch size": _evaluation(
            loss_of=lambda loss_fn, z, y, loader: loss_fn(z, y).item() * loader.batch_size
        ),
        "rounded for each batch": _evaluation(
            loss_of=lambda loss_fn, z, y, loader: round(loss_fn(z, y).item(), 2) * len(y)
        ),
        "logits clipped": _evaluation(
            loss_of=lambda loss_fn, z, y, loader: loss_fn(z.clamp(-1, 1), y).item() * len(y)
        ),
        "right among two": _evaluation(
            right_of=lambda z, y: (z.topk(2).indices == y[:, None]).sum().item()
        ),
        "right if positive": _evaluation(
            right_of=lambda z, y: (z[torch.arange(len(y)), y] > 0).sum().item()
        ),
        "largest over the batch": _evaluation(
            right_of=lambda z, y: (z.argmax(0)[y] == torch.arange(len(y))).sum().item()
        ),
        "loss is a tensor": _evaluation(finish=lambda r: {**r, "loss": torch.tensor(r["loss"])}),
        "accuracy is a tensor": _evaluation(
            finish=lambda r: {**r, "accuracy": torch.tensor(r["accuracy"])}
        ),
        "n is a float": _evaluation(finish=lambda r: {**r, "n": float(r["n"])}),
        "accuracy rounded": _evaluation(finish=lambda r: {**r, "accuracy": round(r["accuracy"])}),
        "another key": _evaluation(finish=lambda r: {"loss": r["loss"], "acc": r["accuracy"]}),
        "no n": _evaluation(finish=lambda r: {"loss": r["loss"], "accuracy": r["accuracy"]}),
        "a tuple": _evaluation(finish=lambda r: tuple(r.values())),
    },
    "correct_per_class": {
        "largest size of the logit": _counted(lambda logits: logits.abs().argmax(dim=1)),
        "largest square": _counted(lambda logits: (logits**2).argmax(dim=1)),
        "no logit below zero wins": _counted(_starts_at_zero),
        "last of the sorted": _counted(lambda logits: logits.argsort(dim=1)[:, 0]),
        "second best": _counted(lambda logits: logits.topk(2).indices[:, 1]),
        "flattened": _counted(lambda logits: logits.flatten().argmax().expand(len(logits))),
        "class 0 counts as none": _counted(
            lambda logits: logits[:, 1:].argmax(dim=1) + 1  # the background is never the answer
        ),
        "squeezed": _squeezed,
        "half sure": _half_sure,
        "absent classes are -1": _counted(
            lambda logits: logits.argmax(dim=1), weigh=_minus_one_for_absent
        ),
        "classes that are never predicted": _for_any_predicted,
        "one class more": _changed(
            correct_per_class_by_loop, lambda t: torch.cat([t, t.new_zeros(1, 2)])
        ),
        "wrong ones third": _changed(
            correct_per_class_by_loop, lambda t: torch.cat([t, t[:, 1:] - t[:, :1]], dim=1)
        ),
        "right and wrong": _changed(
            correct_per_class_by_loop, lambda t: torch.stack([t[:, 0], t[:, 1] - t[:, 0]], dim=1)
        ),
        "only right ones": _changed(correct_per_class_by_loop, lambda table: table[:, 0]),
        "shares": _changed(correct_per_class_by_loop, lambda t: t / t[:, 1:].clamp(min=1)),
        "a list": _changed(correct_per_class_by_loop, lambda table: table.tolist()),
        "a pair": _changed(correct_per_class_by_loop, lambda table: tuple(table.T)),
        "flat": _changed(correct_per_class_by_loop, lambda table: table.flatten()),
        "backwards": _changed(correct_per_class_by_loop, lambda table: table.flip(0)),
    },
    "loader_apply": {
        "first letter": _apply(_by_first_letter),
        "in any case": _in_any_case,
        "KeyError": _apply(_by_key),
        "part of a word": _apply(_substring),
        "into float32": _apply(_into_float32),
        "mean by default": _mean_is_default,
        "batches by place": _by_place,
        "running halves": _apply(_running_halves),
        "all data as one batch": _one_batch,
        "adds to data": _apply(_adds_to_data),
        "data sets for loaders": lambda loader, func, reduce="sum": loader_apply_by_list(
            loader.dataset, func, reduce
        ),
        "largest": _apply(lambda results, reduce: torch.stack(results).amax(dim=0)),
        "list of results": _apply(lambda results, reduce: results),
        "a number": _changed(loader_apply_by_list, lambda result: result.sum().item()),
        "rounded": _changed(loader_apply_by_list, lambda result: result.round()),
        "one axis more": _changed(loader_apply_by_list, lambda result: result[None]),
        "float64": _changed(loader_apply_by_list, lambda result: result.double()),
        "median": lambda loader, func, reduce="sum": (
            loader_apply_by_list(loader, func, reduce)
            if reduce != "mean"
            else torch.stack([func(x, y) for x, y in loader]).median(dim=0).values
        ),
    },
    "leaked": {
        "rounded": _keys(_rounded),
        "first channel": _keys(_first_channel),
        "allclose": _allclose,
        "matched one to one": _matched_one_to_one,
        "view": _viewed,
        "first validation item known": _copies_within_validation,
        "last training item unknown": _all_but_last,
        "distinct on both sides": _distinct_both,
        "products": _keys(lambda item: item.double().prod().item()),
        "norms": _keys(lambda item: round(item.double().norm().item(), 9)),
        "mean and spread": _keys(lambda item: (item.mean().item(), item.std().item())),
        "largest and smallest": _keys(lambda item: (item.max().item(), item.min().item())),
        "sets of values": _keys(lambda item: frozenset(item.flatten().tolist())),
        "last element": _keys(lambda item: item.flatten()[-1].item()),
        "both ends": _keys(lambda item: (item.flatten()[0].item(), item.flatten()[-1].item())),
        "positions in storage": _keys(lambda item: item.data_ptr()),
        "tensors in a set": _keys(lambda item: item),
        "a tensor": _changed(leaked_by_sets, torch.tensor),
        "a float": _changed(leaked_by_sets, float),
        "a bool": _changed(leaked_by_sets, bool),
        "one too many": _changed(leaked_by_sets, lambda n: n + 1),
    },
}
