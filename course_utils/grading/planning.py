"""Which cells of a submission are run for one exercise, read from their text alone.

An exercise runs the master's setup, the cells that define what its answer uses, and its own cell
last. What other cells do costs it nothing.
"""

import ast
import builtins
import contextlib
import symtable
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from course_utils.grading.definitions import parse, python_of

MOST_NODES = 300  # of a value that is no function


@dataclass(frozen=True)
class PlannedCell:
    """A cell to run: a label for reports, its source, and whether it may be cut down."""

    label: str
    source: str
    ours: bool = False


@dataclass(frozen=True)
class _Names:
    defined: frozenset[str]
    used: frozenset[str]


def plan_cells(
    setup: Sequence[str], others: Sequence[str], own: str, *, whole: bool = False
) -> tuple[PlannedCell, ...]:
    """
    Return the cells to run, in order.

    Parameters
    ----------
    setup : sequence of str
        The master's own code; the first always runs, the others where they are needed.
    others : sequence of str
        The student's other cells, in their order.
    own : str
        The cell with the answer.
    whole : bool
        Whether all cells run, needed or not.
    """
    own = python_of(own)
    first = [PlannedCell("setup", source, ours=True) for source in setup[:1]]
    pool = [PlannedCell(f"setup {n}", source, True) for n, source in enumerate(setup[1:], 2)]
    pool += [
        PlannedCell(f"cell {n}", python_of(source)) for n, source in enumerate(others, 1) if source
    ]
    chosen = pool if whole else _needed(pool, own, _names("\n".join(setup[:1])).defined)
    return (*first, *chosen, PlannedCell("with the answer", own))


def _needed(pool: Sequence[PlannedCell], own: str, setup: frozenset[str]) -> list[PlannedCell]:
    """Return the cells of a pool that define what the own cell uses, directly or not."""
    there = set(dir(builtins)) | setup
    wanted = _names(own).used - there
    chosen: set[PlannedCell] = set()
    while more := [
        cell for cell in pool if cell not in chosen and wanted & _names(cell.source).defined
    ]:
        chosen.update(more)
        wanted = wanted.union(*(_names(cell.source).used for cell in more)) - there
    return [cell for cell in pool if cell in chosen]


def leaves_out(plan: Sequence[PlannedCell], others: Sequence[str]) -> list[str]:
    """Return the cells that a plan leaves out."""
    planned = {cell.source for cell in plan}
    return [source for source in map(python_of, others) if source and source not in planned]


def shadows(plan: Sequence[PlannedCell], others: Sequence[str]) -> bool:
    """Return whether a cell that is left out gives another meaning to a name that is used."""
    used = frozenset().union(*(_names(cell.source).used for cell in plan if not cell.ours))
    return any(used & _names(source).defined for source in leaves_out(plan, others))


def bind_apart(sources: Sequence[str]) -> bool:
    """Return whether every name is bound at the top of one cell only."""
    bound = [_names(source).defined for source in sources]
    return sum(map(len, bound)) == len(frozenset().union(*bound))


@lru_cache(maxsize=4096)
def _names(source: str) -> _Names:
    """Return the names that a cell binds at its top, and those that it uses anywhere."""
    tree = parse(source)
    if tree is None:
        return _Names(frozenset(), frozenset())
    defined: set[str] = set()
    for statement in _top(tree.body):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(statement.name)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            defined |= {(one.asname or one.name).partition(".")[0] for one in statement.names}
        else:
            defined |= {
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
    return _Names(frozenset(defined), _used(source, tree))


def _used(source: str, tree: ast.Module) -> frozenset[str]:
    """Return the names that a cell looks up outside of its functions: a local one is its own."""
    try:
        with warnings.catch_warnings(action="ignore"):
            tables = [symtable.symtable(python_of(source), "<cell>", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # beyond what Python compiles
        return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    found: set[str] = set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        found |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_global() or (table.get_type() != "function" and symbol.is_referenced())
        }
    return frozenset(found)


def _top(body: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    """Yield the statements that run in the cell's own scope, also inside of blocks."""
    for statement in body:
        yield statement
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from _top(getattr(statement, name, []))
        for handler in getattr(statement, "handlers", []):
            yield from _top(handler.body)


def definitions_only(source: str) -> str:
    """Return what of a cell defines something and does nothing else: for one that never ends."""
    tree = parse(source)
    if tree is None:
        return ""
    kept = [statement for statement in tree.body if _only_defines(statement)]
    with contextlib.suppress(RecursionError):
        return ast.unparse(ast.Module(kept, []))
    return ""  # a function that is nested too deep


def without_effects(cells: Sequence[PlannedCell], name: str) -> list[PlannedCell]:
    """
    Return the cells of an answer without what they do beside: without patches, settings, threads.

    A cell stays whole where what it does binds, or unbinds, a name that is used.
    """
    parts = [_Parts(cell.source) if cell.ours else _parts(cell.source) for cell in cells]
    used = frozenset({name}).union(*(_names(part.definitions).used for part in parts))
    return [
        cell if used & part.bound_beside else PlannedCell(cell.label, part.definitions, cell.ours)
        for cell, part in zip(cells, parts, strict=True)
    ]


@dataclass(frozen=True)
class _Parts:
    """What a cell defines, as a source, and the names that it binds or unbinds otherwise."""

    definitions: str
    bound_beside: frozenset[str] = frozenset()


@lru_cache(maxsize=64)
def _parts(source: str) -> _Parts:
    tree = parse(source)
    beside = [one for one in tree.body if not _only_defines(one)] if tree else []
    if not beside:
        return _Parts(source)
    deleted = {
        node.id
        for statement in beside
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)
    }
    try:
        bound = _names(ast.unparse(ast.Module(beside, []))).defined
    except RecursionError:
        return _Parts(source)
    return _Parts(definitions_only(source), bound | deleted)


def _only_defines(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if any(isinstance(target, ast.Attribute | ast.Subscript) for target in targets):
            return False
        return statement.value is None or _is_simple(statement.value)
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    return isinstance(statement, (*kinds, ast.Pass))


def _is_simple(value: ast.expr) -> bool:
    """Return whether a value is short to write and quick to have: no call, no large power."""
    waiting: list[ast.AST] = [value]
    for _ in range(MOST_NODES):
        if not waiting:
            return True
        node = waiting.pop()
        if isinstance(node, ast.Call | ast.Pow | ast.LShift):
            return False
        if not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return False
