"""nbgrader's own steps, one assignment or one submission at a time, each with one clear outcome."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.validator import NotebookValidationError


class CourseError(Exception):
    """Something that the person at the keyboard can mend; its text says how."""


@dataclass(frozen=True)
class Graded:
    """What became of one submission: points, or why there are none."""

    student: str
    points: float | None
    max_points: float | None
    problem: str = ""


def course_root() -> Path:
    """Return the folder of the course; raise CourseError where there is none."""
    root = Path.cwd()
    if not (root / "nbgrader_config.py").is_file():
        raise CourseError(
            f"{root} is not the course's folder: it has no nbgrader_config.py; "
            "change to the folder that has"
        )
    return root


def assignments() -> list[str]:
    """Return the names of the assignments that have a source notebook."""
    folder = course_root() / "solutions"
    return sorted(path.parent.name for path in folder.glob("*/*.ipynb") if _is_source(path))


def _is_source(path: Path) -> bool:
    return path.stem == path.parent.name


def check_assignment(assignment: str) -> None:
    """Raise CourseError unless the assignment exists."""
    known = assignments()
    if assignment not in known:
        raise CourseError(
            f"no assignment is called {assignment!r}; there are {', '.join(known) or 'none'}: "
            "an assignment is a notebook solutions/NAME/NAME.ipynb"
        )


def release(assignment: str) -> Path:
    """Make the student's notebook with nbgrader and return its path."""
    check_assignment(assignment)
    _succeed(_api().generate_assignment(assignment, force=True, create=True), assignment)
    return course_root() / "release" / assignment / f"{assignment}.ipynb"


def grade(assignment: str, student: str | None = None) -> Iterator[Graded]:
    """
    Grade the submissions of an assignment with nbgrader, one after the other.

    A submission that cannot be graded is reported and left as it is; the others go on.
    """
    root = course_root()
    names = submissions(assignment, student)
    if not (root / "release" / assignment).is_dir():
        release(assignment)  # nbgrader compares with what it has released
    api = _api()
    for name in names:
        problem = notebook_problem(root / "submitted" / name / assignment / f"{assignment}.ipynb")
        if problem:
            yield Graded(name, None, None, f"{problem}; ask {name} for it again")
            continue
        result = api.autograde(assignment, name, force=True)
        if result["success"]:
            submission = api.gradebook.find_submission(assignment, name)
            yield Graded(name, submission.score, submission.max_score)
        else:
            yield Graded(name, None, None, _last_error(result))


def submissions(assignment: str, student: str | None = None) -> list[str]:
    """Return who has handed in; raise CourseError if nobody has, or for a wrong name."""
    check_assignment(assignment)
    folder = course_root() / "submitted"
    names = sorted(path.parent.name for path in folder.glob(f"*/{assignment}") if path.is_dir())
    if student is not None:
        names = [name for name in names if name == student]
    if not names:
        who = f"of {student} " if student else ""
        raise CourseError(
            f"no submission {who}for {assignment}: put each notebook in "
            f"submitted/STUDENT/{assignment}/{assignment}.ipynb"
        )
    return names


def notebook_problem(path: Path) -> str:
    """Return why a file is no notebook, in one sentence, or "" if it is one."""
    if not path.is_file():
        others = sorted(other.name for other in path.parent.glob("*.ipynb"))
        found = f"only {', '.join(others)}" if others else "no notebook"
        return f"{path.name} is missing: the folder holds {found}"
    try:
        nbformat.validate(nbformat.from_dict(json.loads(path.read_text(encoding="utf-8"))))
    except json.JSONDecodeError as error:
        return f"{path.name} is not JSON (line {error.lineno}: {error.msg})"
    except UnicodeDecodeError:
        return f"{path.name} is not a text file"
    except (NotebookValidationError, AttributeError, TypeError, ValueError) as error:
        return f"{path.name} is JSON but no notebook ({str(error).splitlines()[0][:80]})"
    return ""


def feedback(assignment: str, student: str | None = None) -> list[Path]:
    """Make the feedback pages of the graded submissions and return them."""
    check_assignment(assignment)
    root = course_root()
    graded = sorted(path.parent.name for path in root.glob(f"autograded/*/{assignment}"))
    names = [name for name in graded if student in (None, name)]
    if not names:
        raise CourseError(f"nothing is graded for {assignment}; run course grade {assignment}")
    api = _api()
    for name in names:
        _succeed(api.generate_feedback(assignment, name, force=True), f"{assignment} of {name}")
    return [root / "feedback" / name / assignment / f"{assignment}.html" for name in names]


def export(path: Path) -> Path:
    """Write all grades to a CSV file and return it."""
    from nbgrader.api import Gradebook
    from nbgrader.plugins import CsvExportPlugin

    exporter = CsvExportPlugin(to=str(path))
    with Gradebook(_api().coursedir.db_url) as gradebook:
        exporter.export(gradebook)
    return path


def _api() -> Any:
    """Return nbgrader's interface, set up by nbgrader_config.py and silent."""
    from nbgrader.apps import NbGrader, NbGraderAPI

    app = NbGrader()
    app.log.handlers = [logging.NullHandler()]
    app.load_config_file()
    with _quiet_logs():
        api = NbGraderAPI(config=app.config)
    api.log.handlers = [logging.NullHandler()]
    return api


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Keep nbgrader's and alembic's chatter off the terminal."""
    previous = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(previous)


def _succeed(result: dict[str, Any], what: str) -> None:
    if not result["success"]:
        raise CourseError(f"nbgrader could not finish {what}: {_last_error(result)}")


def _last_error(result: dict[str, Any]) -> str:
    """Return the most telling line of nbgrader's log."""
    text = result.get("error") or result.get("log") or ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "Error" in line and not line.startswith("[")]
    return (telling or lines or ["it gave no reason"])[-1]
