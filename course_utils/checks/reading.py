"""Read the text of a notebook's cells for what an answer would call, without running any of it."""

import ast
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import torch

from course_utils.checks.exercise import Forbidden
from course_utils.checks.forbidding import (
    attribute_of,
    is_forbidden,
    is_forbidden_path,
    is_ours,
)
from course_utils.checks.notebook import MOST_CHARACTERS, Notebook, NotebookNames, statements_of
from course_utils.checks.resolving import (
    FUNCTIONS,
    MENTIONS,
    Path,
    Resolver,
    parts_of,
    shown,
    text_of,
)
from course_utils.checks.scopes import (
    SCOPES,
    Binding,
    Bindings,
    Names,
    attributes_in,
    body_of,
    returned_by,
    scope_of,
)

MOST_STEPS = 100_000


def read_source(source: str | Sequence[str], name: str, forbidden: Forbidden) -> list[str]:
    """
    Return the forbidden functions that an answer names, read from the text of a notebook.

    Nothing of the text is run, and nothing in it makes this raise.

    Parameters
    ----------
    source : str or sequence of str
        The code cells, in the order in which they run, with those that import what the answer
        uses. A cell that is no Python does not run, so it is left out; one text is one cell.
    name : str
        What the answer is called; its last definition counts.
    forbidden : Forbidden
        What it may not use.

    Returns
    -------
    list of str
        The names as they stand in the code of the answer and of all that it leads to, each once.
    """
    try:
        notebook = _notebook((source,) if isinstance(source, str) else tuple(source))
        return _Reading(notebook, forbidden).of(name)
    except Exception:  # whatever a text makes of us, grading goes on
        return []


@lru_cache(maxsize=2)
def _notebook(cells: tuple[str, ...]) -> Notebook:
    """Return a notebook: one reads it for each of its answers."""
    return Notebook(cells)


class _EnoughError(Exception):
    """A text asks for too many steps."""


class _Reading(Resolver):
    """Follows what an answer names through the text of a notebook."""

    def __init__(self, notebook: Notebook, forbidden: Forbidden) -> None:
        super().__init__()
        self.notebook = notebook
        self.forbidden = forbidden
        self.names: Names = NotebookNames(notebook=notebook)
        self.todo: list[tuple[ast.AST, Names]] = []
        self.followed: set[ast.AST] = set()
        self.known: dict[Binding, list[Any]] = {}
        self.results: dict[ast.AST, list[Any]] = {}
        self.scopes: dict[ast.AST, Names] = {}
        self.attributes_of: dict[ast.AST, Bindings] = {}
        self.found: dict[str, None] = {}
        self.steps = 0

    def of(self, name: str) -> list[str]:
        """Return what the answer of that name leads to."""
        try:
            self.walk(ast.Name(name, ast.Load()), self.names)
            while self.todo:
                self.walk(*self.todo.pop())
        except _EnoughError:
            pass
        return list(self.found)

    # --- what code stands for -----------------------------------------------------------------

    def named(self, name: str) -> list[Any]:
        """Return what a name may stand for."""
        return [value for one in self.names.find(name)[0] for value in self.value_of(one)]

    def value_of(self, binding: Binding) -> list[Any]:
        """Return what one binding of a name may stand for: a path, or a definition."""
        self.step()
        if binding.path:
            return [Path(binding.path)]
        if binding.node is None or not binding.whole:
            return []
        if isinstance(binding.node, (*FUNCTIONS, ast.ClassDef)):
            return [binding]
        if binding not in self.known:
            self.known[binding] = []  # what is bound to itself has no value
            self.known[binding] = self.values_in(binding.node, binding.names)
        return self.known[binding]

    def values_in(self, node: ast.AST, names: Names) -> list[Any]:
        """Return what an expression may stand for among other names."""
        before, self.names = self.names, names
        try:
            return self.values(node)
        finally:
            self.names = before

    def looked_up(self, node: ast.AST) -> list[Any]:
        """Return what an expression may stand for, by its kind."""
        self.step()
        if isinstance(node, ast.Lambda):
            return [Binding(node=node, names=self.names)]
        if isinstance(node, ast.IfExp):
            return [*self.values(node.body), *self.values(node.orelse)]
        if isinstance(node, ast.BoolOp):
            return [value for one in node.values for value in self.values(one)]
        if isinstance(node, ast.NamedExpr):
            return self.values(node.value)
        return super().looked_up(node)

    def attribute(self, owner: Any, name: str) -> list[Any]:
        """Return what an attribute of a path, of a class or of its objects may be."""
        if isinstance(owner, Path):
            return [Path(f"{owner}.{name}")]
        found: list[Binding] = []
        classes, seen = [owner], set()
        while classes:
            one = classes.pop()
            if isinstance(one, Binding) and isinstance(one.node, ast.ClassDef) and one not in seen:
                seen.add(one)
                found += self.made_in(one.node, one.names).get(name, [])
                classes += [v for base in one.node.bases for v in self.values_in(base, one.names)]
        return [value for one in found for value in self.value_of(one)]

    def made_in(self, node: ast.ClassDef, names: Names) -> Bindings:
        """Return what a class of the notebook and its methods bind to attributes."""
        if node not in self.attributes_of:
            self.attributes_of[node] = attributes_in(node, names)
        return self.attributes_of[node]

    def module(self, name: str) -> list[Any]:
        """Return the path of a module."""
        return [Path(name)]

    def path(self, value: Any) -> str:
        """Return the path that a value is, if it is one."""
        return value if isinstance(value, Path) else ""

    def called(self, node: ast.Call) -> list[Any]:
        """Return what a call gives: an object of the notebook's class, or what a function returns."""
        found = super().called(node)
        for function in self.values(node.func):
            if isinstance(function, Binding) and function.node is not None:
                found += self.returned(function)
        return found

    def returned(self, function: Binding) -> list[Any]:
        """Return what a call of a definition of the notebook may give."""
        node, names = function.node, function.names
        if isinstance(node, ast.ClassDef):
            return [function]
        if not isinstance(node, FUNCTIONS):
            return []
        if node not in self.results:
            self.results[node] = []  # a function that calls itself
            inside = self.scope(node, names)
            given = [v for one in returned_by(node) for v in self.values_in(one, inside)]
            self.results[node] = given
        return self.results[node]

    def scope(self, node: ast.AST, names: Names) -> Names:
        """Return the names that the inside of a function, a class or a comprehension sees."""
        if node not in self.scopes:
            self.scopes[node] = scope_of(node, names)
        return self.scopes[node]

    # --- what code names ----------------------------------------------------------------------

    def step(self) -> None:
        """Count a step, and stop where there are too many."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise _EnoughError

    def walk(self, root: ast.AST, names: Names) -> None:
        """Note what a piece of code names that is forbidden, and what it leads to."""
        todo: list[tuple[ast.AST, Names, bool]] = [(root, names, False)]
        while todo:
            node, names, is_owner = todo.pop()
            self.step()
            self.names = names
            resolved = isinstance(node, MENTIONS) and self.mention(node, is_owner=is_owner)
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self.imported(node)
            elif isinstance(node, ast.Attribute):
                todo.append((node.value, names, resolved))
            else:
                todo += ((part, seen, False) for part, seen in self.inside(node, names))
            if isinstance(node, ast.Call):
                todo += ((part, names, False) for part in self.text_run(node))

    def inside(self, node: ast.AST, names: Names) -> Iterable[tuple[ast.AST, Names]]:
        """Return the parts of a piece of code, each with the names that it sees."""
        parts = parts_of(node)
        if not isinstance(node, SCOPES):
            return [(part, names) for part in parts]
        inner = self.scope(node, names)
        around = set(parts) - set(body_of(node))
        return [(part, names if part in around else inner) for part in parts]

    def mention(self, node: ast.AST, *, is_owner: bool) -> bool:
        """
        Note what a name or a look-up stands for; return whether it is known.

        A module of this package may be named in front of what may be used of it.
        """
        values = self.values(node)
        direct = values
        if isinstance(node, ast.Name):
            bindings, is_notebooks = self.names.find(node.id)
            direct = [Path(one.path) for one in bindings if one.path]
            for one in bindings if is_notebooks else ():
                self.follow(one)
        elif isinstance(node, ast.Attribute) and not values:
            self.method(node)
        paths = [value for value in direct if isinstance(value, Path)]
        if any(
            is_forbidden_path(one, self.forbidden)
            for one in paths
            if not (is_owner and is_ours(one))
        ):
            self.found[shown(node)] = None
        return bool(values)

    def follow(self, binding: Binding) -> None:
        """Read what the notebook binds to a name, once."""
        self.step()
        if binding.node and binding.node not in self.followed:
            self.followed.add(binding.node)
            self.todo.append((binding.node, binding.names))

    def method(self, node: ast.Attribute) -> None:
        """Note a forbidden method of tensors, if the object may be one."""
        if node.attr in self.notebook.attributes or self.values(node.value):
            return
        if is_forbidden(attribute_of(torch.Tensor, node.attr), self.forbidden):
            self.found[shown(node)] = None

    def imported(self, node: ast.Import | ast.ImportFrom) -> None:
        """Note what an import inside of an answer takes."""
        for alias in node.names:
            of_module = isinstance(node, ast.ImportFrom)
            path = f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
            if (of_module or "." in path) and is_forbidden_path(path, self.forbidden):
                self.found[alias.name] = None

    def text_run(self, node: ast.Call) -> list[ast.AST]:
        """Return the code in a text that is given to ``eval`` or ``exec``."""
        texts = [text_of(argument) for argument in node.args[:1]]
        paths = map(self.path, self.values(node.func))
        if not texts or not texts[0] or {"builtins.eval", "builtins.exec"}.isdisjoint(paths):
            return []
        return list(statements_of(texts[0][:MOST_CHARACTERS]))
