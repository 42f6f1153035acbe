"""From what was handed in to an answer sheet: every solution cell of the master, found again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from course_utils.grading.answers import Answers, Found
from course_utils.grading.cells import Cell, read_cells
from course_utils.grading.recognition import recognise
from course_utils.grading.release import Release
from course_utils.grading.verdict import Flag


@dataclass(frozen=True)
class Handed:
    """
    One submission as it was handed in.

    ``content`` is the notebook's bytes; ``problem`` says in one sentence why there are none.
    """

    student: str
    assignment: str
    content: bytes
    flags: tuple[Flag, ...] = ()
    problem: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of what was handed in, and of what was noted when it was read."""
        digest = hashlib.sha256(self.content)
        if self.problem or self.flags:
            noted = repr((self.problem, self.flags))
            digest.update(noted.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


@dataclass(frozen=True)
class AnswerSheet:
    """
    What is to be judged.

    ``source`` is the SHA-256 of what was handed in. ``solutions`` has the grade id of every
    solution and every manual cell of the master. ``order`` has all of the student's code cells in
    their order, each with the grade id that it answers or ""; ``others`` those that answer none.
    Cells that do nothing but check, the master's own set-up, stubs and copies are left out.
    """

    student: str
    assignment: str
    source: str
    solutions: Mapping[str, Found]
    others: tuple[str, ...] = ()
    order: tuple[tuple[str, str], ...] = ()
    flags: tuple[Flag, ...] = ()
    problem: str = ""


def recover(handed: Handed, release: Release) -> AnswerSheet:
    """Find every solution cell of the master in what was handed in; whatever that is, no error."""
    problem, flags = handed.problem, handed.flags
    cells: tuple[Cell, ...] = ()
    if not problem:
        read = read_cells(handed.content)
        problem, flags, cells = read.problem, flags + read.flags, read.cells
    answers = Answers(release, recognise(cells, release))
    order = answers.order()
    return AnswerSheet(
        student=handed.student,
        assignment=handed.assignment,
        source=handed.digest,
        solutions=answers.solutions,
        others=tuple(source for grade_id, source in order if not grade_id),
        order=order,
        flags=flags if problem else (*flags, *answers.flags()),
        problem=problem,
    )
