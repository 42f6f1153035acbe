"""The one writer: from verdicts to the gradebook and the autograded notebooks."""

import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Protocol, TypeVar

from nbgrader.utils import parse_utc

from course_utils.grading.autograded import answer_of, autograded_notebook, notebook_bytes
from course_utils.grading.files import write_file
from course_utils.grading.gradebook import (
    GradebookWriter,
    Submission,
    course_config,
    open_gradebook,
)
from course_utils.grading.journal import Journal
from course_utils.grading.release import Release
from course_utils.grading.verdict import Verdict

BATCH = 20  # submissions in one transaction
READ_ONLY = 0o444  # as nbgrader leaves what it has graded
MOST_TIMESTAMP_BYTES = 100


class HandedIn(Protocol):
    """What is known of a submission before it is judged: whose it is, and its SHA-256."""

    @property
    def student(self) -> str:
        """Who handed it in."""

    @property
    def digest(self) -> str:
        """SHA-256 of what was handed in."""


Work = TypeVar("Work", bound=HandedIn)


def grade_all(
    root: Path,
    release: Release,
    journal: Journal,
    handed: Iterable[Work],
    judge: Callable[[list[Work]], Iterable[Verdict]],
    *,
    again: bool = False,
) -> Iterator[Verdict]:
    """
    Yield a verdict on each submission, in whichever order; all are recorded when it ends.

    What is in the journal is not judged again, but gradebook and notebook are made to hold it, so
    a run that was killed goes on where it was.

    Parameters
    ----------
    root : Path
        The course's folder.
    release : Release
        What was handed out.
    journal : Journal
        Open, and started.
    handed : iterable
        The submissions.
    judge : callable
        Maps submissions to verdicts with the journal's seed and version, in any order.
    again : bool
        Whether what is in the journal is judged again.

    Raises
    ------
    CourseError, OSError
        If something cannot be written; the journal keeps what was judged.
    """
    work: list[Work] = []
    known: list[Verdict] = []
    for one in handed:
        found = None if again else journal.find(one.student, one.digest)
        work += [one] if found is None else []
        known += [found] if found is not None else []
    with open_recorder(root, release) as recorder:
        pending: list[Submission] = []
        try:
            for verdict in chain(known, judge(work)):
                pending.append(recorder.submission(verdict, journal.latest(verdict.student)))
                journal.add(verdict)
                if len(pending) == BATCH:
                    batch, pending = pending, []
                    recorder.write(batch)
                yield verdict
        finally:
            recorder.write(pending)


def write(root: Path, release: Release, verdict: Verdict, before: Verdict | None = None) -> None:
    """Write one verdict; ``before`` is the last one on that student, if there was one."""
    with open_recorder(root, release) as recorder:
        recorder.write([recorder.submission(verdict, before)])


@contextmanager
def open_recorder(root: Path, release: Release, url: str = "") -> Iterator["Recorder"]:
    """Yield a recorder; the gradebook, the course's own or another one, is open as long."""
    with open_gradebook(root, url) as book:
        yield Recorder(root, release, GradebookWriter(book, release, course_config(root)))


class Recorder:
    """Writes verdicts on one assignment, first into the gradebook, then as notebooks."""

    def __init__(self, root: Path, release: Release, gradebook: GradebookWriter) -> None:
        self._root, self._release, self._gradebook = root, release, gradebook

    def submission(
        self, verdict: Verdict, before: Verdict | None, *, notebook_is_old: bool = True
    ) -> Submission:
        """
        Return what is to be written.

        What a person saw of the answers by hand stands in the autograded notebook, if that is
        still the old one, or else in the verdict before.
        """
        student, name = verdict.student, self._release.assignment
        path = notebook_path(self._root, student, name)
        shown = _shown(self._release, path if notebook_is_old else None, before)
        timestamp = read_timestamp(student_folder(self._root, "submitted", student, name))
        return Submission(verdict, shown, timestamp)

    def write(self, submissions: Sequence[Submission]) -> None:
        """Write a few verdicts; where it is interrupted, writing them again is enough."""
        self.write_grades(submissions)
        for submission in submissions:
            write_notebook(self._root, self._release, submission.verdict)

    def write_grades(self, submissions: Sequence[Submission]) -> None:
        """Write a few verdicts into the gradebook alone."""
        self._gradebook.write(submissions)


def write_notebook(root: Path, release: Release, verdict: Verdict) -> Path:
    """Write the autograded notebook of a submission and return its path."""
    path = notebook_path(root, verdict.student, release.assignment)
    write_file(path, notebook_bytes(autograded_notebook(release, verdict)), READ_ONLY)
    copy_timestamp(root, verdict.student, release.assignment)
    return path


def copy_timestamp(root: Path, student: str, assignment: str) -> None:
    """Put the time of handing in beside the autograded notebook, where nbgrader looks for it."""
    timestamp = _timestamp_bytes(student_folder(root, "submitted", student, assignment))
    if timestamp:
        path = notebook_path(root, student, assignment).with_name("timestamp.txt")
        write_file(path, timestamp, READ_ONLY)


def notebook_path(root: Path, student: str, assignment: str) -> Path:
    """Return where the autograded notebook of a student lies."""
    return student_folder(root, "autograded", student, assignment) / f"{assignment}.ipynb"


def student_folder(root: Path, step: str, student: str, assignment: str) -> Path:
    """Return the folder of a step of grading; raise ValueError if the student is no name."""
    if student in ("", ".", "..") or Path(student).name != student:
        raise ValueError(f"student must be the name of a folder, got {student!r}")
    return root / step / student / assignment


def read_timestamp(folder: Path) -> datetime | None:
    """Return when a submission was handed in, in UTC, if its timestamp.txt says so."""
    try:
        text = _timestamp_bytes(folder).decode().strip()
        return parse_utc(text) if text else None
    except (OverflowError, ValueError):
        return None


def _timestamp_bytes(folder: Path) -> bytes:
    """Return what timestamp.txt holds, if it is a small file and no link to another place."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(folder / "timestamp.txt", flags)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        size = os.fstat(descriptor)
        if not stat.S_ISREG(size.st_mode) or size.st_size > MOST_TIMESTAMP_BYTES:
            return b""
        return file.read(MOST_TIMESTAMP_BYTES)


def _shown(release: Release, path: Path | None, before: Verdict | None) -> dict[str, str] | None:
    """Return the answers by hand as a person saw them, or None if that is not known."""
    by_hand = {master.grade_id: master for master in release.cells if master.kind == "manual"}
    if not by_hand:
        return {}
    try:
        cells = json.loads(path.read_bytes())["cells"] if path else []
    except (OSError, ValueError):
        cells = []
    if cells:
        ids = [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in cells]
        found = zip(ids, cells, strict=True)
        return {name: "".join(cell["source"]) for name, cell in found if name in by_hand}
    if before is None:
        return None
    return {name: answer_of(before, master) for name, master in by_hand.items()}
