"""From what was handed in to a verdict: a pure function of the submission, the release, the seed.

The student's process gives what its answer did; points, messages and misconceptions are found here,
where it cannot reach.
"""

import ast
import logging
import marshal
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from course_utils.checks import checking
from course_utils.checks.exercise import Case, Exercise
from course_utils.checks.observing import Form, Parameters, Plan
from course_utils.checks.outcomes import Failure, Foreign, Outcome, escaped, one_thread, quiet
from course_utils.checks.reading import read_source
from course_utils.checks.references import oracle_answer, reference_answers
from course_utils.checks.registry import exercises_by_name
from course_utils.checks.report import Report
from course_utils.grading import wire
from course_utils.grading.definitions import python_of
from course_utils.grading.intake import AnswerSheet, Handed, recover
from course_utils.grading.limits import CPU_SECONDS
from course_utils.grading.pictures import plain_png
from course_utils.grading.planning import (
    PlannedCell,
    bind_apart,
    definitions_only,
    leaves_out,
    plan_cells,
    shadows,
    without_effects,
)
from course_utils.grading.reaching import reaches
from course_utils.grading.release import Release
from course_utils.grading.sandbox import Sandbox, SandboxError, Sent, imports_of, source_of
from course_utils.grading.verdict import ExerciseVerdict, Flag, Verdict

LOG = logging.getLogger(__name__)
LOG.addHandler(logging.NullHandler())  # nothing is written unless somebody listens
TRIES = 4  # of one exercise, each without a cell that ended the one before
MOST_PARAMETERS = 50
REMEMBERED = 100  # judged results of an exercise
MOST_REMEMBERED = 1 << 20  # bytes of one
ENDS = {
    "timeout": f"it took longer than {CPU_SECONDS} seconds of processor time",
    "idle": "it waited for something that never came, and was stopped",
    "killed": "the process ended (out of memory, endless recursion or its own doing)",
    "memory": "it took more than 2 GB of memory, all its processes and files together",
    "processes": "it started too many processes",
    "flood": "it gave back more than 64 MB",
    "garbled": "what came back of it cannot be read",
}


# --- what is the same for every submission ----------------------------------------------------


@dataclass(frozen=True)
class Paper:
    """
    An exercise with the cases of one seed: how it is run, and what is expected.

    ``order`` has the numbers of the cases as they are run: which is to be refused could be told
    from the place of a drawn one.
    """

    exercise: Exercise
    plan: Plan
    expected: tuple[Any, ...]
    order: tuple[int, ...]
    packed: bytes
    remembered: dict[tuple[str, int], Any] = field(default_factory=dict)
    judged: "dict[tuple[Any, ...], tuple[Report, Seen]]" = field(default_factory=dict)


@lru_cache(maxsize=256)
def paper_of(assignment: str, name: str, seed: int, present: tuple[str, ...]) -> Paper:
    """Return the paper of an exercise; ``present`` are the modules that the sandbox has."""
    _, exercise = exercises_by_name()[name]
    with one_thread(), quiet():
        drawn = checking.draw_cases(exercise, seed)
        expected = [*reference_answers(assignment, exercise)]
        expected += [oracle_answer(exercise, case) for case in drawn]
    plan = checking.plan_of(exercise, drawn)
    order = _order(plan, seed)
    probe = None
    modules: dict[str, bytes] = {}
    if plan.probe is not None:
        probe = [plan.probe.__module__, plan.probe.__qualname__]
        for module in imports_of(plan.probe.__module__):
            if module not in present:
                code = compile(source_of(module), "<frozen scenes>", "exec")
                modules[module] = marshal.dumps(code)
    forbidden = plan.forbidden
    content = {
        "modules": modules,
        "name": name,
        "probe": probe,
        "forbidden": [
            forbidden.sentence,
            forbidden.operators,
            sorted(forbidden.names),
            sorted(forbidden.allowed),
        ],
        "names": list(plan.names),
        "n_visible": plan.n_visible,
        "cases": wire.pack([_call_of(plan, number) for number in order]),
    }
    return Paper(exercise, plan, tuple(expected), order, wire.pack(content))


def papers_of(release: Release, seed: int, sandbox: Sandbox) -> dict[str, Paper]:
    """Return the papers of all exercises by the ids of their check cells, in order."""
    return {
        cell.grade_id: paper_of(release.assignment, cell.exercise, seed, sandbox.modules)
        for cell in release.cells
        if cell.kind == "check" and cell.exercise
    }


def _order(plan: Plan, seed: int) -> tuple[int, ...]:
    """Return the cases' numbers: the visible ones, the first drawn one, the others shuffled."""
    numbers = range(len(plan.cases))
    fixed, others = numbers[: plan.n_visible + 1], numbers[plan.n_visible + 1 :]
    shuffled = np.random.default_rng([seed, len(numbers)]).permutation(others)
    return (*fixed, *shuffled.tolist())


def _call_of(plan: Plan, number: int) -> Case:
    """Return what an answer may see of a case: of a drawn one not whether it is to be refused."""
    case = plan.cases[number]
    return Case(case.group if number < plan.n_visible else "", case.args, case.kwargs)


def sandbox_for(
    release: Release, walled: bool | None = None, cpu_seconds: int = CPU_SECONDS
) -> Sandbox:
    """Return a sandbox with what the release's own cells import."""
    ours: list[str] = []
    preload: list[str] = []
    for cell in release.cells:
        if cell.kind == "setup":
            for name in _imported(cell.source):
                (ours if name.startswith("course_utils") else preload).append(name)
    if "optim" in release.text:
        preload.append("torch._dynamo")  # the first optimizer loads it, which takes a second
    return Sandbox(dict.fromkeys(ours), dict.fromkeys(preload), walled, cpu_seconds)


def _imported(source: str) -> list[str]:
    """Return the modules that a cell of the master imports, but for the checks."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "course_utils":
            names += [f"course_utils.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
    return [name for name in names if name != "course_utils.checks"]


# --- one submission ---------------------------------------------------------------------------


def grade_one(
    content: bytes,
    student: str,
    release: Release,
    seed: int,
    sandbox: Sandbox,
    version: str = "",
) -> Verdict:
    """Return the verdict on the bytes of a notebook."""
    sheet = recover(Handed(student, release.assignment, content), release)
    return judge_sheet(sheet, release, seed, sandbox, version)


def judge_sheet(
    sheet: AnswerSheet, release: Release, seed: int, sandbox: Sandbox, version: str = ""
) -> Verdict:
    """Return the verdict on what was found in a submission."""
    flags = list(sheet.flags)
    verdicts = []
    for grade_id, paper in papers_of(release, seed, sandbox).items():
        try:
            verdict, found = _judge_exercise(sheet, release, paper, sandbox)
        except SandboxError:
            raise
        except Exception as error:  # an exercise costs no other one
            verdict, found = _unjudged(paper.exercise, grade_id, error)
        verdicts.append(verdict)
        flags += found
    return Verdict(
        sheet.student,
        sheet.assignment,
        seed,
        sheet.source,
        release.digest,
        version,
        sandbox.kind,
        tuple(verdicts),
        {grade_id: found.source for grade_id, found in sheet.solutions.items()},
        tuple(flags),
        sheet.problem,
        _pictures(sheet, release),
    )


def _pictures(sheet: AnswerSheet, release: Release) -> dict[str, str]:
    """Return what the cells that a person grades have shown."""
    by_hand = (cell.grade_id for cell in release.cells if cell.kind == "manual")
    found = {grade_id: plain_png(sheet.solutions[grade_id].picture) for grade_id in by_hand}
    return {grade_id: picture for grade_id, picture in found.items() if picture}


def _unjudged(
    exercise: Exercise, grade_id: str, error: Exception
) -> tuple[ExerciseVerdict, list[Flag]]:
    """Return what is said where the grader itself fails: no points yet, and a person is told."""
    LOG.exception("the answer to %s could not be judged", exercise.name)
    report = checking.nothing(exercise, "unjudged", "The grader failed here; a person will look.")
    sentence = (
        f"{exercise.name}: the grader failed on this answer ({type(error).__name__}): "
        "grade it by hand, and report the error"
    )
    return _verdict(report, grade_id), [Flag("unjudged", exercise.name, sentence)]


def _judge_exercise(
    sheet: AnswerSheet, release: Release, paper: Paper, sandbox: Sandbox
) -> tuple[ExerciseVerdict, list[Flag]]:
    """Return the verdict on one exercise, and what a person should look at."""
    name = paper.exercise.name
    own_id = next(
        cell.grade_id for cell in release.cells if cell.kind == "solution" and cell.exercise == name
    )
    found = sheet.solutions.get(own_id)
    if sheet.problem or found is None or not found.source.strip():
        reason = sheet.problem or f"no cell of the notebook defines `{name}`"
        report = checking.nothing(paper.exercise, "missing", f"Nothing to grade: {reason}.")
        return _verdict(report, f"{own_id}-check"), []
    setup = [cell.source for cell in release.cells if cell.kind == "setup"]
    others = [source for grade_id, source in sheet.order if grade_id != own_id]
    others = [source for source in others if source != found.source]
    cells = plan_cells(setup, others, found.source)
    report, seen = _try(paper, cells, sandbox)
    if report.code != "right" and (
        (leaves_out(cells, others) and _misses_a_name(seen)) or shadows(cells, others)
    ):
        cells = plan_cells(setup, others, found.source, whole=True)
        again, seen_again = _try(paper, cells, sandbox)
        if again.points > report.points:
            report, seen = again, seen_again
    named = _read_outside(setup, sheet, others, found.source, paper.exercise)
    if named and report.code not in ("forbidden", "unstarted", "undefined", "uncallable"):
        report = checking.judge_forbidden(paper.exercise, named)
    flags = []
    if reached := reaches(cell.source for cell in cells if not cell.ours):
        sentence = (
            f"{name}: its code names {', '.join(reached)}: look whether it only does its task"
        )
        flags.append(Flag("reaches", name, sentence))
    if seen.end != "done" or report.code == "forbidden":
        first = (report.message or f"it is right, but {ENDS.get(seen.end, '')}").splitlines()[0]
        flags.append(Flag(report.code, name, f"{name}: {first}"))
    return _verdict(report, f"{own_id}-check", _smallest(report)), flags


def _read_outside(
    setup: Sequence[str], sheet: AnswerSheet, others: Sequence[str], own: str, exercise: Exercise
) -> list[str]:
    """
    Return forbidden functions that the text names: the process may have hidden them.

    The answer's own cell is read last. Where no name is bound in two cells the order does not
    matter, and the notebook is read once for all of its answers.
    """
    in_order = [source for _, source in sheet.order]
    together = own in in_order and bind_apart([*setup[:1], *in_order])
    cells = in_order if together else [*others, own]
    return read_source(
        [python_of(source) for source in (*setup[:1], *cells)], exercise.name, exercise.forbidden
    )


def _verdict(report: Report, grade_id: str, more: str = "") -> ExerciseVerdict:
    return ExerciseVerdict(
        report.name,
        grade_id,
        report.points,
        report.max_points,
        report.code,
        f"{report.text()}{more}",
        report.misconception,
        dict(report.groups or {}),
    )


def _smallest(report: Report) -> str:
    """Return a line on drawn inputs, where the visible ones are all right."""
    wrong = [case for case in report.cases if not case.right]
    if report.code == "right" or not wrong or not all(case.drawn for case in wrong):
        return ""
    return (
        "\nThe inputs that you see are all right; this is one of the inputs of the same kinds that "
        "were drawn for grading."
    )


# --- one run ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """What a sandbox sent of one run, read with care."""

    end: str
    cells: tuple[Failure | None, ...] = ()
    form: Form | None = None
    outcomes: tuple[Outcome, ...] = ()
    calls: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


def _try(paper: Paper, cells: Sequence[PlannedCell], sandbox: Sandbox) -> tuple[Report, Seen]:
    """
    Run cells and judge; return the best of a few tries.

    A cell that ends the run, or the answer's own if that ends while it is called, is cut down to
    its definitions for the next try: what else it does may be what ends it. So is one that was
    stopped when it had taken all memory, which leaves none to the answer. If all is not right,
    the last try is without what cells do beside: a setting, a patch or a thread that is left
    behind is no part of the answer.
    """
    cells = list(cells)
    tries = []
    for _ in range(TRIES):
        report, seen = _judged(paper, cells, _run(paper, cells, sandbox))
        tries.append((report, seen))
        at = _harmful(seen) if seen.end == "done" else min(len(seen.cells), len(cells) - 1)
        if at is None or report.code == "right":
            break
        cut = definitions_only(cells[at].source)
        if cells[at].ours or cut == cells[at].source:
            break
        cells[at] = PlannedCell(cells[at].label, cut)
    report, seen = tries[-1]
    if report.code not in ("right", "unstarted") and not any(seen.cells):  # none was stopped
        alone = without_effects(cells, paper.exercise.name)
        if alone != cells:
            tries.append(_judged(paper, alone, _run(paper, alone, sandbox)))
    return max(tries, key=lambda one: (one[0].points, len(one[1].outcomes), len(one[1].cells)))


def _harmful(seen: Seen) -> int | None:
    """Return which cell has taken all memory, if one has."""
    stopped = (n for n, one in enumerate(seen.cells) if one and "MemoryError" in one.type_names)
    return next(stopped, None)


def _judged(paper: Paper, cells: Sequence[PlannedCell], sent: Sent) -> tuple[Report, Seen]:
    """Return the report on what was sent, and that as it was read; the same bytes get the same."""
    key = sent.digest, sent.end, *(cell.label for cell in cells)
    if key not in paper.judged:
        seen = read_sent(sent, paper.plan, len(cells))
        found = _report(paper, cells, seen), seen
        if len(sent.content) > MOST_REMEMBERED:
            return found
        while len(paper.judged) >= REMEMBERED:
            del paper.judged[next(iter(paper.judged))]
        paper.judged[key] = found
    return paper.judged[key]


def _run(paper: Paper, cells: Sequence[PlannedCell], sandbox: Sandbox) -> Sent:
    chosen = [[cell.label, cell.source] for cell in cells]
    sent = sandbox.run(paper.packed, chosen)
    if sent.end == "killed" and not sent.content:  # the worker itself is gone: once more
        sent = sandbox.run(paper.packed, chosen)
    return sent


def read_sent(sent: Sent, plan: Plan, n_cells: int) -> Seen:
    """Return what was sent in the form that it must have; the rest is not believed."""
    cells: list[Failure | None] = []
    outcomes: list[Outcome] = []
    calls: list[str] = []
    named: list[str] = []
    form: Form | None = None
    values, whole = sent.values()
    end, ended = sent.end, False
    if end == "done" and not whole:
        end = "garbled"
    for value in values:
        match value:
            case ("cell", int(n), (None | Failure()) as failure) if n == len(cells) < n_cells:
                cells.append(failure)
            case ("form", str(kind), str(described), parameters) if form is None:
                form = Form(kind, escaped(described[:200]), _parameters(parameters))
            case ("case", Outcome() as outcome, list(some)) if len(outcomes) < len(plan.cases):
                outcomes.append(outcome)
                calls += _texts(some)
            case ("read", list(some)):
                named += _texts(some)
            case ("end",):
                ended = True
            case _:
                end = "garbled" if end == "done" else end
                break
    called = form is not None and form.kind != "value"
    if end == "done" and not (ended and len(outcomes) == called * len(plan.cases)):
        end = "killed"  # by its own doing, with whatever status
    return Seen(end, tuple(cells), form, tuple(outcomes), tuple(calls), tuple(named))


def _texts(values: list[Any]) -> list[str]:
    return [escaped(value[:200]) for value in values[:100] if type(value) is str]


def _parameters(value: Any) -> Parameters | None:
    """Return parameters as an observer writes them, or None for anything else."""
    if type(value) is not tuple or len(value) > MOST_PARAMETERS:
        return None
    return value if all(map(_is_parameter, value)) else None


def _is_parameter(value: Any) -> bool:
    """Return whether a value is a name, or a name and a simple default, all of them short."""
    match value:
        case (str(name), *rest) if type(value) is tuple and name.isidentifier() and len(rest) < 2:
            simple = (type(None), bool, int, float, str, Foreign)
            return len(name) < 100 and all(type(one) in simple for one in rest)
    return False


def _report(paper: Paper, cells: Sequence[PlannedCell], seen: Seen) -> Report:
    """Return the report on what was seen."""
    exercise, plan = paper.exercise, paper.plan
    if seen.form is None:
        return _without_answer(exercise, cells, seen)
    if report := checking.judge_form(exercise, seen.form):
        return report
    end = seen.end if seen.end in ENDS else "garbled"
    missing = Outcome(Failure((end.capitalize(),), ENDS[end], ""))
    outcomes = [missing] * len(plan.cases)
    for number, outcome in zip(paper.order, seen.outcomes, strict=False):
        outcomes[number] = outcome
    with one_thread(), quiet():
        report = checking.judge(
            exercise,
            plan.cases,
            outcomes,
            paper.expected,
            seen.named or seen.calls,
            n_visible=plan.n_visible,
            note=checking.signature_note(exercise, seen.form),
            remembered=paper.remembered,
        )
    wrong = [n for n, case in enumerate(report.cases) if not case.right]
    if wrong and all(outcomes[n] is missing for n in wrong):
        return replace(report, code=end)
    return report


def _without_answer(exercise: Exercise, cells: Sequence[PlannedCell], seen: Seen) -> Report:
    """Return the report on a notebook in which the answer's name never came to be."""
    if seen.end != "done":
        at = min(len(seen.cells), len(cells) - 1)
        message = (
            f"The cell did not end: {ENDS[seen.end]}."
            if at == len(cells) - 1
            else (f"A cell before it ({cells[at].label}) did not end: {ENDS[seen.end]}.")
        )
        return checking.nothing(exercise, seen.end, message)
    failure = seen.cells[-1] if seen.cells else None
    why = f": its cell stopped with {failure}" if failure else ""
    if failure and failure.unstarted:
        return checking.nothing(exercise, "unstarted", "Not started yet.")
    return checking.nothing(exercise, "undefined", f"`{exercise.name}` is not defined{why}.")


def _misses_a_name(seen: Seen) -> bool:
    """Return whether a name was not found: a cell that was left out may define it."""
    failures = [one for one in seen.cells if one]
    failures += [one.value for one in seen.outcomes if isinstance(one.value, Failure)]
    return seen.form is None or any("NameError" in one.type_names for one in failures)
