"""What nbgrader's own commands and buttons run in place of their steps; see nbgrader_config.py."""

from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbgrader.preprocessors import NbGraderPreprocessor

from course_utils.grading.autograded import autograded_notebook
from course_utils.grading.collecting import collect
from course_utils.grading.gradebook import keep_assignment, open_gradebook
from course_utils.grading.journal import Journal
from course_utils.grading.record import copy_timestamp, open_recorder, student_folder
from course_utils.grading.release import Release
from course_utils.grading.scale import judge_all
from course_utils.grading.stock import CourseError
from course_utils.grading.verdict import Verdict

VERDICT = "course_verdict"  # where Judge leaves it for Record, among nbconvert's resources


class MasterExporter(NotebookExporter):  # type: ignore[misc]
    """
    Hands the master on where nbgrader would read what a student handed in.

    So nothing in that file can stop or mislead nbgrader; Judge reads it, within limits.
    """

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> tuple[str, Any]:
        """Return the master with what the preprocessors do to it."""
        master = _release(resources["nbgrader"]["assignment"]).notebook()
        exported: tuple[str, Any] = self.from_notebook_node(master, resources, **kw)
        return exported


class Judge(NbGraderPreprocessor):  # type: ignore[misc]
    """Judges the submission, or finds its verdict in the journal, and fills the notebook."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Return the autograded notebook."""
        names = resources["nbgrader"]
        release = _release(names["assignment"])
        verdict = verdict_on(Path.cwd(), names["student"], release)
        resources[VERDICT] = verdict
        return autograded_notebook(release, verdict), resources


class Record(NbGraderPreprocessor):  # type: ignore[misc]
    """Writes the verdict into the gradebook and the journal."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Return the notebook as it is."""
        root, names = Path.cwd(), resources["nbgrader"]
        release, verdict = _release(names["assignment"]), resources.pop(VERDICT)
        # nbgrader has replaced the notebook that a person saw: only the journal can tell what it
        # held, so the gradebook is written before it
        with (
            Journal.open(root, release.assignment) as journal,
            open_recorder(root, release, names["db_url"]) as recorder,
        ):
            journal.start(release.digest)
            before = journal.latest(verdict.student)
            submission = recorder.submission(verdict, before, notebook_is_old=False)
            recorder.write_grades([submission])
            journal.add(verdict)
        copy_timestamp(root, verdict.student, release.assignment)
        return nb, resources


def verdict_on(root: Path, student: str, release: Release) -> Verdict:
    """Return the verdict on what a student handed in, with the seed of the course's runs."""
    handed = collect(
        student_folder(root, "submitted", student, release.assignment), release.assignment
    )
    with Journal.open(root, release.assignment) as journal:
        run = journal.start(release.digest)
        found = journal.find(student, handed.digest)
    if found is not None:
        return found
    [verdict] = judge_all([handed], release, run.seed, run.version, workers=1)
    return verdict


def prepare(assignment: str, student: str, notebooks: list[str]) -> None:
    """
    Make nbgrader go on where it would give a submission up.

    The assignment is put into the gradebook if it is not there, and the notebook that it names is
    put on the list; Judge finds the one that was handed in under another name.
    """
    with open_gradebook(Path.cwd()) as book:
        keep_assignment(book, _release(assignment))
    named = str(Path(notebooks[0]).with_name(f"{assignment}.ipynb"))
    if named not in notebooks:
        notebooks.append(named)


def _release(assignment: str) -> Release:
    path = Path.cwd() / "release" / assignment / f"{assignment}.ipynb"
    if not path.is_file():
        raise CourseError(f"{path} is missing: run course release {assignment}")
    return Release.read(path, assignment)
