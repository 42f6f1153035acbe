"""Assignment 1, first half: the sizes that a convolution gives."""

import numpy as np

from course_utils.checks.a1_oracles import (
    conv_output_shape,
    conv_output_size,
    same_padding,
    transposed_output_size,
)
from course_utils.checks.a1_rules import (
    Pair,
    span,
    without_defaults,
)
from course_utils.checks.a1_sizes_mistakes import (
    SAME_MISCONCEPTIONS,
    SHAPE_MISCONCEPTIONS,
    SIZE_MISCONCEPTIONS,
    TRANSPOSED_MISCONCEPTIONS,
)
from course_utils.checks.calls import CONVOLUTION_NAMES, CONVOLUTION_OPERATORS
from course_utils.checks.exercise import REFUSALS, Case, Exercise, Forbidden

NO_CONVOLUTION_FOR_SIZES = Forbidden(
    "A size is to be computed from the settings, without running a convolution to see its shape.",
    CONVOLUTION_OPERATORS,
    CONVOLUTION_NAMES,
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
            n = max(span(k, d) - 2 * p, 1) + int(rng.integers(0, 40))
            settings = {"p": p, "s": s, "d": d}
            cases.append(Case(group, (n, k), without_defaults(settings, p=0, s=1, d=1)))
    for _ in range(3):
        k, p, d = int(rng.integers(3, 9)), int(rng.integers(0, 2)), int(rng.integers(1, 4))
        n = span(k, d) - 2 * p - int(rng.integers(1, 3))
        reason = _FIT if n >= 1 else _RANGE
        cases.append(Case(REFUSALS, (n, k), {"p": p, "d": d, "s": int(rng.integers(1, 4))}, reason))
    for name in ("n", "k", "s", "d"):
        settings = {"n": 12, "k": 3, "p": 1, "s": 2, "d": 1, name: -int(rng.integers(0, 3))}
        cases.append(Case(REFUSALS, (), settings, _RANGE))
    cases.append(Case(REFUSALS, (12, 3, -int(rng.integers(1, 4))), {}, _RANGE))
    return cases


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
            settings = {"p": p, "s": s, "d": d, "output_padding": o}
            kwargs = without_defaults(settings, p=0, s=1, d=1, output_padding=0)
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
        SIZE_MISCONCEPTIONS,
        NO_CONVOLUTION_FOR_SIZES,
        {"plain": 1, "padding and stride": 1, "dilation": 1, "together": 1, REFUSALS: 1},
    ),
    Exercise(
        "conv_output_shape",
        4,
        conv_output_shape,
        _SHAPE_CASES,
        _draw_shapes,
        SHAPE_MISCONCEPTIONS,
        NO_CONVOLUTION_FOR_SIZES,
        {"one number for both axes": 1, "pairs": 2, "together": 1},
    ),
    Exercise(
        "same_padding",
        3,
        same_padding,
        _SAME_CASES,
        _draw_same,
        SAME_MISCONCEPTIONS,
        NO_CONVOLUTION_FOR_SIZES,
        {"without dilation": 1, "with dilation": 1, REFUSALS: 1},
    ),
    Exercise(
        "transposed_output_size",
        4,
        transposed_output_size,
        _TRANSPOSED_CASES,
        _draw_transposed,
        TRANSPOSED_MISCONCEPTIONS,
        NO_CONVOLUTION_FOR_SIZES,
        {"stride": 1, "padding": 1, "dilation and output_padding": 1, REFUSALS: 1},
    ),
)
