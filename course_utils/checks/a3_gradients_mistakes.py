"""Assignment 3, last part: wrong gradients and binary losses, each with a name and what it shows."""

import math

import torch
import torch.nn.functional as F

from course_utils.checks.a3_rules import (
    ANY_CONSTANT,
    BINARY,
    BINARY_LINK,
    EPSILON,
    FROM_GRADIENT,
    GRADIENT,
    JACOBIAN,
    MAXIMUM,
    NATS,
    ONE_MAXIMUM,
    OVERFLOW,
    PICKING,
    REDUCTIONS,
    SIGMOID,
    SOFTMAX_FIRST,
    SQUARED,
    TWO_CLASSES,
    WHICH_DIM,
)
from course_utils.checks.exercise import Misconception

# --- the gradient -----------------------------------------------------------------------------


def _right(p, y):
    return p - y


def _gradient(
    combine=_right,
    probabilities=lambda logits: torch.softmax(logits, 1),
    divide=lambda gradient: gradient / gradient.shape[0],
    one_hot=lambda target, logits: F.one_hot(target, logits.shape[1]).to(logits.dtype),
):
    def answer(logits, target):
        p = probabilities(logits)
        return divide(combine(p, one_hot(target, logits)))

    return answer


def _naive(logits, shift=lambda logits: 0):
    exponentials = torch.exp(logits - shift(logits))
    return exponentials / exponentials.sum(1, keepdim=True)


def _every_label_in_every_row(target, logits):
    return F.one_hot(target, logits.shape[1]).sum(0).clamp_max(1).to(logits.dtype).expand_as(logits)


def _labels_counted(target, logits):
    return F.one_hot(target, logits.shape[1]).sum(0).to(logits.dtype).expand_as(logits)


def _rows_for_columns(target, logits):
    result = torch.zeros_like(logits)
    for column, row in enumerate(target.tolist()):
        result[row % logits.shape[0], column % logits.shape[1]] = 1
    return result


def _predicted(target, logits):
    return F.one_hot(logits.argmax(1), logits.shape[1]).to(logits.dtype)


def _next(target, logits):
    return F.one_hot((target - 1) % logits.shape[1], logits.shape[1]).to(logits.dtype)


def _softmax_first(logits, target):
    """Differentiate the loss with softmax applied before it."""
    with torch.enable_grad():
        leaf = logits.detach().clone().requires_grad_()
        loss = F.cross_entropy(torch.softmax(leaf, 1), target)
        (gradient,) = torch.autograd.grad(loss, leaf)
    return gradient


def _of_the_sum_of_squares(p, y):
    """Differentiate the squared error of softmax, up to the factor 2."""
    difference = p - y
    return 2 * p * (difference - (p * difference).sum(1, keepdim=True))


GRADIENT_MISCONCEPTIONS = (
    Misconception(
        "gradient-of-the-sum",
        _gradient(divide=lambda gradient: gradient),
        "One row comes out right, batches too large by the number of rows: that is the gradient of "
        "the summed loss. The mean is asked for.",
        GRADIENT,
    ),
    Misconception(
        "divided-by-the-classes",
        _gradient(divide=lambda gradient: gradient / gradient.shape[1]),
        "You divide by the number of classes. The mean runs over rows.",
        GRADIENT,
    ),
    Misconception(
        "divided-by-all-elements",
        _gradient(divide=lambda gradient: gradient / gradient.numel()),
        "You divide by the number of logits. The mean runs over rows.",
        GRADIENT,
    ),
    Misconception(
        "divided-twice",
        _gradient(divide=lambda gradient: gradient / gradient.shape[0] ** 2),
        "You divide by the number of rows twice.",
        GRADIENT,
    ),
    Misconception(
        "averaged-over-rows",
        _gradient(divide=lambda gradient: gradient.mean(0)),
        "Your rows are averaged away. Each logit has a derivative of its own.",
        GRADIENT,
    ),
    Misconception(
        "averaged-rows-repeated",
        _gradient(divide=lambda gradient: gradient.mean(0, keepdim=True).expand_as(gradient)),
        "All your rows are the same. Each logit has a derivative of its own.",
        GRADIENT,
    ),
    Misconception(
        "sign-turned",
        _gradient(lambda p, y: y - p),
        "Your gradient points downhill. A gradient points where the loss rises: the labelled logit "
        "has a negative one.",
        GRADIENT,
    ),
    Misconception(
        "label-not-subtracted",
        _gradient(lambda p, y: p),
        "Your gradient is positive everywhere: the label does not appear in it.",
        GRADIENT,
    ),
    Misconception(
        "probabilities-left-out",
        _gradient(lambda p, y: -y),
        "Your gradient does not depend on the logits. That is the derivative by log-probabilities; "
        "the logits come before softmax.",
        GRADIENT,
    ),
    Misconception(
        "labelled-column-only",
        _gradient(lambda p, y: (p - y) * y),
        "Your gradient is 0 for all classes but the labelled one. The others push the loss up, "
        "each row adds up to 0.",
        FROM_GRADIENT,
    ),
    Misconception(
        "other-columns-only",
        _gradient(lambda p, y: p * (1 - y)),
        "Your gradient is 0 for the labelled class. It has the largest one.",
        FROM_GRADIENT,
    ),
    Misconception(
        "by-probabilities",
        _gradient(lambda p, y: -y / p),
        "That is the derivative by the probabilities. The chain goes on through softmax to the "
        "logits.",
        GRADIENT,
    ),
    Misconception(
        "diagonal-of-the-jacobian",
        _gradient(lambda p, y: (p - y) * p * (1 - p)),
        "Your gradient goes through the derivative of a sigmoid once more. In cross-entropy it "
        "cancels.",
        SQUARED,
    ),
    Misconception(
        "squared-error",
        _gradient(_of_the_sum_of_squares),
        "That is the gradient of the squared error of probabilities. The loss is a logarithm.",
        SQUARED,
    ),
    Misconception(
        "twice-the-difference",
        _gradient(lambda p, y: 2 * (p - y)),
        "Your gradient is twice too large, as if a square had been differentiated.",
        SQUARED,
    ),
    Misconception(
        "jacobian-without-cross-terms",
        _gradient(lambda p, y: -y * (1 - p) + (1 - y) * p * (1 - p)),
        "For the other classes you use the diagonal of softmax's Jacobian.",
        JACOBIAN,
    ),
    Misconception(
        "logits-for-probabilities",
        _gradient(probabilities=lambda logits: logits),
        "You subtract the labels from the logits themselves. They are no probabilities.",
        GRADIENT,
    ),
    Misconception(
        "log-probabilities-for-probabilities",
        _gradient(probabilities=lambda logits: torch.log_softmax(logits, 1)),
        "You subtract the labels from log-probabilities. Probabilities stand in the gradient.",
        GRADIENT,
    ),
    Misconception(
        "sigmoid-for-each-class",
        _gradient(probabilities=torch.sigmoid),
        "Each logit goes through a sigmoid of its own. Your rows do not add up to 0.",
        FROM_GRADIENT,
    ),
    Misconception(
        "softmax-over-the-batch",
        _gradient(probabilities=lambda logits: torch.softmax(logits, 0)),
        "Your probabilities add up to 1 over the batch. The classes of one row belong together.",
        WHICH_DIM,
    ),
    Misconception(
        "softmax-over-everything",
        _gradient(probabilities=lambda x: torch.softmax(x.flatten(), 0).reshape(x.shape)),
        "All your probabilities together add up to 1. Each row has to.",
        WHICH_DIM,
    ),
    Misconception(
        "softmax-twice",
        _gradient(probabilities=lambda logits: torch.softmax(torch.softmax(logits, 1), 1)),
        "Softmax is applied twice: the probabilities are too flat.",
        SOFTMAX_FIRST,
    ),
    Misconception(
        "softmax-before-the-loss",
        _softmax_first,
        "That is the gradient of a loss with softmax before it, much smaller than it has to be.",
        SOFTMAX_FIRST,
    ),
    Misconception(
        "logits-negated",
        _gradient(probabilities=lambda logits: torch.softmax(-logits, 1)),
        "Your probabilities are large where the logits are small.",
        GRADIENT,
    ),
    Misconception(
        "every-label-in-every-row",
        _gradient(one_hot=_every_label_in_every_row),
        "You subtract 1 in the columns of all labels, in every row. Each row has its own label.",
        PICKING,
    ),
    Misconception(
        "labels-counted-in-every-row",
        _gradient(one_hot=_labels_counted),
        "You subtract in every row as often as a label occurs in the batch. Each row has its own "
        "label.",
        PICKING,
    ),
    Misconception(
        "rows-for-columns",
        _gradient(one_hot=_rows_for_columns),
        "Your labels name rows. A label names a column of its own row.",
        PICKING,
    ),
    Misconception(
        "likeliest-for-labelled",
        _gradient(one_hot=_predicted),
        "You subtract 1 at the likeliest class, whatever the label says.",
        GRADIENT,
    ),
    Misconception(
        "labels-count-from-one",
        _gradient(one_hot=_next),
        "You subtract 1 in the column before the labelled one: labels count from 0.",
        PICKING,
    ),
    Misconception(
        "half-of-the-squared-error",
        _gradient(lambda p, y: _of_the_sum_of_squares(p, y) / 2),
        "p - y is multiplied by softmax's Jacobian once more. In cross-entropy it is done already.",
        JACOBIAN,
    ),
    Misconception(
        "class-number-subtracted",
        lambda logits, target: (torch.softmax(logits, 1) - target[:, None]) / len(logits),
        "You subtract the number of the class from the whole row. 1 is subtracted, in one place.",
        PICKING,
    ),
    Misconception(
        "labels-as-rows",
        lambda logits, target: (
            (
                torch.softmax(logits, 1)
                - F.one_hot(target, max(len(logits), int(target.max()) + 1)).amax(0)[:, None]
            )
            / len(logits)
        ),
        "You subtract 1 from whole rows, picked by the labels. A label picks a column.",
        PICKING,
    ),
    Misconception(
        "only-probabilities-divided",
        lambda logits, target: (
            torch.softmax(logits, 1) / len(logits) - F.one_hot(target, logits.shape[1])
        ),
        "Your labels are not divided by the number of rows, the probabilities are.",
        GRADIENT,
    ),
    Misconception(
        "only-labels-divided",
        lambda logits, target: (
            torch.softmax(logits, 1) - F.one_hot(target, logits.shape[1]) / len(logits)
        ),
        "Your probabilities are not divided by the number of rows, the labels are.",
        GRADIENT,
    ),
    Misconception(
        "overflow-put-off-by-float64",
        _gradient(probabilities=lambda logits: _naive(logits.double()).to(logits.dtype)),
        "In float64 the exponential overflows at 709 instead of 88. Larger logits still give nan.",
        OVERFLOW,
    ),
    Misconception(
        "nan-made-zero",
        _gradient(probabilities=lambda logits: torch.nan_to_num(_naive(logits))),
        "Where the exponential overflows, your probability is 0 instead of nan.",
        OVERFLOW,
    ),
    Misconception(
        "maximum-not-subtracted",
        _gradient(probabilities=_naive),
        "Small logits come out right, large ones as nan: the exponentials overflow or underflow.",
        OVERFLOW,
    ),
    Misconception(
        "one-maximum-for-all",
        _gradient(probabilities=lambda x: _naive(x, lambda logits: logits.max())),
        "You subtract the largest logit of the whole batch. A row far below it underflows.",
        ONE_MAXIMUM,
    ),
    Misconception(
        "mean-subtracted",
        _gradient(probabilities=lambda x: _naive(x, lambda logits: logits.mean(1, keepdim=True))),
        "You subtract the mean of each row. What lies far above the mean still overflows.",
        ANY_CONSTANT,
    ),
    Misconception(
        "logits-cut-off-at-50",
        _gradient(probabilities=lambda logits: torch.softmax(logits.clamp(-50, 50), 1)),
        "You cut the logits off at 50 and -50. Two large ones come out equal.",
        MAXIMUM,
    ),
)


# --- one logit --------------------------------------------------------------------------------


def _binary(loss, reduce=torch.mean):
    return lambda logits, target: reduce(loss(logits, target))


def _each(z, t):
    return F.binary_cross_entropy_with_logits(z, t, reduction="none")


def _from_probability(z, t, eps=0.0):
    p = torch.sigmoid(z)
    if eps:
        p = p.clamp(eps, 1 - eps)
    return -(t * torch.log(p) + (1 - t) * torch.log(1 - p))


def _plus(z, t, eps):
    p = torch.sigmoid(z)
    return -(t * torch.log(p + eps) + (1 - t) * torch.log(1 - p + eps))


def _logs_at_least_minus_100(z, t):
    return F.binary_cross_entropy(torch.sigmoid(z), t, reduction="none")


def _softplus_naive(z, t):
    return torch.log(1 + torch.exp(z)) - t * z


def _softplus_negative_naive(z, t):
    return (1 - t) * z + torch.log(1 + torch.exp(-z))


def _switched(z, t):
    """Choose one of the two terms by the target, as a switch."""
    return torch.where(t > 0.5, F.softplus(-z), F.softplus(z))


def _equal_to_one(z, t):
    return torch.where(t == 1, F.softplus(-z), F.softplus(z))


def _rows_of_classes(z, t):
    axis = -1
    return -(t * torch.log_softmax(z, axis)).sum(axis)


_FLATTENED = lambda losses: losses.sum() / losses.shape[0]  # noqa: E731
_LOST_LARGE = (
    "Small logits come out right, large ones infinite or nan: the exponential overflows, or a "
    "probability is rounded to 0 or 1 before its logarithm is taken."
)
_BOUNDED = (
    "Your loss of one element never rises above a fixed number: the probability is kept away from "
    "0 and 1. A confident mistake costs as much as its logit says."
)
BINARY_MISCONCEPTIONS = (
    Misconception(
        "sum-for-mean",
        _binary(_each, torch.sum),
        "Your loss is a sum. The mean over all elements is asked for.",
        REDUCTIONS,
    ),
    Misconception(
        "not-reduced",
        _binary(_each, lambda losses: losses),
        "You return one loss for each element. Their mean is asked for.",
        REDUCTIONS,
    ),
    Misconception(
        "divided-by-the-rows",
        _binary(_each, _FLATTENED),
        "Your divisor is the length of the first axis. The mean runs over all elements.",
        REDUCTIONS,
    ),
    Misconception(
        "averaged-over-the-first-axis",
        _binary(_each, lambda losses: losses.mean(0)),
        "You average over the first axis only. The mean runs over all elements.",
        REDUCTIONS,
    ),
    Misconception(
        "averaged-over-the-last-axis",
        _binary(_each, lambda losses: losses.mean(-1)),
        "You average over the last axis only. The mean runs over all elements.",
        REDUCTIONS,
    ),
    Misconception(
        "sign-turned",
        _binary(lambda z, t: -_each(z, t)),
        "Your loss is negative. Logarithms of probabilities are; the loss is their negative.",
        BINARY,
    ),
    Misconception(
        "targets-turned",
        _binary(lambda z, t: _each(z, 1 - t)),
        "Your loss is small where the target is 0 and the logit large. The logit speaks for 1.",
        BINARY,
    ),
    Misconception(
        "only-the-term-of-yes",
        _binary(lambda z, t: t * F.softplus(-z)),
        "Elements with target 0 cost nothing. Both answers can be wrong.",
        BINARY,
    ),
    Misconception(
        "only-the-term-of-no",
        _binary(lambda z, t: (1 - t) * F.softplus(z)),
        "Elements with target 1 cost nothing. Both answers can be wrong.",
        BINARY,
    ),
    Misconception(
        "probability-of-no-for-both",
        _binary(lambda z, t: F.softplus(z)),
        "Your loss does not depend on the target.",
        BINARY,
    ),
    Misconception(
        "probability-of-yes-for-both",
        _binary(lambda z, t: F.softplus(-z)),
        "Your loss treats every target as 1.",
        BINARY,
    ),
    Misconception(
        "difference-of-the-terms",
        _binary(lambda z, t: t * F.softplus(-z) - (1 - t) * F.softplus(z)),
        "The two terms have different signs in your loss. Both are surprises, and are added.",
        BINARY,
    ),
    Misconception(
        "targets-rounded",
        _binary(_switched),
        "Targets between 0 and 1 count as 0 or 1 in your loss. Each weighs the two terms.",
        BINARY,
    ),
    Misconception(
        "only-one-counts-as-yes",
        _binary(_equal_to_one),
        "Targets between 0 and 1 count as 0 in your loss. Each weighs the two terms.",
        BINARY,
    ),
    Misconception(
        "logits-as-probabilities",
        _binary(lambda z, t: -(t * torch.log(z) + (1 - t) * torch.log(1 - z))),
        "You take the logarithm of the logits. They are no probabilities yet.",
        BINARY_LINK,
    ),
    Misconception(
        "sigmoid-twice",
        _binary(lambda z, t: _each(torch.sigmoid(z), t)),
        "The sigmoid is applied twice: the probabilities are never below one half.",
        SIGMOID,
    ),
    Misconception(
        "squared-error",
        _binary(lambda z, t: (torch.sigmoid(z) - t) ** 2),
        "Your loss is never above 1: the squared difference of probability and target.",
        SQUARED,
    ),
    Misconception(
        "absolute-error",
        _binary(lambda z, t: (torch.sigmoid(z) - t).abs()),
        "Your loss is never above 1: the distance of probability and target.",
        SQUARED,
    ),
    Misconception(
        "targets-of-plus-and-minus-one",
        _binary(lambda z, t: F.softplus(-t * z)),
        "You multiply logit and target, as for targets -1 and 1. Here a target is 0, 1 or between.",
        BINARY_LINK,
    ),
    Misconception(
        "two-t-minus-one",
        _binary(lambda z, t: F.softplus(-(2 * t - 1) * z)),
        "Targets 0 and 1 come out right. Those between mix two losses, they do not scale the logit.",
        BINARY_LINK,
    ),
    Misconception(
        "softmax-over-elements",
        _binary(_rows_of_classes),
        "Your elements compete with each other, as classes do. Each is a question of its own.",
        TWO_CLASSES,
    ),
    Misconception(
        "base-two",
        _binary(lambda z, t: _each(z, t) / math.log(2)),
        "Your loss is in bits: too large by the same factor throughout.",
        NATS,
    ),
    Misconception(
        "linear-part-missing",
        _binary(lambda z, t: torch.log1p(torch.exp(-z.abs()))),
        "Your loss does not depend on the target, and is never above ln 2: the part that grows "
        "with the logit is missing.",
        BINARY_LINK,
    ),
    Misconception(
        "absolute-value-for-positive-part",
        _binary(lambda z, t: z.abs() - z * t + torch.log1p(torch.exp(-z.abs()))),
        "Negative logits with target 0 cost you something: their size. Only the positive part of a "
        "logit is counted.",
        BINARY_LINK,
    ),
    Misconception(
        "linear-part-only",
        _binary(lambda z, t: z.clamp_min(0) - z * t),
        "Your loss has a corner at 0 and is right only far from it. The logarithm is missing.",
        BINARY_LINK,
    ),
    Misconception(
        "logarithms-of-the-sigmoid",
        _binary(_from_probability),
        _LOST_LARGE,
        BINARY_LINK,
    ),
    Misconception(
        "logarithms-of-the-sigmoid-of-float64",
        _binary(lambda z, t: _from_probability(z.double(), t.double()).to(z.dtype)),
        "In float64 the probability is rounded to 0 or 1 a little later, and the loss is infinite "
        "or nan all the same.",
        BINARY_LINK,
    ),
    Misconception(
        "nan-made-zero",
        _binary(lambda z, t: torch.nan_to_num(_from_probability(z, t))),
        "Where your loss would be nan it is 0, and where infinite the largest number.",
        BINARY_LINK,
    ),
    Misconception(
        "softplus-overflows",
        _binary(_softplus_naive),
        "Large positive logits overflow in your exponential.",
        OVERFLOW,
    ),
    Misconception(
        "softplus-of-the-negative-overflows",
        _binary(_softplus_negative_naive),
        "Large negative logits overflow in your exponential.",
        OVERFLOW,
    ),
    Misconception(
        "logarithms-at-least-minus-100",
        _binary(_logs_at_least_minus_100),
        "Your loss of one element stops at 100, as it does when it is made from the probability.",
        BINARY_LINK,
    ),
    Misconception(
        "logits-cut-off-at-50",
        _binary(lambda z, t: _each(z.clamp(-50, 50), t)),
        "You cut the logits off at 50 and -50, and with them the loss of a confident mistake.",
        BINARY_LINK,
    ),
    Misconception(
        "summed-over-the-last-axis",
        _binary(_each, lambda losses: losses.sum(-1).mean()),
        "You add along the last axis and average the rest. The mean runs over all elements.",
        REDUCTIONS,
    ),
    Misconception(
        "any-yes-counts-as-one",
        _binary(lambda z, t: torch.where(t > 0, F.softplus(-z), F.softplus(z))),
        "Every target above 0 counts as 1 in your loss. Each weighs the two terms.",
        BINARY,
    ),
    Misconception(
        "one-half-rounded-up",
        _binary(lambda z, t: torch.where(t >= 0.5, F.softplus(-z), F.softplus(z))),
        "Targets count as 0 or 1 in your loss, one half as 1. Each weighs the two terms.",
        BINARY,
    ),
    Misconception(
        "linear-part-added",
        _binary(lambda z, t: F.softplus(z) + t * z),
        "Your loss rises with the logit where the target is 1: the linear part has the wrong sign.",
        BINARY_LINK,
    ),
    Misconception(
        "logarithm-missing-in-the-tail",
        _binary(lambda z, t: z.clamp_min(0) - z * t + torch.exp(-z.abs())),
        "At a logit of 0 you get 1, not ln 2: a logarithm is missing.",
        BINARY_LINK,
    ),
    Misconception(
        "sign-missing-in-the-exponent",
        _binary(lambda z, t: z.clamp_min(0) - z * t + torch.log1p(torch.exp(z.abs()))),
        "Your exponent is positive: the loss counts the logit twice, and overflows.",
        OVERFLOW,
    ),
    Misconception(
        "negative-part-for-positive-part",
        _binary(lambda z, t: (-z).clamp_min(0) - z * t + torch.log1p(torch.exp(-z.abs()))),
        "You count the negative part of the logit, and the positive one is needed.",
        BINARY_LINK,
    ),
    Misconception(
        "exponent-cut-off-at-88",
        _binary(lambda z, t: torch.log1p(torch.exp(z.clamp_max(88))) - t * z),
        "You cut the exponent off at 88, and with it the loss of a confident mistake.",
        BINARY_LINK,
    ),
    Misconception(
        "logits-cut-off-at-100",
        _binary(lambda z, t: _each(z.clamp(-100, 100), t)),
        "You cut the logits off at 100 and -100, and with them the loss of a confident mistake.",
        BINARY_LINK,
    ),
    *(
        Misconception(
            f"probability-kept-{eps:.0e}-from-the-ends",
            _binary(lambda z, t, eps=eps: _from_probability(z, t, eps)),
            _BOUNDED,
            EPSILON,
        )
        for eps in (1e-6, 1e-7, 1e-8, 1e-12)
    ),
    *(
        Misconception(
            f"logarithms-plus-{eps:.0e}",
            _binary(lambda z, t, eps=eps: _plus(z, t, eps)),
            _BOUNDED,
            EPSILON,
        )
        for eps in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)
    ),
)
