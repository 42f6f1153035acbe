"""Assignment 3, last part: the gradient of the mean loss, and the loss of one logit."""

import numpy as np
import torch
from torch import Tensor

from course_utils.checks.a3_gradients_mistakes import (
    BINARY_MISCONCEPTIONS,
    GRADIENT_MISCONCEPTIONS,
)
from course_utils.checks.a3_oracles import bce_with_logits, cross_entropy_grad
from course_utils.checks.a3_rules import LESSON_LABELS, LESSON_LOGITS, NO_LIBRARY
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
ONE_ROW, BATCHES, LARGE = "one row", "batches", "large logits"
HARD, SOFT = "targets 0 and 1", "targets between"

_LOGITS = torch.tensor(LESSON_LOGITS)
_LABELS = torch.tensor(LESSON_LABELS)


def _numbers(*shape: int, start: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    return image_tensor(*shape, start=start, dtype=dtype) / 4


def _labels(*classes: int) -> Tensor:
    return torch.tensor(classes)


# --- the gradient -----------------------------------------------------------------------------

_GRADIENT_CASES = (
    Case(ONE_ROW, (torch.tensor([[4.0, 1.0, 0.5]]).log(), _labels(0))),
    Case(ONE_ROW, (_numbers(1, 4, start=2), _labels(3))),
    Case(ONE_ROW, (_numbers(1, 2, start=5), _labels(1))),
    Case(BATCHES, (_LOGITS, _LABELS)),
    Case(BATCHES, (_numbers(4, 5, start=3), _labels(4, 0, 2, 2))),
    Case(BATCHES, (_numbers(3, 3, start=5), _labels(2, 0, 2))),
    Case(BATCHES, (_numbers(2, 6, start=7), _labels(5, 1))),
    Case(LARGE, (torch.tensor([[1000.0, 0.0, -1000.0]]), _labels(2))),
    Case(LARGE, (torch.tensor([[95.0, 96.0, 93.0], [-120.0, -121.0, -123.0]]), _labels(2, 1))),
    Case(LARGE, (torch.tensor([[3e4, 0.0], [1.0, 2.0], [-1e-4, 2e-4]]), _labels(0, 0, 1))),
    Case(LARGE, (torch.tensor([[5e3, 5e3 + 1], [0.25, -900.0]], dtype=F64), _labels(0, 1))),
    Case(DTYPES, (_numbers(4, 3, start=5, dtype=F64) / 3, _labels(2, 0, 1, 1))),
    Case(DTYPES, (_numbers(3, 4, start=7).T, _labels(2, 7, 0, 7, 1, 7, 1, 7)[::2])),
    Case(DTYPES, (), {"logits": _numbers(3, 8, start=3)[:, ::2], "target": _labels(0, 3, 2)}),
)


def _draw_gradients(rng: np.random.Generator) -> list[Case]:
    def case(group: str, rows: int, form: Form = FORMS[0]) -> Case:
        classes = random_size(rng, 2, 5)
        logits = random_tensor(rng, rows, classes, form=form)
        return Case(group, (logits, torch.from_numpy(rng.integers(classes, size=rows))))

    cases = [case(ONE_ROW, 1) for _ in range(3)]
    cases += [case(BATCHES, random_size(rng, 2, 6)) for _ in range(4)]
    cases += [case(DTYPES, random_size(rng, 2, 5), form) for form in FORMS[1:] * 2]
    for scale in (300.0, 1e4):
        steps = torch.from_numpy(rng.permutation(4)).float() - 2
        labels = torch.tensor([int(rng.choice([n for n in range(4) if steps[n] < 1]))])
        cases.append(Case(LARGE, ((steps * scale)[None], labels)))
        small = torch.from_numpy(rng.standard_normal((2, 3)))
        labels = torch.from_numpy(rng.integers(3, size=2))
        cases.append(Case(LARGE, (small + torch.tensor([[scale], [-scale]]), labels)))
    return cases


def _trace_gradient(logits: Tensor, target: Tensor) -> str:
    return (
        f"Shapes on the way: logits {tuple(logits.shape)}, labels {tuple(target.shape)}; a "
        f"gradient has the shape of what it belongs to, {tuple(logits.shape)}."
    )


# --- one logit --------------------------------------------------------------------------------


def _bits(*shape: int, start: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    return (image_tensor(*shape, start=start, dtype=dtype) > 1).to(dtype)


def _shares(*shape: int, start: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    return (image_tensor(*shape, start=start, dtype=dtype) + 8) / 20 + 0.04


_BINARY_CASES = (
    Case(HARD, (torch.tensor([4.0, 1.0, 0.5]).log(), torch.tensor([1.0, 0.0, 0.0]))),
    Case(HARD, (_numbers(5), _bits(5, start=4))),
    Case(HARD, (_numbers(3, 4, start=3), _bits(3, 4, start=6))),
    Case(HARD, (_numbers(4, 1, start=6), _bits(4, 1, start=2))),
    Case(HARD, (torch.tensor([1.5]), torch.tensor([0.0]))),
    Case(SOFT, (_numbers(4, start=2), torch.tensor([0.3, 0.9, 0.5, 0.05]))),
    Case(SOFT, (_numbers(2, 3, start=4), _shares(2, 3, start=5))),
    Case(SOFT, (_numbers(2, 2, 3, start=7), _shares(2, 2, 3, start=2))),
    Case(SOFT, (torch.tensor([0.0, -2.0]), torch.tensor([0.7, 0.0]))),
    Case(LARGE, (torch.tensor([1000.0, -1000.0, 0.5]), torch.tensor([1.0, 0.0, 1.0]))),
    Case(LARGE, (torch.tensor([1000.0, -1000.0]), torch.tensor([0.0, 1.0]))),
    Case(LARGE, (torch.tensor([-1000.0, 0.25]), torch.tensor([1.0, 0.0]))),
    Case(LARGE, (torch.tensor([[-200.0], [150.0]]), torch.tensor([[1.0], [1.0]]))),
    Case(LARGE, (torch.tensor([-1000.0, 1000.0, 2.0]), torch.tensor([0.25, 0.75, 0.5]))),
    Case(LARGE, (torch.tensor([-30.0, 25.0, 18.0]), torch.tensor([1.0, 0.0, 0.0]))),
    Case(LARGE, (torch.tensor([-90.0, 95.0]), torch.tensor([1.0, 0.5]))),
    Case(LARGE, (torch.tensor([1e4, -1e4, -0.75], dtype=F64), torch.tensor([1, 0, 1.0]).double())),
    Case(DTYPES, (_numbers(3, 2, dtype=F64) / 3, _shares(3, 2, start=8, dtype=F64) / 3)),
    Case(DTYPES, (_numbers(2, 1, 2, 3, start=5, dtype=F64) / 3, _bits(2, 1, 2, 3).double())),
    Case(DTYPES, (_numbers(3, 4, start=2).T, _shares(4, 6, start=3)[:, ::2])),
    Case(DTYPES, (), {"logits": _numbers(4, 3, start=9), "target": _shares(3, 4).T}),
)


def _draw_binary(rng: np.random.Generator) -> list[Case]:
    def shape() -> list[int]:
        return [random_size(rng, 1, 4) for _ in range(random_size(rng, 1, 4))]

    def shares(size: tuple[int, ...], dtype: torch.dtype, *, hard: bool) -> Tensor:
        drawn = torch.from_numpy(rng.uniform(0, 1, size))
        return (drawn.round() if hard else drawn).to(dtype)

    cases = []
    for group in (HARD, SOFT) * 3:
        logits = random_tensor(rng, *shape()) * 2
        cases.append(Case(group, (logits, shares(logits.shape, torch.float32, hard=group == HARD))))
    for form in FORMS[1:] * 2:
        logits = random_tensor(rng, random_size(rng, 2, 4), random_size(rng, 1, 3), form=form)
        target = shares(logits.shape, form[0], hard=rng.random() < 0.5)
        cases.append(Case(DTYPES, (logits, target)))
    for scale in (120.0, 1000.0):
        signs = torch.from_numpy(rng.choice([-1.0, 1.0], size=3)).float()
        moderate = torch.from_numpy(rng.uniform(0.2, 1.0, 1)).float()
        sure = torch.cat([signs * scale, moderate])
        right = torch.cat([(signs > 0).float(), torch.zeros(1)])
        cases += [Case(LARGE, (sure, right)), Case(LARGE, (sure, 1 - right))]
        cases.append(Case(LARGE, (sure, shares(sure.shape, torch.float32, hard=False))))
    return cases


def _trace_binary(logits: Tensor, target: Tensor) -> str:
    return (
        f"Shapes on the way: logits and targets {tuple(logits.shape)}, one loss for each, and the "
        "mean of all is a tensor without dimensions, ()."
    )


EXERCISES = (
    Exercise(
        "cross_entropy_grad",
        7,
        cross_entropy_grad,
        _GRADIENT_CASES,
        _draw_gradients,
        GRADIENT_MISCONCEPTIONS,
        NO_LIBRARY,
        {ONE_ROW: 2, BATCHES: 2, LARGE: 2, DTYPES: 1},
        _trace_gradient,
    ),
    Exercise(
        "bce_with_logits",
        5,
        bce_with_logits,
        _BINARY_CASES,
        _draw_binary,
        BINARY_MISCONCEPTIONS,
        NO_LIBRARY,
        {HARD: 1, SOFT: 1, LARGE: 2, DTYPES: 1},
        _trace_binary,
    ),
)
