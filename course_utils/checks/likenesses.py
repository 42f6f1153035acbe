"""What is said of wrong numbers that are like the right ones, the most telling ways first."""

from dataclasses import dataclass
from functools import partial

import torch

from course_utils.checks.arrangement import (
    backwards,
    border,
    column_wrong,
    cut,
    first_for_all,
    first_right,
    first_wrong,
    infinite_wrong,
    last_wrong,
    left_at_zero,
    negative_wrong,
    permuted,
    reduced,
    reordered,
    reshaped,
    shifted,
    surrounded,
    transposed,
    turned,
    zero_expected,
)
from course_utils.checks.likeness import (
    Forms,
    changed,
    changed_along,
    clipped,
    constant,
    counted,
    factor,
    nearly,
    offset,
    rounded,
    scaled_and_shifted,
    size_factor,
)

EXACT, ESTIMATED, COUNTED = "exact", "estimated", "counted"


@dataclass(frozen=True)
class Likeness:
    """
    A way in which all wrong numbers of an answer are like the right ones.

    In ``fact``, ``{form}`` stands for the form that holds everywhere, and ``{where}`` for the part
    of the result. ``kind`` says what is evidence: different numbers; for a way that takes a number
    from the result itself more of them; or how many of them are wrong, whatever they are.
    """

    name: str
    forms: Forms
    fact: str
    kind: str = EXACT


LIKENESSES = (
    Likeness(
        "all-zeros",
        changed(torch.zeros_like),
        "Every number{where} is 0. Is what you compute written to what you return?",
    ),
    Likeness(
        "sign-turned",
        changed(torch.neg),
        "Every wrong number{where} has the right size and the other sign. Look for a minus too "
        "much or forgotten, or a difference taken the other way round.",
    ),
    Likeness(
        "without-signs",
        changed(torch.abs),
        "Wrong numbers{where} are right but for their sign: yours are never below 0.",
    ),
    Likeness(
        "nothing-below-zero",
        changed(lambda expected: expected.clamp_min(0)),
        "Where a number{where} has to be below 0, yours is 0; all others are right.",
    ),
    Likeness(
        "one-minus",
        changed(lambda expected: 1 - expected),
        "Every wrong number{where} and the right one add up to 1: you give the share of what is "
        "not asked for.",
    ),
    Likeness(
        "turned-over",
        changed(torch.reciprocal),
        "Every wrong number{where} is 1 divided by the right one: a fraction is upside down.",
    ),
    Likeness(
        "squared",
        changed(torch.square),
        "Every wrong number{where} is the square of the right one. Look for a root that is "
        "forgotten, or a factor that is there twice.",
    ),
    Likeness(
        "root-taken",
        changed(torch.sqrt),
        "Every wrong number{where} is the square root of the right one.",
    ),
    Likeness(
        "logarithm-taken",
        changed(torch.log),
        "Every wrong number{where} is the logarithm of the right one.",
    ),
    Likeness(
        "exponential-taken",
        changed(torch.exp),
        "Every wrong number{where} is the exponential of the right one: a logarithm is missing.",
    ),
    Likeness(
        "constant-factor",
        factor,
        "Every wrong number{where} is the right one times {form}, in every call. Look for a "
        "factor too much or forgotten.",
        ESTIMATED,
    ),
    Likeness(
        "size-factor",
        size_factor,
        "Every wrong number{where} is the right one {form}. Look at where you multiply or divide "
        "by that number, and where you take a sum or a mean.",
        ESTIMATED,
    ),
    Likeness(
        "constant-offset",
        offset,
        "Every wrong number{where} is off by {form}, in every call. Look for something that is "
        "added or counted once too often, or once too little.",
        ESTIMATED,
    ),
    Likeness(
        "scaled-and-shifted",
        scaled_and_shifted,
        "Every wrong number{where} is the right one {form}, in every call. Look at the two ends "
        "of the scale: what has to become of the smallest number, and what of the largest?",
        ESTIMATED,
    ),
    Likeness(
        "rounded",
        rounded,
        "Wrong numbers{where} are the right ones rounded to {form} decimals. Nothing is to be "
        "rounded on the way.",
    ),
    Likeness(
        "centred",
        changed(lambda expected: expected - expected.mean()),
        "Your numbers{where} are the right ones less their mean.",
    ),
    Likeness(
        "scaled-to-sum-1",
        changed(lambda expected: expected / expected.sum()),
        "Your numbers{where} are the right ones divided by their sum.",
    ),
    Likeness(
        "scaled-to-largest-1",
        changed(lambda expected: expected / expected.amax() if expected.numel() else expected),
        "Your numbers{where} are the right ones divided by the largest of them.",
    ),
    Likeness(
        "added-up-on-the-way",
        changed_along(torch.cumsum),
        "Your numbers{where} are sums of the right ones up to each place, along axis {form}: "
        "something is not set back in between.",
    ),
    Likeness(
        "transposed",
        transposed,
        "Your numbers{where} are right, but the last two axes are exchanged.",
    ),
    Likeness(
        "in-reverse-order",
        backwards,
        "Your numbers{where} are right, but in reverse order.",
    ),
    Likeness(
        "flipped",
        changed_along(lambda expected, axis: expected.flip(axis)),
        "Your numbers{where} are right, but run backwards along axis {form}.",
    ),
    Likeness(
        "turned-by-half",
        turned,
        "Your numbers{where} are right, but upside down and from right to left.",
    ),
    Likeness(
        "axes-exchanged",
        permuted,
        "Your numbers{where} are right, but the axes stand in the order {form}.",
    ),
    Likeness(
        "first-for-all",
        first_for_all,
        "Your numbers{where} are the same at every place of axis {form}: those of the first.",
    ),
    Likeness("shifted", shifted, "Your numbers{where} are right, but stand one place {form}."),
    Likeness(
        "other-shape",
        reshaped,
        "Your numbers{where} are right and in order, but have another shape. Is there an axis of "
        "size 1 too many or missing, or are two axes made into one?",
    ),
    Likeness(
        "one-axis-less",
        reduced,
        "Your numbers{where} are the right ones {form}, so that an axis is lost.",
    ),
    Likeness(
        "cut-off",
        cut,
        "Your numbers{where} are right, but only the {form} of the result is there.",
    ),
    Likeness(
        "too-much",
        surrounded,
        "The right numbers{where} are the {form} of yours; the rest is too much.",
    ),
    Likeness(
        "other-order",
        reordered,
        "Your numbers{where} are right, but stand at other places. Look at the order of the "
        "loops, or of the axes before a reshape.",
    ),
    Likeness(
        "clipped",
        clipped,
        "Your numbers{where} are right up to a bound, and stand at the bound beyond it.",
    ),
)

# Places that alone are wrong, or are all alike.
PLACES = (
    Likeness(
        "wrong-where-negative",
        negative_wrong,
        "Wrong are exactly the numbers{where} that have to be below 0.",
        COUNTED,
    ),
    Likeness(
        "wrong-where-infinite",
        infinite_wrong,
        "Wrong are only the numbers{where} that have to be infinite, or no number.",
        COUNTED,
    ),
    Likeness(
        "left-at-zero",
        left_at_zero,
        "Every wrong number{where} of yours is 0: these places are never written, or wiped.",
        COUNTED,
    ),
    Likeness(
        "not-left-at-zero",
        zero_expected,
        "Wrong are only places{where} where 0 is right, and yours have other numbers.",
        COUNTED,
    ),
    Likeness(
        "only-first-right",
        first_right,
        "Only what stands first along axis {form}{where} is right; nothing behind it is.",
        COUNTED,
    ),
    Likeness(
        "only-last-wrong",
        last_wrong,
        "Only what stands last along axis {form}{where} is wrong. Where does the loop end?",
        COUNTED,
    ),
    Likeness(
        "only-first-wrong",
        first_wrong,
        "Only what stands first along axis {form}{where} is wrong. Where does the loop begin?",
        COUNTED,
    ),
    Likeness(
        "one-column-wrong",
        column_wrong,
        "Only number {form} of each row{where}, counted from 0, is wrong.",
        COUNTED,
    ),
    Likeness(
        "only-border-wrong",
        border,
        "Only the border{where} is wrong; everything inside is right. Look at the padding, and "
        "at the first and the last window.",
        COUNTED,
    ),
    Likeness(
        "nearly-right",
        nearly,
        "Your numbers{where} miss the right ones by less than a thousandth of the largest. Look "
        "for a small number that is added, something rounded, or a lower precision on the way.",
    ),
    Likeness(
        "all-the-same",
        constant,
        "All your numbers{where} are the same.",
    ),
)

# These say less than in which calls an answer is wrong, or in which part of its results.
LAST_LIKENESSES = (
    Likeness(
        "always-too-large",
        partial(counted, more=True),
        "Every wrong number{where} is too large. Look for what is added or counted and must not "
        "be, or has to be taken off.",
        ESTIMATED,
    ),
    Likeness(
        "always-too-small",
        partial(counted, more=False),
        "Every wrong number{where} is too small. Look for what is forgotten, or taken off and "
        "must not be.",
        ESTIMATED,
    ),
)
