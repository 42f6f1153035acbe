"""The search for a master's solution cells among the cells of a student."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from course_utils.grading.definitions import Definition, definitions, parse
from course_utils.grading.recognition import StudentCell, alike, bare
from course_utils.grading.release import MasterCell, Release
from course_utils.grading.verdict import Flag

# How good a cell is as an answer: a better one goes before one with the right marks.
_RANKS = {Definition.WHOLE: 6, Definition.BROKEN: 5, Definition.STUB: 3, Definition.VALUE: 2}
MAX_GUESSES = 300  # cells that are compared with a stub
_NOT_CODE, _MARK_ALONE = 4, 1
_HEADER = re.compile(r"^[ \t]*(?:def|class)\b[^\n]*", re.MULTILINE)
_SENTENCES = {
    "duplicated": "{count} different cells answer {name}; {which} was taken: "
    "look whether it is the one that is meant",
    "retyped": "the answer to {name} stands in a cell that is not code; it was read as code: "
    "look whether it is meant to count",
    "likeness": "no cell is marked as {name} or defines it; the one most like it was taken: "
    "look whether it is the answer",
    "text": "no cell is marked as {name}; what is written after its question was taken: "
    "look whether it is the answer",
    "missing": "no answer to {name} was found; it counts as not handed in: "
    "look whether it hides under another name",
    "foreign": "nothing of this assignment was found in the notebook; all of it counts as not "
    "handed in: look whether it is another assignment's",
}


@dataclass(frozen=True)
class Found:
    """
    The source of a master cell in a submission.

    ``how``: id, name, likeness or missing; ``picture`` is what it has shown, as it was handed in.
    """

    source: str
    how: str
    picture: Any = None


MISSING = Found("", "missing")


class Answers:
    """What was found of each cell that students write; ``solutions`` has it by grade id."""

    def __init__(self, release: Release, cells: Sequence[StudentCell]) -> None:
        self._cells = cells
        self._wanted = [cell for cell in release.cells if cell.kind in ("solution", "manual")]
        self._names = {cell.grade_id: _name(cell) for cell in self._wanted}
        self._stubs = {bare(cell.source) for cell in self._wanted}
        self._prompts = _prompts(release)
        self._flags: list[Flag] = []
        self._chosen: dict[str, StudentCell] = {}  # code only: a text may be several cells
        self._read: set[int] = set()  # indices of the cells of texts
        self.solutions = {cell.grade_id: MISSING for cell in self._wanted}
        code = [cell for cell in self._wanted if cell.cell_type == "code"]
        for search in (self._by_mark_or_name, self._by_likeness):
            for master in code:
                if master.grade_id not in self._chosen:
                    search(master)
        for master in self._wanted:
            if master.cell_type != "code":
                self._by_place(master)

    def flags(self) -> list[Flag]:
        """Return what a person should look at."""
        sure = [found for found in self.solutions.values() if found.how in ("id", "name")]
        if not sure:
            return [*self._flags, Flag("foreign", "", _SENTENCES["foreign"])]
        missing = [cell for cell in self._wanted if self.solutions[cell.grade_id] == MISSING]
        return [*self._flags, *(_flag("missing", cell) for cell in missing)]

    def order(self) -> tuple[tuple[str, str], ...]:
        """Return the student's code cells in their order, each with the grade id it answers."""
        answered: dict[int, str] = {}
        for grade_id, each in self._chosen.items():
            answered.setdefault(each.index, grade_id)
        known = {each.bare for each in self._chosen.values()}
        return tuple(
            (answered.get(each.index, ""), each.cell.source)
            for each in self._cells
            if each.index in answered or (self._is_other(each) and each.bare not in known)
        )

    def _is_other(self, each: StudentCell) -> bool:
        """Whether a cell is code of the student's own, no text that was retyped and no stub."""
        only_stubs = set(each.defined.values()) == {Definition.STUB}
        stub = only_stubs and set(each.defined) <= set(self._names.values())
        is_text = each.index in self._read
        return _is_own_code(each) and not (is_text or stub or each.bare in self._stubs)

    def _by_mark_or_name(self, master: MasterCell) -> None:
        name = self._names[master.grade_id]
        ranked = [(_rank(each, master, name), each.mark(master), each) for each in self._cells]
        rank, mark, best = max(
            ranked, key=lambda entry: (*entry[:2], entry[2].index), default=(0, 0, None)
        )
        if not rank or best is None:
            return
        self._take(master, best, "id" if mark else "name")
        rivals = {each.bare for other, _, each in ranked if other == rank}
        if len(rivals) > 1 and rank >= _RANKS[Definition.BROKEN]:
            which = "the last one in its own place" if mark else "the last one"
            self._flags.append(_flag("duplicated", master, count=len(rivals), which=which))
        if best.cell.kind != "code":
            self._flags.append(_flag("retyped", master))

    def _by_likeness(self, master: MasterCell) -> None:
        """Take a cell that has the header of the stub, or that stands where the answer should."""
        names = set(self._names.values())
        taken = {each.index for each in self._chosen.values()}
        rest = [
            each
            for each in self._cells
            if _is_own_code(each) and each.index not in taken and not names & set(each.defined)
        ]
        del rest[MAX_GUESSES:]
        scores = {each.index: self._likeness(each, master) for each in rest}
        best = max(rest, key=lambda each: (scores[each.index], -each.index), default=None)
        if best is not None and scores[best.index] >= 0.8:
            self._take(master, best, "likeness")
            self._flags.append(_flag("likeness", master))

    def _likeness(self, each: StudentCell, master: MasterCell) -> float:
        """Return how like the stub's header a cell's headers are, and 0.5 more for its place."""
        stub = _HEADER.search(master.source)
        headers = _HEADER.findall(each.cell.source)[:5]
        likeness = max((alike(header, stub[0]) for header in headers), default=0.0) if stub else 0.0
        after = self._prompts[master.grade_id]
        in_place = (after and each.prompt == after) or (
            master.exercise and each.next_check == master.exercise
        )
        return likeness + 0.5 * bool(in_place)

    def _by_place(self, master: MasterCell) -> None:
        """Take a text: the marked cell, and what else the student wrote after its question."""
        texts = [each for each in self._cells if not each.role and _is_text(each)]
        marked = [each for each in self._cells if not each.role and _is_marked_text(each, master)]
        after = self._prompts[master.grade_id]
        near = [each for each in texts if after and each.prompt == after]
        if not marked and not near and sum(cell.cell_type != "code" for cell in self._wanted) == 1:
            near = texts
        parts = {each.index: each for each in (*marked, *near)}
        written = [
            parts[index] for index in sorted(parts) if parts[index].bare != bare(master.source)
        ]
        if not written:
            if parts:
                self.solutions[master.grade_id] = Found(master.source, "id")
            return
        self._read |= set(parts)
        sources = dict.fromkeys(each.cell.source for each in written)
        how = "id" if any(each in marked for each in written) else "likeness"
        self.solutions[master.grade_id] = Found("\n\n".join(sources), how)
        if how == "likeness":
            self._flags.append(_flag("text", master))

    def _take(self, master: MasterCell, each: StudentCell, how: str) -> None:
        self._chosen[master.grade_id] = each
        self.solutions[master.grade_id] = Found(each.cell.source, how, each.cell.picture)


def _prompts(release: Release) -> dict[str, str]:
    """Return for each master cell the grade id of the last text before it."""
    prompts, last = {}, ""
    for cell in release.cells:
        prompts[cell.grade_id] = last
        last = cell.grade_id if cell.kind == "text" else last
    return prompts


def _name(master: MasterCell) -> str:
    """Return the name that a master cell is to define, or "" if it defines none."""
    return master.exercise or next(iter(definitions(master.source)), "")


def _flag(code: str, master: MasterCell, **words: object) -> Flag:
    name = master.exercise or master.grade_id
    return Flag(
        "likeness" if code == "text" else code, name, _SENTENCES[code].format(name=name, **words)
    )


def _is_own_code(each: StudentCell) -> bool:
    return not each.role and each.cell.kind == "code"


def _is_text(each: StudentCell) -> bool:
    return each.cell.kind != "code"


def _is_marked_text(each: StudentCell, master: MasterCell) -> bool:
    """Whether a cell has the mark of a text, whatever kind it became, and is no code."""
    return bool(each.mark(master)) and (_is_text(each) or parse(each.cell.source) is None)


def _rank(each: StudentCell, master: MasterCell, name: str) -> int:
    """Return how good a cell is as the answer to a master cell; 0 if it is none."""
    if each.role:
        return 0
    marked = bool(each.mark(master))
    definition = each.defined.get(name)
    if each.cell.kind != "code":
        whole = definition is Definition.WHOLE or (marked and definition is Definition.BROKEN)
        return _NOT_CODE if whole else int(marked)
    if definition is None:
        return _MARK_ALONE * marked
    return _RANKS[Definition.WHOLE if marked and definition is Definition.VALUE else definition]
