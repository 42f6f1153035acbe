"""Assignment 4: batch normalisation."""

import numpy as np
import torch
from torch import Tensor

from course_utils.checks.a4_norm_mistakes import NORM_MISCONCEPTIONS
from course_utils.checks.a4_oracles import batch_norm2d
from course_utils.checks.a4_rules import NO_NORM
from course_utils.checks.drawing import (
    DTYPES,
    FORMS,
    Form,
    image_tensor,
    random_size,
    random_tensor,
)
from course_utils.checks.exercise import REFUSALS, Case, Exercise

OUTPUT, RUNNING, EVALUATION, EPS = "output in training", "running statistics", "evaluation", "eps"
_ONE_VALUE = "in training, one value per channel has no spread"
DOUBLE = torch.float64


def _vectors(n: int, start: int = 1, dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
    """Return gamma, beta, running mean and running variance for n channels."""
    gamma = image_tensor(n, start=start + 2, dtype=dtype) / 4
    beta = image_tensor(n, start=start + 5, dtype=dtype) / 3
    mean = image_tensor(n, start=start + 3, dtype=dtype) / 5
    return gamma, beta, mean, image_tensor(n, start=start, dtype=dtype).abs() / 3 + 0.4


def _call(
    group: str,
    x: Tensor,
    *settings: object,
    start: int = 1,
    refusal: str | None = None,
    **named: float,
) -> Case:
    """Return a case with small vectors for the channels of x."""
    args = (x, *_vectors(x.shape[1], start, x.dtype), *settings)
    return Case(group, args, named, refusal)


_X = image_tensor(2, 3, 2, 4) / 7
_DEAD = image_tensor(2, 3, 3, 2, start=4) / 7 * torch.tensor([1.0, 0, 1])[:, None, None]
_SMALL = image_tensor(3, 2, 2, 3, start=5) / 2000
_STRIDED = image_tensor(4, 8, 3, 2, start=2).transpose(2, 3)[::2, ::2] / 7

_NORM_CASES = (
    _call(OUTPUT, _X, True, momentum=0.0),
    _call(OUTPUT, image_tensor(3, 2, 3, 2, start=3) / 7 + 3, True, 0.0, start=4),
    _call(OUTPUT, image_tensor(1, 2, 3, 4, start=6) / 5, True, 0.0, start=7),
    _call(OUTPUT, image_tensor(4, 3, 1, 1, start=2), True, 0.0, start=2),
    _call(OUTPUT, image_tensor(3, 3, 3, 3, start=8) / 3, True, momentum=0.0, start=5),
    _call(OUTPUT, image_tensor(2, 1, 1, 3, start=7) / 3, True, momentum=0.0, start=6),
    _call(RUNNING, _X, True),
    _call(RUNNING, image_tensor(3, 2, 2, 2, start=5) / 4, True, start=3),
    _call(RUNNING, image_tensor(1, 3, 2, 3, start=4) / 3 + 2, True, 0.3, start=8),
    _call(RUNNING, image_tensor(2, 2, 1, 2, start=9), True, momentum=1.0),
    _call(RUNNING, image_tensor(3, 2, 1, 1, start=9) / 2, True, momentum=0.75, start=2),
    _call(EVALUATION, _X, False),
    _call(EVALUATION, image_tensor(1, 3, 2, 2, start=3) / 3, False, start=4),
    _call(EVALUATION, image_tensor(1, 2, 1, 1, start=4), False, 0.4, start=5),
    _call(EVALUATION, image_tensor(3, 3, 1, 3, start=6) / 4 - 2, training=False, momentum=0.9),
    _call(EPS, _SMALL, True),
    _call(EPS, _SMALL, True, eps=1e-3, start=3),
    _call(EPS, _X, True, 0.2, 0.5, start=4),
    _call(EPS, _DEAD, True),
    _call(EPS, _X, False, eps=0.25, start=6),
    _call(EPS, image_tensor(1, 2, 1, 2), False, 0.1, 2.0, start=2),
    _call(DTYPES, image_tensor(2, 3, 2, 3, start=7, dtype=DOUBLE) / 7, True),
    _call(DTYPES, image_tensor(2, 2, 3, 2, start=5, dtype=DOUBLE) / 7, False, start=3),
    Case(DTYPES, (_STRIDED, *(_vectors(8)[n][::2] for n in range(4)), True, 0.25)),
    _call(DTYPES, _STRIDED[:, 1:3], False, start=4),
    _call(DTYPES, _STRIDED.double()[..., :2], True, 0.5, start=2),
    _call(REFUSALS, image_tensor(1, 3, 1, 1), True, refusal=_ONE_VALUE),
    _call(REFUSALS, image_tensor(1, 1, 1, 1, dtype=DOUBLE), True, 0.0, refusal=_ONE_VALUE),
)


def _draw_norms(rng: np.random.Generator) -> list[Case]:
    def numbers(n: int, dtype: torch.dtype) -> Tensor:
        return torch.from_numpy(rng.standard_normal(n)).to(dtype)

    def spread(*shape: int, form: Form) -> Tensor:
        """Draw until every channel of every image spreads, where there is more than one value."""
        while True:
            x = random_tensor(rng, *shape, form=form)
            if shape[0] * shape[2] * shape[3] == 1 or x.var(dim=(0, 2, 3)).min() > 0.3:
                return x

    def make(
        group: str,
        *settings: object,
        form: Form = FORMS[0],
        scale: float = 1.0,
        shape: tuple[int, ...] = (),
        **named: float,
    ) -> Case:
        n, c = random_size(rng, 2, 3), random_size(rng, 1, 4)
        shape = shape or (n, c, random_size(rng, 2, 3), random_size(rng, 2, 4))
        x, dtype = spread(*shape, form=form) * scale, form[0]
        variance = torch.from_numpy(rng.uniform(0.3, 3, shape[1])).to(dtype)
        vectors = numbers(shape[1], dtype), numbers(shape[1], dtype), numbers(shape[1], dtype)
        return Case(group, (x, *vectors, variance * scale**2, *settings), named)

    def share() -> float:
        return float(rng.uniform(0.2, 0.9))

    cases = []
    for _ in range(2):
        cases += [
            make(OUTPUT, True, 0.0),
            make(OUTPUT, True, momentum=0.0, shape=(1, random_size(rng, 2, 3), 3, 4)),
            make(OUTPUT, True, 0.0, shape=(random_size(rng, 7, 9), 2, 1, 1)),
            make(RUNNING, True),
            make(RUNNING, True, share()),
            make(RUNNING, True, momentum=share(), shape=(3, 3, 1, 3)),
            make(EVALUATION, False),
            make(EVALUATION, False, share(), shape=(1, random_size(rng, 1, 3), 2, 2)),
            make(EVALUATION, False, shape=(1, random_size(rng, 1, 3), 1, 1)),
            make(EPS, True, scale=0.004),
            make(EPS, True, scale=0.02, eps=float(rng.uniform(1e-3, 1e-2))),
            make(EPS, False, share(), float(rng.uniform(0.1, 0.5))),
        ]
    for form in FORMS[1:]:
        cases += [make(DTYPES, True, share(), form=form), make(DTYPES, False, form=form)]
    one = random_tensor(rng, 1, random_size(rng, 1, 4), 1, 1)
    cases.append(_call(REFUSALS, one, True, refusal=_ONE_VALUE))
    return cases


def _trace_norm(x: Tensor, *vectors: Tensor, **settings: object) -> str:
    n, c, height, width = x.shape
    return (
        f"Shapes on the way: x {tuple(x.shape)} has {n} x {height} x {width} values in each of its "
        f"channels; the result keeps that shape, and both running statistics have {c} numbers."
    )


EXERCISES = (
    Exercise(
        "batch_norm2d",
        11,
        batch_norm2d,
        _NORM_CASES,
        _draw_norms,
        NORM_MISCONCEPTIONS,
        NO_NORM,
        {OUTPUT: 3, RUNNING: 3, EVALUATION: 2, EPS: 1, DTYPES: 1, REFUSALS: 1},
        _trace_norm,
    ),
)
