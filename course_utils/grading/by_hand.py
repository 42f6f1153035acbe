"""What people wrote into the gradebook: points and comments by hand."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbgrader import api
from sqlalchemy import Select, select


@dataclass(frozen=True)
class ByHand:
    """
    What people gave for one submission, by grade id.

    ``scores`` take the place of the machine's points, ``extra`` points come on top, ``waiting``
    cells have no points yet, and ``penalty`` is taken off for handing in late.
    """

    scores: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, float] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    penalty: float = 0.0


NOTHING_BY_HAND = ByHand()


def by_hand(book: Any, assignment: str) -> dict[str, ByHand]:
    """Return what people gave for an assignment, by student as the gradebook names them."""
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    extra: dict[str, dict[str, float]] = defaultdict(dict)
    comments: dict[str, dict[str, str]] = defaultdict(dict)
    waiting: dict[str, set[str]] = defaultdict(set)
    penalties: dict[str, float] = {}
    grades = _of(assignment, api.Grade, "auto_score", "manual_score", "extra_credit")
    said = _of(assignment, api.Comment, "manual_comment")
    with book.engine.connect() as connection:
        for student, penalty, cell, auto, manual, bonus in connection.execute(grades):
            penalties[student] = penalty or 0.0
            if manual is not None:
                scores[student][cell] = manual
            elif auto is None:
                waiting[student].add(cell)
            if bonus:
                extra[student][cell] = bonus
        for student, _, cell, comment in connection.execute(said):
            if comment:
                comments[student][cell] = comment
    return {
        student: ByHand(
            scores[student],
            extra[student],
            comments[student],
            frozenset(waiting[student]),
            penalty,
        )
        for student, penalty in penalties.items()
    }


def _of(assignment: str, model: Any, *columns: str) -> Select[Any]:
    """Return a query: student, late penalty, cell and some columns of grades or comments."""
    table = model.__table__
    return (
        select(
            api.SubmittedAssignment.student_id,
            api.SubmittedNotebook.late_submission_penalty,
            api.BaseCell.name,
            *(table.c[name] for name in columns),
        )
        .select_from(table)
        .join(api.BaseCell, api.BaseCell.id == table.c.cell_id)
        .join(api.SubmittedNotebook, api.SubmittedNotebook.id == table.c.notebook_id)
        .join(
            api.SubmittedAssignment,
            api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id,
        )
        .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
        .where(api.Assignment.name == assignment)
    )
