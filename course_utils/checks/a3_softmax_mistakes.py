"""Assignment 3, first half: wrong odds and softmaxes, each with a name and what it shows."""

import math

import torch

from course_utils.checks.a3_rules import (
    ANY_CONSTANT,
    EACH_CLASS,
    EPSILON,
    EXPONENTIAL,
    LOG_SOFTMAX,
    MAXIMUM,
    NATS,
    ODDS,
    ONE_MAXIMUM,
    OVERFLOW,
    REFERENCE_CLASS,
    SIGMOID,
    TEMPERATURE,
    TWICE,
    WHICH_DIM,
)
from course_utils.checks.exercise import Misconception


def _replaced(value, *bad):
    """Replace what is equal to one of the bad numbers, nan among them."""

    def answer(p):
        result = value(p)
        for number, instead in bad:
            hit = result.isnan() if math.isnan(number) else result == number
            result = torch.where(hit, torch.full_like(result, instead), result)
        return result

    return answer


INF = math.inf
ODDS_MISCONCEPTIONS = (
    Misconception(
        "odds-against",
        lambda p: (1 - p) / p,
        "Your result is the odds against: they fall where p rises. Odds of an event compare its "
        "probability with that of its absence.",
        ODDS,
    ),
    Misconception(
        "logarithm-taken",
        lambda p: torch.logit(p),
        "Your result is the logarithm of the odds: 0 for p = 0.5, negative below. Odds are a "
        "quotient, 1 for p = 0.5.",
        ODDS,
    ),
    Misconception(
        "probability-given-back",
        lambda p: p.clone(),
        "Your result is p itself. Probability is a share of the whole, odds compare two parts.",
        ODDS,
    ),
    Misconception(
        "over-one-plus-p",
        lambda p: p / (1 + p),
        "Your denominator grows with p. That formula leads back from odds to a probability.",
        ODDS,
    ),
    Misconception(
        "one-over-rest",
        lambda p: 1 / (1 - p),
        "Your result is 1 where p is 0. The odds of what never happens are 0.",
        ODDS,
    ),
    Misconception(
        "one-over-p",
        lambda p: 1 / p,
        "Your result is 1 over p: one chance in so many. Odds compare p with the rest.",
        ODDS,
    ),
    Misconception(
        "rest-given-back",
        lambda p: 1 - p,
        "Your result is 1 - p, the probability of the absence. Odds compare the two.",
        ODDS,
    ),
    Misconception(
        "difference-of-the-two",
        lambda p: 2 * p - 1,
        "Your result is a difference of two probabilities. Odds are their quotient.",
        ODDS,
    ),
    Misconception(
        "against-the-other-elements",
        lambda p: p / (p.sum() - p),
        "Your result compares each p with the other elements. Each element is an event of its own.",
        ODDS,
    ),
    Misconception(
        "exponential-of-p",
        torch.exp,
        "Your result is the exponential of p itself. The exponential belongs to a logit.",
        ODDS,
    ),
    Misconception(
        "zero-at-one",
        _replaced(lambda p: p / (1 - p), (INF, 0.0)),
        "Your result is right except where p is 1: there it is 0. What is certain has infinite "
        "odds.",
        ODDS,
    ),
    Misconception(
        "nan-at-one",
        _replaced(lambda p: p / (1 - p), (INF, math.nan)),
        "Your result is right except where p is 1: there it is nan. What is certain has infinite "
        "odds.",
        ODDS,
    ),
    Misconception(
        "largest-number-at-one",
        lambda p: torch.nan_to_num(p / (1 - p)),
        "Your result is right except where p is 1: there it is the largest finite number. What is "
        "certain has infinite odds.",
        ODDS,
    ),
    *(
        Misconception(
            f"denominator-kept-above-{eps:.0e}",
            lambda p, eps=eps: p / (1 - p).clamp_min(eps),
            "Your odds of a certain event are finite. A bound below the denominator hides that "
            "they are infinite.",
            ODDS,
        )
        for eps in (1e-6, 1e-7, 1e-8, 1e-12)
    ),
    *(
        Misconception(
            f"denominator-plus-{eps:.0e}",
            lambda p, eps=eps: p / (1 - p + eps),
            "Your odds of a certain event are finite. A small number added to the denominator "
            "hides that they are infinite.",
            ODDS,
        )
        for eps in (1e-6, 1e-7, 1e-8)
    ),
)

_ENDS_FINITE = (
    "Your log-odds are finite at the ends. A probability that is kept away from 0 and 1 gives a "
    "number where the answer is infinite."
)
LOG_ODDS_MISCONCEPTIONS = (
    Misconception(
        "no-logarithm",
        lambda p: p / (1 - p),
        "Your result is the odds: 1 for p = 0.5. Log-odds are their logarithm, 0 there.",
        ODDS,
    ),
    Misconception(
        "base-ten",
        lambda p: torch.logit(p) / math.log(10),
        "Your logarithm has base 10: every finite value is too small by the same factor. The "
        "natural one is meant.",
        NATS,
    ),
    Misconception(
        "base-two",
        lambda p: torch.logit(p) / math.log(2),
        "Your logarithm has base 2: every finite value is too large by the same factor. The "
        "natural one is meant.",
        NATS,
    ),
    Misconception(
        "sign-turned",
        lambda p: -torch.logit(p),
        "Your log-odds are positive where p is below 0.5. They are those of the absence.",
        ODDS,
    ),
    Misconception(
        "log-probability",
        torch.log,
        "Your result is the logarithm of p, never above 0. Log-odds are positive for p > 0.5.",
        ODDS,
    ),
    Misconception(
        "log-of-the-rest",
        lambda p: torch.log(1 - p),
        "Your result is the logarithm of 1 - p alone. Both probabilities are needed.",
        ODDS,
    ),
    Misconception(
        "product-for-quotient",
        lambda p: torch.log(p) + torch.log(1 - p),
        "Your result adds the logarithms of p and 1 - p: it is never positive, and the same for p "
        "and 1 - p. Odds are a quotient.",
        ODDS,
    ),
    Misconception(
        "quotient-of-logarithms",
        lambda p: torch.log(p) / torch.log(1 - p),
        "Your result divides two logarithms. The logarithm is taken of the quotient.",
        ODDS,
    ),
    Misconception(
        "sigmoid-for-its-inverse",
        torch.sigmoid,
        "Your result lies between 0 and 1: the sigmoid of p. You were asked for its inverse.",
        SIGMOID,
    ),
    Misconception(
        "one-plus-odds",
        lambda p: torch.log1p(p / (1 - p)),
        "Your result is the logarithm of 1 plus the odds: it is never negative.",
        ODDS,
    ),
    Misconception(
        "nan-at-the-ends",
        _replaced(torch.logit, (INF, math.nan), (-INF, math.nan)),
        "Your result is right inside and nan at the ends. Log-odds of 0 and 1 are infinite.",
        ODDS,
    ),
    Misconception(
        "zero-at-the-ends",
        _replaced(torch.logit, (INF, 0.0), (-INF, 0.0)),
        "Your result is right inside and 0 at the ends. Log-odds of 0 and 1 are infinite.",
        ODDS,
    ),
    Misconception(
        "nan-at-one",
        _replaced(torch.logit, (INF, math.nan)),
        "Your result is right except where p is 1: there it is nan. Look at the denominator.",
        ODDS,
    ),
    Misconception(
        "nan-at-zero",
        _replaced(torch.logit, (-INF, math.nan)),
        "Your result is right except where p is 0: there it is nan, and has to be infinite.",
        ODDS,
    ),
    Misconception(
        "positive-infinity-at-zero",
        lambda p: torch.where(p == 0, INF, torch.logit(p)),
        "Your log-odds of 0 are positive. They fall without end as p goes to 0.",
        ODDS,
    ),
    Misconception(
        "largest-number-at-the-ends",
        lambda p: torch.nan_to_num(torch.logit(p)),
        "Your log-odds at the ends are the largest finite numbers. They are infinite there.",
        ODDS,
    ),
    *(
        Misconception(
            f"kept-{eps:.0e}-from-the-ends",
            lambda p, eps=eps: torch.logit(p.clamp(eps, 1 - eps)),
            _ENDS_FINITE,
            EPSILON,
        )
        for eps in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-12, 1e-15)
    ),
    *(
        Misconception(
            f"logarithms-plus-{eps:.0e}",
            lambda p, eps=eps: torch.log(p + eps) - torch.log(1 - p + eps),
            "Your log-odds are finite at the ends. A small number added inside a logarithm hides "
            "that they are infinite there.",
            EPSILON,
        )
        for eps in (1e-6, 1e-7, 1e-8, 1e-12)
    ),
)


# --- softmax ----------------------------------------------------------------------------------


def _naive(logits, dim=-1, base=math.e):
    powers = torch.pow(base, logits) if base != math.e else torch.exp(logits)
    return powers / powers.sum(dim, keepdim=True)


def _shifted(shift):
    """Return a softmax after subtracting something that need not be the maximum along dim."""
    return lambda logits, dim=-1: _naive(logits - shift(logits, dim), dim)


def _along(choose):
    """Return a softmax, and a log_softmax, along another axis."""
    return (
        lambda logits, dim=-1: torch.softmax(logits, choose(logits, dim)),
        lambda logits, dim=-1: torch.log_softmax(logits, choose(logits, dim)),
    )


def _default_zero(logits, dim=0):
    return torch.softmax(logits, dim)


def _log_default_zero(logits, dim=0):
    return torch.log_softmax(logits, dim)


def _default_one(logits, dim=1):
    return torch.softmax(logits, dim)


def _log_default_one(logits, dim=1):
    return torch.log_softmax(logits, dim)


def _whole(logits, dim=-1):
    return torch.softmax(logits.flatten(), 0).reshape(logits.shape)


def _without_keepdim(logits, dim=-1):
    exponentials = torch.exp(logits - logits.amax(dim, keepdim=True))
    return exponentials / exponentials.sum(dim)


def _max_without_keepdim(logits, dim=-1):
    return _naive(logits - logits.amax(dim), dim)


def _sum_of_last(logits, dim=-1):
    exponentials = torch.exp(logits - logits.amax(dim, keepdim=True))
    return exponentials / exponentials.sum(-1, keepdim=True)


def _unnormalised(logits, dim=-1):
    return torch.exp(logits - logits.amax(dim, keepdim=True))


def _argmax(logits, dim=-1):
    return (logits == logits.amax(dim, keepdim=True)).to(logits.dtype)


def _forty(logits, dim=-1):
    return _naive(logits.clamp(-50, 50), dim)


def _linear(logits, dim=-1):
    return logits / logits.sum(dim, keepdim=True)


def _min_max(logits, dim=-1):
    shifted = logits - logits.amin(dim, keepdim=True)
    return shifted / shifted.sum(dim, keepdim=True)


def _absolute(logits, dim=-1):
    return logits.abs() / logits.abs().sum(dim, keepdim=True)


def _double(logits, dim=-1):
    return _naive(logits.double(), dim).to(logits.dtype)


def _mean_exponential(logits, dim=-1):
    return torch.softmax(logits, dim) * logits.shape[dim]


def _scaled(logits, dim=-1):
    return _naive(logits / logits.abs().amax(dim, keepdim=True), dim)


def _standardised(logits, dim=-1):
    centred = logits - logits.mean(dim, keepdim=True)
    return torch.softmax(centred / logits.std(dim, keepdim=True), dim)


_FIRST_AXIS = _along(lambda logits, dim: 0)
_LAST_AXIS = _along(lambda logits, dim: -1)
_SECOND_AXIS = _along(lambda logits, dim: min(1, logits.dim() - 1))
_ABSOLUTE_AXIS = _along(
    lambda logits, dim: abs(dim) if dim < -1 and abs(dim) < logits.dim() else dim
)
_NEXT_AXIS = _along(lambda logits, dim: -1 - dim)

_AXIS_MESSAGES = {
    "first-axis-always": (
        "Your rows run along axis 0, whatever dim says: with a batch, images are compared with "
        "each other. dim names the axis along which the results add up to 1.",
        _FIRST_AXIS,
    ),
    "last-axis-always": (
        "Your rows run along the last axis, whatever dim says. dim names the axis along which the "
        "results add up to 1.",
        _LAST_AXIS,
    ),
    "second-axis-always": (
        "Your rows run along axis 1, whatever dim says. dim names the axis along which the results "
        "add up to 1.",
        _SECOND_AXIS,
    ),
    "default-first-axis": (
        "Without dim your rows run along axis 0. The default is the last axis.",
        (_default_zero, _log_default_zero),
    ),
    "default-second-axis": (
        "Without dim your rows run along axis 1. The default is the last axis.",
        (_default_one, _log_default_one),
    ),
    "sign-of-dim-dropped": (
        "A negative dim and its positive twin give you the same axis. Negative ones count from "
        "the end.",
        _ABSOLUTE_AXIS,
    ),
    "axes-counted-from-the-wrong-end": (
        "Your axes are counted from the wrong end: the first for -1, the last for 0.",
        _NEXT_AXIS,
    ),
}


def _axis_misconceptions(number):
    return tuple(
        Misconception(name, answers[number], message, WHICH_DIM)
        for name, (message, answers) in _AXIS_MESSAGES.items()
    )


SOFTMAX_MISCONCEPTIONS = (
    Misconception(
        "maximum-not-subtracted",
        _naive,
        "Small logits come out right, large ones as nan: the exponential overflows, or all of a "
        "row's underflow. A shift of the row changes nothing in the result.",
        OVERFLOW,
    ),
    Misconception(
        "one-maximum-for-all",
        _shifted(lambda logits, dim: logits.max()),
        "You subtract the largest logit of the whole tensor. A row far below it underflows "
        "altogether: each row along dim has its own maximum.",
        ONE_MAXIMUM,
    ),
    Misconception(
        "mean-subtracted",
        _shifted(lambda logits, dim: logits.mean(dim, keepdim=True)),
        "You subtract the mean of each row. What lies far above the mean still overflows.",
        ANY_CONSTANT,
    ),
    Misconception(
        "minimum-subtracted",
        _shifted(lambda logits, dim: logits.amin(dim, keepdim=True)),
        "You subtract the smallest logit of each row, so all exponents are positive, and large "
        "ones overflow.",
        MAXIMUM,
    ),
    Misconception(
        "first-logit-subtracted",
        _shifted(lambda logits, dim: logits.narrow(dim, 0, 1)),
        "You subtract the first logit of each row. What lies far above it still overflows.",
        REFERENCE_CLASS,
    ),
    Misconception(
        "largest-size-subtracted",
        _shifted(lambda logits, dim: logits.abs().amax(dim, keepdim=True)),
        "You subtract the largest absolute value of each row. A row that is negative altogether "
        "underflows.",
        MAXIMUM,
    ),
    Misconception(
        "maximum-of-the-last-axis",
        _shifted(lambda logits, dim: logits.amax(-1, keepdim=True)),
        "Your maximum is taken along the last axis, your sum along dim. Only a shift that is the "
        "same for the whole row changes nothing.",
        MAXIMUM,
    ),
    Misconception(
        "maximum-of-the-first-axis",
        _shifted(lambda logits, dim: logits.amax(0, keepdim=True)),
        "Your maximum is taken along axis 0, your sum along dim. Only a shift that is the same for "
        "the whole row changes nothing.",
        MAXIMUM,
    ),
    Misconception(
        "maximum-divided-out",
        _scaled,
        "You divide each row by its largest absolute value. That changes the differences of the "
        "logits, and with them the result; a shift does not.",
        TEMPERATURE,
    ),
    Misconception(
        "row-standardised",
        _standardised,
        "You divide the logits of a row by their standard deviation. Only a shift leaves the "
        "result as it is.",
        TEMPERATURE,
    ),
    Misconception(
        "logits-cut-off-at-50",
        _forty,
        "You cut the logits off at 50 and -50. Two large ones come out equal, whatever their "
        "difference was.",
        MAXIMUM,
    ),
    Misconception(
        "overflow-put-off-by-float64",
        _double,
        "In float64 the exponential overflows at 709 instead of 88. Larger logits are still nan.",
        OVERFLOW,
    ),
    Misconception(
        "nan-made-zero",
        lambda logits, dim=-1: torch.nan_to_num(_naive(logits, dim)),
        "Where the exponential overflows or the sum is 0, your result is 0 instead of nan. Such a "
        "row does not add up to 1.",
        OVERFLOW,
    ),
    Misconception(
        "small-number-in-the-sum",
        lambda logits, dim=-1: (
            torch.exp(logits) / (torch.exp(logits).sum(dim, keepdim=True) + 1e-8)
        ),
        "A small number added to the sum keeps it from being 0, and still the exponentials of a "
        "row may all be 0, or overflow.",
        OVERFLOW,
    ),
    Misconception(
        "whole-tensor",
        _whole,
        "All values of your result together add up to 1. Each row along dim has to.",
        WHICH_DIM,
    ),
    Misconception(
        "sum-without-its-axis",
        _without_keepdim,
        "Your sums have lost their axis, so they are laid along another one. keepdim keeps it.",
        WHICH_DIM,
    ),
    Misconception(
        "maximum-without-its-axis",
        _max_without_keepdim,
        "Your maxima have lost their axis, so they are laid along another one. keepdim keeps it.",
        MAXIMUM,
    ),
    Misconception(
        "sum-of-the-last-axis",
        _sum_of_last,
        "Your maximum is taken along dim, your sum along the last axis.",
        WHICH_DIM,
    ),
    Misconception(
        "sigmoid-for-each",
        lambda logits, dim=-1: torch.sigmoid(logits),
        "Your result is a sigmoid of each logit alone. The rows do not add up to 1.",
        EACH_CLASS,
    ),
    Misconception(
        "sigmoids-normalised",
        lambda logits, dim=-1: torch.sigmoid(logits) / torch.sigmoid(logits).sum(dim, keepdim=True),
        "Your result is sigmoids, divided by their sum. Two classes have to keep the odds that the "
        "difference of their logits gives.",
        EACH_CLASS,
    ),
    Misconception(
        "softmax-twice",
        lambda logits, dim=-1: torch.softmax(torch.softmax(logits, dim), dim),
        "Your result is flatter than it has to be: softmax was applied twice.",
        TWICE,
    ),
    Misconception(
        "sign-turned",
        lambda logits, dim=-1: torch.softmax(-logits, dim),
        "Your largest probability belongs to the smallest logit.",
        EXPONENTIAL,
    ),
    Misconception(
        "logarithm-returned",
        lambda logits, dim=-1: torch.log_softmax(logits, dim),
        "Your values are not above 0: they are logarithms of probabilities.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "powers-of-two",
        lambda logits, dim=-1: torch.softmax(logits * math.log(2), dim),
        "Your probabilities have ratios that are powers of 2. The base is e.",
        EXPONENTIAL,
    ),
    Misconception(
        "not-normalised",
        _unnormalised,
        "The largest value of each row is 1: the exponentials are not divided by their sum.",
        EXPONENTIAL,
    ),
    Misconception(
        "divided-by-the-mean",
        _mean_exponential,
        "Your rows add up to the number of classes: you divide by a mean, not by a sum.",
        EXPONENTIAL,
    ),
    Misconception(
        "largest-takes-all",
        _argmax,
        "Your result is 1 for the largest logit and 0 for the others. Softmax is the soft form.",
        TEMPERATURE,
    ),
    Misconception(
        "logits-divided-by-their-sum",
        _linear,
        "You divide the logits themselves by their sum. They may be negative; the exponential "
        "makes weights of them.",
        EXPONENTIAL,
    ),
    Misconception(
        "sizes-divided-by-their-sum",
        _absolute,
        "You divide absolute values by their sum, so a logit and its negative weigh the same.",
        EXPONENTIAL,
    ),
    Misconception(
        "distance-from-the-smallest",
        _min_max,
        "Your smallest probability is 0 and the others grow linearly. The exponential is missing.",
        EXPONENTIAL,
    ),
    Misconception(
        "logits-cut-off-at-88",
        lambda logits, dim=-1: _naive(logits.clamp(-88, 88), dim),
        "You cut the logits off at 88 and -88. Two large ones come out equal, whatever their "
        "difference was.",
        MAXIMUM,
    ),
    Misconception(
        "maximum-added",
        _shifted(lambda logits, dim: -logits.amax(dim, keepdim=True)),
        "You add the largest logit of each row, so the exponentials overflow even sooner.",
        MAXIMUM,
    ),
    Misconception(
        "maximum-in-the-numerator-only",
        lambda logits, dim=-1: _unnormalised(logits, dim) / logits.exp().sum(dim, keepdim=True),
        "Your rows do not add up to 1: the numerator is shifted, the sum is not.",
        MAXIMUM,
    ),
    Misconception(
        "one-maximum-and-a-small-number",
        lambda logits, dim=-1: (
            (logits - logits.max()).exp()
            / ((logits - logits.max()).exp().sum(dim, keepdim=True) + 1e-30)
        ),
        "You subtract the largest logit of the whole tensor, and a small number hides that the sum "
        "of a row far below it is 0.",
        ONE_MAXIMUM,
    ),
    *_axis_misconceptions(0),
)


# --- log_softmax ------------------------------------------------------------------------------


def _log_plus(eps, inside=torch.softmax):
    return lambda logits, dim=-1: torch.log(inside(logits, dim) + eps)


def _log_above(eps):
    return lambda logits, dim=-1: torch.log(torch.softmax(logits, dim).clamp_min(eps))


def _log_naive(logits, dim=-1):
    return logits - torch.log(torch.exp(logits).sum(dim, keepdim=True))


def _log_shifted(shift):
    def answer(logits, dim=-1):
        shifted = logits - shift(logits, dim)
        return shifted - torch.log(torch.exp(shifted).sum(dim, keepdim=True))

    return answer


def _log_double(logits, dim=-1):
    return torch.log(torch.softmax(logits.double(), dim)).to(logits.dtype)


def _max_twice(logits, dim=-1):
    largest = logits.amax(dim, keepdim=True)
    return logits - largest - torch.logsumexp(logits, dim, keepdim=True)


def _max_forgotten(logits, dim=-1):
    largest = logits.amax(dim, keepdim=True)
    return logits - torch.log(torch.exp(logits - largest).sum(dim, keepdim=True))


def _mean_log(logits, dim=-1):
    return torch.log_softmax(logits, dim) + math.log(logits.shape[dim])


def _clear(logits, dim=-1):
    result = torch.log(torch.softmax(logits, dim))
    return torch.where(result.isinf(), torch.zeros_like(result), result)


def _exponent_of_differences(logits, dim=-1):
    return logits / torch.logsumexp(logits, dim, keepdim=True)


_LOG_OF_SOFTMAX = (
    "Your result is -inf where a probability underflows to 0: the logarithm comes too late. The "
    "logarithm of softmax is finite for finite logits."
)
_LOG_BOUNDED = (
    "Your result never falls below a fixed number. A probability that is kept above 0 has a "
    "logarithm that is not that of the logits."
)


def _sum_without_logarithm(logits, dim=-1):
    shifted = logits - logits.amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True)


LOG_SOFTMAX_MISCONCEPTIONS = (
    Misconception(
        "logarithm-of-softmax",
        lambda logits, dim=-1: torch.log(torch.softmax(logits, dim)),
        _LOG_OF_SOFTMAX,
        LOG_SOFTMAX,
    ),
    Misconception(
        "logarithm-of-naive-softmax",
        lambda logits, dim=-1: torch.log(_naive(logits, dim)),
        "Small logits come out right; large ones are infinite or nan: the exponentials overflow or "
        "underflow before the logarithm is taken.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "logarithm-in-float64",
        _log_double,
        "In float64 softmax underflows at -745 instead of -104. Your result is -inf beyond.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "zero-where-infinite",
        _clear,
        "Where a probability underflows, your result is 0, which stands for certainty.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "largest-number-where-infinite",
        lambda logits, dim=-1: torch.nan_to_num(torch.log(torch.softmax(logits, dim))),
        "Where a probability underflows, your result is the most negative finite number. The "
        "logarithm follows from the logits and is of their size.",
        LOG_SOFTMAX,
    ),
    *(
        Misconception(f"logarithm-of-p-plus-{eps:.0e}", _log_plus(eps), _LOG_BOUNDED, EPSILON)
        for eps in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15)
    ),
    *(
        Misconception(f"logarithm-of-p-above-{eps:.0e}", _log_above(eps), _LOG_BOUNDED, EPSILON)
        for eps in (1e-7, 1e-8, 1e-10, 1e-12)
    ),
    Misconception(
        "maximum-not-subtracted",
        _log_naive,
        "Small logits come out right; large ones are infinite: the exponentials inside the "
        "logarithm overflow, or their sum underflows to 0.",
        MAXIMUM,
    ),
    Misconception(
        "one-maximum-for-all",
        _log_shifted(lambda logits, dim: logits.max()),
        "You subtract the largest logit of the whole tensor. A row far below it has a sum of 0, "
        "whose logarithm is infinite.",
        ONE_MAXIMUM,
    ),
    Misconception(
        "mean-subtracted",
        _log_shifted(lambda logits, dim: logits.mean(dim, keepdim=True)),
        "You subtract the mean of each row. What lies far above the mean still overflows.",
        ANY_CONSTANT,
    ),
    Misconception(
        "maximum-subtracted-twice",
        _max_twice,
        "Your rows are too low by their largest logit: it is subtracted twice.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "maximum-not-put-back",
        _max_forgotten,
        "Your rows are too high by their largest logit: it is subtracted inside the sum only.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "only-shifted",
        lambda logits, dim=-1: logits - logits.amax(dim, keepdim=True),
        "The largest value of each of your rows is 0: the sum is missing.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "sum-without-its-logarithm",
        _sum_without_logarithm,
        "You subtract the sum of the exponentials. The logarithm of a quotient is the difference "
        "of two logarithms.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "divided-by-log-sum-exp",
        _exponent_of_differences,
        "You divide by the logarithm of the sum. The logarithm of a quotient is a difference.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "sign-turned",
        lambda logits, dim=-1: -torch.log_softmax(logits, dim),
        "Your values are positive. Logarithms of probabilities are not; their negatives are "
        "surprises.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "logits-negated",
        lambda logits, dim=-1: torch.log_softmax(-logits, dim),
        "Your largest value belongs to the smallest logit.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "no-logarithm",
        lambda logits, dim=-1: torch.softmax(logits, dim),
        "Your values are probabilities: their logarithms are asked for.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "base-two",
        lambda logits, dim=-1: torch.log_softmax(logits, dim) / math.log(2),
        "Your logarithm has base 2: every value is too large by the same factor.",
        NATS,
    ),
    Misconception(
        "base-ten",
        lambda logits, dim=-1: torch.log_softmax(logits, dim) / math.log(10),
        "Your logarithm has base 10: every value is too small by the same factor.",
        NATS,
    ),
    Misconception(
        "mean-for-sum",
        _mean_log,
        "The exponentials of your result add up to the number of classes: a mean stands where a "
        "sum has to.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "log-sigmoid-for-each",
        lambda logits, dim=-1: torch.nn.functional.logsigmoid(logits),
        "Your result looks at each logit alone: the logarithm of a sigmoid.",
        EACH_CLASS,
    ),
    Misconception(
        "softmax-first",
        lambda logits, dim=-1: torch.log_softmax(torch.softmax(logits, dim), dim),
        "Your result is flatter than it has to be: softmax is applied before log-softmax.",
        TWICE,
    ),
    Misconception(
        "logits-cut-off-at-50",
        lambda logits, dim=-1: torch.log_softmax(logits.clamp(-50, 50), dim),
        "You cut the logits off at 50 and -50. Two large ones come out equal, whatever their "
        "difference was.",
        MAXIMUM,
    ),
    Misconception(
        "whole-tensor",
        lambda logits, dim=-1: torch.log_softmax(logits.flatten(), 0).reshape(logits.shape),
        "The exponentials of your whole result add up to 1. Each row along dim has to.",
        WHICH_DIM,
    ),
    Misconception(
        "sum-without-its-axis",
        lambda logits, dim=-1: logits - torch.logsumexp(logits, dim),
        "Your sums have lost their axis, so they are laid along another one. keepdim keeps it.",
        WHICH_DIM,
    ),
    Misconception(
        "logarithm-at-least-minus-100",
        lambda logits, dim=-1: torch.log(torch.softmax(logits, dim)).clamp_min(-100),
        "Your result never falls below -100. The logarithm follows from the logits and is of their "
        "size.",
        LOG_SOFTMAX,
    ),
    Misconception(
        "logarithm-of-p-above-the-smallest-float",
        lambda logits, dim=-1: torch.log(
            torch.softmax(logits, dim).clamp_min(torch.finfo(logits.dtype).tiny)
        ),
        _LOG_BOUNDED,
        EPSILON,
    ),
    Misconception(
        "logarithm-of-p-plus-the-rounding-unit",
        lambda logits, dim=-1: torch.log(
            torch.softmax(logits, dim) + torch.finfo(logits.dtype).eps
        ),
        _LOG_BOUNDED,
        EPSILON,
    ),
    Misconception(
        "overflow-put-off-by-float64",
        lambda logits, dim=-1: _log_naive(logits.double(), dim).to(logits.dtype),
        "In float64 the exponential overflows at 709 instead of 88. Larger logits are still "
        "infinite.",
        OVERFLOW,
    ),
    Misconception(
        "logits-cut-off-at-100",
        lambda logits, dim=-1: torch.log_softmax(logits.clamp(-100, 100), dim),
        "You cut the logits off at 100 and -100. Two large ones come out equal, whatever their "
        "difference was.",
        MAXIMUM,
    ),
    Misconception(
        "maximum-of-the-last-axis",
        _log_shifted(lambda logits, dim: logits.amax(-1, keepdim=True)),
        "Your maximum is taken along the last axis, your sum along dim. Only a shift that is the "
        "same for the whole row changes nothing.",
        MAXIMUM,
    ),
    Misconception(
        "sum-added",
        lambda logits, dim=-1: logits + torch.logsumexp(logits, dim, keepdim=True),
        "You add the logarithm of the sum. That of a quotient subtracts it.",
        LOG_SOFTMAX,
    ),
    *_axis_misconceptions(1),
)
