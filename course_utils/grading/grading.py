"""Grade an assignment: from ``submitted`` to the record."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from course_utils.grading import stock
from course_utils.grading.collecting import collect, submissions
from course_utils.grading.intake import Handed
from course_utils.grading.journal import Journal
from course_utils.grading.record import grade_all
from course_utils.grading.release import Release
from course_utils.grading.scale import judge_all
from course_utils.grading.stock import CourseError
from course_utils.grading.verdict import Verdict


@contextmanager
def grade(
    assignment: str,
    student: str | None = None,
    *,
    seed: int | None = None,
    again: bool = False,
    workers: int | None = None,
    scheduler: str = "",
) -> Iterator[tuple[int, Iterator[Verdict]]]:
    """
    Yield how many submissions there are, and the verdicts as they are recorded.

    Parameters
    ----------
    assignment : str
        Name of the assignment.
    student : str, optional
        Only this one's submission.
    seed : int, optional
        Of the drawn inputs; drawn when grading starts, and kept, if left out.
    again : bool
        Whether what is in the journal is judged again.
    workers : int, optional
        Processes of this machine; as many as it has cores if left out.
    scheduler : str
        Address of a Dask scheduler, whose workers judge instead.

    Raises
    ------
    CourseError
        If nobody has handed in, or the assignment does not exist or is being graded already.
    """
    root = stock.course_root()
    stock.check_assignment(assignment)
    found = submissions(root, assignment, student)
    if not found:
        raise CourseError(nobody(assignment, student))
    release = released(root, assignment)
    handed = [collect(path, assignment) for _, path in found]
    with Journal.open(root, assignment) as journal:
        run = journal.start(release.digest, seed)

        def judge(work: Iterable[Handed]) -> Iterator[Verdict]:
            return judge_all(
                work, release, run.seed, run.version, workers=workers, scheduler=scheduler
            )

        yield len(handed), grade_all(root, release, journal, handed, judge, again=again)


def released(root: Path, assignment: str) -> Release:
    """Return what students got of an assignment; it is released first if it is not yet."""
    path = root / "release" / assignment / f"{assignment}.ipynb"
    if not path.is_file():
        path = stock.release(assignment)
    return Release.read(path, assignment)


def nobody(assignment: str, student: str | None) -> str:
    """Return a sentence for when there is nothing to grade."""
    who = f"of {student} " if student else ""
    return (
        f"no submission {who}for {assignment}: put each notebook in "
        f"submitted/STUDENT/{assignment}/{assignment}.ipynb"
    )
