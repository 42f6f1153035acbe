"""Find the one misconception that explains what an answer did."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from course_utils.checks.comparison import NO_TOLERANCES, Refusal, difference
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.checks.outcomes import Failure, Outcome, run_case

Run = tuple[Case, Outcome, Any]

REFUSING = ("ValueError", "KeyError")  # what an exercise may ask for


def same_result(value: Any, other: Any, tolerances: Mapping[str, float] = NO_TOLERANCES) -> bool:
    """Return whether two results are the same, within the tolerance of a check."""
    if isinstance(value, Failure) or isinstance(other, Failure):
        return (
            isinstance(value, Failure)
            and isinstance(other, Failure)
            and [value.refuses(error) for error in REFUSING]
            == [other.refuses(error) for error in REFUSING]
        )
    if type(value) is not type(other):
        return False
    return difference(Outcome(value), other, tolerances) is None


def explain(exercise: Exercise, runs: Sequence[Run]) -> tuple[Misconception | None, str]:
    """
    Return the misconception that explains the results, if exactly one does, and of which group.

    Wrong values are explained first, by all the calls that have a value; what is refused decides
    between those that are left, and stands alone when every value is right. Failing that, one that
    explains all of the first group with wrong values, if it has two or more of them, is returned
    with that group; otherwise the group is "", since all groups are explained.
    """
    explains = partial(_explains, exercise, _Results(exercise))
    count_wrong = partial(_count_wrong, exercise)
    runs = sorted(runs, key=lambda run: not count_wrong([run]))  # wrong ones rule out soonest
    values = [run for run in runs if not isinstance(run[2], Refusal)]
    refusals = [run for run in runs if isinstance(run[2], Refusal)]
    if not count_wrong(values):
        return _only([m for m in exercise.misconceptions if explains(m, runs)]), ""
    candidates = [m for m in exercise.misconceptions if explains(m, values)]
    if len(candidates) > 1:
        candidates = [m for m in candidates if explains(m, refusals)]
    if candidates:
        return _only(candidates), ""
    for group in exercise.groups:
        in_group = [run for run in values if run[0].group == group]
        if n_wrong := count_wrong(in_group):
            named = [m for m in exercise.misconceptions if n_wrong > 1 and explains(m, in_group)]
            return _only(named), group
    return None, ""


def _only(candidates: list[Misconception]) -> Misconception | None:
    return candidates[0] if len(candidates) == 1 else None


class _Results:
    """What misconceptions do, each in each case once: in drawn cases here, in visible ones for ever."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self.numbers = {id(case): number for number, case in enumerate(exercise.cases)}
        self.drawn: dict[tuple[str, int], Any] = {}

    def of(self, misconception: Misconception, case: Case) -> Any:
        """Return what a misconception gives in a case."""
        number = self.numbers.get(id(case))
        known = self.drawn if number is None else self.exercise.remembered
        key = misconception.name, id(case) if number is None else number
        if key not in known:
            known[key] = run_case(misconception.answer, case, probe=self.exercise.probe).value
        return known[key]


def _explains(
    exercise: Exercise, results: _Results, misconception: Misconception, runs: Sequence[Run]
) -> bool:
    """Return whether a misconception does the same as the answer in every run."""
    return all(
        same_result(outcome.value, results.of(misconception, case), exercise.tolerances)
        for case, outcome, _ in runs
    )


def _count_wrong(exercise: Exercise, runs: Sequence[Run]) -> int:
    """Count wrong results; a right one that changed its input is no mistake about values."""
    found = (difference(outcome, wanted, exercise.tolerances) for _, outcome, wanted in runs)
    return sum(one is not None and one.code != "changed" for one in found)
