"""Assignment 7, diagnosing: name the fault of each run from its record."""

from typing import Any

import numpy as np

from course_utils.checks.a7_diagnosing_mistakes import MISTAKES
from course_utils.checks.a7_diagnosing_scenes import ask
from course_utils.checks.a7_rules import ONLY_RUNS
from course_utils.checks.a7_trainer import CASES, FAULTS, NAME_OF
from course_utils.checks.exercise import Case, Exercise

VERDICT = "what the record says of your name"


def diagnose(case: str) -> str:
    """Return the name of the fault."""
    return NAME_OF[case]


def judge(names: Any, case: str, n_times: int) -> dict[str, str]:
    """Return whether the names given for a run fit, without telling the right one."""
    if type(names) is not list or [type(name) for name in names] != [str] * n_times:
        return {VERDICT: f"it was asked for {n_times} times, and gave something else"}
    given = set(names)
    if len(given) > 1:
        return {VERDICT: f"it is another one each time: {', '.join(sorted(given))}"}
    (name,) = given
    if name not in FAULTS:
        return {VERDICT: f"{name!r} is none of the names in FAULTS"}
    return {VERDICT: "it fits" if name == NAME_OF[case] else f"{name!r} does not fit"}


def draw(rng: np.random.Generator) -> list[Case]:
    """Return all runs in another order: there are no others."""
    return [
        Case(CASES[number], (CASES[number], int(rng.integers(1, 4))))
        for number in rng.permutation(len(CASES))
    ]


EXERCISES = (
    Exercise(
        name="diagnose",
        points=16,
        oracle=diagnose,
        cases=tuple(Case(case, (case, n_times)) for case in CASES for n_times in (1, 2)),
        draw=draw,
        misconceptions=MISTAKES,
        forbidden=ONLY_RUNS,
        groups=dict.fromkeys(CASES, 2),
        probe=ask,
        reading=judge,
    ),
)
