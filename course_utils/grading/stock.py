"""nbgrader's own steps, one assignment or one submission at a time, each with one clear outcome."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class CourseError(Exception):
    """Something that the person at the keyboard can mend; its text says how."""


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
