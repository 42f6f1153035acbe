"""``check`` and ``examine``: from an answer to a report."""

import contextlib
import inspect
import zlib
from collections.abc import Sequence
from types import FrameType
from typing import Any

import executing
import numpy as np
from torch import Tensor

from course_utils.checks.comparison import Difference, describe, difference
from course_utils.checks.diagnosis import explain
from course_utils.checks.exercise import NOTHING_FORBIDDEN, REFUSALS, Case, Exercise
from course_utils.checks.outcomes import Outcome, one_thread, plain, quiet, run_case
from course_utils.checks.references import oracle_answer, reference_answers
from course_utils.checks.registry import exercises_by_name
from course_utils.checks.report import (
    CaseResult,
    Report,
    comparison_picture,
    explain_misconception,
)
from course_utils.checks.watching import read, watch

# Faults of form by reason code; their sentence names what is wrong and what to do.
FAULTS = {
    "none": "nothing-returned",
    "printed": "printed-not-returned",
    "changed": "input-changed",
    "type": "wrong-type",
    "dtype": "wrong-dtype",
    "precision": "precision-lost",
    "accepted": "not-refused",
}


def check(answer: Any, *, name: str | None = None) -> float:
    """
    Judge an answer on the visible cases, print what was found, and return the points.

    Parameters
    ----------
    answer : callable
        What you wrote. The exercise is found by the name that it is bound to.
    name : str, optional
        The name of the exercise, where it cannot be found.

    Returns
    -------
    float
        Points earned.

    Raises
    ------
    ValueError
        If no exercise of that name exists.
    """
    report = _judge(answer, name or _name_of(answer, inspect.currentframe()), None, ours=False)
    report.show()
    return float(report.points)


def examine(answer: Any, *, name: str | None = None, seed: int | None = None) -> Report:
    """
    Judge an answer in silence.

    Parameters
    ----------
    answer : callable
        What was written.
    name : str, optional
        The name of the exercise; found by the name that the answer is bound to if left out.
    seed : int, optional
        Draws new cases beside the visible ones.

    Returns
    -------
    Report
        Points, the misconception, the message and every case.

    Raises
    ------
    ValueError
        If no exercise of that name exists.
    """
    return _judge(answer, name or _name_of(answer, inspect.currentframe()), seed, ours=True)


def _name_of(answer: Any, frame: FrameType | None) -> str:
    """Return the exercise that the caller means: by the call's own text, a variable, a def."""
    caller = frame.f_back if frame is not None else None
    exercises = exercises_by_name()
    names: list[str] = []
    if caller is not None:
        node = executing.Source.executing(caller).node
        argument = node.args[0] if getattr(node, "args", None) else None
        names += [getattr(argument, "id", ""), getattr(argument, "attr", "")]
        for scope in (caller.f_locals, caller.f_globals):
            names += [name for name, value in scope.items() if value is answer]
    names.append(getattr(answer, "__name__", ""))
    for name in names:
        if name in exercises:
            return name
    shown = answer if isinstance(answer, str) else names[0] or names[-1] or type(answer).__name__
    raise ValueError(
        f"no exercise is called {shown!r}; bind your answer to the exercise's name, or call "
        f"check(answer, name=...) with one of {', '.join(exercises)}"
    )


def _judge(answer: Any, name: str, seed: int | None, *, ours: bool) -> Report:
    """Judge an answer; ``ours`` lets the registry's wrong answers use what is forbidden."""
    if name not in exercises_by_name():
        raise ValueError(
            f"no exercise is called {name!r}; there are {', '.join(exercises_by_name())}"
        )
    assignment, exercise = exercises_by_name()[name]
    signature = inspect.signature(exercise.oracle)
    if not callable(answer):
        wanted = ("class", "class") if isinstance(exercise.oracle, type) else ("function", "def")
        return _nothing(
            exercise,
            "uncallable",
            f"`{name}` is {describe(plain(answer))}, not a {wanted[0]}; "
            f"define it with `{wanted[1]} {name}{_bare(signature)}:`",
        )
    wants_class = isinstance(exercise.oracle, type)
    if isinstance(answer, type) and not wants_class and "__new__" not in vars(answer):
        return _nothing(
            exercise,
            "uncallable",
            f"`{name}` is a class, and calling it makes an object; "
            f"define a function with `def {name}{_bare(signature)}:`",
        )
    watched = not (ours and any(answer is wrong.answer for wrong in exercise.misconceptions))
    with one_thread():
        with quiet():
            expected: list[Any] = list(reference_answers(assignment, exercise))
            drawn = draw_cases(exercise, seed) if seed is not None else []
            expected += [oracle_answer(exercise, case) for case in drawn]
        cases = [*exercise.cases, *drawn]
        outcomes, forbidden = _run(answer, exercise, cases, watched=watched)
        return judge(
            exercise,
            cases,
            outcomes,
            expected,
            forbidden,
            n_visible=len(exercise.cases),
            note=_signature_note(answer, exercise),
        )


def _bare(signature: inspect.Signature) -> str:
    """Return a signature without annotations, as a student writes it."""
    empty = inspect.Parameter.empty
    bare = [parameter.replace(annotation=empty) for parameter in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=empty))


def _signature_note(answer: Any, exercise: Exercise) -> str:
    """Return a sentence if the answer's arguments are not those that were fixed."""
    wanted = inspect.signature(exercise.oracle)
    try:
        found = inspect.signature(answer)
    except (TypeError, ValueError):
        return ""
    if any(parameter.kind.name.startswith("VAR_") for parameter in found.parameters.values()):
        return ""  # a decorated function takes what it is given
    forms = [
        [(parameter.name, parameter.default) for parameter in signature.parameters.values()]
        for signature in (found, wanted)
    ]
    if forms[0] == forms[1]:
        return ""
    return (
        f"The arguments are fixed: `{exercise.name}` takes {_bare(found)}, and has to take "
        f"{_bare(wanted)}."
    )


def draw_cases(exercise: Exercise, seed: int) -> list[Case]:
    """Return the cases that a seed draws; other exercises get other streams from it."""
    return exercise.draw(np.random.default_rng([seed, zlib.crc32(exercise.name.encode())]))


def _run(
    answer: Any, exercise: Exercise, cases: Sequence[Case], *, watched: bool
) -> tuple[list[Outcome], list[str]]:
    """Run every case; the first of each group, visible and drawn, is watched."""
    names = tuple(inspect.signature(exercise.oracle).parameters)
    watched = watched and exercise.forbidden is not NOTHING_FORBIDDEN
    outcomes: list[Outcome] = []
    seen: list[str] = []
    kinds: set[tuple[str, bool]] = set()
    for number, case in enumerate(cases):
        with contextlib.ExitStack() as stack:
            kind = (case.group, number < len(exercise.cases))
            calls: list[str] = []
            if watched and kind not in kinds:
                calls = stack.enter_context(watch(exercise.forbidden))
            kinds.add(kind)
            outcomes.append(run_case(answer, case, names, exercise.probe))
        seen += calls
    if not watched:
        return outcomes, []
    with quiet():
        named = read(answer, exercise.forbidden)
    return outcomes, named or seen


def judge(
    exercise: Exercise,
    cases: Sequence[Case],
    outcomes: Sequence[Outcome],
    expected: Sequence[Any],
    forbidden: Sequence[str] = (),
    *,
    n_visible: int,
    note: str = "",
) -> Report:
    """
    Return the verdict on what an answer did; the answer itself is not needed.

    Parameters
    ----------
    exercise : Exercise
        The exercise.
    cases, outcomes, expected : sequence
        The calls, what the answer did, and the oracle's results.
    forbidden : sequence of str
        Forbidden calls that were seen.
    n_visible : int
        How many cases are visible; the others were drawn.
    note : str
        A sentence about the answer's arguments, shown if something is wrong.
    """
    runs = list(zip(cases, outcomes, expected, strict=True))
    found = [difference(outcome, wanted, exercise.tolerances) for _, outcome, wanted in runs]
    results = tuple(
        _case_result(exercise, run, difference_, drawn=number >= n_visible)
        for number, (run, difference_) in enumerate(zip(runs, found, strict=True))
    )
    if all(result.code == "unstarted" for result in results):
        return _nothing(exercise, "unstarted", "Not started yet.")
    if forbidden:
        calls = ", ".join(f"`{call}`" for call in dict.fromkeys(forbidden))
        sentence = f"Your answer calls {calls}. {exercise.forbidden.sentence}"
        return _nothing(exercise, "forbidden", sentence, results)
    groups = _group_points(exercise, results)
    points = sum(earned for earned, _ in groups.values())
    first = next((n for n, result in enumerate(results) if not result.right), None)
    if first is None:
        return Report(exercise.name, points, exercise.points, "right", "", None, groups, results)
    misconception, group = explain(exercise, runs)
    lines = [f"{results[first].call}: {results[first].sentence}."]
    if note:
        lines.append(note)
    if results[first].code == "shape" and exercise.trace is not None:
        lines.append(exercise.trace(*cases[first].args, **cases[first].kwargs))
    if misconception is not None:
        lines.append(explain_misconception(misconception, group))
    return Report(
        exercise.name,
        points,
        exercise.points,
        results[first].code,
        "\n".join(lines),
        misconception.name if misconception else _fault(results),
        groups,
        results,
        comparison_picture(outcomes[first].value, expected[first]),
    )


def _fault(results: Sequence[CaseResult]) -> str | None:
    """Return the name of the one fault of form that explains every wrong result, if one does."""
    codes = {result.code for result in results if not result.right}
    if len(codes) > 1:
        codes.discard("accepted")  # who returns the wrong thing everywhere has not refused either
    return FAULTS.get(codes.pop()) if len(codes) == 1 else None


def _case_result(
    exercise: Exercise, run: tuple[Case, Outcome, Any], found: Difference | None, *, drawn: bool
) -> CaseResult:
    case = run[0]
    call = describe_call(exercise, case)
    if found is None:
        return CaseResult(case.group, call, drawn=drawn)
    return CaseResult(case.group, call, found.code, found.sentence, drawn)


def _group_points(
    exercise: Exercise, results: Sequence[CaseResult]
) -> dict[str, tuple[float, float]]:
    """Return (earned, to be had) by group; refusing earns only beside some right value."""
    right = {
        group: all(result.right for result in results if result.group == group)
        for group in exercise.groups
    }
    any_value = any(passed for group, passed in right.items() if group != REFUSALS)
    return {
        group: (float(points if right[group] and any_value else 0), float(points))
        for group, points in exercise.groups.items()
    }


def _nothing(
    exercise: Exercise, code: str, message: str, cases: tuple[CaseResult, ...] = ()
) -> Report:
    return Report(exercise.name, 0.0, float(exercise.points), code, message, cases=cases)


def describe_call(exercise: Exercise, case: Case) -> str:
    """Return the call of a case as a student would write it; tensors are told by their shape."""
    if case.told:
        return f"{exercise.name}, {case.told}"
    names = list(inspect.signature(exercise.oracle).parameters)
    tensors: list[str] = []

    def shown(name: str, value: Any) -> str:
        if isinstance(value, dict) and any(isinstance(part, Tensor) for part in value.values()):
            shapes = (f"{key} {tuple(part.shape)}" for key, part in value.items())
            tensors.append(f"{name} a dict of {', '.join(shapes)}")
            return name
        if not isinstance(value, Tensor | np.ndarray):
            return getattr(value, "__name__", None) or repr(value)
        dtype = str(value.dtype).removeprefix("torch.")
        gaps = isinstance(value, Tensor) and not value.is_contiguous()
        strided = ", not contiguous" if gaps else ""
        tensors.append(f"{name} of shape {tuple(value.shape)}, {dtype}{strided}")
        return name

    positional = [shown(name, value) for name, value in zip(names, case.args, strict=False)]
    keywords = [
        f"{name}={shown(name, value)}"
        for name, value in case.kwargs.items()
        if name in names  # others are for the probe
    ]
    call = f"{exercise.name}({', '.join(positional + keywords)})"
    return f"{call} with {'; '.join(tensors)}" if tensors else call
