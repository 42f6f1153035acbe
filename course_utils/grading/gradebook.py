"""nbgrader's gradebook: one writer, which leaves the rows that nbgrader's own autograder leaves."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader import api
from nbgrader.preprocessors import AssignLatePenalties, SaveCells
from sqlalchemy import Connection, Table, insert, inspect, or_, select, text, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from course_utils.grading.autograded import answer_of, literal, points_of, writable
from course_utils.grading.release import MasterCell, Release
from course_utils.grading.stock import CourseError
from course_utils.grading.verdict import Verdict

NO_RESPONSE = "No response."  # nbgrader's words for an answer that is still the stub


@dataclass(frozen=True)
class Submission:
    """
    What is written of one submission.

    ``shown`` holds what a person saw of the answers that are graded by hand, by grade id; None if
    that is not known. ``timestamp`` is when it was handed in, in UTC.
    """

    verdict: Verdict
    shown: Mapping[str, str] | None = None
    timestamp: datetime | None = None


@dataclass(frozen=True)
class GradeRow:
    """A row of nbgrader's table of grades."""

    auto_score: float | None = None
    manual_score: float | None = None
    extra_credit: float | None = None
    needs_manual_grade: bool = True


@dataclass(frozen=True)
class CommentRow:
    """A row of nbgrader's table of comments."""

    auto_comment: str | None = None
    manual_comment: str | None = None


def course_config(root: Path) -> Config:
    """Return what nbgrader_config.py says."""
    return PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()


def gradebook_url(root: Path, address: str) -> str:
    """Return the gradebook's address; a relative file lies in the course's folder."""
    url = make_url(address)
    name = url.database
    if url.get_backend_name() == "sqlite" and name and not name.startswith(("file:", ":")):
        url = url.set(database=str(root / name))
    return url.render_as_string(hide_password=False)


@contextmanager
def open_gradebook(root: Path, url: str = "") -> Iterator[Any]:
    """
    Yield nbgrader's gradebook, made if it is not there; ``url`` if it is not the course's own.

    Raises
    ------
    CourseError
        If it cannot be opened, read or written; what was not written is as it was.
    """
    config = course_config(root)
    own = config.CourseDirectory.get("db_url", "sqlite:///gradebook.db")
    url = gradebook_url(root, url or own)
    with _in_a_sentence(make_url(url)):
        book = api.Gradebook(url, config.CourseDirectory.get("course_id", "default_course"))
        try:
            _finish(book)
            yield book
        finally:
            book.close()


def _finish(book: Any) -> None:
    """Note the version of a gradebook that a killed process had begun to make; nbgrader would not."""
    with book.engine.begin() as connection:
        if not inspect(connection).has_table("alembic_version"):
            connection.execute(
                text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            )
        if connection.execute(text("SELECT version_num FROM alembic_version")).first() is None:
            version = {"version": api.get_alembic_version()}
            connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), version)


@contextmanager
def _in_a_sentence(url: URL) -> Iterator[None]:
    is_file = url.get_backend_name() == "sqlite"
    shown = url.database if is_file else url.render_as_string()  # which leaves the password out
    try:
        yield
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise CourseError(
            f"the gradebook is {shown}, and this Python cannot speak with it ({error}): run "
            'pip install "psycopg[binary]", and begin the URL with postgresql+psycopg://'
        ) from None
    except DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise CourseError(
            f"the gradebook {shown} cannot be used ({reason}): what was graded is kept there and in "
            "the folder grading; mend this and run it again"
        ) from error


class GradebookWriter:
    """Writes the verdicts on one assignment into an open gradebook."""

    def __init__(self, book: Any, release: Release, config: Config) -> None:
        self._engine, self._release, self._config = book.engine, release, config
        keep_assignment(book, release)
        with self._engine.connect() as connection:
            self._assignment, self._notebook = connection.execute(
                select(api.Assignment.id, api.Notebook.id)
                .join(api.Notebook, api.Notebook.assignment_id == api.Assignment.id)
                .where(api.Assignment.name == release.assignment)
                .where(api.Notebook.name == release.assignment)
            ).one()
            self._cells = {
                (type_, name): id_
                for id_, name, type_ in connection.execute(
                    select(api.BaseCell.id, api.BaseCell.name, api.BaseCell.type).where(
                        api.BaseCell.notebook_id == self._notebook
                    )
                )
            }

    def write(self, submissions: Iterable[Submission]) -> None:
        """Write verdicts in one transaction; what holds already is left alone."""
        with self._engine.begin() as connection:
            due = select(api.Assignment.duedate).where(api.Assignment.id == self._assignment)
            may_be_late = connection.execute(due).scalar_one() is not None
            written = [self._write(connection, submission) for submission in submissions]
            for assignment, notebook in written:
                penalty = self._penalty(connection, assignment, notebook) if may_be_late else None
                _update(
                    connection, api.SubmittedNotebook, notebook, late_submission_penalty=penalty
                )

    def _write(self, connection: Connection, submission: Submission) -> tuple[str, str]:
        """Write one verdict, and return the ids of the submission and of its notebook."""
        verdict = submission.verdict
        student = writable(verdict.student)
        _row(connection, api.Student, {"id": student})
        assignment = _row(
            connection,
            api.SubmittedAssignment,
            {"assignment_id": self._assignment, "student_id": student},
        )
        if submission.timestamp:
            _update(connection, api.SubmittedAssignment, assignment, timestamp=submission.timestamp)
        notebook = _row(
            connection,
            api.SubmittedNotebook,
            {"assignment_id": assignment, "notebook_id": self._notebook},
        )
        changed = self._write_rows(connection, notebook, submission)
        if changed and (verdict.flags or verdict.problem):
            _update(connection, api.SubmittedNotebook, notebook, flagged=True)
        return assignment, notebook

    def _write_rows(self, connection: Connection, notebook: str, submission: Submission) -> bool:
        """Write grades and comments, and return whether something was new."""
        grades = _rows(connection, api.Grade, GradeRow, notebook)
        comments = _rows(connection, api.Comment, CommentRow, notebook)
        new_grades, new_comments = {}, {}
        for master in self._release.cells:
            changed = changed_answer(submission, master)
            grade_cell = self._cells.get(("GradeCell", master.grade_id), "")
            solution_cell = self._cells.get(("SolutionCell", master.grade_id), "")
            old_grade = grades.get(grade_cell)
            if grade_cell:
                new_grades[grade_cell] = grade_row(submission.verdict, master, old_grade, changed)
            if solution_cell:
                new_comments[solution_cell] = comment_row(
                    submission.verdict, master, comments.get(solution_cell), old_grade, changed
                )
        some_grade = _store(connection, api.Grade, notebook, grades, new_grades)
        some_comment = _store(connection, api.Comment, notebook, comments, new_comments)
        return some_grade or some_comment

    def _penalty(self, connection: Connection, assignment: str, notebook: str) -> float | None:
        """Return the points to take off for handing in late, as nbgrader's settings say."""
        with Session(connection) as session:
            submission = session.get_one(api.SubmittedAssignment, assignment)
            score: float = session.get_one(api.SubmittedNotebook, notebook).score
            seconds = submission.total_seconds_late
            if not seconds:
                return None
            step = AssignLatePenalties(config=self._config)
            step.init_plugin()
            penalty = step.plugin_inst.late_submission_penalty(
                submission.student_id, score, seconds
            )
        return None if penalty is None else min(max(penalty, 0.0), score)


def keep_assignment(book: Any, release: Release) -> None:
    """
    Put the assignment into the gradebook, as nbgrader does when it generates it.

    Raises
    ------
    CourseError
        If the gradebook holds submissions of an assignment with other cells.
    """
    name = release.assignment
    try:
        notebook = book.find_notebook(name, name)
        known = {cell.name: cell.max_score for cell in notebook.grade_cells}
        known_sources = {cell.name: cell.source for cell in notebook.source_cells}
    except api.MissingEntry:
        known, known_sources = None, {}
    finally:
        book.db.rollback()
    if known == _points(release) and known_sources == _sources(release):
        return
    book.update_or_create_assignment(name)
    resources = {
        "nbgrader": {"notebook": name, "assignment": name, "db_url": _address(book.engine)}
    }
    try:
        SaveCells().preprocess(release.notebook(), resources)
    except RuntimeError:
        raise CourseError(
            f"the gradebook holds submissions of {name} with other cells than the release has: "
            "go back to that release, or move gradebook.db away and grade everything again"
        ) from None


def changed_answer(submission: Submission, master: MasterCell) -> bool | None:
    """Return whether an answer graded by hand is another than a person saw; None if not known."""
    if master.kind != "manual" or submission.shown is None:
        return None
    return submission.shown.get(master.grade_id) != answer_of(submission.verdict, master)


def grade_row(
    verdict: Verdict, master: MasterCell, old: GradeRow | None, changed: bool | None
) -> GradeRow:
    """
    Return the grade of a cell.

    What a person gave stays, and is to be looked at again if the machine's points are new; but
    points for another answer are not points for this one.
    """
    auto_score = _auto_score(verdict, master)
    if old is None or changed:
        return GradeRow(auto_score, needs_manual_grade=auto_score is None)
    if old.auto_score == auto_score and (changed is False or master.kind == "check"):
        return old
    by_hand = old.manual_score is not None or auto_score is None
    return replace(old, auto_score=auto_score, needs_manual_grade=by_hand)


def comment_row(
    verdict: Verdict,
    master: MasterCell,
    old: CommentRow | None,
    old_grade: GradeRow | None,
    changed: bool | None,
) -> CommentRow:
    """Return the comment on a solution cell: the reason, or what was said of an older answer."""
    old = old or CommentRow()
    if master.kind != "manual":
        return replace(old, auto_comment=_reason(verdict, master))
    if changed and (old.manual_comment or (old_grade and old_grade.manual_score is not None)):
        return CommentRow(_outdated(old, old_grade))
    if _auto_score(verdict, master) == 0:
        return replace(old, auto_comment=NO_RESPONSE)
    return replace(old, auto_comment=None) if old.auto_comment == NO_RESPONSE else old


def _auto_score(verdict: Verdict, master: MasterCell) -> float | None:
    """Return the machine's points: none of them for an answer by hand, unless it is the stub."""
    if master.kind == "manual":
        return 0.0 if answer_of(verdict, master) == master.source else None
    found = [part for part in verdict.exercises if part.exercise == master.exercise]
    return points_of(master, found[0] if found else None)


def _reason(verdict: Verdict, master: MasterCell) -> str:
    lines = []
    for part in verdict.exercises:
        if part.exercise == master.exercise:
            named = f", {part.misconception}" if part.misconception else ""
            lines.append(f"{part.points:g} of {part.max_points:g} points: {part.code}{named}")
    about = ("", master.exercise)
    noted = [flag.sentence for flag in verdict.flags if flag.exercise in about]
    return "\n\n".join([*lines, *map(literal, noted)])


def _outdated(comment: CommentRow, grade: GradeRow | None) -> str:
    score = grade.manual_score if grade else None
    gave = "" if score is None else f" Then a person gave {score:g} points."
    said = f" It was said:\n\n{literal(comment.manual_comment)}" if comment.manual_comment else ""
    return f"The answer has changed since it was graded by hand.{gave}{said}"


def _points(release: Release) -> dict[str, float]:
    graded = (cell for cell in release.cells if cell.kind in ("check", "manual"))
    return {cell.grade_id: cell.points for cell in graded}


def _sources(release: Release) -> dict[str, str]:
    return {cell.grade_id: cell.source for cell in release.cells}


def _address(engine: Any) -> str:
    address: str = engine.url.render_as_string(hide_password=False)
    return address


def _row(connection: Connection, model: Any, values: Mapping[str, str]) -> str:
    """Return the id of the row with these values; add it if it is not there."""
    table: Table = model.__table__
    query = select(table.c.id).where(*(table.c[name] == value for name, value in values.items()))
    found: str | None = connection.execute(query).scalar_one_or_none()
    if found is None:
        connection.execute(insert(table).values(**values))
        found = connection.execute(query).scalar_one()
    return found


def _rows(connection: Connection, model: Any, kind: Any, notebook: str) -> dict[str, Any]:
    """Return the rows of a notebook by cell."""
    table: Table = model.__table__
    columns = [table.c[name] for name in kind.__dataclass_fields__]
    query = select(table.c.cell_id, *columns).where(table.c.notebook_id == notebook)
    return {cell: kind(*values) for cell, *values in connection.execute(query)}


def _store(
    connection: Connection,
    model: Any,
    notebook: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
) -> bool:
    """Write the rows that differ, and return whether there were any."""
    table: Table = model.__table__
    added = [
        {"cell_id": cell, "notebook_id": notebook, **asdict(row)}
        for cell, row in new.items()
        if cell not in old
    ]
    if added:
        connection.execute(insert(table), added)
    updated = [cell for cell, row in new.items() if cell in old and old[cell] != row]
    for cell in updated:
        here = (table.c.cell_id == cell, table.c.notebook_id == notebook)
        connection.execute(update(table).where(*here).values(**asdict(new[cell])))
    return bool(added or updated)


def _update(connection: Connection, model: Any, row: str, **values: Any) -> None:
    """Set columns of a row, unless they are so already."""
    table: Table = model.__table__
    new = or_(*(table.c[name].is_distinct_from(value) for name, value in values.items()))
    connection.execute(update(table).where(table.c.id == row, new).values(**values))
