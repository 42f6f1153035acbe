"""Hostile and broken submissions as data: attacks that wrap around any answer to any exercise."""

import ast
import copy
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from corpus import folders, notebooks, rewriting

FOLDER = Path(__file__).parent
PLACES = ("cell_before", "before", "inside", "after", "cell_after")
_REPEATED = re.compile(r"<<(\d+) x (.*?)>>", re.DOTALL)


@dataclass(frozen=True)
class Attack:
    """
    One attack, or one fault.

    README.md in this folder says what each field means.
    """

    kind: str
    name: str
    tries: str
    code: Mapping[str, str] = field(default_factory=dict)
    result: str = ""
    answer: str = ""
    notebook: str = ""
    folder: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    verdict: str = "answer"
    open: str = ""
    danger: bool = False
    slow: bool = False
    only: str = ""
    not_for: tuple[str, ...] = ()

    def fits(self, answer: str, name: str) -> bool:
        """Return whether it can be wrapped around an answer."""
        if name in self.not_for or self.only not in ("", name):
            return False
        return not self.result or rewriting.is_function(answer, name)

    def source(self, answer: str, name: str) -> str:
        """Return the source of the answer's cell."""
        if self.result:
            answer = rewriting.with_result(answer, name, self._part("result", name))
        if "inside" in self.code:
            answer = rewriting.with_code_inside(answer, name, self._part("inside", name))
        if self.answer:
            answer = getattr(rewriting, self.answer)(answer, name)
        parts = [self._part("before", name), answer, self._part("after", name)]
        return "\n".join(part for part in parts if part)

    def handed_in(self, master: Any, answers: Mapping[str, str], name: str) -> bytes:
        """
        Return the bytes of a notebook.

        Parameters
        ----------
        master : dict
            The released notebook, in nbformat 4, with nbgrader's metadata.
        answers : mapping of str to str
            The source of each answer, by the name of its exercise.
        name : str
            The exercise that is attacked.
        """
        notebook = copy.deepcopy(json.loads(json.dumps(master)))
        own = None
        for cell in notebook["cells"]:
            exercise = notebooks.exercise_of(cell)
            if exercise in answers:
                cell["source"] = answers[exercise]
            if exercise == name:
                cell["source"], own = self.source(answers[name], name), cell
        assert own is not None, f"the master has no answer {name}"
        at = notebook["cells"].index(own)
        for place, where in (("cell_after", at + 1), ("cell_before", at)):
            if place in self.code:
                notebook["cells"].insert(where, notebooks.cell(self._part(place, name)))
        if self.notebook:
            notebook = getattr(notebooks, self.notebook)(notebook, own)
        return notebook if isinstance(notebook, bytes) else notebooks.content(notebook)

    def write(self, submitted: Path, content: bytes, others: Path) -> Path:
        """
        Write a submission, and return its path.

        Parameters
        ----------
        submitted : Path
            ``submitted/STUDENT/ASSIGNMENT``, which does not exist yet.
        content : bytes
            The notebook.
        others : Path
            A folder whose files the attack may link to: ``solution.ipynb``, ``another.ipynb``.
        """
        submitted.mkdir(parents=True)
        (submitted / f"{submitted.name}.ipynb").write_bytes(content)
        for path, text in self.files.items():
            (submitted / path).parent.mkdir(parents=True, exist_ok=True)
            (submitted / path).write_text(text)
        return getattr(folders, self.folder)(submitted, others) if self.folder else submitted

    def _part(self, place: str, name: str) -> str:
        text = self.result if place == "result" else self.code.get(place, "")
        whole = _REPEATED.sub(lambda found: int(found[1]) * found[2], text.strip(" \n"))
        return re.sub(r"\bANSWER\b", name, whole)


@cache
def attacks() -> tuple[Attack, ...]:
    """Return all attacks, in the order of the files and in them."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        table = tomllib.loads(path.read_text())
        for entry in table["attack"]:
            code = {place: entry.pop(place) for place in PLACES if place in entry}
            if "before" in table:
                code["before"] = table["before"] + code.get("before", "")
            entry["not_for"] = tuple(entry.get("not_for", ()))
            found.append(Attack(path.stem, code=code, **entry))
    return tuple(found)


def sources_in(path: Path) -> dict[str, str]:
    """Return the source of every function and class at the top of a file, by its name."""
    text = path.read_text()
    return {
        node.name: ast.get_source_segment(text, node) or ""
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
