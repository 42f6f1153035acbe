"""``check`` and ``examine``: from an answer to a report."""

import inspect
import logging
import zlib
from collections.abc import Sequence
from dataclasses import replace
from types import FrameType
from typing import Any

import executing
import numpy as np
from torch import Tensor

from course_utils.checks.comparison import Difference, difference, shown
from course_utils.checks.diagnosis import Remembered, Run, explain
from course_utils.checks.exercise import REFUSALS, Case, Exercise
from course_utils.checks.faults import fault_of_form, last_fault
from course_utils.checks.observing import Form, Plan, form_of, read_answer, run_cases
from course_utils.checks.outcomes import Outcome, meaning, one_thread, quiet
from course_utils.checks.references import oracle_answer, reference_answers
from course_utils.checks.registry import exercises_by_name
from course_utils.checks.relations import relate
from course_utils.checks.report import (
    CaseResult,
    Report,
    comparison_picture,
    explain_misconception,
)

LOG = logging.getLogger(__name__)
LOG.addHandler(logging.NullHandler())  # nothing is written unless somebody listens


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
    form = form_of(answer)
    if report := judge_form(exercise, form):
        return report
    watched = not (ours and any(answer is wrong.answer for wrong in exercise.misconceptions))
    with one_thread():
        with quiet():
            expected: list[Any] = list(reference_answers(assignment, exercise))
            drawn = draw_cases(exercise, seed) if seed is not None else []
            expected += [oracle_answer(exercise, case) for case in drawn]
        plan = plan_of(exercise, drawn)
        outcomes, calls = zip(*run_cases(answer, plan, watched=watched), strict=True)
        seen = [call for some in calls for call in some]
        named = read_answer(answer, plan) if watched else []
        return judge(
            exercise,
            plan.cases,
            outcomes,
            expected,
            named or seen,
            n_visible=plan.n_visible,
            note=signature_note(exercise, form),
        )


def plan_of(exercise: Exercise, drawn: Sequence[Case]) -> Plan:
    """Return how answers to an exercise are run, on its visible cases and some drawn ones."""
    return Plan(
        (*exercise.cases, *drawn),
        tuple(inspect.signature(exercise.oracle).parameters),
        exercise.probe,
        exercise.forbidden,
        len(exercise.cases),
    )


def judge_form(exercise: Exercise, form: Form) -> Report | None:
    """Return the verdict on what cannot be called as the exercise wants it, or None."""
    name, bare = exercise.name, _bare(inspect.signature(exercise.oracle))
    wants_class = isinstance(exercise.oracle, type)
    if form.kind == "value":
        wanted = ("class", "class") if wants_class else ("function", "def")
        return nothing(
            exercise,
            "uncallable",
            f"`{name}` is {form.described}, not a {wanted[0]}; "
            f"define it with `{wanted[1]} {name}{bare}:`",
        )
    if form.kind == "class" and not wants_class:
        return nothing(
            exercise,
            "uncallable",
            f"`{name}` is a class, and calling it makes an object; "
            f"define a function with `def {name}{bare}:`",
        )
    return None


def _bare(signature: inspect.Signature) -> str:
    """Return a signature without annotations, as a student writes it."""
    empty = inspect.Parameter.empty
    bare = [parameter.replace(annotation=empty) for parameter in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=empty))


def signature_note(exercise: Exercise, form: Form) -> str:
    """Return a sentence if the answer's arguments are not those that were fixed."""
    wanted = inspect.signature(exercise.oracle)
    empty = inspect.Parameter.empty
    fixed = tuple(
        (one.name,) if one.default is empty else (one.name, one.default)
        for one in wanted.parameters.values()
    )
    if form.parameters is None or form.parameters == fixed:
        return ""
    found = ", ".join("=".join((name, *map(shown, rest))) for name, *rest in form.parameters)
    return (
        f"The arguments are fixed: `{exercise.name}` takes ({found}), and has to take "
        f"{_bare(wanted)}."
    )


def draw_cases(exercise: Exercise, seed: int) -> list[Case]:
    """Return the cases that a seed draws; other exercises get other streams from it."""
    return exercise.draw(np.random.default_rng([seed, zlib.crc32(exercise.name.encode())]))


def judge(
    exercise: Exercise,
    cases: Sequence[Case],
    outcomes: Sequence[Outcome],
    expected: Sequence[Any],
    forbidden: Sequence[str] = (),
    *,
    n_visible: int,
    note: str = "",
    remembered: Remembered | None = None,
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
    remembered : dict, optional
        What misconceptions did in the drawn cases, kept from answer to answer.
    """
    outcomes = [
        replace(outcome, value=meaning(exercise, case, outcome.value))
        for case, outcome in zip(cases, outcomes, strict=True)
    ]
    runs = list(zip(cases, outcomes, expected, strict=True))
    found = [difference(outcome, wanted, exercise.tolerances) for _, outcome, wanted in runs]
    results = tuple(
        _case_result(run, difference_, drawn=number >= n_visible)
        for number, (run, difference_) in enumerate(zip(runs, found, strict=True))
    )
    if all(result.code == "unstarted" for result in results):
        return nothing(exercise, "unstarted", "Not started yet.")
    if forbidden:
        return judge_forbidden(exercise, forbidden, results)
    groups = _group_points(exercise, results)
    points = sum(earned for earned, _ in groups.values())
    first = next((n for n, result in enumerate(results) if not result.right), None)
    if first is None:
        return Report(exercise.name, points, exercise.points, "right", "", None, groups, results)
    try:
        name, told = _name_mistake(exercise, runs, results, note, remembered)
    except Exception:  # the verdict stands without a name
        LOG.exception("no name was found for what is wrong with %s", exercise.name)
        name, told = None, ""
    lines = [f"{describe_call(exercise, cases[first])}: {results[first].sentence}."]
    if note:
        lines.append(note)
    if results[first].code == "shape" and exercise.trace is not None and first < n_visible:
        lines.append(exercise.trace(*cases[first].args, **cases[first].kwargs))
    if told:
        lines.append(told)
    return Report(
        exercise.name,
        points,
        exercise.points,
        results[first].code,
        "\n".join(lines),
        name,
        groups,
        results,
        comparison_picture(outcomes[first].value, expected[first]) if first < n_visible else "",
    )


def _name_mistake(
    exercise: Exercise,
    runs: Sequence[Run],
    results: Sequence[CaseResult],
    note: str,
    remembered: Remembered | None,
) -> tuple[str | None, str]:
    """Return the mistake's name, and what it says beside the first difference."""
    misconception, phrase = explain(exercise, runs, remembered)
    if misconception is not None:
        return misconception.name, explain_misconception(misconception, phrase)
    if name := fault_of_form(results):
        return name, ""
    relation = relate(exercise, runs, remembered)
    if relation is not None:
        return relation.name, relation.message
    return last_fault(runs, results, note)


def _case_result(
    run: tuple[Case, Outcome, Any], found: Difference | None, *, drawn: bool
) -> CaseResult:
    group = run[0].group
    if found is None:
        return CaseResult(group, drawn=drawn)
    told = found.fact if drawn and found.fact else found.sentence
    return CaseResult(group, found.code, told, drawn)


def _group_points(
    exercise: Exercise, results: Sequence[CaseResult]
) -> dict[str, tuple[float, float]]:
    """Return (earned, to be had) by group; restraint earns only beside some right value."""
    right = {
        group: all(result.right for result in results if result.group == group)
        for group in exercise.groups
    }
    restraints = {REFUSALS, *exercise.restraints}
    any_value = any(passed for group, passed in right.items() if group not in restraints)
    return {
        group: (float(points if right[group] and any_value else 0), float(points))
        for group, points in exercise.groups.items()
    }


def judge_forbidden(
    exercise: Exercise, calls: Sequence[str], cases: tuple[CaseResult, ...] = ()
) -> Report:
    """Return the report on an answer that calls what it has to write."""
    public = [call for call in calls if "." in call and "._C." not in call]  # as they are written
    shown_calls = ", ".join(f"`{call}`" for call in dict.fromkeys(public or calls))
    sentence = f"Your answer calls {shown_calls}. {exercise.forbidden.sentence}"
    return nothing(exercise, "forbidden", sentence, cases)


def nothing(
    exercise: Exercise, code: str, message: str, cases: tuple[CaseResult, ...] = ()
) -> Report:
    """Return a report of no points."""
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
