"""Assignment 1, second half: correlation and convolution, one window at a time."""

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.checks.a1_oracles import conv2d, convolve2d, cross_correlate2d
from course_utils.checks.a1_rules import (
    Pair,
    both,
    without_defaults,
)
from course_utils.checks.a1_sliding_mistakes import (
    CONV2D_MISCONCEPTIONS,
    CONVOLVE_MISCONCEPTIONS,
    CORRELATE_MISCONCEPTIONS,
)
from course_utils.checks.calls import CONVOLUTION_NAMES, CONVOLUTION_OPERATORS
from course_utils.checks.drawing import (
    DTYPES,
    FORMS,
    Form,
    image_tensor,
    random_size,
    random_tensor,
    substantial,
)
from course_utils.checks.exercise import REFUSALS, Case, Exercise, Forbidden

NO_CONVOLUTION = Forbidden(
    "Write the sliding window yourself: slicing, einsum, as_strided, sliding_window_view and FFT "
    "are allowed; a library's convolution, correlation, unfold or fold is not.",
    f"{CONVOLUTION_OPERATORS}|im2col|col2im|unfold",
    CONVOLUTION_NAMES | {"unfold", "fold", "Unfold", "Fold", "im2col", "col2im", "unfold_copy"},
)


_SOBEL_X = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])


_LESSON_IMAGE = torch.arange(1.0, 10.0).reshape(3, 3)


_CORRELATE_CASES = (
    Case("plain", (_LESSON_IMAGE, _SOBEL_X)),
    Case("plain", (image_tensor(4, 5), image_tensor(2, 3, start=3))),
    Case("plain", (image_tensor(5, 4) / 7, image_tensor(3, 2, start=5))),
    Case("plain", (image_tensor(3, 4, start=2), image_tensor(1, 1, start=4))),
    Case("padding", (image_tensor(4, 4), image_tensor(3, 3, start=2)), {"padding": 1}),
    Case("padding", (image_tensor(3, 4, start=6) / 7, image_tensor(2, 3, start=9)), {"padding": 2}),
    Case("stride", (image_tensor(5, 6), image_tensor(2, 2, start=7)), {"stride": 2}),
    Case("stride", (image_tensor(6, 7, start=4) / 7, image_tensor(3, 2, start=8)), {"stride": 3}),
    Case(
        "together", (image_tensor(5, 4, start=3), image_tensor(3, 3)), {"stride": 2, "padding": 1}
    ),
    Case("together", (image_tensor(4, 6, start=5) / 7, image_tensor(3, 2, start=2), 3, 2)),
    Case(DTYPES, (image_tensor(3, 4, dtype=torch.float64) / 7, image_tensor(2, 2).double() / 3)),
    Case(
        DTYPES,
        (image_tensor(6, 5, dtype=torch.float64).T / 7, image_tensor(2, 3, start=5).double()),
        {"padding": 1, "stride": 2},
    ),
    Case(DTYPES, (image_tensor(4, 8, start=3)[:, ::2], image_tensor(3, 2, start=6).T)),
    Case(DTYPES, (), {"x": image_tensor(5, 4, start=2).T, "kernel": image_tensor(2, 3, start=4)}),
)


def _draw_correlations(rng: np.random.Generator) -> list[Case]:
    def make(group: str, form: Form, strides: tuple[int, int], paddings: tuple[int, int]) -> Case:
        kernel = random_tensor(rng, random_size(rng, 1, 3), random_size(rng, 2, 4), form=form)
        x = random_tensor(rng, random_size(rng, 4, 7), random_size(rng, 5, 8), form=form)
        settings = {"stride": random_size(rng, *strides), "padding": random_size(rng, *paddings)}
        return Case(group, (x, kernel), without_defaults(settings, stride=1, padding=0))

    kinds = [
        ("plain", (1, 1), (0, 0)),
        ("padding", (1, 1), (1, 2)),
        ("stride", (2, 3), (0, 0)),
        ("together", (2, 3), (1, 2)),
    ]
    plain = [
        substantial(partial(make, group, FORMS[0], strides, paddings), cross_correlate2d)
        for group, strides, paddings in kinds * 3
    ]
    return plain + [
        substantial(partial(make, DTYPES, form, strides, paddings), cross_correlate2d)
        for _, strides, paddings in kinds
        for form in FORMS[1:]
    ]


def _trace_correlation(x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> str:
    padded = tuple(n + 2 * padding for n in x.shape)
    places = tuple((n - k) // stride + 1 for n, k in zip(padded, kernel.shape, strict=True))
    return (
        f"Shapes on the way: {tuple(x.shape)}, padded {padded}; a kernel of "
        f"{tuple(kernel.shape)} at stride {stride} has {places[0]} places down and {places[1]} "
        "across."
    )


_CONVOLVE_CASES = (
    Case("square", (_LESSON_IMAGE, _SOBEL_X)),
    Case("square", (image_tensor(5, 5), image_tensor(3, 3, start=4))),
    Case("square", (image_tensor(4, 4, start=7) / 7, image_tensor(2, 2, start=5))),
    Case("rectangles", (image_tensor(4, 6, start=2), image_tensor(2, 3, start=6))),
    Case("rectangles", (image_tensor(5, 4, start=3) / 7, image_tensor(1, 3, start=1))),
    Case("rectangles", (image_tensor(5, 3, start=9), image_tensor(4, 2, start=2))),
    Case(DTYPES, (image_tensor(3, 4, dtype=torch.float64) / 7, image_tensor(2, 2).double() / 3)),
    Case(DTYPES, (image_tensor(5, 4, start=4).T, image_tensor(4, 3, start=8)[::2])),
    Case(DTYPES, (), {"x": image_tensor(4, 8, start=3)[:, ::2], "kernel": image_tensor(3, 2).T}),
)


def _draw_convolutions(rng: np.random.Generator) -> list[Case]:
    def make(group: str, side: tuple[int, int], form: Form) -> Case:
        rows, columns = random_size(rng, *side), random_size(rng, 3, 4)
        kernel = random_tensor(
            rng, *((columns,) * 2 if group == "square" else (rows, columns)), form=form
        )
        x = random_tensor(rng, random_size(rng, 4, 6), random_size(rng, 6, 8), form=form)
        upright = rng.random() < 0.5
        return Case(group, (x.T, kernel.T) if upright else (x, kernel))

    kinds = [("square", (3, 4), FORMS[0]), ("rectangles", (1, 2), FORMS[0])] * 3
    kinds += [(DTYPES, (1, 3), form) for form in FORMS[1:] * 2]
    return [substantial(partial(make, *kind), convolve2d) for kind in kinds]


_MISMATCH = "weight.shape[1] is not the number of channels of a group"


_INDIVISIBLE = "groups does not divide both channel numbers"


def _filters(*shape: int, start: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    return image_tensor(*shape, start=start, dtype=dtype) / 4


_CONV2D_CASES = (
    Case("channels and batch", (image_tensor(1, 3, 3, 4), _filters(2, 3, 3, 3, start=2))),
    Case(
        "channels and batch", (image_tensor(2, 2, 4, 3, start=3) / 7, _filters(3, 2, 2, 3, start=4))
    ),
    Case("channels and batch", (image_tensor(3, 1, 3, 4, start=5), _filters(2, 1, 2, 2, start=6))),
    Case(
        "bias",
        (image_tensor(1, 3, 3, 3, start=2), _filters(3, 3, 2, 2), torch.tensor([1.5, -2.0, 5])),
    ),
    Case(
        "bias",
        (image_tensor(1, 2, 3, 3) / 7, _filters(2, 2, 3, 3, start=3), torch.tensor([-3.0, 7])),
    ),
    Case(
        "stride and padding",
        (image_tensor(2, 1, 7, 6), _filters(1, 1, 3, 3, start=7)),
        {"stride": (3, 2)},
    ),
    Case(
        "stride and padding",
        (image_tensor(1, 2, 5, 6, start=4), _filters(2, 2, 3, 2, start=5)),
        {"stride": 2, "padding": 1},
    ),
    Case(
        "stride and padding",
        (image_tensor(1, 1, 3, 4, start=8) / 7, _filters(1, 1, 3, 3, start=9)),
        {"padding": (2, 1)},
    ),
    Case(
        "stride and padding",
        (image_tensor(1, 1, 5, 7, start=6), _filters(2, 1, 2, 3), None, (2, 3), (1, 2)),
    ),
    Case(
        "dilation",
        (image_tensor(1, 2, 9, 8, start=5), _filters(1, 2, 2, 3, start=8)),
        {"dilation": (2, 3), "stride": (3, 1)},
    ),
    Case("dilation", (image_tensor(1, 2, 6, 7), _filters(2, 2, 3, 2, start=3)), {"dilation": 2}),
    Case(
        "dilation",
        (image_tensor(1, 1, 8, 6, start=2) / 7, _filters(2, 1, 3, 3, start=4)),
        {"dilation": (3, 1), "padding": 1},
    ),
    Case("groups", (image_tensor(1, 4, 3, 4, start=3), _filters(4, 2, 2, 2)), {"groups": 2}),
    Case(
        "groups",
        (image_tensor(2, 3, 3, 3, start=7) / 7, _filters(6, 1, 2, 2, start=4)),
        {"groups": 3, "bias": torch.tensor([1.0, -2, 3, -4, 5, -6])},
    ),
    Case(
        "groups",
        (
            image_tensor(2, 4, 5, 6, start=9),
            _filters(4, 2, 2, 3, start=2),
            torch.tensor([0.5, 1, -1, 2]),
            2,
            (1, 0),
            (1, 2),
            2,
        ),
    ),
    Case(
        DTYPES,
        (image_tensor(1, 2, 3, 4, dtype=torch.float64) / 7, _filters(2, 2, 2, 2).double() / 3),
        {"bias": torch.tensor([0.1, -0.7], dtype=torch.float64)},
    ),
    Case(
        DTYPES,
        (),
        {
            "x": image_tensor(2, 2, 5, 4, start=5).transpose(2, 3),
            "weight": _filters(4, 2, 3, 2, start=7).transpose(2, 3)[::2],
            "stride": 2,
        },
    ),
    Case(
        DTYPES,
        (image_tensor(1, 4, 4, 8, start=2)[:, ::2, :, 1::2], _filters(2, 1, 2, 2, start=3)),
        {"padding": 1, "groups": 2},
    ),
    Case(REFUSALS, (image_tensor(1, 3, 4, 4), _filters(2, 2, 3, 3)), {}, _MISMATCH),
    Case(REFUSALS, (image_tensor(1, 2, 4, 4), _filters(2, 3, 3, 3)), {}, _MISMATCH),
    Case(REFUSALS, (image_tensor(1, 4, 4, 4), _filters(2, 4, 3, 3)), {"groups": 2}, _MISMATCH),
    Case(REFUSALS, (image_tensor(1, 3, 4, 4), _filters(4, 1, 3, 3)), {"groups": 2}, _INDIVISIBLE),
    Case(REFUSALS, (image_tensor(1, 4, 4, 4), _filters(3, 2, 3, 3)), {"groups": 2}, _INDIVISIBLE),
)


def _draw_conv2d(rng: np.random.Generator) -> list[Case]:
    def pair(low: int, high: int) -> Pair:
        first, second = random_size(rng, low, high), random_size(rng, low, high)
        return first if rng.random() < 0.4 else (first, second)

    def make(
        group: str, form: Form, *, groups: int = 1, bias: bool = False, **settings: Pair
    ) -> Case:
        channels, filters = groups * random_size(rng, 1, 2), groups * random_size(rng, 1, 2)
        kernel = random_size(rng, 1, 3), random_size(rng, 2, 3)
        dilation = both(settings.get("dilation", 1))
        hw = [
            d * (k - 1) + 1 + random_size(rng, 1, 3) for k, d in zip(kernel, dilation, strict=True)
        ]
        x = random_tensor(rng, random_size(rng, 1, 2), channels, *hw, form=form)
        weight = random_tensor(rng, filters, channels // groups, *kernel, form=form)
        kwargs: dict[str, Any] = dict(settings)
        if bias:
            kwargs["bias"] = torch.from_numpy(rng.standard_normal(filters)).to(form[0])
        if groups > 1:
            kwargs["groups"] = groups
        return Case(group, (x, weight), kwargs)

    def call(group: str, form: Form = FORMS[0], **settings: Any) -> Case:
        return substantial(partial(make, group, form, **settings), conv2d)

    cases = []
    for _ in range(2):
        everything: dict[str, Any] = {
            "stride": pair(1, 3),
            "padding": pair(0, 2),
            "dilation": pair(1, 2),
        }
        cases += [
            call("channels and batch"),
            call("bias", bias=True),
            call("stride and padding", stride=pair(2, 3)),
            call("stride and padding", padding=pair(1, 2)),
            call("stride and padding", stride=pair(1, 3), padding=pair(0, 2)),
            call("dilation", dilation=pair(2, 3)),
            call("dilation", bias=True, **everything),
            call("groups", groups=random_size(rng, 2, 3)),
            call("groups", groups=2, bias=True, **everything),
        ]
        cases += [
            call(DTYPES, form, groups=groups, bias=True, **everything)
            for form in FORMS[1:]
            for groups in (1, 2)
        ]
    for channels, weight_channels, groups in [(4, 3, 1), (3, 4, 1), (6, 6, 3), (6, 2, 2)]:
        x = random_tensor(rng, 1, channels, 5, 5)
        weight = random_tensor(rng, 2 * groups, weight_channels, 2, 3)
        cases.append(Case(REFUSALS, (x, weight), {"groups": groups}, _MISMATCH))
    for channels, weight_channels, filters, groups in [(5, 2, 4, 2), (6, 2, 4, 3)]:
        x = random_tensor(rng, 1, channels, 5, 5)
        weight = random_tensor(rng, filters, weight_channels, 2, 3)
        cases.append(Case(REFUSALS, (x, weight), {"groups": groups}, _INDIVISIBLE))
    return cases


def _trace_conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> str:
    padded = tuple(n + 2 * p for n, p in zip(x.shape[2:], both(padding), strict=True))
    spans = tuple(d * (k - 1) + 1 for k, d in zip(weight.shape[2:], both(dilation), strict=True))
    places = tuple(
        (n - span) // s + 1 for n, span, s in zip(padded, spans, both(stride), strict=True)
    )
    return (
        f"Shapes on the way: x {tuple(x.shape)}, height and width padded {padded}; a kernel that "
        f"spans {spans} at stride {both(stride)} has {places[0]} places down and {places[1]} "
        f"across; {x.shape[0]} images and {weight.shape[0]} filters."
    )


EXERCISES = (
    Exercise(
        "cross_correlate2d",
        9,
        cross_correlate2d,
        _CORRELATE_CASES,
        _draw_correlations,
        CORRELATE_MISCONCEPTIONS,
        NO_CONVOLUTION,
        {"plain": 3, "padding": 2, "stride": 2, "together": 1, DTYPES: 1},
        _trace_correlation,
    ),
    Exercise(
        "convolve2d",
        4,
        convolve2d,
        _CONVOLVE_CASES,
        _draw_convolutions,
        CONVOLVE_MISCONCEPTIONS,
        NO_CONVOLUTION,
        {"square": 2, "rectangles": 1, DTYPES: 1},
        _trace_correlation,
    ),
    Exercise(
        "conv2d",
        11,
        conv2d,
        _CONV2D_CASES,
        _draw_conv2d,
        CONV2D_MISCONCEPTIONS,
        NO_CONVOLUTION,
        {
            "channels and batch": 2,
            DTYPES: 1,
            "bias": 1,
            "stride and padding": 2,
            "dilation": 2,
            "groups": 2,
            REFUSALS: 1,
        },
        _trace_conv2d,
    ),
)
