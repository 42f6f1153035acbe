"""Find the one misconception that explains what an answer did."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from course_utils.checks.comparison import NO_TOLERANCES, Refusal, difference
from course_utils.checks.exercise import Answer, Case, Exercise, Misconception
from course_utils.checks.outcomes import Failure, Outcome, meaning, run_case
from course_utils.checks.parts import ENOUGH, count_different, wrong_parts

Run = tuple[Case, Outcome, Any]
Remembered = dict[tuple[str, int], Any]

REFUSING = ("ValueError", "KeyError")  # what an exercise may ask for


def same_result(value: Any, other: Any, tolerances: Mapping[str, float] = NO_TOLERANCES) -> bool:
    """Return whether two results are the same, within the tolerance of a check."""
    if isinstance(value, Failure) and isinstance(other, Failure):
        return all(value.refuses(error) == other.refuses(error) for error in REFUSING)
    if type(value) is not type(other):
        return False
    return difference(Outcome(value), other, tolerances) is None


def explain(
    exercise: Exercise, runs: Sequence[Run], remembered: Remembered | None = None
) -> tuple[Misconception | None, str]:
    """
    Return the misconception that explains the results, if exactly one does, and of which calls.

    Wrong values are explained first, by all the calls that have a value; what is refused decides
    between those that are left, and stands alone when every value is right. Failing that, one that
    explains all of the first group with wrong values, or else all wrong values, is returned with a
    phrase that says so; they have to be so many that it is no chance. What misconceptions do in
    drawn cases is kept in ``remembered``, for as long as the cases live.
    """
    explains = partial(_explains, exercise, Results(exercise, remembered))
    is_wrong = {id(run): _is_wrong(exercise, run) for run in runs}
    runs = sorted(runs, key=lambda run: not is_wrong[id(run)])  # wrong ones rule out soonest
    values = [run for run in runs if not isinstance(run[2], Refusal)]
    refusals = [run for run in runs if isinstance(run[2], Refusal)]
    wrong = [run for run in values if is_wrong[id(run)]]
    if not wrong:
        return _only([m for m in exercise.misconceptions if explains(m, runs)]), ""
    candidates = [m for m in exercise.misconceptions if explains(m, values)]
    if len(candidates) > 1:
        candidates = [m for m in candidates if explains(m, refusals)]
    if candidates:
        return _only(candidates), ""
    group = next(name for name in exercise.groups if any(run[0].group == name for run in wrong))
    in_group = [run for run in values if run[0].group == group]
    phrases = {f"In the part “{group}”: ": in_group, "In the calls that go wrong: ": wrong}
    for phrase, some in phrases.items():
        if sum(is_wrong[id(run)] for run in some) > 1 and _is_no_chance(some):
            named = _only([m for m in exercise.misconceptions if explains(m, some)])
            if named is not None:
                return named, phrase
    return None, ""


def _is_no_chance(runs: Sequence[Run]) -> bool:
    """Return whether there are so many different wrong values that chance cannot explain them."""
    parts = [part for _, outcome, wanted in runs for part in wrong_parts(outcome.value, wanted)]
    return count_different(parts) >= ENOUGH


def _only(candidates: list[Misconception]) -> Misconception | None:
    return candidates[0] if len(candidates) == 1 else None


class Results:
    """What wrong answers do, each in each case once; in visible cases it is kept for ever."""

    def __init__(self, exercise: Exercise, remembered: Remembered | None = None) -> None:
        self.exercise = exercise
        self.numbers = {id(case): number for number, case in enumerate(exercise.cases)}
        self.drawn: Remembered = {} if remembered is None else remembered

    def of(self, name: str, answer: Answer, case: Case) -> Any:
        """Return what the wrong answer of that name gives in a case."""
        number = self.numbers.get(id(case))
        known = self.drawn if number is None else self.exercise.remembered
        key = name, id(case) if number is None else number
        if key not in known:
            outcome = run_case(answer, case, probe=self.exercise.probe)
            known[key] = meaning(self.exercise, case, outcome.value)
        return known[key]


def _explains(
    exercise: Exercise, results: Results, misconception: Misconception, runs: Sequence[Run]
) -> bool:
    """Return whether a misconception does the same as the answer in every run."""

    def does_the_same(case: Case, outcome: Outcome, wanted: Any) -> bool:
        if misconception.group not in ("", case.group):  # it is right here
            return difference(Outcome(outcome.value), wanted, exercise.tolerances) is None
        theirs = results.of(misconception.name, misconception.answer, case)
        return same_result(outcome.value, theirs, exercise.tolerances)

    return all(does_the_same(*run) for run in runs)


def _is_wrong(exercise: Exercise, run: Run) -> bool:
    """Return whether a result is wrong; a right one that changed its input is no such mistake."""
    _, outcome, wanted = run
    found = difference(outcome, wanted, exercise.tolerances)
    return found is not None and found.code != "changed"
