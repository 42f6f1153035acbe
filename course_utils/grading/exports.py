"""All grades as a CSV file, for a spreadsheet, Moodle or Canvas."""

import csv
import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment, Student, SubmittedAssignment

from course_utils.grading.autograded import printable
from course_utils.grading.files import write_file
from course_utils.grading.gradebook import open_gradebook
from course_utils.grading.stock import CourseError

FORMULA = tuple("=+-@\t\r")  # a spreadsheet may run a cell that begins so


@dataclass(frozen=True)
class Person:
    """A student as the gradebook knows them."""

    name: str
    first_name: str
    last_name: str
    email: str
    lms_user_id: str


@dataclass(frozen=True)
class Task:
    """An assignment as the gradebook knows it."""

    name: str
    max_score: float
    duedate: datetime | None


@dataclass(frozen=True)
class Score:
    """The points of one student for one assignment; ``waiting`` if a person has to give more."""

    raw: float
    penalty: float
    timestamp: datetime | None
    waiting: bool

    @property
    def points(self) -> float:
        """What counts."""
        return max(0.0, self.raw - self.penalty)


@dataclass(frozen=True)
class Grades:
    """All that is exported; a score is missing where nothing was handed in."""

    people: Sequence[Person]
    tasks: Sequence[Task]
    scores: Mapping[tuple[str, str], Score]
    canvas_ids: Mapping[str, str]


def export_grades(
    root: Path,
    path: Path,
    kind: str = "nbgrader",
    assignments: Collection[str] = (),
    canvas_ids: Mapping[str, str] | None = None,
) -> int:
    """
    Write all grades to a CSV file; return how many submissions still wait for a person.

    Parameters
    ----------
    root : Path
        The course's folder.
    path : Path
        The file to write.
    kind : str
        "nbgrader" (a row for each student and assignment), "moodle" or "canvas" (a row for each
        student, which these systems import).
    assignments : collection of str
        Their names; all of them if left out.
    canvas_ids : mapping of str to str, optional
        The number of an assignment in Canvas, by name; Canvas asks which one is meant without it.

    Raises
    ------
    CourseError
        If there is no such kind, or nothing is in the gradebook.
    """
    if kind not in KINDS:
        raise CourseError(f"grades can be exported as {', '.join(KINDS)}, not as {kind!r}")
    with open_gradebook(root) as book:
        grades = _grades(book, assignments, canvas_ids or {})
    if not grades.people or not grades.tasks:
        raise CourseError("nothing is graded yet; run course grade ASSIGNMENT")
    text = io.StringIO()
    csv.writer(text).writerows([[_cell(value) for value in row] for row in KINDS[kind](grades)])
    write_file(path, text.getvalue().encode())
    return sum(score.waiting for score in grades.scores.values())


def _grades(book: Any, assignments: Collection[str], canvas_ids: Mapping[str, str]) -> Grades:
    people = [
        Person(*(value or "" for value in row))
        for row in book.db.query(
            Student.id, Student.first_name, Student.last_name, Student.email, Student.lms_user_id
        ).order_by(Student.id)
    ]
    tasks = [
        Task(*row)
        for row in book.db.query(
            Assignment.name, Assignment.max_score, Assignment.duedate
        ).order_by(Assignment.name)
        if not assignments or row.name in assignments
    ]
    rows = book.db.query(
        SubmittedAssignment.student_id,
        Assignment.name,
        SubmittedAssignment.score,
        SubmittedAssignment.late_submission_penalty,
        SubmittedAssignment.timestamp,
        SubmittedAssignment.needs_manual_grade,
    ).join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
    names = {task.name for task in tasks}
    scores = {(who, name): Score(*rest) for who, name, *rest in rows if name in names}
    return Grades(people, tasks, scores, canvas_ids)


def _nbgrader(grades: Grades) -> list[list[Any]]:
    """Return the table that ``nbgrader export`` writes."""
    head = ["assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"]
    rows: list[list[Any]] = [[*head, "raw_score", "late_submission_penalty", "score", "max_score"]]
    nothing = Score(0.0, 0.0, None, False)
    for task in grades.tasks:
        for person in grades.people:
            score = grades.scores.get((person.name, task.name), nothing)
            who = [person.name, person.last_name, person.first_name, person.email]
            points = [float(score.raw), float(score.penalty), float(score.points)]
            rows.append(
                [task.name, task.duedate, score.timestamp, *who, *points, float(task.max_score)]
            )
    return rows


def _moodle(grades: Grades) -> list[list[Any]]:
    """Return a table for Moodle's grade import, which asks for the column that names people."""
    names = [task.name for task in grades.tasks]
    rows: list[list[Any]] = [["Username", "Email address", "First name", "Last name", *names]]
    for person in grades.people:
        who = [person.name, person.email, person.first_name, person.last_name]
        rows.append([*who, *_points(grades, person)])
    return rows


def _canvas(grades: Grades) -> list[list[Any]]:
    """Return a table for Canvas's gradebook; it tells people by their ID or SIS Login ID."""
    names = [
        f"{task.name} ({grades.canvas_ids[task.name]})"
        if task.name in grades.canvas_ids
        else task.name
        for task in grades.tasks
    ]
    rows: list[list[Any]] = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *names]]
    rows.append(
        ["    Points Possible", "", "", "", "", *(_short(t.max_score) for t in grades.tasks)]
    )
    for person in grades.people:
        full = ", ".join(part for part in (person.last_name, person.first_name) if part)
        who = [full or person.name, person.lms_user_id, "", person.name, ""]
        rows.append([*who, *_points(grades, person)])
    return rows


def _points(grades: Grades, person: Person) -> list[str]:
    """Return the points of a student; where nothing was handed in, nothing is overwritten."""
    scores = (grades.scores.get((person.name, task.name)) for task in grades.tasks)
    return ["" if score is None else _short(score.points) for score in scores]


def _short(points: float) -> str:
    return f"{round(points, 4):g}"


def _cell(value: Any) -> str:
    """Return a cell that a spreadsheet shows, and does not run."""
    if value is None:
        return ""
    text = printable(str(value))
    is_formula = isinstance(value, str) and text.startswith(FORMULA)
    line = text.replace("\n", " ").replace("\t", " ")
    return f"'{line}" if is_formula else line


KINDS: Mapping[str, Callable[[Grades], list[list[Any]]]] = {
    "nbgrader": _nbgrader,
    "moodle": _moodle,
    "canvas": _canvas,
}
