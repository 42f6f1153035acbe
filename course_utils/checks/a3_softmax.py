"""Assignment 3, first half: odds, log-odds, softmax and its logarithm."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from course_utils.checks.a3_oracles import log_odds, log_softmax, odds, softmax
from course_utils.checks.a3_rules import LESSON_LOGITS, NO_LIBRARY
from course_utils.checks.a3_softmax_mistakes import (
    LOG_ODDS_MISCONCEPTIONS,
    LOG_SOFTMAX_MISCONCEPTIONS,
    ODDS_MISCONCEPTIONS,
    SOFTMAX_MISCONCEPTIONS,
)
from course_utils.checks.drawing import (
    DTYPES,
    FORMS,
    Form,
    image_tensor,
    random_size,
    random_tensor,
)
from course_utils.checks.exercise import Case, Exercise

F64 = torch.float64
_LESSON = torch.tensor(LESSON_LOGITS)
_LESSON_ROW = torch.tensor([4.0, 1.0, 0.5]).log()

INSIDE, ENDS = "between 0 and 1", "at 0 and 1"
PLAIN, AXES, LARGE, UNDERFLOW = (
    "last axis",
    "other axes",
    "large logits",
    "where softmax underflows",
)


# --- odds -------------------------------------------------------------------------------------

_ODDS_CASES = (
    Case("odds", (torch.tensor([0.8, 0.5, 0.25]),)),
    Case("odds", (torch.tensor([[0.1, 0.75, 0.9], [0.3, 0.05, 0.6]]),)),
    Case("odds", (torch.tensor([0.0, 0.4, 1.0]),)),
    Case("odds", (torch.tensor([0.6, 0.0, 0.2, 0.002]),)),
    Case("odds", (torch.tensor([[0.125, 0.3], [0.7, 0.998]], dtype=F64),)),
    Case("odds", (), {"p": torch.tensor([[0.2, 0.9], [0.4, 1.0], [0.65, 0.35]]).T}),
)


def _draw_probabilities(rng: np.random.Generator, *groups: str) -> list[Case]:
    """Draw probabilities inside, some with the ends; a float32 near 1 has few digits of 1 - p."""

    def draw(form: Form, *shape: int, ends: bool = False) -> Tensor:
        dtype, strided = form
        p = torch.from_numpy(rng.uniform(0.01, 0.97, shape)).to(dtype)
        if ends:
            p.view(-1)[int(rng.integers(p.numel() // 2))] = 1.0
            p.view(-1)[-1 - int(rng.integers(p.numel() // 2))] = 0.0
        return p.T if strided else p

    inside, ends = groups[0], groups[-1]
    cases = [
        Case(inside, (draw(form, random_size(rng, 1, 4), random_size(rng, 2, 5)),))
        for form in FORMS * 2
    ]
    cases.append(Case(inside, (draw(FORMS[0], random_size(rng, 1, 6)),)))
    cases.append(Case(inside, (draw(FORMS[0], 2, random_size(rng, 1, 3), 3),)))
    cases += [
        Case(ends, (draw(form, random_size(rng, 2, 3), random_size(rng, 2, 4), ends=True),))
        for form in FORMS
    ]
    return cases


_LOG_ODDS_CASES = (
    Case(INSIDE, (torch.tensor([0.8, 0.5, 1 / 3]),)),
    Case(INSIDE, (torch.tensor([[0.1, 0.75, 0.99], [0.3, 0.004, 0.6]]),)),
    Case(INSIDE, (torch.tensor([[0.125, 0.3], [0.7, 0.998]], dtype=F64),)),
    Case(INSIDE, (), {"p": torch.tensor([[0.2, 0.9], [0.4, 0.15], [0.65, 0.35]]).T}),
    Case(INSIDE, (torch.tensor([0.45]),)),
    Case(ENDS, (torch.tensor([0.0, 0.4, 1.0]),)),
    Case(ENDS, (torch.tensor([[1.0, 0.9], [0.2, 0.7]]),)),
    Case(ENDS, (torch.tensor([[0.0, 0.3], [0.6, 0.0]], dtype=F64),)),
)


# --- softmax ----------------------------------------------------------------------------------


def _numbers(*shape: int, start: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    return image_tensor(*shape, start=start, dtype=dtype) / 4


# Where two large float32 logits lie close together, even their log-sum-exp has too few digits;
# such rows are given in float64, or just beyond the overflow of exp.
_PLAIN_CASES = (
    Case(PLAIN, (_LESSON_ROW,)),
    Case(PLAIN, (_LESSON,)),
    Case(PLAIN, (_numbers(3, 3, start=4),)),
    Case(PLAIN, (_numbers(2, 3, 4, start=2),)),
    Case(PLAIN, (_numbers(2, 1, start=3),)),
    Case(PLAIN, (torch.tensor([0.0, -4.0, -7.5, -9.0]),)),
    Case(PLAIN, (_numbers(2, 2, 1, 5, start=6),)),
)
_AXES_CASES = (
    Case(AXES, (_numbers(3, 4), 0)),
    Case(AXES, (_numbers(4, 4, start=2), 0)),
    Case(AXES, (_numbers(2, 3, 4, start=5),), {"dim": 1}),
    Case(AXES, (_numbers(3, 3, 3, start=7),), {"dim": 1}),
    Case(AXES, (_numbers(2, 3, 2, 2, start=3),), {"dim": -3}),
    Case(AXES, (_numbers(3, 2, 4, start=6), -2)),
    Case(AXES, (_numbers(3, 2, start=8), -2)),
    Case(AXES, (_numbers(2, 3, 4, start=4),), {"dim": -3}),
    Case(AXES, (_numbers(2, 4, 3, start=9), 2)),
    Case(AXES, (_numbers(5, start=2),), {"dim": 0}),
)
_DTYPE_CASES = (
    Case(DTYPES, (_numbers(2, 3, dtype=F64) / 3,)),
    Case(DTYPES, (_numbers(2, 3, 2, start=5, dtype=F64) / 3, 1)),
    Case(DTYPES, (_numbers(4, 6, start=3)[:, ::2],)),
    Case(DTYPES, (), {"logits": _numbers(4, 3, start=6).T, "dim": 0}),
)


def _large_cases(group: str) -> tuple[Case, ...]:
    return (
        Case(group, (torch.tensor([1000.0, 0.0, -1000.0]),)),
        Case(group, (torch.tensor([[95.0, 96.0, 93.0]]),)),
        Case(group, (torch.tensor([[-120.0, -121.0, -123.0], [-110.5, -113.0, -111.0]]),)),
        Case(group, (torch.tensor([[3e4, 1e4, -2e4], [-1e-4, 2e-4, 1e-4], [1.0, 2.0, 0.5]]),)),
        Case(group, (torch.tensor([[1e4, 1e-4], [-1e4, 2e-4], [0.0, -3e-4]]),), {"dim": 0}),
        Case(group, (torch.tensor([[-5e4, 1.0, 0.5], [-4e4, -1.0, 2.0]]),), {"dim": -2}),
        Case(group, (torch.tensor([1e38, -1e38, 5e37]),)),
        Case(
            group,
            (torch.tensor([[1e4, 1e4 + 1, 1e4 - 2], [-1e4, -1e4 + 0.5, -1e4 + 1.5]], dtype=F64),),
        ),
        Case(group, (torch.tensor([[0.0, 0.5, -1e4], [2000.0, 2001.0, 1999.0]], dtype=F64),)),
    )


_UNDERFLOW_CASES = (
    Case(UNDERFLOW, (torch.tensor([0.0, -200.0, -1000.0]),)),
    Case(UNDERFLOW, (torch.tensor([[0.0, -16.0, -18.5, -20.5, -23.0, -27.5, -34.0]]),)),
    Case(UNDERFLOW, (torch.tensor([[0.0, -110.0, -50.0], [1.0, 2.0, 3.0]]),)),
    Case(UNDERFLOW, (torch.tensor([[0.5, -3.0], [-150.0, 130.0]]),), {"dim": 0}),
    Case(UNDERFLOW, (torch.tensor([[0.0, -800.0, 0.25]], dtype=F64),)),
    *_large_cases(UNDERFLOW),
)


def _draw_softmax(rng: np.random.Generator, large: str) -> list[Case]:
    def shape(axes: int) -> list[int]:
        return [random_size(rng, 2, 4) for _ in range(axes)]

    def spread(form: Form, scale: float) -> Tensor:
        """Return a row whose logits lie at least ``scale`` apart."""
        steps = torch.from_numpy(rng.permutation(4) - 1.0 - float(rng.integers(3)))
        return (steps * scale).to(form[0])

    def placed(rows: list[Tensor]) -> Case:
        """Return the rows as they are, or as columns."""
        logits = torch.stack(rows)
        if rng.random() < 0.5:
            return Case(large, (logits,))
        return Case(large, (logits.T.contiguous(), 0))

    cases = [Case(PLAIN, (random_tensor(rng, *shape(axes)),)) for axes in (1, 2, 2, 3, 4)]
    for axes in (2, 2, 3, 3, 4):
        dim = int(rng.integers(axes - 1))
        dim -= axes if rng.random() < 0.5 else 0
        cases.append(Case(AXES, (random_tensor(rng, *shape(axes)), dim)))
    for form in FORMS[1:] * 2:
        axes = random_size(rng, 2, 3)
        dim = int(rng.integers(-axes, axes))
        cases.append(Case(DTYPES, (random_tensor(rng, *shape(axes), form=form),), {"dim": dim}))
    single, double = FORMS[0], FORMS[1]
    for _ in range(2):
        small = torch.from_numpy(rng.standard_normal(4)).float()
        cases += [
            placed([spread(single, 1000.0), small]),
            placed([spread(single, 1e4), small * 1e-4]),
            placed([small + float(rng.uniform(95, 105)), small - float(rng.uniform(108, 118))]),
            placed([spread(single, 3e37)]),
            placed([spread(double, 1e4), small.double() + 5000, small.double() - 2000]),
        ]
        if large == UNDERFLOW:
            cases.append(placed([small - torch.tensor([0, 0, 0, 130.0]), small]))
    return cases


def _trace(logits: Tensor, dim: int = -1) -> str:
    sums = list(logits.shape)
    sums[dim] = 1
    return (
        f"Shapes on the way: logits {tuple(logits.shape)}; one sum for each row along axis {dim}, "
        f"{tuple(sums)}; the result {tuple(logits.shape)}."
    )


EXERCISES = (
    Exercise(
        "odds",
        1,
        odds,
        _ODDS_CASES,
        lambda rng: _draw_probabilities(rng, "odds"),
        ODDS_MISCONCEPTIONS,
        NO_LIBRARY,
        {"odds": 1},
    ),
    Exercise(
        "log_odds",
        2,
        log_odds,
        _LOG_ODDS_CASES,
        lambda rng: _draw_probabilities(rng, INSIDE, ENDS),
        LOG_ODDS_MISCONCEPTIONS,
        NO_LIBRARY,
        {INSIDE: 1, ENDS: 1},
    ),
    Exercise(
        "softmax",
        7,
        softmax,
        (*_PLAIN_CASES, *_large_cases(LARGE), *_AXES_CASES, *_DTYPE_CASES),
        partial(_draw_softmax, large=LARGE),
        SOFTMAX_MISCONCEPTIONS,
        NO_LIBRARY,
        {PLAIN: 2, LARGE: 2, AXES: 2, DTYPES: 1},
        _trace,
    ),
    Exercise(
        "log_softmax",
        6,
        log_softmax,
        (*_PLAIN_CASES, *_UNDERFLOW_CASES, *_AXES_CASES, *_DTYPE_CASES),
        partial(_draw_softmax, large=UNDERFLOW),
        LOG_SOFTMAX_MISCONCEPTIONS,
        NO_LIBRARY,
        {PLAIN: 1, UNDERFLOW: 3, AXES: 1, DTYPES: 1},
        _trace,
    ),
)
