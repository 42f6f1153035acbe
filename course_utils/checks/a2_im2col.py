"""Assignment 2, first half: the table of windows, the product, and the way back."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.checks.a2_backward_mistakes import BACKWARD_MISCONCEPTIONS
from course_utils.checks.a2_gemm_mistakes import GEMM_MISCONCEPTIONS
from course_utils.checks.a2_im2col_mistakes import IM2COL_MISCONCEPTIONS
from course_utils.checks.a2_im2col_scenes import call_and_notice_loop
from course_utils.checks.a2_oracles import conv2d_backward, conv2d_gemm, im2col
from course_utils.checks.a2_rules import NO_LIBRARY, Pair, both, distinct_numbers, places
from course_utils.checks.drawing import (
    DTYPES,
    FORMS,
    Form,
    image_tensor,
    random_size,
    random_tensor,
    substantial,
)
from course_utils.checks.exercise import Case, Exercise

CHANNELS = "channels and batch"
STRIDES = "stride and padding"
PAIRED = "pairs"
NO_LOOP = "no loop over positions"
DOUBLE = torch.float64

_IM2COL_CASES = (
    Case(CHANNELS, (distinct_numbers(1, 1, 3, 4), 2)),
    Case(CHANNELS, (distinct_numbers(1, 3, 4, 3, start=5), 2)),
    Case(CHANNELS, (), {"x": distinct_numbers(2, 2, 4, 5, start=9) / 7, "kernel_size": 3}),
    Case(CHANNELS, (distinct_numbers(3, 2, 3, 3, start=2), 3)),
    Case(CHANNELS, (distinct_numbers(2, 3, 2, 3, start=8), 1)),
    Case(STRIDES, (distinct_numbers(1, 2, 5, 5, start=4), 3), {"stride": 2}),
    Case(STRIDES, (distinct_numbers(2, 1, 6, 8, start=6) / 7, 2), {"stride": 3}),
    Case(STRIDES, (distinct_numbers(1, 2, 3, 4, start=3), 3), {"padding": 1}),
    Case(STRIDES, (distinct_numbers(2, 1, 2, 3, start=7), 2), {"padding": 2}),
    Case(STRIDES, (distinct_numbers(2, 2, 4, 5, start=1), 3, 2, 1)),
    Case(STRIDES, (distinct_numbers(1, 1, 5, 4, start=9), 2), {"padding": 1, "stride": 4}),
    Case("dilation", (distinct_numbers(1, 2, 5, 6, start=5), 2), {"dilation": 2}),
    Case("dilation", (distinct_numbers(2, 1, 7, 8, start=3) / 7, 3, 1, 0, 3)),
    Case(
        "dilation",
        (distinct_numbers(2, 2, 7, 6, start=2), 3),
        {"dilation": 2, "stride": 3, "padding": 2},
    ),
    Case(PAIRED, (distinct_numbers(1, 2, 4, 5, start=1), (3, 2))),
    Case(PAIRED, (distinct_numbers(2, 2, 3, 5, start=11), (1, 3))),
    Case(PAIRED, (distinct_numbers(1, 1, 6, 7, start=8), 2), {"stride": (3, 2)}),
    Case(PAIRED, (distinct_numbers(2, 1, 3, 4, start=6) / 7, 2), {"padding": (0, 2)}),
    Case(PAIRED, (distinct_numbers(1, 2, 3, 3, start=5), 3), {"padding": (2, 1)}),
    Case(PAIRED, (distinct_numbers(1, 1, 6, 8, start=4), 2), {"dilation": (3, 2)}),
    Case(PAIRED, (distinct_numbers(2, 2, 6, 9, start=3), (2, 3), (1, 3), (1, 0), (3, 2))),
    Case(
        PAIRED,
        (distinct_numbers(2, 1, 9, 5, start=7), (3, 2)),
        {"stride": 2, "padding": (2, 1), "dilation": (2, 3)},
    ),
    Case(DTYPES, (distinct_numbers(1, 2, 3, 4, start=2, dtype=DOUBLE) / 7, 2)),
    Case(
        DTYPES,
        (distinct_numbers(2, 2, 6, 4, start=6, dtype=DOUBLE).transpose(2, 3) / 7, (2, 3)),
        {"padding": 1, "stride": 2},
    ),
    Case(DTYPES, (distinct_numbers(2, 4, 4, 6, start=3)[:, ::2, :, 1::2], 2), {"padding": 1}),
    Case(DTYPES, (distinct_numbers(2, 3, 4, 2, start=4).permute(0, 3, 1, 2), (2, 3))),
    Case(DTYPES, (distinct_numbers(1, 1, 3, 4).expand(2, 2, 3, 4), 2), {"dilation": (1, 2)}),
)


def _pair(rng: np.random.Generator, low: int, high: int) -> tuple[int, int]:
    """Return two different settings."""
    first = random_size(rng, low, high)
    return first, low + (first - low + random_size(rng, 1, high - low)) % (high - low + 1)


def _draw_tables(rng: np.random.Generator) -> list[Case]:
    def call(
        group: str, form: Form = FORMS[0], kernel: Pair | None = None, **settings: Pair
    ) -> Case:
        kernel = random_size(rng, 2, 3) if kernel is None else kernel
        hw = [
            max(d * (k - 1) + 1, 3) + random_size(rng, 0, 3)
            for k, d in zip(both(kernel), both(settings.get("dilation", 1)), strict=True)
        ]
        x = random_tensor(rng, random_size(rng, 1, 3), random_size(rng, 1, 3), *hw, form=form)
        return Case(group, (x, kernel), settings)

    cases = []
    for _ in range(2):
        pairs: dict[str, Any] = {
            "stride": _pair(rng, 1, 3),
            "padding": _pair(rng, 0, 2),
            "dilation": _pair(rng, 1, 3),
        }
        cases += [
            call(CHANNELS),
            call(CHANNELS, kernel=1),
            call(STRIDES, stride=random_size(rng, 2, 4)),
            call(STRIDES, padding=random_size(rng, 1, 3)),
            call(STRIDES, stride=random_size(rng, 2, 3), padding=random_size(rng, 1, 2)),
            call("dilation", dilation=random_size(rng, 2, 3)),
            call("dilation", dilation=2, stride=3, padding=random_size(rng, 1, 2)),
            call(PAIRED, kernel=_pair(rng, 1, 4)),
            *(call(PAIRED, **{name: value}) for name, value in pairs.items()),
            call(PAIRED, kernel=_pair(rng, 1, 3), **pairs),
        ]
        cases += [call(DTYPES, form, _pair(rng, 1, 3), **pairs) for form in FORMS[1:]]
    return cases


def _trace_table(
    x: Tensor, kernel_size: Pair, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> str:
    kernel = both(kernel_size)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, both(dilation), strict=True)]
    down, across = places((x.shape[2], x.shape[3]), (spans[0], spans[1]), stride, padding)
    return (
        f"Shapes on the way: a window has {x.shape[1]} * {kernel[0]} * {kernel[1]} = "
        f"{x.shape[1] * kernel[0] * kernel[1]} numbers, one a row; it has {down} places down and "
        f"{across} across, so {down * across} columns; {x.shape[0]} images."
    )


def _filters(*shape: int, start: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    return image_tensor(*shape, start=start, dtype=dtype) / 4


def _noticed(x: Tensor, weight: Tensor) -> Case:
    """Return the case that notices a loop: the steps must not grow with rows times columns."""
    told = (
        f"one image of {x.shape[2]} x {x.shape[3]} and one filter of {weight.shape[2]} x "
        f"{weight.shape[3]}, while the steps of your code are counted"
    )
    return Case(NO_LOOP, (x, weight), {"steps_counted": True}, told=told)


_GEMM_CASES = (
    Case(CHANNELS, (image_tensor(1, 1, 3, 4), _filters(1, 1, 2, 2))),
    Case(CHANNELS, (image_tensor(1, 3, 3, 4, start=2), _filters(2, 3, 3, 3, start=2))),
    Case(CHANNELS, (image_tensor(2, 2, 4, 3, start=3) / 7, _filters(3, 2, 2, 3, start=4))),
    Case(CHANNELS, (image_tensor(3, 1, 3, 5, start=5), _filters(2, 1, 2, 2, start=6))),
    Case(
        CHANNELS,
        (),
        {"x": image_tensor(2, 3, 4, 4, start=8), "weight": _filters(3, 3, 3, 1, start=3)},
    ),
    Case(CHANNELS, (image_tensor(2, 2, 2, 3, start=4), _filters(2, 2, 2, 3, start=9))),
    Case(
        "bias",
        (image_tensor(1, 3, 3, 3, start=2), _filters(3, 3, 2, 2), torch.tensor([1.5, -2.0, 5])),
    ),
    Case(
        "bias",
        (image_tensor(2, 2, 3, 4) / 7, _filters(2, 2, 3, 3, start=3), torch.tensor([-3.0, 7])),
    ),
    Case(
        "bias",
        (image_tensor(3, 1, 4, 4, start=6), _filters(3, 1, 2, 3, start=5)),
        {"bias": torch.tensor([2.5, -4.0, 0.75])},
    ),
    Case(
        STRIDES, (image_tensor(2, 1, 7, 6, start=7), _filters(2, 1, 3, 3, start=7)), {"stride": 2}
    ),
    Case(STRIDES, (image_tensor(1, 2, 6, 8), _filters(1, 2, 2, 3, start=2)), {"stride": 3}),
    Case(
        STRIDES,
        (image_tensor(2, 1, 3, 4, start=8) / 7, _filters(1, 1, 3, 3, start=9)),
        {"padding": 1},
    ),
    Case(STRIDES, (image_tensor(1, 2, 2, 3, start=5), _filters(2, 2, 3, 2)), {"padding": 2}),
    Case(
        STRIDES,
        (image_tensor(2, 2, 5, 6, start=4), _filters(2, 2, 3, 2, start=5)),
        {"stride": 2, "padding": 1},
    ),
    Case(
        STRIDES,
        (image_tensor(1, 1, 5, 7, start=6), _filters(2, 1, 2, 3), torch.tensor([1.0, -6]), 3, 2),
    ),
    Case(
        DTYPES,
        (image_tensor(1, 2, 3, 4, dtype=DOUBLE) / 7, _filters(2, 2, 2, 2, dtype=DOUBLE) / 3),
        {"bias": torch.tensor([0.1, -0.7], dtype=DOUBLE)},
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
        (image_tensor(2, 4, 3, 8, start=2)[:, ::2, :, 1::2], _filters(2, 2, 2, 2, start=3)),
        {"padding": 1, "bias": torch.tensor([3.0, 0, -2, 0])[::2]},
    ),
    Case(
        DTYPES,
        (
            image_tensor(2, 3, 4, 2, start=4).permute(0, 3, 1, 2),
            _filters(2, 2, 3, 2, start=6).permute(0, 3, 1, 2),
        ),
    ),
    Case(
        DTYPES,
        (image_tensor(1, 1, 3, 4).expand(2, 2, 3, 4), _filters(1, 2, 2, 3).expand(2, 2, 2, 3)),
    ),
    _noticed(image_tensor(1, 1, 12, 14) / 7, _filters(1, 1, 1, 2, start=4)),
)


def _draw_products(rng: np.random.Generator) -> list[Case]:
    def make(group: str, form: Form, *, bias: bool = False, **settings: int) -> Case:
        filters, channels = random_size(rng, 1, 3), random_size(rng, 1, 3)
        kernel = _pair(rng, 1, 3)
        hw = [k + random_size(rng, 1, 4) for k in kernel]
        x = random_tensor(rng, random_size(rng, 1, 3), channels, *hw, form=form)
        weight = random_tensor(rng, filters, channels, *kernel, form=form)
        kwargs: dict[str, Any] = dict(settings)
        if bias:
            kwargs["bias"] = torch.from_numpy(rng.standard_normal(filters)).to(form[0])
        return Case(group, (x, weight), kwargs)

    def call(group: str, form: Form = FORMS[0], **settings: Any) -> Case:
        return substantial(partial(make, group, form, **settings), conv2d_gemm)

    cases = []
    for _ in range(3):
        stride, padding = random_size(rng, 2, 3), random_size(rng, 1, 2)
        cases += [
            call(CHANNELS),
            call("bias", bias=True),
            call(STRIDES, stride=stride),
            call(STRIDES, padding=padding),
            call(STRIDES, stride=stride, padding=padding, bias=True),
        ]
        cases += [
            call(DTYPES, form, stride=stride, padding=padding, bias=True) for form in FORMS[1:]
        ]
    x = random_tensor(rng, 1, 1, random_size(rng, 12, 15), random_size(rng, 12, 15))
    return [*cases, _noticed(x, random_tensor(rng, 1, 1, 2, 1))]


def _trace_product(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    steps_counted: bool = False,
) -> str:
    down, across = places(
        (x.shape[2], x.shape[3]), (weight.shape[2], weight.shape[3]), stride, padding
    )
    rows = weight[0].numel()
    return (
        f"Shapes on the way: a table of {rows} x {down * across} for each of {x.shape[0]} images; "
        f"the weight as a matrix is {weight.shape[0]} x {rows}; each of the {weight.shape[0]} rows "
        f"of the product is a map of {down} x {across}."
    )


def _back(
    group: str,
    x: Tensor,
    weight: Tensor,
    stride: int = 1,
    padding: int = 0,
    *,
    grad: Callable[..., Tensor] | None = None,
    named: bool = False,
) -> Case:
    """Return a call of the backward pass, with a gradient of the shape of the output."""
    down, across = places(
        (x.shape[2], x.shape[3]), (weight.shape[2], weight.shape[3]), stride, padding
    )
    shape = x.shape[0], weight.shape[0], down, across
    grad_out = (image_tensor(*shape, start=5) if grad is None else grad(*shape)).to(x.dtype)
    settings: dict[str, Any] = {}
    if stride != 1:
        settings["stride"] = stride
    if padding != 0:
        settings["padding"] = padding
    if named:
        return Case(group, (), {"grad_out": grad_out, "x": x, "weight": weight, **settings})
    return Case(group, (grad_out, x, weight), settings)


def _permuted(*shape: int) -> Tensor:
    """Return a gradient whose channels lie last in memory."""
    return image_tensor(shape[0], *shape[2:], shape[1], start=3).permute(0, 3, 1, 2)


def _same_everywhere(*shape: int) -> Tensor:
    """Return what the backward pass of a sum gives: one number, expanded."""
    return torch.tensor(1.5).expand(shape)


ONE, MANY, TOGETHER = "one channel", CHANNELS, "together"
_BACKWARD_CASES = (
    _back(ONE, image_tensor(1, 1, 3, 4), _filters(1, 1, 2, 2)),
    _back(ONE, image_tensor(1, 1, 5, 4, start=2) / 7, _filters(1, 1, 3, 2, start=6)),
    _back(ONE, image_tensor(1, 1, 3, 5, start=7), _filters(1, 1, 1, 3, start=2), named=True),
    _back(ONE, image_tensor(1, 1, 4, 4, start=4), _filters(1, 1, 3, 3, start=8)),
    _back(MANY, image_tensor(1, 3, 3, 4, start=3), _filters(2, 3, 2, 2, start=5)),
    _back(MANY, image_tensor(2, 2, 4, 3, start=6) / 7, _filters(3, 2, 3, 2, start=3)),
    _back(MANY, image_tensor(3, 1, 3, 4, start=9), _filters(2, 1, 2, 3, start=4)),
    _back(MANY, image_tensor(2, 2, 4, 4, start=5), _filters(2, 2, 2, 2, start=7), named=True),
    _back("stride", image_tensor(1, 1, 5, 7, start=3), _filters(1, 1, 3, 3, start=2), 2),
    _back("stride", image_tensor(1, 1, 6, 5, start=8), _filters(1, 1, 3, 2, start=4), 2),
    _back("stride", image_tensor(2, 2, 7, 6, start=2) / 7, _filters(2, 2, 2, 3, start=6), 3),
    _back("stride", image_tensor(1, 2, 8, 9, start=4), _filters(1, 2, 2, 2, start=9), 4),
    _back("padding", image_tensor(1, 1, 3, 4, start=6), _filters(1, 1, 3, 3), 1, 1),
    _back("padding", image_tensor(2, 1, 2, 3, start=5), _filters(1, 1, 3, 2, start=7), 1, 2),
    _back("padding", image_tensor(1, 2, 3, 3, start=7) / 7, _filters(2, 2, 2, 3, start=8), 1, 1),
    _back(TOGETHER, image_tensor(2, 2, 6, 5, start=3), _filters(3, 2, 3, 2, start=4), 2, 1),
    _back(TOGETHER, image_tensor(2, 3, 5, 6, start=8) / 7, _filters(2, 3, 2, 3, start=5), 3, 2),
    _back(TOGETHER, image_tensor(1, 2, 7, 4, start=2), _filters(2, 2, 3, 3, start=6), 2, 2),
    _back(DTYPES, image_tensor(2, 2, 3, 4, dtype=DOUBLE) / 7, _filters(2, 2, 2, 2).double() / 3),
    _back(
        DTYPES,
        image_tensor(2, 2, 5, 6, start=5).transpose(2, 3),
        _filters(4, 2, 3, 2, start=7).transpose(2, 3)[::2],
        2,
        1,
        grad=_permuted,
    ),
    _back(
        DTYPES,
        image_tensor(1, 4, 4, 8, start=2)[:, ::2, :, 1::2],
        _filters(2, 2, 2, 2, start=3),
        grad=_same_everywhere,
    ),
)


def _draw_gradients(rng: np.random.Generator) -> list[Case]:
    def make(group: str, form: Form, most: int, stride: int, padding: int, left: int) -> Case:
        kernel = _pair(rng, 1, 3)
        hw = [
            k + stride * random_size(rng, 1, 2) + (left and random_size(rng, 1, stride - 1))
            for k in kernel
        ]
        low = min(most, 2)
        x = random_tensor(
            rng, random_size(rng, low, most), random_size(rng, low, most), *hw, form=form
        )
        weight = random_tensor(rng, random_size(rng, low, most), x.shape[1], *kernel, form=form)
        grad = partial(random_tensor, rng, form=form)
        return _back(group, x, weight, stride, padding, grad=grad)

    def call(group: str, form: Form, *rest: int) -> Case:
        """Draw until no gradient is close to zero everywhere, so that rounding cannot matter."""
        while True:
            case = make(group, form, *rest)
            if all(part.abs().max() > 0.5 for part in conv2d_backward(*case.args, **case.kwargs)):
                return case

    cases = []
    for _ in range(2):
        stride, padding = random_size(rng, 2, 3), random_size(rng, 1, 2)
        kinds = [
            (ONE, 1, 1, 0, 0),
            (MANY, 3, 1, 0, 0),
            ("stride", 2, stride, 0, 0),
            ("stride", 2, stride, 0, 1),
            ("padding", 2, 1, padding, 0),
            (TOGETHER, 3, stride, padding, 0),
            (TOGETHER, 2, stride, padding, 1),
        ]
        cases += [call(group, FORMS[0], *rest) for group, *rest in kinds]
        cases += [call(DTYPES, form, 2, stride, padding, 1) for form in FORMS[1:]]
    return cases


def _trace_gradients(
    grad_out: Tensor, x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0
) -> str:
    padded = tuple(n + 2 * padding for n in x.shape[2:])
    return (
        f"A gradient has the shape of what it belongs to: dx {tuple(x.shape)}, dw "
        f"{tuple(weight.shape)}, db ({weight.shape[0]},). On the way x is padded to {padded}, and "
        f"grad_out is {tuple(grad_out.shape)}."
    )


EXERCISES = (
    Exercise(
        "im2col",
        8,
        im2col,
        _IM2COL_CASES,
        _draw_tables,
        IM2COL_MISCONCEPTIONS,
        NO_LIBRARY,
        {CHANNELS: 2, STRIDES: 2, "dilation": 1, PAIRED: 2, DTYPES: 1},
        _trace_table,
    ),
    Exercise(
        "conv2d_gemm",
        6,
        conv2d_gemm,
        _GEMM_CASES,
        _draw_products,
        GEMM_MISCONCEPTIONS,
        NO_LIBRARY,
        {CHANNELS: 2, "bias": 1, STRIDES: 1, DTYPES: 1, NO_LOOP: 1},
        _trace_product,
        call_and_notice_loop,
    ),
    Exercise(
        "conv2d_backward",
        12,
        conv2d_backward,
        _BACKWARD_CASES,
        _draw_gradients,
        BACKWARD_MISCONCEPTIONS,
        NO_LIBRARY,
        {ONE: 2, MANY: 2, "stride": 3, "padding": 2, TOGETHER: 2, DTYPES: 1},
        _trace_gradients,
    ),
)
