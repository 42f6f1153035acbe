"""Find the one misconception that explains what an answer did."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.comparison import Refusal, close, difference
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.checks.outcomes import Failure, Foreign, Outcome, run_case

Run = tuple[Case, Outcome, Any]


def same_result(value: Any, other: Any) -> bool:
    """Return whether two results are the same, within the tolerance of a check."""
    if isinstance(value, Failure) or isinstance(other, Failure):
        return (
            isinstance(value, Failure)
            and isinstance(other, Failure)
            and value.refuses == other.refuses
        )
    if type(value) is not type(other) or isinstance(value, Foreign):
        return False
    if isinstance(value, Tensor):
        return (
            value.shape == other.shape
            and value.dtype == other.dtype
            and bool(torch.all(close(value, other)))
        )
    if isinstance(value, tuple):
        return len(value) == len(other) and all(map(same_result, value, other))
    return bool(value == other)


def explain(exercise: Exercise, runs: Sequence[Run]) -> tuple[Misconception | None, str]:
    """
    Return the misconception that explains the results, if exactly one does, and of which group.

    Wrong values are explained first, by all the calls that have a value; what is refused decides
    between those that are left, and stands alone when every value is right. Failing that, one that
    explains all of the first group with wrong values, if it has two or more of them, is returned
    with that group; otherwise the group is "", since all groups are explained.
    """
    values = [run for run in runs if not isinstance(run[2], Refusal)]
    refusals = [run for run in runs if isinstance(run[2], Refusal)]
    if not _any_wrong(values):
        return _only([m for m in exercise.misconceptions if _explains(m, runs)]), ""
    candidates = [m for m in exercise.misconceptions if _explains(m, values)]
    if len(candidates) > 1:
        candidates = [m for m in candidates if _explains(m, refusals)]
    if candidates:
        return _only(candidates), ""
    for group in exercise.groups:
        in_group = [run for run in values if run[0].group == group]
        if _any_wrong(in_group):
            several = _count_wrong(in_group) > 1
            named = [m for m in exercise.misconceptions if several and _explains(m, in_group)]
            return _only(named), group
    return None, ""


def _only(candidates: list[Misconception]) -> Misconception | None:
    return candidates[0] if len(candidates) == 1 else None


def _explains(misconception: Misconception, runs: Sequence[Run]) -> bool:
    return all(
        same_result(outcome.value, run_case(misconception.answer, case).value)
        for case, outcome, _ in runs
    )


def _count_wrong(runs: Sequence[Run]) -> int:
    """Count wrong results; a right one that changed its input is no mistake about values."""
    found = (difference(outcome, expected) for _, outcome, expected in runs)
    return sum(one is not None and one.code != "changed" for one in found)


def _any_wrong(runs: Sequence[Run]) -> bool:
    return _count_wrong(runs) > 0
