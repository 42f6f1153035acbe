"""Assignment 7, diagnosing: name the fault of each run from its record."""

from typing import Any

import numpy as np

from course_utils.checks.a7_diagnosing_mistakes import MISTAKES
from course_utils.checks.a7_trainer import CASES, FAULTS, NAME_OF
from course_utils.checks.exercise import NOTHING_FORBIDDEN, Answer, Case, Exercise

VERDICT = "what the record says of your name"


def diagnose(case: str) -> str:
    """Return the name of the fault."""
    return NAME_OF[case]


def ask(answer: Answer, case: str, n_times: int) -> dict[str, Any]:
    """Return whether the name fits, without telling the right one; ask once or several times."""
    names = [answer(case) for _ in range(n_times)]
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"diagnose({case!r}) returned {name!r}; it has to return a name, a str")
    given = {str.__str__(name) for name in names}
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
        forbidden=NOTHING_FORBIDDEN,
        groups=dict.fromkeys(CASES, 2),
        probe=ask,
    ),
)
