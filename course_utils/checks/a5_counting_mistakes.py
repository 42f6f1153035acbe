"""Assignment 5, third part: wrong counts over classes, batches and copies, each with a name."""

import torch

from course_utils.checks.a5_oracles import correct_per_class, leaked, loader_apply
from course_utils.checks.a5_rules import BATCH_MEANS, COUNTING, LEAKS, MATRIX, TWO_LOSSES
from course_utils.checks.exercise import Misconception

# --- correct_per_class ------------------------------------------------------------------------


def _pairs(*, predicted_of=lambda logits: logits.argmax(dim=1), first=None, second=None):
    """Return wrong counts: other predictions, or another first or second column."""

    def answer(logits, labels, n_classes):
        predicted = predicted_of(logits)

        def count(found):
            return torch.bincount(found, minlength=n_classes)[:n_classes]

        right = labels[predicted == labels]
        columns = [
            count(right if first is None else first(labels, predicted)),
            count(labels if second is None else second(labels, predicted)),
        ]
        return torch.stack(columns, dim=1)

    return answer


def _only_present(logits, labels, n_classes):
    return correct_per_class(logits, labels, n_classes)[labels.unique()]


def _up_to_the_largest(logits, labels, n_classes):
    return correct_per_class(logits, labels, n_classes)[: int(labels.max()) + 1]


def _binary_only(logits, labels, n_classes):
    """Take a logit above zero as the answer."""
    result = torch.zeros(n_classes, 2, dtype=torch.int64)
    for row, label in zip(logits, labels.tolist(), strict=True):
        result[label, 0] += int(row[label] > 0)
        result[label, 1] += 1
    return result


def _cumulated(logits, labels, n_classes):
    return correct_per_class(logits, labels, n_classes).cumsum(dim=0)


def _ones_for_absent(logits, labels, n_classes):
    result = correct_per_class(logits, labels, n_classes)
    result[:, 1].clamp_(min=1)
    return result


def _whole_batch(logits, labels, n_classes):
    total = correct_per_class(logits, labels, n_classes).sum(dim=0)
    return total.expand(n_classes, 2).clone()


def _all_labelled(logits, labels, n_classes):
    result = correct_per_class(logits, labels, n_classes)
    result[:, 1] = len(labels)
    return result


def _per_position(logits, labels, n_classes):
    """Take the largest over the batch, where it is over the classes."""
    return _pairs(predicted_of=lambda z: z.argmax(dim=0)[torch.arange(len(z)) % z.shape[1]])(
        logits, labels, n_classes
    )


CORRECT_MISCONCEPTIONS = (
    Misconception(
        "columns-swapped",
        lambda *given: correct_per_class(*given).flip(1),
        "Your columns are (labelled, correct). The count of right predictions comes first.",
        COUNTING,
    ),
    Misconception(
        "predicted-not-labelled",
        _pairs(second=lambda labels, predicted: predicted),
        "Your second column counts how often each class is predicted. It counts how often each "
        "class is the label.",
        MATRIX,
    ),
    Misconception(
        "wrong-ones-counted",
        _pairs(first=lambda labels, predicted: labels[predicted != labels]),
        "Your first column counts the wrong predictions of each class. It counts the right ones.",
        COUNTING,
    ),
    Misconception(
        "wrong-ones-beside",
        _pairs(second=lambda labels, predicted: labels[predicted != labels]),
        "Your second column counts the wrong predictions of each class. It counts all the images "
        "of the class.",
        COUNTING,
    ),
    Misconception(
        "predictions-counted",
        _pairs(first=lambda labels, predicted: predicted),
        "Your first column counts all predictions of each class, right or wrong.",
        MATRIX,
    ),
    Misconception(
        "smallest-logit",
        _pairs(predicted_of=lambda logits: logits.argmin(dim=1)),
        "Your predictions are the smallest logits. The largest one is the answer.",
        COUNTING,
    ),
    Misconception(
        "over-the-batch",
        _per_position,
        "Your largest logit is taken over the batch (dim 0). Each image has its own answer, over "
        "the classes (dim 1).",
        COUNTING,
    ),
    Misconception(
        "positive-logit",
        _binary_only,
        "Your predictions are right where the logit of the label is positive. Only the largest "
        "logit of an image is its answer.",
        COUNTING,
    ),
    Misconception(
        "transposed",
        lambda *given: correct_per_class(*given).T.contiguous(),
        "Your result has a row for right and a row for labelled. It has a row for each class.",
        COUNTING,
    ),
    Misconception(
        "absent-classes-left-out",
        _only_present,
        "Your result has rows only for the classes that occur. A class that is absent has (0, 0).",
        COUNTING,
    ),
    Misconception(
        "up-to-the-largest-label",
        _up_to_the_largest,
        "Your result ends at the largest label of the batch. It has a row for each of the "
        "n_classes classes.",
        COUNTING,
    ),
    Misconception(
        "ones-for-absent",
        _ones_for_absent,
        "Your absent classes have one image. They have (0, 0).",
        COUNTING,
    ),
    Misconception(
        "whole-batch",
        _whole_batch,
        "Your rows all hold the counts of the whole batch. Each class has its own.",
        COUNTING,
    ),
    Misconception(
        "batch-size-beside",
        _all_labelled,
        "Your second column holds the size of the batch. It counts the images of each class.",
        COUNTING,
    ),
    Misconception(
        "cumulated",
        _cumulated,
        "Your counts add up from class to class.",
        COUNTING,
    ),
    Misconception(
        "floats",
        lambda *given: correct_per_class(*given).float(),
        "Your counts are floats. Counts are int64.",
        COUNTING,
    ),
    Misconception(
        "int32",
        lambda *given: correct_per_class(*given).int(),
        "Your counts are int32. Counts are int64.",
        COUNTING,
    ),
)

# --- loader_apply -----------------------------------------------------------------------------


def _apply(*, results_of=None, mean=None, total=None, unknown=None):
    """Return a wrong reduction: of other results, or another mean, sum or refusal."""

    def answer(loader, func, reduce="sum"):
        if reduce not in ("sum", "mean"):
            if unknown is None:
                raise ValueError(reduce)
            return unknown(loader, func)
        results = [func(x, y) for x, y in loader]
        if results_of is not None:
            results = results_of(results)
        stacked = torch.stack(results)
        if reduce == "mean":
            if mean is not None:
                return mean(stacked, loader)
            return (stacked if stacked.is_floating_point() else stacked.float()).mean(dim=0)
        return stacked.sum(dim=0) if total is None else total(stacked)

    return answer


def _sizes(loader):
    return torch.tensor([len(y) for _, y in loader])


def _weighted(stacked, loader):
    shape = (-1, *[1] * (stacked.dim() - 1))
    weights = (_sizes(loader) / _sizes(loader).sum()).reshape(shape)
    floats = stacked if stacked.is_floating_point() else stacked.float()
    return (floats * weights.to(floats.dtype)).sum(dim=0)


def _over_samples(stacked, loader):
    floats = stacked if stacked.is_floating_point() else stacked.float()
    return floats.sum(dim=0) / int(_sizes(loader).sum())


def _whole_mean(stacked, loader):
    return (stacked if stacked.is_floating_point() else stacked.float()).mean()


def _floor_mean(stacked, loader):
    if stacked.is_floating_point():
        return stacked.mean(dim=0)
    return stacked.sum(dim=0) // len(stacked)


def _double_mean(stacked, loader):
    return (stacked if stacked.is_floating_point() else stacked.double()).mean(dim=0)


def _in_place(loader, func, reduce="sum"):
    if reduce not in ("sum", "mean"):
        raise ValueError(reduce)
    total, n = None, 0
    for x, y in loader:
        result = func(x, y)
        total = result if total is None else total.add_(result)
        n += 1
    return total if reduce == "sum" else total / n


APPLY_MISCONCEPTIONS = (
    Misconception(
        "mean-over-samples",
        _apply(mean=_weighted),
        "Your mean weights each batch by its samples. Here each batch counts once, so a short one "
        "weighs as much as a full one.",
        BATCH_MEANS,
    ),
    Misconception(
        "sum-over-samples",
        _apply(mean=_over_samples),
        "Your mean divides by the number of samples. It divides by the number of batches.",
        BATCH_MEANS,
    ),
    Misconception(
        "mean-of-everything",
        _apply(mean=_whole_mean),
        "Your mean runs over the parts of the results as well. It runs over the batches only, so "
        "the result has the shape of one of func's.",
        TWO_LOSSES,
    ),
    Misconception(
        "sum-of-everything",
        _apply(total=lambda stacked: stacked.sum()),
        "Your sum runs over the parts of the results as well. It runs over the batches only, so "
        "the result has the shape of one of func's.",
        COUNTING,
    ),
    Misconception(
        "always-the-sum",
        _apply(mean=lambda stacked, loader: stacked.sum(dim=0)),
        "Your mean is the sum.",
        TWO_LOSSES,
    ),
    Misconception(
        "always-the-mean",
        _apply(total=lambda s: (s if s.is_floating_point() else s.float()).mean(dim=0)),
        "Your sum is the mean over the batches.",
        TWO_LOSSES,
    ),
    Misconception(
        "whole-number-mean",
        _apply(mean=_floor_mean),
        "Your mean of whole numbers is a whole number: the fraction is lost. It is a float32.",
        TWO_LOSSES,
    ),
    Misconception(
        "double-mean",
        _apply(mean=_double_mean),
        "Your mean of whole numbers is float64. It is a float32.",
        TWO_LOSSES,
    ),
    Misconception(
        "sum-in-floats",
        _apply(total=lambda stacked: stacked.sum(dim=0).float()),
        "Your sum is always float32. It keeps the dtype of func's results: counts stay whole "
        "numbers.",
        COUNTING,
    ),
    Misconception(
        "last-batch-only",
        _apply(results_of=lambda results: results[-1:]),
        "Your result is that of the last batch. All batches count.",
        COUNTING,
    ),
    Misconception(
        "first-batch-only",
        _apply(results_of=lambda results: results[:1]),
        "Your result is that of the first batch. All batches count.",
        COUNTING,
    ),
    Misconception(
        "last-batch-dropped",
        _apply(results_of=lambda results: results[:-1] or results),
        "Your result leaves the last batch out. It counts as much as the others.",
        COUNTING,
    ),
    Misconception(
        "not-reduced",
        _apply(total=lambda stacked: stacked, mean=lambda stacked, loader: stacked),
        "Your result still has one part for each batch. They are added up, or averaged.",
        COUNTING,
    ),
    Misconception(
        "unknown-is-the-sum",
        _apply(unknown=lambda loader, func: loader_apply(loader, func)),
        "A reduction that you do not know is taken as the sum. It must raise ValueError, so that a "
        "slip of the pen is noticed.",
        TWO_LOSSES,
    ),
    Misconception(
        "unknown-is-the-mean",
        _apply(unknown=lambda loader, func: loader_apply(loader, func, "mean")),
        "A reduction that you do not know is taken as the mean. It must raise ValueError, so that "
        "a slip of the pen is noticed.",
        TWO_LOSSES,
    ),
    Misconception(
        "unknown-is-nothing",
        _apply(unknown=lambda loader, func: None),
        "A reduction that you do not know gives None. It must raise ValueError, so that a slip of "
        "the pen is noticed.",
        TWO_LOSSES,
    ),
    Misconception(
        "added-in-place",
        _in_place,
        "Your sum is added up inside the first result of func, which may be data of the loader. "
        "Results are added to a tensor of your own.",
        COUNTING,
    ),
)

# --- leaked -----------------------------------------------------------------------------------


def _equal(x_train, x_val):
    """Return for each validation item and each training item whether they are equal."""
    return (x_val.flatten(1)[:, None] == x_train.flatten(1)[None]).all(dim=2)


def _near(tolerance):
    def answer(x_train, x_val):
        distance = (x_val.flatten(1)[:, None] - x_train.flatten(1)[None]).abs().amax(dim=2)
        return int((distance <= tolerance).any(dim=1).sum())

    return answer


def _any_element(x_train, x_val):
    same = x_val.flatten(1)[:, None] == x_train.flatten(1)[None]
    return int(same.any(dim=2).any(dim=1).sum())


def _values_seen(x_train, x_val):
    """Count items of which every value occurs somewhere in training."""
    return int(torch.isin(x_val.flatten(1), x_train).all(dim=1).sum())


def _sums(x_train, x_val):
    return int(torch.isin(x_val.flatten(1).sum(dim=1), x_train.flatten(1).sum(dim=1)).sum())


def _sorted(x_train, x_val):
    return leaked(x_train.flatten(1).sort(dim=1).values, x_val.flatten(1).sort(dim=1).values)


def _same_position(x_train, x_val):
    n = min(len(x_train), len(x_val))
    return int((x_train[:n] == x_val[:n]).flatten(1).all(dim=1).sum())


def _first_element(x_train, x_val):
    return int(torch.isin(x_val.flatten(1)[:, 0], x_train.flatten(1)[:, 0]).sum())


def _distinct(x_train, x_val):
    return leaked(x_train, x_val.unique(dim=0))


LEAKED_MISCONCEPTIONS = (
    Misconception(
        "pairs-counted",
        lambda x_train, x_val: int(_equal(x_train, x_val).sum()),
        "You count pairs of equal items. A validation item that has several copies in training "
        "leaks once.",
        LEAKS,
    ),
    Misconception(
        "training-items-counted",
        lambda x_train, x_val: int(_equal(x_train, x_val).any(dim=0).sum()),
        "You count the training items that have a copy in validation. It is the validation items "
        "that are asked for.",
        LEAKS,
    ),
    Misconception(
        "distinct-items",
        _distinct,
        "You count distinct validation items. An item that occurs three times in validation leaks "
        "three times.",
        LEAKS,
    ),
    Misconception(
        "items-that-do-not-leak",
        lambda x_train, x_val: len(x_val) - leaked(x_train, x_val),
        "You count the validation items without a copy.",
        LEAKS,
    ),
    Misconception(
        "share",
        lambda x_train, x_val: leaked(x_train, x_val) / len(x_val),
        "Your result is a share. A count is asked for, as an int.",
        LEAKS,
    ),
    Misconception(
        "near-is-equal",
        _near(1e-3),
        "You count items that are only nearly equal. A copy is equal in every element.",
        LEAKS,
    ),
    Misconception(
        "compared-in-single-precision",
        lambda x_train, x_val: leaked(x_train.float(), x_val.float()),
        "Your items are compared in float32, where some float64 items that differ become equal.",
        LEAKS,
    ),
    Misconception(
        "as-whole-numbers",
        lambda x_train, x_val: leaked(x_train.long(), x_val.long()),
        "Your items are compared as whole numbers, so those that differ behind the point become "
        "equal.",
        LEAKS,
    ),
    Misconception(
        "any-element",
        _any_element,
        "You count items that share one element with a training item. A copy is equal in every "
        "element.",
        LEAKS,
    ),
    Misconception(
        "values-seen-somewhere",
        _values_seen,
        "You count items whose values all occur in training, wherever. A copy has them in one item "
        "and at the same places.",
        LEAKS,
    ),
    Misconception(
        "sums-compared",
        _sums,
        "You count items whose sum occurs in training. Different items may have the same sum.",
        LEAKS,
    ),
    Misconception(
        "places-ignored",
        _sorted,
        "You count items that have the values of a training item at other places. A copy is equal "
        "place by place.",
        LEAKS,
    ),
    Misconception(
        "first-element",
        _first_element,
        "You compare the first element of the items. A copy is equal in every element.",
        LEAKS,
    ),
    Misconception(
        "same-number",
        _same_position,
        "You compare the items of the same number. A copy may stand anywhere in training.",
        LEAKS,
    ),
    Misconception(
        "yes-or-no",
        lambda x_train, x_val: int(_equal(x_train, x_val).any()),
        "Your result says whether something leaks. It says how many items do.",
        LEAKS,
    ),
    Misconception(
        "elements-counted",
        lambda x_train, x_val: leaked(x_train, x_val) * x_val[0].numel(),
        "You count elements. An image counts once, however many pixels it has.",
        LEAKS,
    ),
)
