"""Assignment 1, first half: wrong answers about sizes, each with a name and what it shows."""

import math
from typing import Any

from course_utils.checks.a1_rules import (
    DILATION,
    FORMULA,
    PADDING,
    PAIRS,
    SAME,
    STRIDE,
    TRANSPOSED,
    Pair,
    both,
    span,
)
from course_utils.checks.exercise import Misconception


def _checked_size(size: Any) -> Any:
    """Return a wrong formula that refuses what must be refused."""

    def answer(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> Any:
        if min(n, k, s, d) < 1 or p < 0 or span(k, d) > n + 2 * p:
            raise ValueError
        return size(n, k, p, s, d)

    return answer


def _trusting_size(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    return (n + 2 * p - span(k, d)) // s + 1


def _size_without_fit(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    if min(n, k, s, d) < 1 or p < 0:
        raise ValueError
    return _trusting_size(n, k, p, s, d)


def _size_without_range(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    if span(k, d) > n + 2 * p:
        raise ValueError
    return _trusting_size(n, k, p, s, d)


def _size_clamped(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    if min(n, k, s, d) < 1 or p < 0:
        raise ValueError
    return max(_trusting_size(n, k, p, s, d), 0)


def _size_refusing_remainders(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    if min(n, k, s, d) < 1 or p < 0 or span(k, d) > n + 2 * p:
        raise ValueError
    if (n + 2 * p - span(k, d)) % s:
        raise ValueError
    return _trusting_size(n, k, p, s, d)


def _size_fit_without_padding(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    if min(n, k, s, d) < 1 or p < 0 or span(k, d) > n:
        raise ValueError
    return _trusting_size(n, k, p, s, d)


def _size_fit_without_dilation(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    if min(n, k, s, d) < 1 or p < 0 or k > n + 2 * p:
        raise ValueError
    return _trusting_size(n, k, p, s, d)


def _size_strictly_smaller(n, k, p=0, s=1, d=1):
    if min(n, k, s, d) < 1 or p < 0 or span(k, d) >= n + 2 * p:
        raise ValueError
    return _trusting_size(n, k, p, s, d)


def _size_padding_demanded(n, k, p=0, s=1, d=1):
    if min(n, k, p, s, d) < 1 or span(k, d) > n + 2 * p:
        raise ValueError
    return _trusting_size(n, k, p, s, d)


def _size_zero_in_range(n, k, p=0, s=1, d=1):
    if min(n, k, p, s, d) < 0 or span(k, d) > n + 2 * p:
        raise ValueError
    return _trusting_size(n, k, p, s, d)


def _size_fit_with_one_padding(n, k, p=0, s=1, d=1):
    if min(n, k, s, d) < 1 or p < 0 or span(k, d) > n + p:
        raise ValueError
    return _trusting_size(n, k, p, s, d)


def _size_none(n, k, p=0, s=1, d=1):
    try:
        return _checked_size(_trusting_of)(n, k, p, s, d)
    except ValueError:
        return None


def _trusting_of(n, k, p, s, d):
    return _trusting_size(n, k, p, s, d)


def _size_minus_one(n, k, p=0, s=1, d=1):
    try:
        return _checked_size(_trusting_of)(n, k, p, s, d)
    except ValueError:
        return -1


def _size_only_result_checked(n, k, p=0, s=1, d=1):
    size = _trusting_size(n, k, p, s, d)
    if size < 1:
        raise ValueError
    return size


def _size_swapped(n, k, s=1, p=0, d=1):
    return _checked_size(_trusting_of)(n, k, p, s, d)


SIZE_MISCONCEPTIONS = (
    Misconception(
        "padding-once",
        _checked_size(lambda n, k, p, s, d: (n + p - span(k, d)) // s + 1),
        "Your sizes are those of an axis that grew by p. Padding adds p zeros at each of its two "
        "ends.",
        PADDING,
    ),
    Misconception(
        "padding-ignored",
        _checked_size(lambda n, k, p, s, d: max((n - span(k, d)) // s + 1, 0)),
        "Your sizes do not depend on p. The kernel also stands on the zeros that padding adds.",
        PADDING,
    ),
    Misconception(
        "ceil",
        _checked_size(lambda n, k, p, s, d: math.ceil((n + 2 * p - span(k, d)) / s) + 1),
        "Where the stride leaves a remainder, your size is one too many. A last step that does "
        "not "
        "fit whole is not taken: the fraction is cut off, not rounded up.",
        STRIDE,
    ),
    Misconception(
        "round",
        _checked_size(lambda n, k, p, s, d: math.floor((n + 2 * p - span(k, d)) / s + 0.5) + 1),
        "Where the stride leaves half a step or more, your size is one too many. A step either "
        "fits whole or is not taken: nothing is rounded to the nearest.",
        STRIDE,
    ),
    Misconception(
        "steps-not-places",
        _checked_size(lambda n, k, p, s, d: (n + 2 * p - span(k, d)) // s),
        "Each of your sizes is one too few: you count the steps between places. The place where "
        "the kernel starts counts too.",
        FORMULA,
    ),
    Misconception(
        "one-inside-the-floor",
        _checked_size(lambda n, k, p, s, d: (n + 2 * p - span(k, d) + 1) // s),
        "Your sizes are right at stride 1 and sometimes one too few beyond: the 1 for the "
        "starting "
        "place is divided by the stride as well. It is added after the division.",
        STRIDE,
    ),
    Misconception(
        "stride-ignored",
        _checked_size(lambda n, k, p, s, d: n + 2 * p - span(k, d) + 1),
        "Your sizes do not depend on s. With a stride of s the kernel stands only at every s-th "
        "place.",
        STRIDE,
    ),
    Misconception(
        "dilation-ignored",
        _checked_size(lambda n, k, p, s, d: (n + 2 * p - k) // s + 1),
        "Your sizes do not depend on d. A dilated kernel has gaps between its weights, so it "
        "spans "
        "more pixels.",
        DILATION,
    ),
    Misconception(
        "dilation-times-kernel",
        _checked_size(lambda n, k, p, s, d: (n + 2 * p - d * k) // s + 1),
        "Your kernel spans d times k pixels. Dilation stretches the gaps between weights, and k "
        "weights have one gap fewer than weights.",
        DILATION,
    ),
    Misconception(
        "dilation-as-gap",
        _checked_size(lambda n, k, p, s, d: (n + 2 * p - (k + d * (k - 1))) // s + 1),
        "Your sizes treat d as the number of skipped pixels. A dilation of d puts neighbouring "
        "weights d pixels apart, so d = 1 means that they touch.",
        DILATION,
    ),
    Misconception(
        "dilation-added-once",
        _checked_size(lambda n, k, p, s, d: (n + 2 * p - (k + d - 1)) // s + 1),
        "Your kernel grows by d - 1 pixels in all. Every gap between two weights grows by that.",
        DILATION,
    ),
    Misconception(
        "remainder-refused",
        _size_refusing_remainders,
        "You refuse settings where the stride leaves a remainder. They are allowed: the pixels "
        "left over at the end are not read.",
        STRIDE,
    ),
    Misconception(
        "too-large-kernel-accepted",
        _size_without_fit,
        "Your values are right, but a kernel that is larger than the padded input gives a "
        "number. "
        "There is no place for it, so there is nothing to return.",
        FORMULA,
    ),
    Misconception(
        "too-large-kernel-clamped",
        _size_clamped,
        "Your values are right, but a kernel that is larger than the padded input gives 0. It is "
        "an error of the caller, which a size of 0 would hide.",
        FORMULA,
    ),
    Misconception(
        "fit-without-padding",
        _size_fit_without_padding,
        "You refuse a kernel that fits once the padding is there. Compare it with the padded "
        "input.",
        PADDING,
    ),
    Misconception(
        "fit-without-dilation",
        _size_fit_without_dilation,
        "You accept a dilated kernel that does not fit. Compare its whole span with the padded "
        "input, not its number of weights.",
        DILATION,
    ),
    Misconception(
        "range-unchecked",
        _size_without_range,
        "Your values are right, but settings out of range are accepted. Sizes, stride and "
        "dilation "
        "are at least 1, padding is at least 0.",
        FORMULA,
    ),
    Misconception(
        "nothing-refused",
        _trusting_size,
        "Your values are right, but nothing is refused. The prompt lists what must raise "
        "ValueError.",
        FORMULA,
    ),
    Misconception(
        "one-too-many",
        _checked_size(lambda n, k, p, s, d: (n + 2 * p - span(k, d)) // s + 2),
        "Each of your sizes is one too many. Count the places where the kernel can start: the "
        "last one is where its end meets the end of the padded input.",
        FORMULA,
    ),
    Misconception(
        "rounded-to-even",
        _checked_size(lambda n, k, p, s, d: round((n + 2 * p - span(k, d)) / s) + 1),
        "Where more than half of a step is left over, your size is one too many. Nothing is "
        "rounded to the nearest (and Python's `round` takes halves to the even number): a step "
        "either fits whole or is not taken.",
        STRIDE,
    ),
    Misconception(
        "ceil-without-one",
        _checked_size(lambda n, k, p, s, d: math.ceil((n + 2 * p - span(k, d)) / s)),
        "Wherever the stride leaves no remainder, your size is one too few. Rounding up does "
        "not stand for the place where the kernel starts: that one is always there.",
        FORMULA,
    ),
    Misconception(
        "kernel-ignored",
        _checked_size(lambda n, k, p, s, d: math.ceil(n / s)),
        "Your sizes depend on n and s only, as if the input were always padded to keep its "
        "size. Only the padding that is asked for is added.",
        PADDING,
    ),
    Misconception(
        "division-of-one",
        _checked_size(lambda n, k, p, s, d: n + 2 * p - d * (k - 1) - 1 // s + 1),
        "Your sizes are right at stride 1 and hardly shrink beyond it: only the 1 is divided "
        "by the stride. Division binds more tightly than subtraction.",
        STRIDE,
    ),
    Misconception(
        "padding-taken-off",
        _checked_size(lambda n, k, p, s, d: max((n - 2 * p - span(k, d)) // s + 1, 0)),
        "Your sizes shrink as p grows. Padding makes the axis longer.",
        PADDING,
    ),
    Misconception(
        "padding-four-times",
        _checked_size(lambda n, k, p, s, d: (n + 4 * p - span(k, d)) // s + 1),
        "Your axis grows by 4p. Along one axis there are two ends.",
        PADDING,
    ),
    Misconception(
        "padding-dilated",
        _checked_size(lambda n, k, p, s, d: (n + 2 * p * d - span(k, d)) // s + 1),
        "Your padding grows with d. Dilation stretches the kernel, not the border.",
        DILATION,
    ),
    Misconception(
        "stride-times-dilation",
        _checked_size(lambda n, k, p, s, d: (n + 2 * p - span(k, d)) // (s * d) + 1),
        "Your window moves by s times d pixels. Dilation spreads the weights, and leaves the "
        "steps of the window alone.",
        DILATION,
    ),
    Misconception(
        "stride-and-padding-swapped",
        _size_swapped,
        "Your third argument is used as the stride and your fourth as the padding. The order "
        "is n, k, p, s, d.",
        FORMULA,
    ),
    Misconception(
        "stride-and-dilation-ignored",
        _checked_size(lambda n, k, p, s, d: n + 2 * p - k + 1),
        "Your sizes depend neither on s nor on d.",
        FORMULA,
    ),
    Misconception(
        "only-two-arguments-used",
        _checked_size(lambda n, k, p, s, d: max(n - k + 1, 0)),
        "Your sizes depend on n and k only. Padding, stride and dilation change the number of "
        "places.",
        FORMULA,
    ),
    Misconception(
        "equal-kernel-refused",
        _size_strictly_smaller,
        "You refuse a kernel that is exactly as large as the padded input. It fits, at one place.",
        FORMULA,
    ),
    Misconception(
        "no-padding-refused",
        _size_padding_demanded,
        "You refuse p = 0, which is what p is if nobody says otherwise. Padding is at least 0; "
        "the others are at least 1.",
        FORMULA,
    ),
    Misconception(
        "zero-accepted",
        _size_zero_in_range,
        "Your values are right, but 0 is accepted where the least is 1. Sizes, stride and "
        "dilation are at least 1.",
        FORMULA,
    ),
    Misconception(
        "fit-with-one-padding",
        _size_fit_with_one_padding,
        "You refuse a kernel that fits once both ends are padded: you compare it with n + p.",
        PADDING,
    ),
    Misconception(
        "none-for-refusal",
        _size_none,
        "Your values are right, but where a call is to be refused it returns None. Use `raise "
        "ValueError(...)`, so that the caller cannot go on with nothing.",
        FORMULA,
    ),
    Misconception(
        "minus-one-for-refusal",
        _size_minus_one,
        "Your values are right, but where a call is to be refused it returns -1. Use `raise "
        "ValueError(...)`: a number looks like a size.",
        FORMULA,
    ),
    Misconception(
        "only-result-checked",
        _size_only_result_checked,
        "You refuse a result below 1, but settings out of range may still give a size that "
        "looks right. Check each of them.",
        FORMULA,
    ),
)


def _shape_of(
    order: Any = lambda pair: pair,
    *,
    size: Any = lambda n, k, p, s, d: (n + 2 * p - span(k, d)) // s + 1,
    axes: Any = lambda hw: hw,
    result: Any = lambda shape: shape,
) -> Any:
    """Return a wrong answer: settings put in ``order``, a formula, axes and result changed."""

    def answer(
        hw: Any, kernel_size: Pair, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
    ) -> Any:
        settings = [order(both(value)) for value in (kernel_size, padding, stride, dilation)]
        return result(tuple(size(n, *axis) for n, *axis in zip(axes(hw), *settings, strict=True)))

    return answer


def _shape_with(setting, order):
    """Return a wrong answer that puts the pair of one setting in ``order``."""

    def answer(hw, kernel_size, stride=1, padding=0, dilation=1):
        settings = {
            "kernel_size": kernel_size,
            "padding": padding,
            "stride": stride,
            "dilation": dilation,
        }
        pairs = [order(both(v)) if name == setting else both(v) for name, v in settings.items()]
        return tuple(
            (n + 2 * p - span(k, d)) // s + 1 for n, k, p, s, d in zip(hw, *pairs, strict=True)
        )

    return answer


def _shape_ints_only(hw, kernel_size, stride=1, padding=0, dilation=1):
    settings = [(v, v) for v in (kernel_size, padding, stride, dilation)]
    return tuple(
        (n + 2 * p - span(k, d)) // s + 1 for n, k, p, s, d in zip(hw, *settings, strict=True)
    )


def _shape_pairs_only(hw, kernel_size, stride=1, padding=0, dilation=1):
    return tuple(
        (hw[i] + 2 * padding[i] - span(kernel_size[i], dilation[i])) // stride[i] + 1
        for i in range(2)
    )


SHAPE_MISCONCEPTIONS = (
    Misconception(
        "result-swapped",
        _shape_of(result=lambda shape: shape[::-1]),
        "Your shapes are (width, height). The height comes first, as in the shape of a tensor.",
        PAIRS,
    ),
    Misconception(
        "pairs-swapped",
        _shape_of(lambda pair: pair[::-1]),
        "You use the first number of a pair for the width. A pair is (vertical, horizontal): the "
        "first belongs to the height.",
        PAIRS,
    ),
    Misconception(
        "input-swapped",
        _shape_of(axes=lambda hw: hw[::-1]),
        "You read hw as (width, height). The height comes first.",
        PAIRS,
    ),
    Misconception(
        "first-of-pair",
        _shape_of(lambda pair: (pair[0], pair[0])),
        "You use the first number of a pair for both axes. The second belongs to the width.",
        PAIRS,
    ),
    Misconception(
        "second-of-pair",
        _shape_of(lambda pair: (pair[1], pair[1])),
        "You use the second number of a pair for both axes. The first belongs to the height.",
        PAIRS,
    ),
    Misconception(
        "square-input",
        _shape_of(axes=lambda hw: (hw[0], hw[0])),
        "Your width does not depend on the width of the input: it is computed from the height.",
        PAIRS,
    ),
    Misconception(
        "pair-as-two-ends",
        _shape_of(
            size=lambda n, k, p, s, d: (n + p - span(k, d)) // s + 1,
        ),
        "Your axes grow by one padding each. A padding of p stands at both ends of its axis.",
        PADDING,
    ),
    Misconception(
        "dilation-ignored",
        _shape_of(size=lambda n, k, p, s, d: (n + 2 * p - k) // s + 1),
        "Your shapes do not depend on the dilation. It makes the kernel span more pixels.",
        DILATION,
    ),
    Misconception(
        "dilation-times-kernel",
        _shape_of(size=lambda n, k, p, s, d: (n + 2 * p - d * k) // s + 1),
        "Your kernel spans dilation times kernel size. Dilation stretches the gaps between "
        "weights, "
        "and there is one gap fewer than weights.",
        DILATION,
    ),
    Misconception(
        "stride-ignored",
        _shape_of(size=lambda n, k, p, s, d: n + 2 * p - span(k, d) + 1),
        "Your shapes do not depend on the stride. The kernel stands only at every s-th place.",
        STRIDE,
    ),
    Misconception(
        "padding-ignored",
        _shape_of(size=lambda n, k, p, s, d: (n - span(k, d)) // s + 1),
        "Your shapes do not depend on the padding. The kernel also stands on the zeros around.",
        PADDING,
    ),
    Misconception(
        "ceil",
        _shape_of(size=lambda n, k, p, s, d: math.ceil((n + 2 * p - span(k, d)) / s) + 1),
        "Where the stride leaves a remainder, your size is one too many. A step that does not "
        "fit "
        "whole is not taken.",
        STRIDE,
    ),
    Misconception(
        "steps-not-places",
        _shape_of(size=lambda n, k, p, s, d: (n + 2 * p - span(k, d)) // s),
        "Each of your sizes is one too few: the place where the kernel starts counts too.",
        FORMULA,
    ),
    *(
        Misconception(
            f"{setting.replace('_', '-')}-swapped",
            _shape_with(setting, lambda pair: pair[::-1]),
            f"You use the first number of {setting} for the width. A pair is (vertical, "
            "horizontal): the first belongs to the height.",
            PAIRS,
        )
        for setting in ("kernel_size", "stride", "padding", "dilation")
    ),
    *(
        Misconception(
            f"{setting.replace('_', '-')}-first-only",
            _shape_with(setting, lambda pair: (pair[0], pair[0])),
            f"You use the first number of {setting} for both axes. The second belongs to the "
            "width.",
            PAIRS,
        )
        for setting in ("kernel_size", "stride", "padding", "dilation")
    ),
    *(
        Misconception(
            f"{setting.replace('_', '-')}-second-only",
            _shape_with(setting, lambda pair: (pair[1], pair[1])),
            f"You use the second number of {setting} for both axes. The first belongs to the "
            "height.",
            PAIRS,
        )
        for setting in ("kernel_size", "stride", "padding", "dilation")
    ),
    Misconception(
        "pairs-not-taken",
        _shape_ints_only,
        "Your answer works with ints but stops at a pair. Each setting may be an int or a "
        "tuple (vertical, horizontal): make a pair of an int first, and go on with pairs.",
        PAIRS,
    ),
    Misconception(
        "ints-not-taken",
        _shape_pairs_only,
        "Your answer stops at an int, as most defaults are. An int stands for both axes: make "
        "a pair of it first.",
        PAIRS,
    ),
    Misconception(
        "round",
        _shape_of(size=lambda n, k, p, s, d: math.floor((n + 2 * p - span(k, d)) / s + 0.5) + 1),
        "Where the stride leaves half a step or more, your size is one too many. A step either "
        "fits whole or is not taken.",
        STRIDE,
    ),
    Misconception(
        "one-inside-the-floor",
        _shape_of(size=lambda n, k, p, s, d: (n + 2 * p - span(k, d) + 1) // s),
        "Your sizes are right at stride 1 and sometimes one too few beyond: the 1 for the "
        "starting place is divided by the stride as well.",
        STRIDE,
    ),
    Misconception(
        "one-too-many",
        _shape_of(size=lambda n, k, p, s, d: (n + 2 * p - span(k, d)) // s + 2),
        "Each of your sizes is one too many. The last place is where the kernel's end meets "
        "the end of the padded input.",
        FORMULA,
    ),
    Misconception(
        "dilation-as-gap",
        _shape_of(size=lambda n, k, p, s, d: (n + 2 * p - (k + d * (k - 1))) // s + 1),
        "Your shapes treat the dilation as the number of skipped pixels. A dilation of d puts "
        "neighbouring weights d pixels apart, so 1 means that they touch.",
        DILATION,
    ),
    Misconception(
        "dilation-added-once",
        _shape_of(size=lambda n, k, p, s, d: (n + 2 * p - (k + d - 1)) // s + 1),
        "Your kernel grows by dilation - 1 pixels in all. Every gap between two weights grows "
        "by that.",
        DILATION,
    ),
    Misconception(
        "settings-ignored",
        _shape_of(size=lambda n, k, p, s, d: n - k + 1),
        "Your shapes depend on hw and kernel_size only. Padding, stride and dilation change "
        "the number of places.",
        FORMULA,
    ),
)


def _checked_padding(padding: Any) -> Any:
    def answer(k: int, d: int = 1) -> Any:
        if span(k, d) % 2 == 0:
            raise ValueError
        return padding(k, d)

    return answer


def _same_refusing_even_kernels(k: int, d: int = 1) -> int:
    if k % 2 == 0:
        raise ValueError
    return d * (k - 1) // 2


def _same_refusing_even_only_without_dilation(k: int, d: int = 1) -> int:
    if k % 2 == 0 and d == 1:
        raise ValueError
    return d * (k - 1) // 2


def _same_refusing(refuses):
    def answer(k, d=1):
        if refuses(k, d):
            raise ValueError
        return d * (k - 1) // 2

    return answer


def _same_up(k, d=1):
    return math.ceil(d * (k - 1) / 2)


def _same_none(k, d=1):
    return None if d * (k - 1) % 2 else d * (k - 1) // 2


SAME_MISCONCEPTIONS = (
    Misconception(
        "dilation-ignored",
        _checked_padding(lambda k, d: (k - 1) // 2),
        "Your padding does not depend on d. A dilated kernel spans more pixels, so it needs more.",
        SAME,
    ),
    Misconception(
        "padding-of-both-ends",
        _checked_padding(lambda k, d: d * (k - 1)),
        "Your padding is the sum of both ends. p is what stands at each end.",
        SAME,
    ),
    Misconception(
        "dilation-times-half-kernel-up",
        _checked_padding(lambda k, d: d * ((k + 1) // 2)),
        "Your padding is too large, and the output grows. Half of what the kernel spans beyond "
        "one "
        "pixel belongs at each end.",
        SAME,
    ),
    Misconception(
        "span-not-gaps",
        _checked_padding(lambda k, d: d * k // 2),
        "You halve d times k. What has to be made up for is the span of the kernel less one pixel.",
        SAME,
    ),
    Misconception(
        "dilation-added",
        _checked_padding(lambda k, d: (k - 1) // 2 + d - 1),
        "You add the dilation once. It stretches every gap between two weights.",
        DILATION,
    ),
    Misconception(
        "kernel-as-padding",
        _checked_padding(lambda k, d: k),
        "Your padding is the kernel size. The output of that is larger than the input.",
        SAME,
    ),
    Misconception(
        "one-less-than-kernel",
        _checked_padding(lambda k, d: k - 1),
        "Your padding is k - 1 at each end, whatever d is: that is what a full convolution takes.",
        SAME,
    ),
    Misconception(
        "halved-before-dilating",
        lambda k, d=1: d * ((k - 1) // 2),
        "For an even k you halve an odd number and lose the rest. Multiply by the dilation "
        "first; "
        "if half of the product is no whole number, there is no symmetric padding.",
        SAME,
    ),
    Misconception(
        "even-span-rounded-down",
        lambda k, d=1: d * (k - 1) // 2,
        "Your values are right, but a kernel that spans an even number of pixels gets one too. "
        "No "
        "symmetric padding keeps its size: one end would need one zero more than the other.",
        SAME,
    ),
    Misconception(
        "half-kernel",
        lambda k, d=1: d * (k // 2),
        "You multiply the dilation by half of k, which is too much for an even k. Look at what "
        "the "
        "kernel spans.",
        SAME,
    ),
    Misconception(
        "half-kernel-without-dilation",
        lambda k, d=1: k // 2,
        "You take half of k, whatever the dilation. Look at what the kernel spans.",
        SAME,
    ),
    Misconception(
        "all-even-kernels-refused",
        _same_refusing_even_kernels,
        "You refuse every even k. With an even dilation the span of an even kernel is odd, and "
        "then "
        "there is a symmetric padding.",
        SAME,
    ),
    Misconception(
        "even-kernels-refused-undilated-only",
        _same_refusing_even_only_without_dilation,
        "You refuse even kernels only without dilation. An odd dilation keeps the span even too.",
        SAME,
    ),
    Misconception(
        "even-span-rounded-up",
        _same_up,
        "Your values are right, but a kernel that spans an even number of pixels gets one too, "
        "and the output grows by one. No symmetric padding keeps its size.",
        SAME,
    ),
    Misconception(
        "none-for-even-span",
        _same_none,
        "Your values are right, but where no padding exists it returns None. Use `raise "
        "ValueError(...)`.",
        SAME,
    ),
    Misconception(
        "refused-if-both-even",
        _same_refusing(lambda k, d: k % 2 == 0 and d % 2 == 0),
        "You refuse an even k with an even d, where a symmetric padding exists, and accept an "
        "even k with an odd d, where none does. Look at the span.",
        SAME,
    ),
    Misconception(
        "even-dilation-refused",
        _same_refusing(lambda k, d: d % 2 == 0),
        "You refuse every even d. An even dilation makes every span odd, so a symmetric "
        "padding always exists.",
        SAME,
    ),
    Misconception(
        "anything-even-refused",
        _same_refusing(lambda k, d: k % 2 == 0 or d % 2 == 0),
        "You refuse whenever k or d is even. Only an even span has no symmetric padding, and "
        "it takes an even k and an odd d.",
        SAME,
    ),
    Misconception(
        "refusal-reversed",
        _same_refusing(lambda k, d: d * (k - 1) % 2 == 0),
        "You refuse what has a symmetric padding, and give one to what has none: the condition "
        "is the wrong way round.",
        SAME,
    ),
    Misconception(
        "even-kernel-refused-dilation-ignored",
        lambda k, d=1: (_ for _ in ()).throw(ValueError) if k % 2 == 0 else (k - 1) // 2,
        "Your padding does not depend on d, and you refuse every even k. A dilated kernel "
        "spans more pixels, and its span decides.",
        SAME,
    ),
    Misconception(
        "one-too-few",
        _checked_padding(lambda k, d: d * (k - 1) // 2 - 1),
        "Your padding is one too small at each end, and the output shrinks by two.",
        SAME,
    ),
    Misconception(
        "dilation-as-gap",
        _checked_padding(lambda k, d: (k + d * (k - 1) - 1) // 2),
        "Your kernel is stretched even at d = 1. A dilation of d puts neighbouring weights d "
        "pixels apart, so 1 means that they touch.",
        DILATION,
    ),
    Misconception(
        "dilation-times-kernel",
        _checked_padding(lambda k, d: (d * k - 1) // 2),
        "Your kernel spans d times k pixels. There is one gap fewer than weights.",
        DILATION,
    ),
)


def _checked_transposed(size: Any, *, limit: Any = max, minimum: int | None = 1) -> Any:
    """Return a wrong answer: a formula, the limit of output_padding, the smallest result."""

    def answer(n: int, k: int, p: int = 0, s: int = 1, d: int = 1, output_padding: int = 0) -> Any:
        if output_padding >= limit(s, d):
            raise ValueError
        if minimum is not None and _backwards(n, k, p, s, d, output_padding) < minimum:
            raise ValueError
        return size(n, k, p, s, d, output_padding)

    return answer


def _backwards(n: int, k: int, p: int, s: int, d: int, o: int) -> int:
    return (n - 1) * s - 2 * p + span(k, d) + o


TRANSPOSED_MISCONCEPTIONS = (
    Misconception(
        "forward-formula",
        _checked_transposed(lambda n, k, p, s, d, o: (n + 2 * p - span(k, d)) // s + 1),
        "Your sizes are those of a convolution of n. Here n is what the convolution gave, and "
        "you "
        "are asked for what it was given.",
        TRANSPOSED,
    ),
    Misconception(
        "stride-times-all",
        _checked_transposed(lambda n, k, p, s, d, o: n * s - 2 * p + span(k, d) + o),
        "You take n strides. Between n outputs there are fewer steps than that.",
        TRANSPOSED,
    ),
    Misconception(
        "upsampling",
        _checked_transposed(lambda n, k, p, s, d, o: n * s),
        "Your size is n times the stride, whatever the kernel and the padding are. They matter.",
        TRANSPOSED,
    ),
    Misconception(
        "padding-added",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s + 2 * p + span(k, d) + o),
        "Your size grows with p. Going backwards, padding is what was added before and is now "
        "cut "
        "off.",
        TRANSPOSED,
    ),
    Misconception(
        "padding-once",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - p + span(k, d) + o),
        "You cut off p once. It stood at both ends.",
        TRANSPOSED,
    ),
    Misconception(
        "padding-ignored",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s + span(k, d) + o),
        "Your sizes do not depend on p. The convolution saw p zeros at each end, which were no "
        "part "
        "of its input.",
        TRANSPOSED,
    ),
    Misconception(
        "stride-ignored",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) - 2 * p + span(k, d) + o),
        "Your sizes do not depend on s. Neighbouring outputs came from places s pixels apart.",
        TRANSPOSED,
    ),
    Misconception(
        "dilation-ignored",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + k + o),
        "Your sizes do not depend on d. A dilated kernel spans more pixels.",
        DILATION,
    ),
    Misconception(
        "dilation-times-kernel",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + d * k + o),
        "Your kernel spans d times k pixels. There is one gap fewer than weights.",
        DILATION,
    ),
    Misconception(
        "span-one-short",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + d * (k - 1) + o),
        "Each of your sizes is one too few: the first pixel under the kernel counts too.",
        TRANSPOSED,
    ),
    Misconception(
        "output-padding-ignored",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + span(k, d)),
        "Your sizes do not depend on output_padding, so you always give the smallest input "
        "that n "
        "may come from.",
        TRANSPOSED,
    ),
    Misconception(
        "output-padding-at-both-ends",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + span(k, d) + 2 * o),
        "You add output_padding at both ends. It is added at the far end only.",
        TRANSPOSED,
    ),
    Misconception(
        "output-padding-taken-off",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + span(k, d) - o),
        "Your size shrinks as output_padding grows. It chooses a larger one.",
        TRANSPOSED,
    ),
    Misconception(
        "output-padding-below-stride-only",
        _checked_transposed(_backwards, limit=lambda s, d: s),
        "You refuse an output_padding that is smaller than the dilation. It has to be smaller "
        "than "
        "one of the two, stride or dilation.",
        TRANSPOSED,
    ),
    Misconception(
        "output-padding-below-both",
        _checked_transposed(_backwards, limit=min),
        "You ask output_padding to be smaller than both stride and dilation. Smaller than the "
        "larger of them is enough.",
        TRANSPOSED,
    ),
    Misconception(
        "output-padding-equal-accepted",
        _checked_transposed(_backwards, limit=lambda s, d: max(s, d) + 1),
        "You accept an output_padding that equals the larger of stride and dilation. It has to "
        "be "
        "smaller.",
        TRANSPOSED,
    ),
    Misconception(
        "output-padding-unchecked",
        _checked_transposed(_backwards, limit=lambda s, d: math.inf),
        "Your values are right, but any output_padding is accepted.",
        TRANSPOSED,
    ),
    Misconception(
        "empty-result-accepted",
        _checked_transposed(_backwards, minimum=None),
        "Your values are right, but a size below 1 is returned. No input has such a size.",
        TRANSPOSED,
    ),
    Misconception(
        "zero-accepted",
        _checked_transposed(_backwards, minimum=0),
        "Your values are right, but a size of 0 is returned. An input has at least one pixel.",
        TRANSPOSED,
    ),
    Misconception(
        "nothing-refused",
        _checked_transposed(_backwards, limit=lambda s, d: math.inf, minimum=None),
        "Your values are right, but nothing is refused. The prompt lists what must raise "
        "ValueError.",
        TRANSPOSED,
    ),
    Misconception(
        "one-too-many",
        _checked_transposed(lambda *a: _backwards(*a) + 1),
        "Each of your sizes is one too many. The span of the kernel counts its first pixel "
        "already.",
        TRANSPOSED,
    ),
    Misconception(
        "dilation-and-output-padding-ignored",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + k),
        "Your sizes depend neither on d nor on output_padding.",
        TRANSPOSED,
    ),
    Misconception(
        "largest-size",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + span(k, d) + s - 1),
        "You give the largest size that may have been turned into n. Without output_padding "
        "the smallest is asked for.",
        TRANSPOSED,
    ),
    Misconception(
        "dilation-as-gap",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + k + d * (k - 1) + o),
        "Your sizes treat d as the number of skipped pixels. A dilation of 1 means that the "
        "weights touch.",
        DILATION,
    ),
    Misconception(
        "dilation-added-once",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + k + d - 1 + o),
        "Your kernel grows by d - 1 pixels in all. Every gap between two weights grows by that.",
        DILATION,
    ),
    Misconception(
        "output-padding-times-stride",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + span(k, d) + o * s),
        "Each pixel of output_padding adds a whole stride to your size. It adds one pixel.",
        TRANSPOSED,
    ),
    Misconception(
        "size-made-positive",
        _checked_transposed(lambda *a: max(_backwards(*a), 1), minimum=None),
        "Your values are right, but where less than one pixel would be left a size of 1 is "
        "returned. It is an error of the caller, which a number would hide.",
        TRANSPOSED,
    ),
    Misconception(
        "output-padding-below-dilation-only",
        _checked_transposed(_backwards, limit=lambda s, d: d),
        "You refuse an output_padding that is smaller than the stride. It has to be smaller "
        "than one of the two, stride or dilation.",
        TRANSPOSED,
    ),
    Misconception(
        "output-padding-below-the-sum",
        _checked_transposed(_backwards, limit=lambda s, d: s + d),
        "Your values are right, but an output_padding below s + d is accepted. It has to be "
        "smaller than the larger of the two.",
        TRANSPOSED,
    ),
    Misconception(
        "stride-and-padding-swapped",
        lambda n, k, s=1, p=0, d=1, output_padding=0: _checked_transposed(_backwards)(
            n, k, p, s, d, output_padding
        ),
        "Your third argument is used as the stride and your fourth as the padding. The order "
        "is n, k, p, s, d, output_padding.",
        TRANSPOSED,
    ),
)
