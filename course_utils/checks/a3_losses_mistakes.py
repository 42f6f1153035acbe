"""Assignment 3, second half: wrong losses of labels, each with a name and what it shows."""

import math

import torch

from course_utils.checks.a3_rules import (
    BY_HAND,
    EPSILON,
    IGNORED,
    LOG_SOFTMAX,
    MAXIMUM,
    MEAN_OF_MEAN,
    NATS,
    NLL,
    ONE_MAXIMUM,
    PICKING,
    REDUCTIONS,
    SMOOTHING,
    SOFTMAX_FIRST,
    SURPRISE,
    WEIGHTS,
    WHICH_DIM,
)
from course_utils.checks.exercise import Misconception


class _Batch:
    """What the steps of a loss need: rows, labels, weights, and which rows count."""

    def __init__(self, log_p, target, weight, ignore_index, kept_if=None):
        self.log_p, self.target, self.weight = log_p, target, weight
        self.n, self.classes = log_p.shape
        self.kept = kept_if(target, self.classes) if kept_if else target != ignore_index
        self.safe = torch.where(self.kept, target, 0)
        self.w = torch.ones(self.classes, dtype=log_p.dtype) if weight is None else weight
        self.used = torch.where(self.kept, self.w[self.safe], 0)


def _pick(batch):
    return -batch.log_p.gather(1, batch.safe[:, None])[:, 0]


def _smooth(rows, batch, e):
    """Return rows, weighted already, mixed with all classes as they have to be."""
    return (1 - e) * rows + e / batch.classes * -(batch.log_p * batch.w).sum(1)


def _clear(rows, batch):
    return torch.where(batch.kept, rows, 0)


def _weigh(rows, batch):
    return batch.w[batch.safe] * rows


def _mean(rows, batch):
    return rows.sum() / batch.used.sum()


def _reduce(rows, batch, reduction, mean):
    if reduction == "none":
        return rows
    return rows.sum() if reduction == "sum" else mean(rows, batch)


def _loss(
    log_p,
    target,
    weight,
    ignore_index,
    reduction,
    e=0.0,
    *,
    pick=_pick,
    weigh=_weigh,
    smooth=_smooth,
    clear=_clear,
    mean=_mean,
    reduce=_reduce,
    kept_if=None,
):
    batch = _Batch(log_p, target, weight, ignore_index, kept_if)
    rows = weigh(pick(batch), batch)
    if e:
        rows = smooth(rows, batch, e)
    return reduce(clear(rows, batch), batch, reduction, mean)


def _nll(
    log_p_as=lambda log_p: log_p, weight_as=lambda w: w, index_as=lambda index: index, **steps
):
    def answer(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(reduction)
        values, weight = log_p_as(log_probs), None if weight is None else weight_as(weight)
        return _loss(values, target, weight, index_as(ignore_index), reduction, **steps)

    return answer


def _entropy(
    log_p_as=lambda logits: torch.log_softmax(logits, 1),
    weight_as=lambda w: w,
    index_as=lambda index: index,
    e_as=lambda e: e,
    **steps,
):
    def answer(
        logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
    ):
        values, weight = log_p_as(logits), None if weight is None else weight_as(weight)
        e = e_as(label_smoothing)
        return _loss(values, target, weight, index_as(ignore_index), reduction, e, **steps)

    return answer


# --- steps that go wrong ----------------------------------------------------------------------


def _by_index(batch):
    return -batch.log_p[torch.arange(batch.n), batch.target]


def _by_safe_index(batch):
    return -batch.log_p[torch.arange(batch.n), batch.safe]


def _by_gather(batch):
    return -batch.log_p.gather(1, batch.target[:, None])[:, 0]


def _columns(batch):
    """Pick a column for each label: a matrix, averaged over its rows."""
    return -batch.log_p[:, batch.safe].mean(0)


def _rows_of_labels(batch):
    """Pick whole rows by the labels."""
    return -batch.log_p[batch.safe % batch.n].sum(1)


def _largest(batch):
    return -batch.log_p.amax(1)


def _all_classes(batch):
    return -batch.log_p.sum(1)


def _times_zero(rows, batch):
    return rows * batch.kept


def _not_cleared(rows, batch):
    return rows


def _dropped(rows, batch):
    return rows[batch.kept]


def _only_ignored(rows, batch):
    return torch.where(batch.kept, 0, rows)


def _negative_cleared(rows, batch):
    return torch.where(batch.target >= 0, rows, 0)


def _mean_of_all(rows, batch):
    return rows.sum() / batch.n


def _mean_of_kept(rows, batch):
    return rows.sum() / batch.kept.sum()


def _mean_over_class_weights(rows, batch):
    return rows.sum() / (batch.kept.sum() if batch.weight is None else batch.weight.sum())


def _mean_over_all_weights(rows, batch):
    """Count the weights of ignored rows too, where their label is a class."""
    inside = (batch.target >= 0) & (batch.target < batch.classes)
    return (
        rows.sum() / torch.where(inside, batch.w[batch.target.clamp(0, batch.classes - 1)], 1).sum()
    )


def _mean_with_ignored_unless_weighted(rows, batch):
    return rows.sum() / (batch.n if batch.weight is None else batch.used.sum())


def _mean_not_nan(rows, batch):
    return torch.nan_to_num(_mean(rows, batch))


def _mean_over_at_least_one(rows, batch):
    return rows.sum() / batch.used.sum().clamp_min(1)


def _mean_over_classes_too(rows, batch):
    return _mean(rows, batch) / batch.classes


def _unweighted(rows, batch):
    return rows


def _weights_squared(rows, batch):
    return batch.w[batch.safe] ** 2 * rows


def _weights_in_order(rows, batch):
    return batch.w[torch.arange(batch.n) % batch.classes] * rows


def _weights_of_largest(rows, batch):
    return batch.w[batch.log_p.argmax(1)] * rows


def _reduce_always(rows, batch, reduction, mean):
    return mean(rows, batch)


def _reduce_sum_is_mean(rows, batch, reduction, mean):
    return rows if reduction == "none" else mean(rows, batch)


def _reduce_none_is_mean(rows, batch, reduction, mean):
    return rows.sum() if reduction == "sum" else mean(rows, batch)


def _reduce_never(rows, batch, reduction, mean):
    return rows


def _reduce_mean_is_sum(rows, batch, reduction, mean):
    return rows if reduction == "none" else rows.sum()


def _reduce_columns(rows, batch, reduction, mean):
    result = _reduce(rows, batch, reduction, mean)
    return result[:, None] if reduction == "none" else result


def _reduce_to_one(rows, batch, reduction, mean):
    return _reduce(rows, batch, reduction, mean).reshape(-1)


def _reduce_weighted_once(rows, batch, reduction, mean):
    """Weight the mean only."""
    if reduction == "mean":
        return mean(rows, batch)
    plain = torch.where(batch.kept, rows / batch.w[batch.safe], 0)
    return plain if reduction == "none" else plain.sum()


def _reduce_all_kept(rows, batch, reduction, mean):
    """Forget that there may be nothing left, except in the mean."""
    if not batch.kept.any():
        return rows.sum() * 0
    return _reduce(rows, batch, reduction, mean)


def _reduce_nan(rows, batch, reduction, mean):
    if not batch.kept.any():
        return rows.sum() * math.nan
    return _reduce(rows, batch, reduction, mean)


def _reduce_unweighted(which):
    """Return a reduction that undoes the weights for one of the reductions."""

    def reduce(rows, batch, reduction, mean):
        if reduction == which:
            rows = torch.where(batch.kept, _pick(batch), 0)
        return _reduce(rows, batch, reduction, mean)

    return reduce


_INDEX_HARD = lambda index: -100  # noqa: E731
_NEVER = lambda index: 10**6  # noqa: E731

# name -> (steps, message, place): what goes wrong in both losses
_SHARED = {
    "sign-missing": (
        {"pick": lambda batch: -_pick(batch)},
        "Your loss is negative. A logarithm of a probability is not above 0; the loss is its "
        "negative.",
        SURPRISE,
    ),
    "column-for-every-row": (
        {"pick": _columns},
        "You pick, for each label, a whole column: one value for every row and label. Each row has "
        "one label of its own.",
        PICKING,
    ),
    "row-of-the-label": (
        {"pick": _rows_of_labels},
        "You use the labels to pick rows. A label names a column of its own row.",
        PICKING,
    ),
    "largest-instead-of-labelled": (
        {"pick": _largest},
        "Your loss looks at the likeliest class of each row, whatever the label says.",
        PICKING,
    ),
    "all-classes-summed": (
        {"pick": _all_classes},
        "Your loss adds the logarithms of all classes of a row. Only the labelled one counts.",
        BY_HAND,
    ),
    "class-next-to-the-label": (
        {"pick": lambda b: -b.log_p[torch.arange(b.n), (b.safe - 1) % b.classes]},
        "You pick the class before the label: labels count from 0.",
        PICKING,
    ),
    "base-two": (
        {"pick": lambda batch: _pick(batch) / math.log(2)},
        "Your loss is in bits: too large by the same factor throughout. The logarithm is natural.",
        NATS,
    ),
    "mean-over-classes-too": (
        {"mean": _mean_over_classes_too},
        "Your mean is too small by the number of classes: the zeros of a one-hot table are counted.",
        MEAN_OF_MEAN,
    ),
    "mean-over-all-rows": (
        {"mean": _mean_of_all},
        "Your mean divides by the number of all rows. Ignored rows do not count, and with class "
        "weights the sum of the weights used is the divisor.",
        WEIGHTS,
    ),
    "mean-over-kept-rows": (
        {"mean": _mean_of_kept},
        "Your mean divides by the number of rows. With class weights, a row counts as many times "
        "as its weight says.",
        WEIGHTS,
    ),
    "mean-over-class-weights": (
        {"mean": _mean_over_class_weights},
        "Your mean divides by the weights of all classes. Each row brings the weight of its label, "
        "so a class may count several times or not at all.",
        WEIGHTS,
    ),
    "weights-of-ignored-rows-counted": (
        {"mean": _mean_over_all_weights},
        "Your mean divides by the weights of all rows. Ignored rows do not count in the divisor.",
        IGNORED,
    ),
    "ignored-counted-unless-weighted": (
        {"mean": _mean_with_ignored_unless_weighted},
        "Without class weights your mean divides by all rows. Ignored rows do not count in the "
        "divisor.",
        IGNORED,
    ),
    "zero-if-all-ignored": (
        {"mean": _mean_not_nan},
        "If every row is ignored, your mean is a number. Nothing divided by nothing is nan here.",
        IGNORED,
    ),
    "divisor-at-least-one": (
        {"mean": _mean_over_at_least_one},
        "Your divisor is never below 1. Weights may add up to less, and to 0 if all is ignored.",
        WEIGHTS,
    ),
    "zero-for-none-if-all-ignored": (
        {"reduce": _reduce_all_kept},
        "If every row is ignored, your result is 0 whatever the reduction: a mean of nothing is "
        "nan, and without reduction there is one value a row.",
        IGNORED,
    ),
    "weights-unused": (
        {"weight_as": lambda w: torch.ones_like(w)},
        "Your result is the same without class weights.",
        WEIGHTS,
    ),
    "weights-only-in-the-divisor": (
        {"weigh": _unweighted},
        "Your losses are not multiplied by the weights of their labels; only the divisor knows "
        "them.",
        WEIGHTS,
    ),
    "weights-squared": (
        {"weigh": _weights_squared},
        "Each loss is multiplied by its weight twice.",
        WEIGHTS,
    ),
    "weights-in-order-of-rows": (
        {"weigh": _weights_in_order},
        "You give the first row the first weight, and so on. There is a weight for each class, and "
        "a row has that of its label.",
        WEIGHTS,
    ),
    "weights-of-the-likeliest": (
        {"weigh": _weights_of_largest},
        "Each loss has the weight of the likeliest class. It has to be that of the label.",
        WEIGHTS,
    ),
    "weights-normalised": (
        {"weight_as": lambda w: w / w.sum()},
        "Your weights are divided by their sum first. The weighted mean does not mind, but the sum "
        "and the single losses do.",
        WEIGHTS,
    ),
    "weights-unused-without-reduction": (
        {"reduce": _reduce_unweighted("none")},
        "With reduction 'none' your losses are not weighted. Each is multiplied by the weight of "
        "its label.",
        WEIGHTS,
    ),
    "weights-unused-in-the-sum": (
        {"reduce": _reduce_unweighted("sum")},
        "With reduction 'sum' your losses are not weighted.",
        WEIGHTS,
    ),
    "weights-scaled-to-mean-one": (
        {"weight_as": lambda w: w / w.mean()},
        "Your weights are scaled so that their mean is 1. The weighted mean does not mind, but the "
        "sum and the single losses do.",
        WEIGHTS,
    ),
    "ignored-rows-weighed-as-class-0": (
        {"mean": lambda rows, b: rows.sum() / b.w[b.safe].sum()},
        "In your divisor, an ignored row counts with the weight of class 0. It does not count.",
        IGNORED,
    ),
    "labels-out-of-range-ignored": (
        {"kept_if": lambda target, classes: (target >= 0) & (target < classes)},
        "You ignore what is no class. ignore_index says which label is ignored, and may be a class.",
        IGNORED,
    ),
    "nan-if-all-ignored": (
        {"reduce": _reduce_nan},
        "If every row is ignored, your result is nan whatever the reduction. A sum of nothing is "
        "0; only the mean is nan.",
        IGNORED,
    ),
    "weights-only-in-the-mean": (
        {"reduce": _reduce_weighted_once},
        "Your weights act on the mean only. Sums and single losses are weighted too.",
        WEIGHTS,
    ),
    "ignore-index-unused": (
        {"pick": _by_index, "index_as": _NEVER},
        "You do not use ignore_index: such a row counts, or its label is out of range.",
        IGNORED,
    ),
    "only-minus-100-ignored": (
        {"pick": _by_safe_index, "index_as": _INDEX_HARD},
        "You ignore rows labelled -100, whatever ignore_index is.",
        IGNORED,
    ),
    "ignore-index-unused-with-gather": (
        {"pick": _by_gather, "index_as": _NEVER},
        "You do not use ignore_index: such a row counts, or its label is out of range.",
        IGNORED,
    ),
    "only-minus-100-ignored-with-gather": (
        {"index_as": _INDEX_HARD},
        "You ignore rows labelled -100, whatever ignore_index is.",
        IGNORED,
    ),
    "negative-labels-ignored": (
        {
            "pick": lambda b: -b.log_p.gather(1, b.target.clamp_min(0)[:, None])[:, 0],
            "weigh": lambda rows, b: b.w[b.target.clamp_min(0)] * rows,
            "clear": _negative_cleared,
            "mean": lambda rows, b: (
                rows.sum() / torch.where(b.target >= 0, b.w[b.target.clamp_min(0)], 0).sum()
            ),
        },
        "You ignore negative labels, whatever ignore_index is. It may be a class, or any other "
        "number.",
        IGNORED,
    ),
    "ignored-rows-count-as-class-0": (
        {"clear": _not_cleared},
        "Your ignored rows cost something: the loss of class 0. They add nothing.",
        IGNORED,
    ),
    "only-ignored-rows-count": (
        {"clear": _only_ignored},
        "Your loss comes from the rows that are to be ignored.",
        IGNORED,
    ),
    "ignored-rows-left-out": (
        {"clear": _dropped},
        "Without reduction your result is shorter than the batch. Ignored rows stay, as zeros.",
        IGNORED,
    ),
    "mean-always": (
        {"reduce": _reduce_always},
        "Your result is the mean, whatever reduction says.",
        REDUCTIONS,
    ),
    "sum-is-a-mean": (
        {"reduce": _reduce_sum_is_mean},
        "For reduction 'sum' your result is the mean.",
        REDUCTIONS,
    ),
    "none-is-a-mean": (
        {"reduce": _reduce_none_is_mean},
        "For reduction 'none' your result is the mean. One loss for each row is asked for.",
        REDUCTIONS,
    ),
    "mean-is-a-sum": (
        {"reduce": _reduce_mean_is_sum},
        "Your mean is a sum: it is not divided by anything.",
        REDUCTIONS,
    ),
    "never-reduced": (
        {"reduce": _reduce_never},
        "Your result is one loss for each row, whatever reduction says.",
        REDUCTIONS,
    ),
    "column-for-none": (
        {"reduce": _reduce_columns},
        "Without reduction your result has two axes. One loss a row has shape (N,).",
        REDUCTIONS,
    ),
    "number-with-an-axis": (
        {"reduce": _reduce_to_one},
        "Your mean and your sum have an axis of length 1. They are tensors without dimensions.",
        REDUCTIONS,
    ),
}


def _shared(make):
    return tuple(
        Misconception(name, make(**steps), message, place)
        for name, (steps, message, place) in _SHARED.items()
    )


def _any_reduction(last):
    """Return an answer that takes any reduction."""

    def answer(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
        known = reduction if reduction in ("mean", "sum", "none") else last
        return _nll()(log_probs, target, weight, ignore_index, known)

    return answer


def _another_error(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    if reduction not in ("mean", "sum", "none"):
        raise KeyError(reduction)
    return _nll()(log_probs, target, weight, ignore_index, reduction)


def _nothing_returned(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    if reduction in ("mean", "sum", "none"):
        return _nll()(log_probs, target, weight, ignore_index, reduction)
    return None


_REDUCTION_REFUSED = (
    "A reduction that does not exist gives you a result. Anything but none, sum and mean raises "
    "ValueError."
)
NLL_MISCONCEPTIONS = (
    *_shared(_nll),
    Misconception(
        "ignored-rows-times-zero",
        _nll(clear=_times_zero),
        "Your ignored rows are multiplied by 0. Zero times infinity is nan: they have to be left "
        "out, not weighed.",
        IGNORED,
    ),
    Misconception(
        "logarithm-of-log-probabilities",
        _nll(log_p_as=torch.log),
        "You take the logarithm of what is a logarithm already; that of a negative number is nan.",
        NLL,
    ),
    Misconception(
        "logarithm-undone",
        _nll(log_p_as=torch.exp),
        "Your loss is made of probabilities. The inputs are logarithms, and stay so.",
        NLL,
    ),
    Misconception(
        "softmax-of-log-probabilities",
        _nll(log_p_as=lambda log_p: torch.softmax(log_p, 1)),
        "You apply softmax to log-probabilities: the loss is made of probabilities then.",
        NLL,
    ),
    Misconception(
        "log-softmax-once-more",
        _nll(log_p_as=lambda log_p: torch.log_softmax(log_p, 1)),
        "You normalise the rows once more. This loss takes its inputs as they are; cross_entropy "
        "is the one that normalises.",
        NLL,
    ),
    Misconception(
        "unknown-reduction-is-mean", _any_reduction("mean"), _REDUCTION_REFUSED, REDUCTIONS
    ),
    Misconception(
        "unknown-reduction-is-none", _any_reduction("none"), _REDUCTION_REFUSED, REDUCTIONS
    ),
    Misconception(
        "unknown-reduction-is-sum", _any_reduction("sum"), _REDUCTION_REFUSED, REDUCTIONS
    ),
    Misconception(
        "nothing-for-unknown-reductions",
        _nothing_returned,
        "A reduction that does not exist gives None. Say so at once, with ValueError.",
        REDUCTIONS,
    ),
    Misconception(
        "another-error-for-unknown-reductions",
        _another_error,
        "A reduction that does not exist stops your function, but not with ValueError.",
        REDUCTIONS,
    ),
)


# --- cross-entropy only -----------------------------------------------------------------------


def _naive(logits):
    return torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)


def _log_sum_naive(logits):
    return logits - torch.log(torch.exp(logits).sum(1, keepdim=True))


def _one_maximum(logits):
    shifted = logits - logits.max()
    return shifted - torch.log(torch.exp(shifted).sum(1, keepdim=True))


def _log_plus(eps):
    return lambda logits: torch.log(torch.softmax(logits, 1) + eps)


def _log_above(eps):
    return lambda logits: torch.log(torch.softmax(logits, 1).clamp_min(eps))


def _smooth_others(rows, batch, e):
    """Share e among the other classes only."""
    every = -(batch.log_p * batch.w).sum(1)
    return (1 - e) * rows + e / (batch.classes - 1) * (every - rows)


def _smooth_divisor(rows, batch, e):
    return (1 - e) * rows + e / (batch.classes - 1) * -(batch.log_p * batch.w).sum(1)


def _smooth_summed(rows, batch, e):
    return (1 - e) * rows + e * -(batch.log_p * batch.w).sum(1)


def _smooth_added(rows, batch, e):
    return rows + e / batch.classes * -(batch.log_p * batch.w).sum(1)


def _smooth_turned(rows, batch, e):
    return _smooth(rows, batch, 1 - e)


def _smooth_only_scaled(rows, batch, e):
    return (1 - e) * rows


def _smooth_label_weight(rows, batch, e):
    every = -batch.log_p.sum(1) * batch.w[batch.safe]
    return (1 - e) * rows + e / batch.classes * every


def _smooth_unweighted(rows, batch, e):
    return (1 - e) * rows + e / batch.classes * -batch.log_p.sum(1)


def _smooth_constant(rows, batch, e):
    return (1 - e) * rows + e / batch.classes


def _smooth_sign(rows, batch, e):
    return (1 - e) * rows + e / batch.classes * (batch.log_p * batch.w).sum(1)


def _smoothing_counts_ignored(
    logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    right = _entropy()(logits, target, weight, ignore_index, reduction, 0.0)
    if not label_smoothing:
        return right
    log_p, e = torch.log_softmax(logits, 1), label_smoothing
    batch = _Batch(log_p, target, weight, ignore_index)
    every = -(log_p * batch.w).sum(1)
    return (1 - e) * right + e / batch.classes * _reduce(every, batch, reduction, _mean)


def _smoothing_divided_by_rows(
    logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    right = _entropy()(logits, target, weight, ignore_index, reduction, 0.0)
    if not label_smoothing:
        return right
    log_p, e = torch.log_softmax(logits, 1), label_smoothing
    batch = _Batch(log_p, target, weight, ignore_index)
    every = _clear(-(log_p * batch.w).sum(1), batch)
    return (1 - e) * right + e / batch.classes * _reduce(every, batch, reduction, _mean_of_kept)


def _weights_on_logits(
    logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    weighted = logits if weight is None else logits * weight
    return _entropy()(weighted, target, None, ignore_index, reduction, label_smoothing)


def _smoothing_in_the_divisor(
    logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    e = label_smoothing

    def mean(rows, batch):
        shares = torch.where(batch.kept, (1 - e) * batch.w[batch.safe] + e * batch.w.mean(), 0)
        return rows.sum() / shares.sum()

    return _entropy(mean=mean)(logits, target, weight, ignore_index, reduction, e)


_LOG_BOUNDED = (
    "Your loss never rises above a fixed number: the probability is kept above 0 before the "
    "logarithm. A confident mistake costs as much as its logits say."
)
CROSS_ENTROPY_MISCONCEPTIONS = (
    *_shared(_entropy),
    Misconception(
        "no-softmax",
        _entropy(log_p_as=lambda logits: logits),
        "Your loss takes the logits as if they were logarithms of probabilities. They have to be "
        "normalised first.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "no-logarithm",
        _entropy(log_p_as=lambda logits: torch.softmax(logits, 1)),
        "Your loss is made of probabilities: the logarithm is missing.",
        NLL,
    ),
    Misconception(
        "softmax-first",
        _entropy(log_p_as=lambda logits: torch.log_softmax(torch.softmax(logits, 1), 1)),
        "Softmax is applied twice: even a perfect row costs something. The loss takes logits.",
        SOFTMAX_FIRST,
    ),
    Misconception(
        "logarithm-of-logits",
        _entropy(log_p_as=torch.log),
        "You take the logarithm of the logits; for negative ones there is none.",
        BY_HAND,
    ),
    Misconception(
        "softmax-over-the-batch",
        _entropy(log_p_as=lambda logits: torch.log_softmax(logits, 0)),
        "Your probabilities add up to 1 over the batch. The classes of one row belong together.",
        WHICH_DIM,
    ),
    Misconception(
        "sigmoid-for-each-class",
        _entropy(log_p_as=torch.nn.functional.logsigmoid),
        "Each logit goes through a sigmoid of its own. The classes of one row exclude each other.",
        BY_HAND,
    ),
    Misconception(
        "logits-negated",
        _entropy(log_p_as=lambda logits: torch.log_softmax(-logits, 1)),
        "Your loss is small where the labelled logit is small.",
        BY_HAND,
    ),
    Misconception(
        "logarithm-of-softmax",
        _entropy(log_p_as=lambda logits: torch.log(torch.softmax(logits, 1))),
        "Your loss is infinite where softmax underflows to 0: the logarithm comes too late.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "logarithm-of-naive-softmax",
        _entropy(log_p_as=lambda logits: torch.log(_naive(logits))),
        "Large logits give you nan or infinity: the exponentials overflow or underflow before the "
        "logarithm is taken.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "maximum-not-subtracted",
        _entropy(log_p_as=_log_sum_naive),
        "Large logits give you infinity: the exponentials inside the logarithm overflow, or their "
        "sum underflows.",
        MAXIMUM,
    ),
    Misconception(
        "one-maximum-for-all",
        _entropy(log_p_as=_one_maximum),
        "You subtract the largest logit of the whole batch. A row far below it underflows.",
        ONE_MAXIMUM,
    ),
    Misconception(
        "logits-cut-off-at-50",
        _entropy(log_p_as=lambda logits: torch.log_softmax(logits.clamp(-50, 50), 1)),
        "You cut the logits off at 50 and -50, and with them the loss of a confident mistake.",
        MAXIMUM,
    ),
    *(
        Misconception(
            f"logarithm-of-p-plus-{eps:.0e}",
            _entropy(log_p_as=_log_plus(eps)),
            _LOG_BOUNDED,
            EPSILON,
        )
        for eps in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12)
    ),
    *(
        Misconception(
            f"logarithm-of-p-above-{eps:.0e}",
            _entropy(log_p_as=_log_above(eps)),
            _LOG_BOUNDED,
            EPSILON,
        )
        for eps in (1e-7, 1e-8, 1e-12)
    ),
    Misconception(
        "smoothing-unused",
        _entropy(e_as=lambda e: 0.0),
        "Your result is the same without label smoothing.",
        SMOOTHING,
    ),
    Misconception(
        "smoothing-among-the-others",
        _entropy(smooth=_smooth_others),
        "You share the smoothing among the other classes only. All C classes get e / C, the label "
        "too.",
        SMOOTHING,
    ),
    Misconception(
        "smoothing-over-one-class-less",
        _entropy(smooth=_smooth_divisor),
        "You divide the smoothing by C - 1. It is shared by all C classes.",
        SMOOTHING,
    ),
    Misconception(
        "smoothing-not-shared",
        _entropy(smooth=_smooth_summed),
        "Every class gets the whole of the smoothing. It is shared by all C classes.",
        SMOOTHING,
    ),
    Misconception(
        "label-keeps-everything",
        _entropy(smooth=_smooth_added),
        "Smoothing is added, and nothing is taken from the label: the target adds up to more than "
        "1.",
        SMOOTHING,
    ),
    Misconception(
        "smoothing-turned-round",
        _entropy(smooth=_smooth_turned),
        "The label gets the share that belongs to the uniform part, and the other way round.",
        SMOOTHING,
    ),
    Misconception(
        "smoothing-only-scales",
        _entropy(smooth=_smooth_only_scaled),
        "Smoothing makes your loss smaller by a factor: the uniform part is missing.",
        SMOOTHING,
    ),
    Misconception(
        "smoothing-adds-a-constant",
        _entropy(smooth=_smooth_constant),
        "Smoothing adds the same number to every row. The uniform part depends on the logits of "
        "all classes.",
        SMOOTHING,
    ),
    Misconception(
        "smoothing-subtracted",
        _entropy(smooth=_smooth_sign),
        "The uniform part has the wrong sign in your loss.",
        SMOOTHING,
    ),
    Misconception(
        "smoothing-weighted-by-the-label",
        _entropy(smooth=_smooth_label_weight),
        "In the uniform part all classes have the weight of the label. Each has its own.",
        SMOOTHING,
    ),
    Misconception(
        "smoothing-not-weighted",
        _entropy(smooth=_smooth_unweighted),
        "The uniform part of your loss does not know the class weights.",
        SMOOTHING,
    ),
    Misconception(
        "overflow-put-off-by-float64",
        _entropy(log_p_as=lambda x: _log_sum_naive(x.double()).to(x.dtype)),
        "In float64 the exponential overflows at 709 instead of 88. Larger logits still give you "
        "infinity or nan.",
        MAXIMUM,
    ),
    Misconception(
        "one-maximum-and-logarithm-of-softmax",
        _entropy(log_p_as=lambda logits: torch.log(_naive(logits - logits.max()))),
        "You subtract the largest logit of the whole batch, and take the logarithm of a "
        "probability that may underflow.",
        ONE_MAXIMUM,
    ),
    Misconception(
        "logits-cut-off-at-88",
        _entropy(log_p_as=lambda logits: torch.log_softmax(logits.clamp(-88, 88), 1)),
        "You cut the logits off at 88 and -88, and with them the loss of a confident mistake.",
        MAXIMUM,
    ),
    Misconception(
        "weights-on-logits",
        _weights_on_logits,
        "You multiply the logits by the class weights. The losses are weighted, not the logits.",
        WEIGHTS,
    ),
    Misconception(
        "exponential-of-the-loss",
        lambda *args, **settings: _entropy()(*args, **settings).exp(),
        "Your result is the exponential of the loss, the perplexity.",
        NATS,
    ),
    Misconception(
        "smoothing-not-given-to-the-label",
        _entropy(
            smooth=lambda rows, b, e: (
                (1 - e) * rows + e / b.classes * (-(b.log_p * b.w).sum(1) - rows)
            )
        ),
        "Your targets add up to less than 1: the label has no part in what is shared.",
        SMOOTHING,
    ),
    Misconception(
        "smoothing-by-normalised-weights",
        _entropy(smooth=lambda rows, b, e: (1 - e) * rows - e * (b.log_p * b.w).sum(1) / b.w.sum()),
        "The uniform part divides by the sum of the class weights. It divides by the number of "
        "classes.",
        SMOOTHING,
    ),
    Misconception(
        "smoothing-in-the-divisor",
        _smoothing_in_the_divisor,
        "Smoothing changes your divisor. The mean divides by the weights of the labels, as before.",
        SMOOTHING,
    ),
    Misconception(
        "smoothing-dropped-with-weights",
        lambda x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0: (
            _entropy()(
                x,
                target,
                weight,
                ignore_index,
                reduction,
                label_smoothing if weight is None else 0.0,
            )
        ),
        "With class weights your loss is not smoothed.",
        SMOOTHING,
    ),
    Misconception(
        "smoothing-in-the-mean-only",
        lambda x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0: (
            _entropy()(
                x,
                target,
                weight,
                ignore_index,
                reduction,
                label_smoothing if reduction == "mean" else 0.0,
            )
        ),
        "Only your mean is smoothed. Sums and single losses are too.",
        SMOOTHING,
    ),
    Misconception(
        "smoothing-of-ignored-rows",
        _smoothing_counts_ignored,
        "Your ignored rows still cost their uniform part. They add nothing at all.",
        IGNORED,
    ),
    Misconception(
        "smoothing-divided-by-rows",
        _smoothing_divided_by_rows,
        "The mean of the uniform part divides by the number of rows. One divisor serves both: the "
        "sum of the labels' weights.",
        SMOOTHING,
    ),
)
