"""Which names the cells of a notebook bind, and to what, as their text says it."""

import ast
import builtins
import re
import warnings
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from course_utils.checks.forbidding import has_public
from course_utils.checks.resolving import text_of
from course_utils.checks.scopes import (
    Binding,
    Bindings,
    Names,
    bindings_of,
    names_in,
    root_of,
    run_at_once,
)

MOST_CHARACTERS = 200_000
MOST_REMEMBERED = 10_000  # of a cell whose tree is kept
END = 10**9  # behind all statements

Function = ast.FunctionDef | ast.AsyncFunctionDef

# What stands in one of these may not be run, so it hides nothing that stands before it.
CONDITIONAL = (ast.If, ast.Try, ast.TryStar, ast.For, ast.While, ast.Match)
ADDING = {"append", "add", "insert", "extend", "update", "setdefault", "__setitem__"}
MAGIC = re.compile(r"^([ \t]*)[%!?].*$", re.MULTILINE)


def statements_of(text: str) -> list[ast.stmt]:
    """Return the statements of a text, without its magics; none if it is no Python."""
    tree = tree_of(text) or tree_of(MAGIC.sub(r"\1pass", text))
    return tree.body if tree else []


def tree_of(text: str) -> ast.Module | None:
    """Return the syntax tree of a text, or None if it is no Python; that of a cell is kept."""
    return _remembered(text) if len(text) < MOST_REMEMBERED else _parsed(text)


@lru_cache(maxsize=64)
def _remembered(text: str) -> ast.Module | None:
    return _parsed(text)


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: nested too deep
        return None


@dataclass(eq=False)
class NotebookNames(Names):
    """The names that the cells have bound before a statement."""

    notebook: "Notebook | None" = None
    position: int = END

    def find(self, name: str, *, inside: bool = True) -> tuple[list[Binding], bool]:
        """Return what a name is bound to, and whether the notebook binds it."""
        return (self.notebook.bound(name, self.position) if self.notebook else []), True

    def later(self) -> Names:
        """Return the names as they are when all cells have run."""
        return self if self.position == END else NotebookNames(notebook=self.notebook)


@dataclass(frozen=True)
class _Bound:
    """A statement that binds a name; one that may not be run hides none before it."""

    position: int
    conditional: bool
    bindings: list[Binding]


class Notebook:
    """The statements of all cells, and the names that they bind."""

    def __init__(self, cells: Iterable[str]) -> None:
        self._bound: dict[str, list[_Bound]] = defaultdict(list)
        self._added: Bindings = defaultdict(list)
        self._stars: dict[str, tuple[int, bool]] = {}
        self._sorted: dict[str, list[_Bound]] = {}
        self._left = MOST_CHARACTERS
        self.attributes: set[str] = set()
        for position, statement in enumerate(one for cell in cells for one in self._parse(cell)):
            self._add(statement, position)

    def _parse(self, text: str) -> list[ast.stmt]:
        """Return the statements of a text, or none if all texts together get too long."""
        if len(text) > self._left:
            return []
        self._left -= len(text)
        return statements_of(text)

    def bound(self, name: str, position: int = END) -> list[Binding]:
        """Return what a name is bound to before a statement; to anything behind it, if not before."""
        if name not in self._sorted:
            self._sorted[name] = sorted(self._binding(name), key=lambda one: one.position)
        statements = self._sorted[name]
        before = bisect_left(statements, position, key=lambda one: one.position)
        found: list[Binding] = []
        for number in range(before - 1, -1, -1):
            found += statements[number].bindings
            if not statements[number].conditional:
                break
        found += self._added.get(name, [])
        if found or position == END:
            return found or self._elsewhere(name)
        return self.bound(name)

    def _binding(self, name: str) -> Iterator[_Bound]:
        """Yield the statements that bind a name, by itself or with all of a module."""
        yield from self._bound.get(name, [])
        for module, (position, conditional) in self._stars.items():
            if has_public(module, name):
                yield _Bound(position, conditional, [Binding(f"{module}.{name}")])

    def _elsewhere(self, name: str) -> list[Binding]:
        """Return what a name may be that no cell binds."""
        if hasattr(builtins, name):
            return [Binding(f"builtins.{name}")]
        unseen = [module for module in self._stars if has_public(module, name) is None]
        return [Binding(f"{module}.{name}") for module in unseen]

    def _add(self, statement: ast.stmt, position: int) -> None:
        conditional = isinstance(statement, (*CONDITIONAL, ast.AugAssign))
        within = isinstance(statement, (*CONDITIONAL, ast.With))  # it sees what it binds itself
        names = NotebookNames(notebook=self, position=position + within)
        for name, bindings in bindings_of([statement], names).items():
            self._bound[name].append(_Bound(position, conditional, bindings))
        for node in run_at_once(statement):
            if isinstance(node, ast.ImportFrom) and any(one.name == "*" for one in node.names):
                self._stars[node.module or ""] = position, conditional
            elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value:
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    self._store(target, node.value, names)
            elif isinstance(node, ast.Call):
                self._call(node, names, position)
        attributes, functions = _inside(statement)
        self.attributes |= attributes
        for function in functions:
            self._add_globals(function)

    def _store(self, target: ast.expr, value: ast.expr, names: NotebookNames) -> None:
        """Note what is stored in something that has a name."""
        if isinstance(target, ast.Subscript) and _calls(target.value, "globals"):
            if name := text_of(target.slice):
                bindings = [Binding(node=value, names=names)]
                self._bound[name].append(_Bound(names.position, False, bindings))
        elif isinstance(target, ast.Attribute | ast.Subscript) and (name := root_of(target)):
            self._added[name].append(Binding(node=value, names=names, whole=False))

    def _call(self, node: ast.Call, names: NotebookNames, position: int) -> None:
        """Note what a call puts into something that has a name; run the text of ``exec``."""
        if _calls(node, "exec") and node.args and (text := text_of(node.args[0])):
            for statement in self._parse(text):
                self._add(statement, position)
            return
        owner = None
        if isinstance(node.func, ast.Attribute) and node.func.attr in ADDING:
            owner = node.func.value
        elif _calls(node, "setattr") and node.args:
            owner = node.args[0]
        if owner is not None and (name := root_of(owner)):
            for value in [*node.args, *(keyword.value for keyword in node.keywords)]:
                self._added[name].append(Binding(node=value, names=names, whole=False))

    def _add_globals(self, function: Function) -> None:
        """Note what a function binds that it declares global."""
        names = names_in(function, NotebookNames(notebook=self))
        bindings = bindings_of(function.body, names, outer=True)
        for name in _declared_global(function) & bindings.keys():
            self._added[name] += bindings[name]


def _inside(statement: ast.stmt) -> tuple[set[str], list[Function]]:
    """Return the attributes made in a statement, and its functions that declare something global."""
    found: tuple[set[str], list[Function]] | None = getattr(statement, "inside", None)
    if found is None:  # a cell is read once for each answer beside it
        nodes = list(ast.walk(statement))
        functions = [one for one in nodes if isinstance(one, Function) and _declared_global(one)]
        found = {name for node in nodes for name in _attributes_made(node)}, functions
        statement.inside = found  # type: ignore[attr-defined]
    return found


def _declared_global(function: Function) -> set[str]:
    inside = [node for one in function.body for node in run_at_once(one)]
    return {name for node in inside if isinstance(node, ast.Global) for name in node.names}


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _attributes_made(node: ast.AST) -> Iterator[str]:
    """Yield the names of attributes that a piece of code gives to something."""
    if isinstance(node, ast.ClassDef):
        yield from bindings_of(node.body, Names())
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield node.attr
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg
    elif _calls(node, "setattr") and isinstance(node, ast.Call) and len(node.args) > 1:
        yield text_of(node.args[1]) or ""
