"""Assignment 1, first half: the sizes that a convolution gives."""

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from course_utils.checks.exercise import (
    REFUSALS,
    Case,
    Exercise,
    Forbidden,
    Misconception,
    Place,
)

Pair = int | tuple[int, int]

FORMULA = Place("03_convolution_arithmetic", "The formula")
STRIDE = Place("03_convolution_arithmetic", "What the stride leaves over")
DILATION = Place("03_convolution_arithmetic", "Dilation")
PADDING = Place("03_convolution_arithmetic", "Padding, dilation, stride")
SAME = Place("03_convolution_arithmetic", "Same size")
TRANSPOSED = Place("03_convolution_arithmetic", "The way back")
PAIRS = Place("03_convolution_arithmetic", "Two axes")

CONVOLUTION_OPERATORS = "conv(?!ert)"
CONVOLUTION_NAMES = frozenset(
    {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}
    | {"Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"}
    | {"LazyConv1d", "LazyConv2d", "LazyConv3d", "conv_tbc", "convolution", "_convolution"}
    | {"conv1d_input", "conv2d_input", "conv2d_weight", "correlate2", "convolution_backward"}
    | {"convolve", "convolve1d", "convolve2d", "fftconvolve", "oaconvolve", "correlate"}
    | {"correlate1d", "correlate2d", "filter2D", "sepFilter2D", "conv_general_dilated"}
    | {"depthwise_conv2d", "separable_conv2d"}
)
NO_CONVOLUTION_FOR_SIZES = Forbidden(
    "A size is to be computed from the settings, without running a convolution to see its shape.",
    CONVOLUTION_OPERATORS,
    CONVOLUTION_NAMES,
)


def both(value: Pair) -> tuple[int, int]:
    """Return a setting for (vertical, horizontal)."""
    return (value, value) if isinstance(value, int) else value


# --- conv_output_size -------------------------------------------------------------------------


def conv_output_size(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    """Ask PyTorch for the size; raise ValueError where it has none."""
    if min(n, k, s, d) < 1 or p < 0:
        raise ValueError("n, k, s and d must be at least 1 and p at least 0")
    return int(conv_output_shape((n, 1), (k, 1), (s, 1), (p, 0), (d, 1))[0])


def _span(k: int, d: int) -> int:
    return d * (k - 1) + 1


def _checked_size(size: Any) -> Any:
    """Return a wrong formula that refuses what must be refused."""

    def answer(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> Any:
        if min(n, k, s, d) < 1 or p < 0 or _span(k, d) > n + 2 * p:
            raise ValueError
        return size(n, k, p, s, d)

    return answer


def _trusting_size(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    return (n + 2 * p - _span(k, d)) // s + 1


def _size_without_fit(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    if min(n, k, s, d) < 1 or p < 0:
        raise ValueError
    return _trusting_size(n, k, p, s, d)


def _size_without_range(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    if _span(k, d) > n + 2 * p:
        raise ValueError
    return _trusting_size(n, k, p, s, d)


def _size_clamped(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    if min(n, k, s, d) < 1 or p < 0:
        raise ValueError
    return max(_trusting_size(n, k, p, s, d), 0)


def _size_refusing_remainders(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    if min(n, k, s, d) < 1 or p < 0 or _span(k, d) > n + 2 * p:
        raise ValueError
    if (n + 2 * p - _span(k, d)) % s:
        raise ValueError
    return _trusting_size(n, k, p, s, d)


def _size_fit_without_padding(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    if min(n, k, s, d) < 1 or p < 0 or _span(k, d) > n:
        raise ValueError
    return _trusting_size(n, k, p, s, d)


def _size_fit_without_dilation(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    if min(n, k, s, d) < 1 or p < 0 or k > n + 2 * p:
        raise ValueError
    return _trusting_size(n, k, p, s, d)


_SIZE_MISCONCEPTIONS = (
    Misconception(
        "padding-once",
        _checked_size(lambda n, k, p, s, d: (n + p - _span(k, d)) // s + 1),
        "Your sizes are those of an axis that grew by p. Padding adds p zeros at each of its two "
        "ends.",
        PADDING,
    ),
    Misconception(
        "padding-ignored",
        _checked_size(lambda n, k, p, s, d: max((n - _span(k, d)) // s + 1, 0)),
        "Your sizes do not depend on p. The kernel also stands on the zeros that padding adds.",
        PADDING,
    ),
    Misconception(
        "ceil",
        _checked_size(lambda n, k, p, s, d: math.ceil((n + 2 * p - _span(k, d)) / s) + 1),
        "Where the stride leaves a remainder, your size is one too many. A last step that does not "
        "fit whole is not taken: the fraction is cut off, not rounded up.",
        STRIDE,
    ),
    Misconception(
        "round",
        _checked_size(lambda n, k, p, s, d: math.floor((n + 2 * p - _span(k, d)) / s + 0.5) + 1),
        "Where the stride leaves half a step or more, your size is one too many. A step either "
        "fits whole or is not taken: nothing is rounded to the nearest.",
        STRIDE,
    ),
    Misconception(
        "steps-not-places",
        _checked_size(lambda n, k, p, s, d: (n + 2 * p - _span(k, d)) // s),
        "Each of your sizes is one too few: you count the steps between places. The place where "
        "the kernel starts counts too.",
        FORMULA,
    ),
    Misconception(
        "one-inside-the-floor",
        _checked_size(lambda n, k, p, s, d: (n + 2 * p - _span(k, d) + 1) // s),
        "Your sizes are right at stride 1 and sometimes one too few beyond: the 1 for the starting "
        "place is divided by the stride as well. It is added after the division.",
        STRIDE,
    ),
    Misconception(
        "stride-ignored",
        _checked_size(lambda n, k, p, s, d: n + 2 * p - _span(k, d) + 1),
        "Your sizes do not depend on s. With a stride of s the kernel stands only at every s-th "
        "place.",
        STRIDE,
    ),
    Misconception(
        "dilation-ignored",
        _checked_size(lambda n, k, p, s, d: (n + 2 * p - k) // s + 1),
        "Your sizes do not depend on d. A dilated kernel has gaps between its weights, so it spans "
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
        "Your values are right, but a kernel that is larger than the padded input gives a number. "
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
        "Your values are right, but settings out of range are accepted. Sizes, stride and dilation "
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
)

_RANGE = "n, k, s and d are at least 1 and p is at least 0"
_FIT = "the kernel is larger than the padded input"

_SIZE_CASES = (
    Case("plain", (7, 3)),
    Case("plain", (28, 5)),
    Case("plain", (5, 5)),
    Case("plain", (), {"n": 9, "k": 4}),
    Case("padding and stride", (7, 3, 1)),
    Case("padding and stride", (3, 7, 2)),
    Case("padding and stride", (28, 5), {"p": 2}),
    Case("padding and stride", (6, 3), {"s": 2}),
    Case("padding and stride", (10, 3), {"s": 4}),
    Case("padding and stride", (224, 11), {"s": 4}),
    Case("padding and stride", (3, 5, 2, 3)),
    Case("dilation", (16, 3), {"d": 4}),
    Case("dilation", (11, 2), {"d": 3}),
    Case("dilation", (20, 4), {"d": 3}),
    Case("together", (32, 5, 2, 3, 2)),
    Case("together", (15, 3, 1, 2, 3)),
    Case("together", (19, 4, 3, 4, 2)),
    Case(REFUSALS, (5, 7), {}, _FIT),
    Case(REFUSALS, (3, 9), {"p": 2}, _FIT),
    Case(REFUSALS, (6, 3), {"d": 3}, _FIT),
    Case(REFUSALS, (4, 7), {"s": 4}, _FIT),
    Case(REFUSALS, (0, 3), {"p": 3}, _RANGE),
    Case(REFUSALS, (5, 0), {}, _RANGE),
    Case(REFUSALS, (5, 3), {"s": 0}, _RANGE),
    Case(REFUSALS, (5, 3), {"s": -1}, _RANGE),
    Case(REFUSALS, (5, 3), {"d": 0}, _RANGE),
    Case(REFUSALS, (9, 3), {"p": -1}, _RANGE),
)


def _draw_sizes(rng: np.random.Generator) -> list[Case]:
    cases = []
    for group, padding, stride, dilation in [
        ("plain", 0, 1, 1),
        ("padding and stride", 4, 1, 1),
        ("padding and stride", 0, 5, 1),
        ("padding and stride", 4, 5, 1),
        ("dilation", 0, 1, 5),
        ("together", 4, 5, 4),
        ("together", 4, 3, 3),
    ]:
        for _ in range(3):
            k = int(rng.integers(1, 8))
            p = int(rng.integers(0, padding + 1))
            s = int(rng.integers(1, stride + 1))
            d = int(rng.integers(1, dilation + 1))
            n = max(_span(k, d) - 2 * p, 1) + int(rng.integers(0, 40))
            cases.append(Case(group, (n, k), {"p": p, "s": s, "d": d}))
    for _ in range(3):
        k, p, d = int(rng.integers(3, 9)), int(rng.integers(0, 2)), int(rng.integers(1, 4))
        n = _span(k, d) - 2 * p - int(rng.integers(1, 3))
        reason = _FIT if n >= 1 else _RANGE
        cases.append(Case(REFUSALS, (n, k), {"p": p, "d": d, "s": int(rng.integers(1, 4))}, reason))
    for name in ("n", "k", "s", "d"):
        settings = {"n": 12, "k": 3, "p": 1, "s": 2, "d": 1, name: -int(rng.integers(0, 3))}
        cases.append(Case(REFUSALS, (), settings, _RANGE))
    cases.append(Case(REFUSALS, (12, 3, -int(rng.integers(1, 4))), {}, _RANGE))
    return cases


# --- conv_output_shape ------------------------------------------------------------------------


def conv_output_shape(
    hw: tuple[int, int],
    kernel_size: Pair,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
) -> tuple[int, int]:
    """Ask PyTorch for the shape; a map without values is enough for that."""
    weight = torch.zeros(1, 1, *both(kernel_size), device="meta")
    image = torch.zeros(1, 1, *hw, device="meta")
    try:
        result = F.conv2d(image, weight, None, stride, padding, dilation)
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    if 0 in result.shape:
        raise ValueError("the kernel is larger than the padded input")
    return result.shape[2], result.shape[3]


def _shape_of(
    order: Any = lambda pair: pair,
    *,
    size: Any = lambda n, k, p, s, d: (n + 2 * p - _span(k, d)) // s + 1,
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


_SHAPE_MISCONCEPTIONS = (
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
            size=lambda n, k, p, s, d: (n + p - _span(k, d)) // s + 1,
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
        "Your kernel spans dilation times kernel size. Dilation stretches the gaps between weights, "
        "and there is one gap fewer than weights.",
        DILATION,
    ),
    Misconception(
        "stride-ignored",
        _shape_of(size=lambda n, k, p, s, d: n + 2 * p - _span(k, d) + 1),
        "Your shapes do not depend on the stride. The kernel stands only at every s-th place.",
        STRIDE,
    ),
    Misconception(
        "padding-ignored",
        _shape_of(size=lambda n, k, p, s, d: (n - _span(k, d)) // s + 1),
        "Your shapes do not depend on the padding. The kernel also stands on the zeros around.",
        PADDING,
    ),
    Misconception(
        "ceil",
        _shape_of(size=lambda n, k, p, s, d: math.ceil((n + 2 * p - _span(k, d)) / s) + 1),
        "Where the stride leaves a remainder, your size is one too many. A step that does not fit "
        "whole is not taken.",
        STRIDE,
    ),
    Misconception(
        "steps-not-places",
        _shape_of(size=lambda n, k, p, s, d: (n + 2 * p - _span(k, d)) // s),
        "Each of your sizes is one too few: the place where the kernel starts counts too.",
        FORMULA,
    ),
)

_SHAPE_CASES = (
    Case("one number for both axes", (), {"hw": (7, 9), "kernel_size": 3}),
    Case("one number for both axes", ((28, 20), 5), {"padding": 2}),
    Case("one number for both axes", ((10, 13), 3), {"stride": 2}),
    Case("one number for both axes", ((17, 12), 3), {"dilation": 2}),
    Case("pairs", ((9, 8), (3, 2))),
    Case("pairs", ((11, 15), 3, (2, 3))),
    Case("pairs", ((6, 9), 3), {"padding": (2, 1)}),
    Case("pairs", ((16, 12), 3), {"dilation": (4, 1)}),
    Case("pairs", ((12, 12), (5, 2))),
    Case("together", ((21, 30), (4, 3), (3, 2), (1, 2), (2, 3))),
    Case("together", ((32, 17), (5, 3), 3, (2, 0), 2)),
    Case("together", ((13, 26), 3), {"stride": (1, 4), "padding": 1, "dilation": (3, 2)}),
)


def _draw_shapes(rng: np.random.Generator) -> list[Case]:
    def setting(low: int, high: int, kind: str) -> Pair:
        first, second = (int(number) for number in rng.integers(low, high + 1, size=2))
        if kind == "one number for both axes" or (kind == "together" and rng.random() < 0.3):
            return first
        return first, second

    cases = []
    for group in ("one number for both axes", "pairs", "together"):
        for named in (["stride"], ["padding"], ["dilation"], ["stride", "padding", "dilation"]):
            kernel = setting(1, 5, group)
            ranges = {"stride": (1, 4), "padding": (0, 3), "dilation": (1, 3)}
            kwargs = {name: setting(*ranges[name], group) for name in named}
            hw = tuple(int(number) for number in rng.integers(14, 40, size=2))
            cases.append(Case(group, (hw, kernel), kwargs))
    return cases


# --- same_padding -----------------------------------------------------------------------------


def same_padding(k: int, d: int = 1) -> int:
    """Search for the padding with which PyTorch keeps the size; raise ValueError if none does."""
    n = d * k
    for p in range(n):
        if n + 2 * p >= _span(k, d) and conv_output_size(n, k, p, 1, d) == n:
            return p
    raise ValueError("no symmetric padding keeps the size")


def _checked_padding(padding: Any) -> Any:
    def answer(k: int, d: int = 1) -> Any:
        if _span(k, d) % 2 == 0:
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


_SAME_MISCONCEPTIONS = (
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
        "Your padding is too large, and the output grows. Half of what the kernel spans beyond one "
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
        "For an even k you halve an odd number and lose the rest. Multiply by the dilation first; "
        "if half of the product is no whole number, there is no symmetric padding.",
        SAME,
    ),
    Misconception(
        "even-span-rounded-down",
        lambda k, d=1: d * (k - 1) // 2,
        "Your values are right, but a kernel that spans an even number of pixels gets one too. No "
        "symmetric padding keeps its size: one end would need one zero more than the other.",
        SAME,
    ),
    Misconception(
        "half-kernel",
        lambda k, d=1: d * (k // 2),
        "You multiply the dilation by half of k, which is too much for an even k. Look at what the "
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
        "You refuse every even k. With an even dilation the span of an even kernel is odd, and then "
        "there is a symmetric padding.",
        SAME,
    ),
    Misconception(
        "even-kernels-refused-undilated-only",
        _same_refusing_even_only_without_dilation,
        "You refuse even kernels only without dilation. An odd dilation keeps the span even too.",
        SAME,
    ),
)

_EVEN_SPAN = "a kernel that spans an even number of pixels has no symmetric padding"

_SAME_CASES = (
    Case("without dilation", (), {"k": 3}),
    Case("without dilation", (5,)),
    Case("without dilation", (1,)),
    Case("without dilation", (11,)),
    Case("with dilation", (3, 2)),
    Case("with dilation", (5,), {"d": 3}),
    Case("with dilation", (4, 2)),
    Case("with dilation", (2,), {"d": 6}),
    Case("with dilation", (1, 5)),
    Case(REFUSALS, (2,), {}, _EVEN_SPAN),
    Case(REFUSALS, (4,), {}, _EVEN_SPAN),
    Case(REFUSALS, (4, 3), {}, _EVEN_SPAN),
    Case(REFUSALS, (6,), {"d": 5}, _EVEN_SPAN),
)


def _draw_same(rng: np.random.Generator) -> list[Case]:
    cases = []
    for _ in range(4):
        half, d = int(rng.integers(1, 8)), int(rng.integers(2, 7))
        cases.append(Case("without dilation", (2 * half + 1,)))
        cases.append(Case("with dilation", (2 * half + 1, d)))
        cases.append(Case("with dilation", (2 * half,), {"d": 2 * d}))
        cases.append(Case(REFUSALS, (2 * half,), {"d": 2 * d - 1}, _EVEN_SPAN))
    cases.append(Case(REFUSALS, (2 * int(rng.integers(1, 9)),), {}, _EVEN_SPAN))
    return cases


# --- transposed_output_size -------------------------------------------------------------------


def transposed_output_size(
    n: int, k: int, p: int = 0, s: int = 1, d: int = 1, output_padding: int = 0
) -> int:
    """Ask PyTorch for the size of a transposed convolution."""
    try:
        result = F.conv_transpose2d(
            torch.zeros(1, 1, n, 1),
            torch.zeros(1, 1, k, 1),
            stride=(s, 1),
            padding=(p, 0),
            output_padding=(output_padding, 0),
            dilation=(d, 1),
        )
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    if result.shape[2] < 1:
        raise ValueError("the result is below 1")
    return int(result.shape[2])


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
    return (n - 1) * s - 2 * p + _span(k, d) + o


_TRANSPOSED_MISCONCEPTIONS = (
    Misconception(
        "forward-formula",
        _checked_transposed(lambda n, k, p, s, d, o: (n + 2 * p - _span(k, d)) // s + 1),
        "Your sizes are those of a convolution of n. Here n is what the convolution gave, and you "
        "are asked for what it was given.",
        TRANSPOSED,
    ),
    Misconception(
        "stride-times-all",
        _checked_transposed(lambda n, k, p, s, d, o: n * s - 2 * p + _span(k, d) + o),
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
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s + 2 * p + _span(k, d) + o),
        "Your size grows with p. Going backwards, padding is what was added before and is now cut "
        "off.",
        TRANSPOSED,
    ),
    Misconception(
        "padding-once",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - p + _span(k, d) + o),
        "You cut off p once. It stood at both ends.",
        TRANSPOSED,
    ),
    Misconception(
        "padding-ignored",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s + _span(k, d) + o),
        "Your sizes do not depend on p. The convolution saw p zeros at each end, which were no part "
        "of its input.",
        TRANSPOSED,
    ),
    Misconception(
        "stride-ignored",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) - 2 * p + _span(k, d) + o),
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
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + _span(k, d)),
        "Your sizes do not depend on output_padding, so you always give the smallest input that n "
        "may come from.",
        TRANSPOSED,
    ),
    Misconception(
        "output-padding-at-both-ends",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + _span(k, d) + 2 * o),
        "You add output_padding at both ends. It is added at the far end only.",
        TRANSPOSED,
    ),
    Misconception(
        "output-padding-taken-off",
        _checked_transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + _span(k, d) - o),
        "Your size shrinks as output_padding grows. It chooses a larger one.",
        TRANSPOSED,
    ),
    Misconception(
        "output-padding-below-stride-only",
        _checked_transposed(_backwards, limit=lambda s, d: s),
        "You refuse an output_padding that is smaller than the dilation. It has to be smaller than "
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
        "You accept an output_padding that equals the larger of stride and dilation. It has to be "
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
)

_TOO_MUCH = "output_padding must be smaller than stride or dilation"
_EMPTY = "the result is below 1"

_TRANSPOSED_CASES = (
    Case("stride", (), {"n": 5, "k": 3}),
    Case("stride", (4, 3), {"s": 2}),
    Case("stride", (6, 5), {"s": 3}),
    Case("stride", (1, 1)),
    Case("padding", (4, 3, 1, 2)),
    Case("padding", (7, 5), {"p": 2}),
    Case("padding", (9, 4), {"p": 3, "s": 2}),
    Case("dilation and output_padding", (4, 3, 1, 2, 1, 1)),
    Case("dilation and output_padding", (5, 4, 2, 3, 3, 1)),
    Case("dilation and output_padding", (1, 1, 1), {"s": 3, "output_padding": 2}),
    Case("dilation and output_padding", (5, 3), {"d": 3}),
    Case("dilation and output_padding", (5, 4, 2, 3, 2, 2)),
    Case("dilation and output_padding", (6, 3), {"d": 3, "output_padding": 2}),
    Case("dilation and output_padding", (3, 2), {"s": 4, "output_padding": 3}),
    Case(REFUSALS, (4, 3), {"s": 2, "output_padding": 2}, _TOO_MUCH),
    Case(REFUSALS, (4, 3), {"output_padding": 1}, _TOO_MUCH),
    Case(REFUSALS, (4, 3), {"s": 2, "d": 3, "output_padding": 4}, _TOO_MUCH),
    Case(REFUSALS, (4, 3), {"s": 2, "output_padding": 5}, _TOO_MUCH),
    Case(REFUSALS, (1, 1), {"p": 1}, _EMPTY),
    Case(REFUSALS, (1, 4), {"p": 2}, _EMPTY),
    Case(REFUSALS, (2, 3), {"p": 4, "s": 2}, _EMPTY),
)


def _draw_transposed(rng: np.random.Generator) -> list[Case]:
    cases = []
    for group, padding, dilation in [
        ("stride", 0, 1),
        ("padding", 3, 1),
        ("dilation and output_padding", 3, 4),
        ("dilation and output_padding", 0, 4),
    ]:
        for _ in range(4):
            k, s = int(rng.integers(2, 7)), int(rng.integers(1, 5))
            p, d = int(rng.integers(0, padding + 1)), int(rng.integers(1, dilation + 1))
            o = int(rng.integers(0, max(s, d))) if dilation > 1 else 0
            n = int(rng.integers(2 * p + 2, 2 * p + 12))
            kwargs = {"p": p, "s": s, "d": d, "output_padding": o}
            cases.append(Case(group, (n, k), kwargs))
    for _ in range(3):
        s, d = int(rng.integers(1, 5)), int(rng.integers(1, 5))
        o = max(s, d) + int(rng.integers(0, 2))
        kwargs = {"s": s, "d": d, "output_padding": o}
        cases.append(Case(REFUSALS, (int(rng.integers(3, 9)), 3), kwargs, _TOO_MUCH))
        k = int(rng.integers(1, 5))
        p = -(-k // 2) + int(rng.integers(0, 2))
        cases.append(Case(REFUSALS, (1, k), {"p": p, "s": s}, _EMPTY))
    return cases


EXERCISES = (
    Exercise(
        "conv_output_size",
        5,
        conv_output_size,
        _SIZE_CASES,
        _draw_sizes,
        _SIZE_MISCONCEPTIONS,
        NO_CONVOLUTION_FOR_SIZES,
        {"plain": 1, "padding and stride": 1, "dilation": 1, "together": 1, REFUSALS: 1},
    ),
    Exercise(
        "conv_output_shape",
        4,
        conv_output_shape,
        _SHAPE_CASES,
        _draw_shapes,
        _SHAPE_MISCONCEPTIONS,
        NO_CONVOLUTION_FOR_SIZES,
        {"one number for both axes": 1, "pairs": 2, "together": 1},
    ),
    Exercise(
        "same_padding",
        3,
        same_padding,
        _SAME_CASES,
        _draw_same,
        _SAME_MISCONCEPTIONS,
        NO_CONVOLUTION_FOR_SIZES,
        {"without dilation": 1, "with dilation": 1, REFUSALS: 1},
    ),
    Exercise(
        "transposed_output_size",
        4,
        transposed_output_size,
        _TRANSPOSED_CASES,
        _draw_transposed,
        _TRANSPOSED_MISCONCEPTIONS,
        NO_CONVOLUTION_FOR_SIZES,
        {"stride": 1, "padding": 1, "dilation and output_padding": 1, REFUSALS: 1},
    ),
)
