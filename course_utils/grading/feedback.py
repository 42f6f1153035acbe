"""A page for each student, made from the verdict and from what people wrote, and nothing else."""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from course_utils.grading.autograded import answer_of, points_of, printable, writable
from course_utils.grading.by_hand import NOTHING_BY_HAND, ByHand, by_hand
from course_utils.grading.files import write_file
from course_utils.grading.gradebook import open_gradebook
from course_utils.grading.record import student_folder
from course_utils.grading.release import MasterCell, Release
from course_utils.grading.verdict import ExerciseVerdict, Verdict

HERE = Path(__file__).parent
MOST_SHOWN = 30_000  # characters of an answer: what is longer is no answer to read on a page
_CODE = re.compile(r"`([^`\n]+)`")
_POINTS = re.compile(r"\s*\([^()]*points?[^()]*\)\s*$")


@dataclass(frozen=True)
class Group:
    """The points of one group of cases."""

    name: str
    points: float
    max_points: float


@dataclass(frozen=True)
class Part:
    """One exercise on the page; ``points`` is None as long as a person has to give them."""

    grade_id: str
    name: str
    title: str
    points: float | None
    max_points: float
    changed_by_hand: bool
    groups: tuple[Group, ...]
    report: str
    noted: tuple[str, ...]
    comment: str
    answer: str
    is_text: bool

    @property
    def state(self) -> str:
        """All points, some, none, or none yet."""
        if self.points is None:
            return "waiting"
        if self.points >= self.max_points:
            return "full"
        return "part" if self.points > 0 else "none"


def write_feedback(root: Path, release: Release, verdicts: Iterable[Verdict]) -> Iterator[Path]:
    """
    Write the pages of a few students and yield their paths.

    Points and comments by hand come from the gradebook.
    """
    with open_gradebook(root) as book:
        given = by_hand(book, release.assignment)
    for verdict in verdicts:
        folder = student_folder(root, "feedback", verdict.student, release.assignment)
        path = folder / f"{release.assignment}.html"
        page = feedback_page(release, verdict, given.get(writable(verdict.student)))
        write_file(path, page.encode(), on_disk=False)
        yield path


def feedback_page(release: Release, verdict: Verdict, given: ByHand | None = None) -> str:
    """Return the page of a student as HTML that loads nothing and runs nothing."""
    given = given or NOTHING_BY_HAND
    parts = tuple(_parts(release, verdict, given))
    earned = sum(part.points for part in parts if part.points is not None)
    template, style, policy = _template()
    page: str = template.render(
        style=style,
        policy=policy,
        title=_heading(release, "title") or release.assignment,
        student=printable(verdict.student),
        parts=parts,
        points=max(earned - given.penalty, 0.0),
        max_points=sum(part.max_points for part in parts),
        n_waiting=sum(part.state == "waiting" for part in parts),
        penalty=given.penalty,
        problem=printable(verdict.problem),
        noted=_noted(verdict, ""),
        verdict=verdict,
    )
    return page


def _parts(release: Release, verdict: Verdict, given: ByHand) -> Iterator[Part]:
    exercises = {exercise.exercise: exercise for exercise in verdict.exercises}
    masters = {cell.exercise: cell for cell in release.cells if cell.kind == "solution"}
    for cell in release.cells:
        if cell.kind == "check":
            exercise = exercises.get(cell.exercise)
            yield _part(release, verdict, given, cell, masters[cell.exercise], exercise)
        elif cell.kind == "manual":
            yield _part(release, verdict, given, cell, cell, None)


def _part(
    release: Release,
    verdict: Verdict,
    given: ByHand,
    graded: MasterCell,
    solution: MasterCell,
    exercise: ExerciseVerdict | None,
) -> Part:
    answer = answer_of(verdict, solution)
    unanswered = answer == solution.source
    machine: float | None = points_of(graded, exercise) if graded.kind == "check" else None
    if graded.kind == "manual" and unanswered:
        machine = 0.0
    points = given.scores.get(graded.grade_id, machine)
    bonus = given.extra.get(graded.grade_id, 0.0)
    report = _report(exercise) if exercise else ""
    if graded.kind == "check" and not exercise:
        report = "This exercise was not judged."
    if graded.kind == "manual" and unanswered:
        report = "Not started yet."
    return Part(
        grade_id=solution.grade_id,
        name=solution.exercise,
        title=_heading(release, f"{solution.grade_id}-prompt") or solution.grade_id,
        points=None if points is None else points + bonus,
        max_points=graded.points,
        changed_by_hand=exercise is not None and points is not None and points + bonus != machine,
        groups=tuple(Group(name, *pair) for name, pair in exercise.groups.items())
        if exercise
        else (),
        report=report,
        noted=_noted(
            verdict, solution.exercise or solution.grade_id, exercise.code if exercise else ""
        ),
        comment=printable(given.comments.get(solution.grade_id, "")),
        answer="" if unanswered else _cut(printable(answer)),
        is_text=solution.cell_type != "code",
    )


def _report(exercise: ExerciseVerdict) -> str:
    """Return what was wrong, without the lines that the page says in its own way."""
    lines = exercise.text.splitlines()
    said = {f"{exercise.exercise}: {exercise.points:g} of {exercise.max_points:g} points"}
    for group, (points, most) in exercise.groups.items():
        said |= {f"  {mark} {group}: {points:g}/{most:g}" for mark in "✓✗"}
    return printable("\n".join(line for line in lines if line not in said)).strip()


def _noted(verdict: Verdict, of: str, code: str = "") -> tuple[str, ...]:
    """Return what was noted of an exercise, but for its own reason and what a grader is to do."""
    noted = (flag for flag in verdict.flags if flag.exercise == of and flag.code != code)
    return tuple(printable(flag.sentence.partition(": look ")[0]) for flag in noted)


def _heading(release: Release, grade_id: str) -> str:
    """Return the first heading of a text of the master, without its points."""
    for cell in release.cells:
        if cell.grade_id == grade_id and cell.source.startswith("#"):
            line = cell.source.partition("\n")[0]
            return _POINTS.sub("", line.lstrip("# ").replace("`", ""))
    return ""


def _cut(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}\n… (the rest is cut off here)"


def with_code(text: str) -> Markup:
    """Return text as HTML, with what stands between back-ticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


@cache
def _template() -> tuple[Any, str, str]:
    """Return the template, its style, and the policy that allows this style alone."""
    style = (HERE / "feedback.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["with_code"] = with_code
    return environment.get_template("feedback.html.jinja"), style, policy
