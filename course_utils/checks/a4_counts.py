"""Assignment 4: the numbers that a layer learns."""

from typing import Any

import numpy as np

from course_utils.checks.a4_counts_mistakes import CONV_MISCONCEPTIONS, LINEAR_MISCONCEPTIONS
from course_utils.checks.a4_oracles import conv2d_params, linear_params
from course_utils.checks.drawing import random_size
from course_utils.checks.exercise import NO_PACKAGE, REFUSALS, Case, Exercise

PLAIN, GROUPED, DENSE = "kernel and bias", "groups", "weights and bias"
_INDIVISIBLE = "groups does not divide both channel numbers"

_CONV_CASES = (
    Case(PLAIN, (1, 6, 5)),
    Case(PLAIN, (6, 16, 5)),
    Case(PLAIN, (3, 2, (3, 5))),
    Case(PLAIN, (4, 7, 1)),
    Case(PLAIN, (5, 3, (2, 1)), {"bias": False}),
    Case(PLAIN, (2, 9, 3, False)),
    Case(PLAIN, (), {"in_channels": 3, "out_channels": 1, "kernel_size": 2, "bias": True}),
    Case(GROUPED, (64, 128, 3), {"groups": 64}),
    Case(GROUPED, (6, 4, 3), {"groups": 2}),
    Case(GROUPED, (4, 6, (1, 3), False, 2)),
    Case(GROUPED, (6, 9, (4, 2), True, 3)),
    Case(GROUPED, (5, 5, 2), {"groups": 5, "bias": False}),
    Case(GROUPED, (8, 4, 3), {"groups": 4}),
    Case(REFUSALS, (64, 100, 3), {"groups": 64}, _INDIVISIBLE),
    Case(REFUSALS, (6, 4, 3), {"groups": 4}, _INDIVISIBLE),
    Case(REFUSALS, (4, 6, (3, 1)), {"groups": 4}, _INDIVISIBLE),
    Case(REFUSALS, (4, 10, 1, False, 3), {}, _INDIVISIBLE),
    Case(REFUSALS, (2, 4, 3), {"groups": 8}, _INDIVISIBLE),
    Case(REFUSALS, (3, 2, 3), {"groups": 6}, _INDIVISIBLE),
    Case(REFUSALS, (5, 3, 3), {"groups": 4}, _INDIVISIBLE),
    Case(REFUSALS, (6, 10, 2), {"groups": 4}, _INDIVISIBLE),
)


def _draw_convs(rng: np.random.Generator) -> list[Case]:
    def kernel() -> int | tuple[int, int]:
        if rng.random() < 0.4:
            return random_size(rng, 2, 5)
        return random_size(rng, 1, 3), random_size(rng, 4, 6)

    def settings(**fixed: Any) -> dict[str, Any]:
        return fixed if rng.random() < 0.5 else {"bias": False, **fixed}

    cases = []
    for _ in range(4):
        channels = random_size(rng, 2, 9), random_size(rng, 2, 9)
        cases.append(Case(PLAIN, (*channels, kernel()), settings()))
        groups = random_size(rng, 2, 4)
        channels = groups * random_size(rng, 1, 3), groups * random_size(rng, 1, 3)
        cases.append(Case(GROUPED, (*channels, kernel()), settings(groups=groups)))
    for _ in range(2):
        groups = random_size(rng, 3, 6)
        whole = groups * random_size(rng, 1, 3)
        broken = groups * random_size(rng, 1, 3) + random_size(rng, 1, groups - 1)
        for channels in [(whole, broken), (broken, whole), (broken, broken)]:
            cases.append(Case(REFUSALS, (*channels, 3), {"groups": groups}, _INDIVISIBLE))
    return cases


_LINEAR_CASES = (
    Case(DENSE, (400, 120)),
    Case(DENSE, (120, 84)),
    Case(DENSE, (84, 10, True)),
    Case(DENSE, (3, 5), {"bias": False}),
    Case(DENSE, (1, 1)),
    Case(DENSE, (7, 2, False)),
    Case(DENSE, (), {"in_features": 2, "out_features": 9, "bias": True}),
)


def _draw_linears(rng: np.random.Generator) -> list[Case]:
    sizes = [(random_size(rng, 2, 60), random_size(rng, 2, 60)) for _ in range(6)]
    return [Case(DENSE, pair, {} if n % 2 else {"bias": False}) for n, pair in enumerate(sizes)]


EXERCISES = (
    Exercise(
        "conv2d_params",
        3,
        conv2d_params,
        _CONV_CASES,
        _draw_convs,
        CONV_MISCONCEPTIONS,
        NO_PACKAGE,
        {PLAIN: 1, GROUPED: 1, REFUSALS: 1},
    ),
    Exercise(
        "linear_params",
        1,
        linear_params,
        _LINEAR_CASES,
        _draw_linears,
        LINEAR_MISCONCEPTIONS,
        NO_PACKAGE,
        {DENSE: 1},
    ),
)
