"""Assignment 2, second half: max pooling, its way back, and what a unit sees."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.checks.a2_oracles import max_pool2d, max_pool2d_backward, receptive_field
from course_utils.checks.a2_pooling_mistakes import (
    FIELD_MISCONCEPTIONS,
    POOL_BACK_MISCONCEPTIONS,
    POOL_MISCONCEPTIONS,
)
from course_utils.checks.a2_rules import NO_LIBRARY, distinct_numbers, places
from course_utils.checks.drawing import (
    DTYPES,
    FORMS,
    Form,
    image_tensor,
    random_size,
    random_tensor,
)
from course_utils.checks.exercise import REFUSALS, Case, Exercise

DOUBLE = torch.float64
_TOO_WIDE = "padding is larger than kernel_size // 2"
_LESSON = torch.tensor(
    [[181, 237, 170, 223], [229, 181, 89, 108], [109, 93, 48, 66], [158, 21, 71, 14]],
    dtype=torch.float32,
)[None, None]
_NEGATIVE = -distinct_numbers(2, 2, 5, 6, start=3).abs() - 2


def _levels(*shape: int, start: int = 1, n: int = 3) -> Tensor:
    """Return few different numbers, so that windows have ties."""
    return image_tensor(*shape, start=start) % n - 1


_POOL_CASES = (
    Case("plain", (_LESSON, 2)),
    Case("plain", (distinct_numbers(1, 2, 4, 6, start=4), 2)),
    Case("plain", (distinct_numbers(2, 3, 6, 3, start=8) / 7, 3)),
    Case("plain", (), {"x": distinct_numbers(2, 2, 4, 4, start=5), "kernel_size": 2}),
    Case("plain", (distinct_numbers(2, 1, 5, 7, start=2) - 500, 2)),
    Case("plain", (distinct_numbers(1, 2, 3, 4, start=6), 1)),
    Case("stride", (_LESSON, 2), {"stride": 1}),
    Case("stride", (distinct_numbers(2, 2, 5, 4, start=7), 3, 1)),
    Case("stride", (distinct_numbers(1, 2, 7, 8, start=3) / 7, 2, 3)),
    Case("stride", (distinct_numbers(2, 1, 6, 8, start=9), 3), {"stride": 2}),
    Case("padding", (distinct_numbers(1, 1, 4, 5, start=2), 2), {"padding": 1}),
    Case("padding", (_NEGATIVE, 3, 1, 1)),
    Case("padding", (_NEGATIVE[..., :4] / 7, 4), {"stride": 3, "padding": 2}),
    Case("padding", (distinct_numbers(2, 2, 5, 4, start=6) - 500, 3, 2, 1)),
    Case("padding", (_NEGATIVE[:1, :, :3, :4], 5), {"padding": 2, "stride": 2}),
    Case("padding", (_NEGATIVE[1:, :, :, :5], 3), {"padding": 1}),
    Case("padding", (_NEGATIVE[:, 1:], 4, 1, 1)),
    Case("ties", (torch.zeros(1, 1, 4, 4), 2)),
    Case("ties", (_levels(1, 2, 5, 6), 3), {"stride": 1}),
    Case("ties", (_levels(2, 2, 4, 5, start=4, n=2), 2), {"stride": 1}),
    Case("ties", (_levels(2, 1, 5, 4, start=2) - 5, 3), {"stride": 2, "padding": 1}),
    Case("ties", (torch.full((1, 2, 3, 4), -2.0), 2), {"stride": 1, "padding": 1}),
    Case(DTYPES, (distinct_numbers(1, 2, 4, 4, start=4, dtype=DOUBLE) / 7, 2)),
    Case(
        DTYPES, (1 + distinct_numbers(1, 1, 3, 4, start=4, dtype=DOUBLE) / 1e12, 3), {"stride": 1}
    ),
    Case(
        DTYPES,
        (distinct_numbers(2, 2, 6, 5, start=9, dtype=DOUBLE).transpose(2, 3) / 7 - 60, 3),
        {"stride": 2, "padding": 1},
    ),
    Case(DTYPES, (distinct_numbers(2, 4, 4, 8, start=3)[:, ::2, :, 1::2], 2), {"stride": 1}),
    Case(DTYPES, (distinct_numbers(2, 4, 5, 3, start=5).permute(0, 3, 1, 2), 2), {"padding": 1}),
    Case(REFUSALS, (distinct_numbers(1, 1, 4, 4), 2), {"padding": 2}, _TOO_WIDE),
    Case(REFUSALS, (distinct_numbers(1, 2, 5, 4), 3), {"padding": 2}, _TOO_WIDE),
    Case(REFUSALS, (distinct_numbers(1, 1, 3, 4), 1, 1, 1), {}, _TOO_WIDE),
    Case(REFUSALS, (distinct_numbers(2, 1, 6, 6), 4), {"padding": 3, "stride": 2}, _TOO_WIDE),
    Case(REFUSALS, (distinct_numbers(1, 1, 6, 5), 5, 1, 3), {}, _TOO_WIDE),
    Case(REFUSALS, (distinct_numbers(1, 1, 4, 4), 2, 3, 5), {}, _TOO_WIDE),
)


def _draw_pools(rng: np.random.Generator) -> list[Case]:
    def image(kernel: int, form: Form = FORMS[0]) -> Tensor:
        hw = [kernel + random_size(rng, 1, 4) for _ in range(2)]
        shape = (random_size(rng, 1, 3), random_size(rng, 1, 3), *hw)
        return random_tensor(rng, *shape, form=form)

    def tied(kernel: int) -> Tensor:
        return torch.from_numpy(rng.integers(-3, -1, image(kernel).shape)).float()

    cases = []
    for kernel in (2, 3, 4):
        padding = random_size(rng, 1, kernel // 2)
        stride = random_size(rng, 1, kernel - 1)
        below = image(kernel) - 9
        cases += [
            Case("plain", (image(kernel), kernel)),
            Case("plain", (below, kernel)),
            Case("stride", (image(kernel), kernel), {"stride": stride}),
            Case("stride", (image(kernel), kernel, kernel + 1)),
            Case("padding", (below, kernel), {"padding": padding}),
            Case("padding", (image(kernel + 2) - 9, kernel + 2, 2, 1)),
            Case("padding", (image(kernel) - 9, kernel, stride, kernel // 2)),
            Case("ties", (tied(kernel), kernel)),
            Case("ties", (tied(kernel), kernel, stride, padding)),
        ]
        cases += [
            Case(DTYPES, (image(kernel, form) - 9, kernel, stride, padding)) for form in FORMS[1:]
        ]
        wide = {"padding": kernel // 2 + random_size(rng, 1, 2)}
        cases.append(Case(REFUSALS, (image(kernel), kernel, stride), wide, _TOO_WIDE))
    return cases


def _trace_pool(x: Tensor, kernel_size: int, stride: int | None = None, padding: int = 0) -> str:
    step = kernel_size if stride is None else stride
    down, across = places((x.shape[2], x.shape[3]), kernel_size, step, padding)
    return (
        f"Shapes on the way: x {tuple(x.shape)}, padded {x.shape[2] + 2 * padding} x "
        f"{x.shape[3] + 2 * padding}; a window of {kernel_size} x {kernel_size} at stride {step} "
        f"has {down} places down and {across} across, in each of {x.shape[0]} x {x.shape[1]} maps."
    )


def _route(
    group: str, x: Tensor, kernel: int, stride: int | None = None, *, grad: Any = None
) -> Case:
    """Return a call of the backward pass, with the indices that pooling ``x`` gives."""
    values, indices = max_pool2d(x, kernel, stride, kernel // 3)
    grad_out = image_tensor(*values.shape, start=4) if grad is None else grad(*values.shape)
    return Case(group, (grad_out.to(x.dtype), indices, tuple(x.shape)))


def _channels_last(tensor: Tensor) -> Tensor:
    """Return the same numbers, laid out with the channels last in memory."""
    return tensor.contiguous(memory_format=torch.channels_last)


def _strided(case: Case) -> Case:
    grad_out, indices, shape = case.args
    return Case(case.group, (_channels_last(grad_out), _channels_last(indices), shape))


def _by_name(case: Case) -> Case:
    names = ("grad_out", "indices", "input_shape")
    return Case(case.group, (), dict(zip(names, case.args, strict=True)))


_APART, _OVERLAP = "windows apart", "overlapping windows"
_POOL_BACK_CASES = (
    _route(_APART, _LESSON, 2),
    _route(_APART, distinct_numbers(1, 2, 4, 6, start=4), 2),
    _route(_APART, distinct_numbers(2, 3, 5, 4, start=8), 2, grad=lambda *s: image_tensor(*s) / 7),
    _route(_APART, distinct_numbers(3, 1, 7, 5, start=2), 2, 3),
    _route(_APART, distinct_numbers(2, 2, 3, 2, start=5), 1),
    _route(_OVERLAP, _LESSON, 2, 1),
    _route(_OVERLAP, distinct_numbers(1, 1, 5, 6, start=3), 3, 1),
    _route(_OVERLAP, distinct_numbers(2, 2, 5, 4, start=7), 2, 1),
    _route(
        _OVERLAP, distinct_numbers(2, 3, 6, 7, start=6), 3, 2, grad=lambda *s: image_tensor(*s) / 7
    ),
    _route(_OVERLAP, torch.zeros(1, 2, 4, 5), 3, 1),
    _by_name(_route(_OVERLAP, distinct_numbers(1, 2, 5, 4, start=1), 3, 1)),
    _route(DTYPES, distinct_numbers(2, 2, 4, 5, start=9, dtype=DOUBLE), 2, 1),
    _route(
        DTYPES,
        distinct_numbers(1, 2, 5, 5, start=4, dtype=DOUBLE),
        3,
        1,
        grad=lambda *s: image_tensor(*s).double() / 7,
    ),
    _strided(_route(DTYPES, distinct_numbers(2, 3, 5, 4, start=5), 2, 1)),
    _route(
        DTYPES, distinct_numbers(2, 2, 4, 4, start=6), 3, 1, grad=lambda *s: torch.ones(1).expand(s)
    ),
)


def _draw_routes(rng: np.random.Generator) -> list[Case]:
    def call(group: str, kernel: int, stride: int | None, form: Form = FORMS[0]) -> Case:
        hw = [kernel + random_size(rng, 2, 5) for _ in range(2)]
        x = random_tensor(rng, random_size(rng, 1, 3), random_size(rng, 1, 3), *hw).to(form[0])
        while True:
            case = _route(
                group, x, kernel, stride, grad=lambda *s: random_tensor(rng, *s, form=form)
            )
            if max_pool2d_backward(*case.args).abs().max() > 0.5:
                return case

    cases = []
    for kernel in (2, 3, 4):
        cases += [
            call(_APART, kernel, None),
            call(_APART, kernel, kernel + 1),
            call(_OVERLAP, kernel, 1),
            call(_OVERLAP, kernel, kernel - 1),
        ]
        cases += [call(DTYPES, kernel, 1, form) for form in FORMS[1:]]
    return cases


def _trace_route(grad_out: Tensor, indices: Tensor, input_shape: tuple[int, int, int, int]) -> str:
    height, width = input_shape[2:]
    return (
        f"The gradient has the shape of the input, {input_shape}; an index is a place in a map of "
        f"{height} * {width} = {height * width} pixels, row by row."
    )


_LENET = [(5, 1, 2, 1), (2, 2, 0, 1), (5, 1, 0, 1), (2, 2, 0, 1), (5, 1, 0, 1)]
_FIELD_CASES = (
    Case("kernels", ([],)),
    Case("kernels", ([(3, 1, 0, 1)],)),
    Case("kernels", ([(4, 1, 0, 1), (1, 1, 0, 1)],)),
    Case("kernels", ([(3, 1, 0, 1), (3, 1, 0, 1), (3, 1, 0, 1)],)),
    Case("kernels", (), {"layers": [(2, 1, 0, 1), (7, 1, 0, 1)]}),
    Case("stride", ([(3, 2, 0, 1)],)),
    Case("stride", ([(2, 2, 0, 1), (3, 1, 0, 1)],)),
    Case("stride", ([(5, 3, 0, 1), (3, 2, 0, 1), (2, 1, 0, 1), (4, 2, 0, 1)],)),
    Case("stride", ([(1, 2, 0, 1), (3, 1, 0, 1)],)),
    Case("padding", ([(3, 1, 1, 1)],)),
    Case("padding", ([(3, 1, 2, 1), (5, 1, 3, 1)],)),
    Case("padding", ([(5, 1, 2, 1), (2, 1, 1, 1), (3, 1, 0, 1)],)),
    Case("dilation", ([(3, 1, 0, 2)],)),
    Case("dilation", ([(2, 1, 0, 3), (4, 1, 0, 2)],)),
    Case("dilation", ([(3, 1, 0, 1), (3, 1, 0, 2), (3, 1, 0, 4)],)),
    Case("together", (_LENET,)),
    Case("together", ([(7, 2, 3, 1), (3, 2, 1, 1), (3, 1, 2, 2)],)),
    Case("together", ([(3, 3, 1, 2), (4, 2, 3, 1), (2, 1, 0, 3), (1, 2, 0, 1), (3, 1, 1, 1)],)),
    Case("together", ([(2, 2, 1, 2), (5, 1, 0, 2), (3, 3, 4, 1)],)),
)


def _draw_fields(rng: np.random.Generator) -> list[Case]:
    cases = []
    for group, stride, padding, dilation in [
        ("kernels", 1, 0, 1),
        ("stride", 3, 0, 1),
        ("padding", 1, 3, 1),
        ("dilation", 1, 0, 3),
        ("together", 3, 3, 3),
        ("together", 2, 2, 2),
    ]:
        for depth in (1, 2, 3, 4):
            layers = [
                (
                    random_size(rng, 1, 5),
                    random_size(rng, 1, stride),
                    random_size(rng, 0, padding),
                    random_size(rng, 1, dilation),
                )
                for _ in range(depth)
            ]
            cases.append(Case(group, (layers,)))
    return cases


EXERCISES = (
    Exercise(
        "max_pool2d",
        8,
        max_pool2d,
        _POOL_CASES,
        _draw_pools,
        POOL_MISCONCEPTIONS,
        NO_LIBRARY,
        {"plain": 2, "stride": 2, "padding": 1, "ties": 1, DTYPES: 1, REFUSALS: 1},
        _trace_pool,
    ),
    Exercise(
        "max_pool2d_backward",
        5,
        max_pool2d_backward,
        _POOL_BACK_CASES,
        _draw_routes,
        POOL_BACK_MISCONCEPTIONS,
        NO_LIBRARY,
        {_APART: 2, _OVERLAP: 2, DTYPES: 1},
        _trace_route,
    ),
    Exercise(
        "receptive_field",
        6,
        receptive_field,
        _FIELD_CASES,
        _draw_fields,
        FIELD_MISCONCEPTIONS,
        NO_LIBRARY,
        {"kernels": 1, "stride": 2, "padding": 1, "dilation": 1, "together": 1},
    ),
)
