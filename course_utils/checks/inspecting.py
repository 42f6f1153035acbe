"""Read the code of an answer, as Python holds it, for the forbidden functions that it names."""

import ast
import builtins
import functools
import inspect
import io
import linecache
import sys
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, cast

from course_utils.checks.exercise import Answer, Forbidden
from course_utils.checks.forbidding import (
    PACKAGE,
    is_banned,
    is_forbidden,
    is_forbidden_path,
    is_library,
    is_ours,
)
from course_utils.checks.outcomes import is_installed
from course_utils.checks.resolving import MENTIONS, Path, Resolver, parts_of, shown

TABLES = (list, tuple, dict, set, frozenset)


def read(answer: Answer, forbidden: Forbidden) -> list[str]:
    """
    Return the forbidden functions that the code of the answer, or of its helpers, names.

    Code that cannot be read is only watched.
    """
    try:
        return list(_read(answer, forbidden))
    except Exception:  # an answer may be any object, and lie about its parts
        return []


def _read(answer: Answer, forbidden: Forbidden) -> Iterator[str]:
    ours = _values_of_ours()
    todo: list[Any] = [answer]
    done: set[CodeType | type] = set()
    while todo:
        value = todo.pop()
        if _is_not_allowed(value, forbidden, ours):
            yield _name_of(value)
        elif isinstance(value, functools.partial):
            todo += [value.func, *filter(callable, (*value.args, *value.keywords.values()))]
        elif isinstance(value, type):
            if value not in done and not is_library(value.__module__):
                done.add(value)
                todo += [*_functions_of(value), *value.__bases__]
        else:
            function = _function_behind(value)
            if function is None or function.__code__ in done:
                continue
            done.add(function.__code__)
            tree = None if is_installed(function.__code__.co_filename) else _parse(function)
            if tree is not None:
                reading = _Reading(_Names(function, tree), forbidden, ours)
                reading.walk(tree)
                yield from reading.found
                todo += reading.helpers


def _functions_of(answer: type) -> list[Any]:
    """Return the functions that a class holds, those behind properties and the like too."""
    parts = [
        part
        for value in vars(answer).values()
        for part in (value, *(getattr(value, name, None) for name in ("__func__", "fget", "fset")))
    ]
    return [part for part in parts if isinstance(part, FunctionType | functools.partial)]


class _Reading:
    """Walks the code of one function, and notes what it names."""

    def __init__(self, names: "_Names", forbidden: Forbidden, ours: dict[int, set[str]]) -> None:
        self.names = names
        self.forbidden = forbidden
        self.ours = ours
        self.found: list[str] = []
        self.helpers: list[Any] = []

    def walk(self, root: ast.AST) -> None:
        """Note forbidden names, and the student's own functions and classes."""
        todo: list[tuple[ast.AST, bool]] = [(root, False)]
        while todo:
            node, is_owner = todo.pop()
            resolved = isinstance(node, MENTIONS) and self._mention(node, is_owner=is_owner)
            if isinstance(node, ast.ImportFrom):
                paths = [(f"{node.module}.{alias.name}", alias.name) for alias in node.names]
                self.found += [
                    name for path, name in paths if is_forbidden_path(path, self.forbidden)
                ]
            todo += [
                (part, resolved and isinstance(node, ast.Attribute)) for part in parts_of(node)
            ]

    def _mention(self, node: ast.AST, *, is_owner: bool) -> bool:
        """Note what a name or a look-up stands for; return whether it is known."""
        values = self.names.values(node)
        for value in values:
            if is_owner and isinstance(value, ModuleType) and is_ours(value.__name__):
                continue  # named in front of what is looked up in it
            if _is_not_allowed(value, self.forbidden, self.ours):
                self.found.append(shown(node))
            elif isinstance(value, FunctionType | MethodType | functools.partial | type):
                self.helpers.append(value)
        return bool(values)


def _is_not_allowed(value: Any, forbidden: Forbidden, ours: dict[int, set[str]]) -> bool:
    """Return whether an object is forbidden: of a library, by its name, or of this package."""
    if isinstance(value, Path):
        return is_forbidden_path(value, forbidden)
    paths = _paths_of(value, ours)
    if paths:
        return all(is_banned(path, forbidden) for path in paths)
    return is_forbidden(value, forbidden)


def _paths_of(value: Any, ours: dict[int, set[str]]) -> set[str]:
    """Return under which dotted names of this package an object is known, if it is."""
    if isinstance(value, io.TextIOBase):
        return set()  # what takes the answer's prints
    if isinstance(value, TABLES):
        return ours.get(id(value), set())
    if isinstance(value, ModuleType):
        return {value.__name__} if is_ours(value.__name__) else set()
    if isinstance(value, BuiltinFunctionType):
        return ours.get(id(value.__self__), set())
    if isinstance(value, MethodType):
        value = value.__func__
    named = value if isinstance(value, FunctionType | type) else type(value)
    return {f"{named.__module__}.{named.__qualname__}"} if is_ours(named.__module__) else set()


def _values_of_ours() -> dict[int, set[str]]:
    """Return the names of the tables and lists of this package, by their identity."""
    found: dict[int, set[str]] = {}
    modules = [sys.modules[PACKAGE]]
    for module in modules:
        tables, inner = _tables_of(module, len(vars(module)))
        modules += [one for one in inner if one not in modules]
        for name, value in tables:
            found.setdefault(id(value), set()).add(f"{module.__name__}.{name}")
    return found


@functools.lru_cache(maxsize=256)
def _tables_of(module: ModuleType, _n_names: int) -> tuple[list[tuple[str, Any]], list[ModuleType]]:
    """Return a module's tables and lists with their names, and the modules of ours that it names."""
    named = [(name, value) for name, value in vars(module).items() if not name.startswith("__")]
    tables = [(name, value) for name, value in named if isinstance(value, TABLES) and value]
    inner = [one for _, one in named if isinstance(one, ModuleType) and is_ours(one.__name__)]
    return tables, inner


def _name_of(value: Any) -> str:
    named = value if isinstance(value, FunctionType | type) else type(value)
    return f"{named.__module__}.{named.__qualname__}"


def _function_behind(answer: Any) -> FunctionType | None:
    """Return the function that runs when ``answer`` is called, if it is written in Python."""
    for _ in range(20):
        if isinstance(answer, functools.partial):
            answer = answer.func
        elif isinstance(answer, functools._lru_cache_wrapper):
            answer = answer.__wrapped__
        elif isinstance(answer, MethodType):
            answer = answer.__func__
        elif isinstance(answer, FunctionType):
            return cast(FunctionType, inspect.unwrap(answer))
        else:
            answer = getattr(type(answer), "__call__", None)  # noqa: B004 - not a test
    return None


class _Names(Resolver):
    """Resolves dotted names as the function would, without running it."""

    def __init__(self, function: FunctionType, tree: ast.AST) -> None:
        super().__init__()
        local = set(function.__code__.co_varnames)
        closure = {
            name: cell.cell_contents
            for name, cell in zip(
                function.__code__.co_freevars, function.__closure__ or (), strict=True
            )
            if _is_filled(cell)
        }
        self.local = local - closure.keys()
        self.known: dict[str, Any] = {}  # by imports of its own
        self.spaces = (self.known, closure, function.__globals__, vars(builtins))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    self.known[alias.asname or top] = sys.modules.get(
                        alias.name if alias.asname else top
                    )
            elif isinstance(node, ast.ImportFrom) and node.module in sys.modules:
                for alias in node.names:
                    value = getattr(sys.modules[node.module], alias.name, None)
                    self.known[alias.asname or alias.name] = value

    def named(self, name: str) -> list[Any]:
        """Return the object of a name."""
        spaces = self.spaces[:1] if name in self.local else self.spaces
        value = next((space[name] for space in spaces if name in space), None)
        return [] if value is None else [value]

    def attribute(self, owner: Any, name: str) -> list[Any]:
        """Return an attribute of a module, of a class or of something that a library made."""
        if isinstance(owner, ModuleType | type) or is_library(type(owner).__module__):
            value = getattr(owner, name, None)
            return [] if value is None else [value]
        return []

    def module(self, name: str) -> list[Any]:
        """Return a module, or its path if it is not loaded."""
        return [sys.modules.get(name, Path(name))]

    def path(self, value: Any) -> str:
        """Return the dotted name of a function."""
        if value is getattr(sys, "modules", None):
            return "sys.modules"
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__name__', '')}"


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an unset variable raises
    except ValueError:
        return False
    return True


def _parse(function: FunctionType) -> ast.AST | None:
    """Return the code of a function; of lambdas in one line, those with its arguments."""
    code = function.__code__
    try:
        linecache.checkcache(code.co_filename)
        lines = linecache.getlines(code.co_filename, function.__globals__)
        nodes = _functions_in("".join(lines))[code.co_firstlineno, code.co_name]
    except (KeyError, SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None  # code without a text, or a text that is not what was run: it is only watched
    if code.co_name != "<lambda>":
        return cast(ast.AST, nodes[-1])
    n_starred = sum(
        bool(code.co_flags & one) for one in (inspect.CO_VARARGS, inspect.CO_VARKEYWORDS)
    )
    names = set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + n_starred])
    fitting = [node for node in nodes if _arguments(node) == names]
    return ast.Module([ast.Expr(node) for node in fitting or nodes], [])


@functools.lru_cache(maxsize=8)
def _functions_in(text: str) -> dict[tuple[int, str], list[Any]]:
    """Return the functions of a text by the line in which they begin, decorators too, and name."""
    found: dict[tuple[int, str], list[Any]] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min(one.lineno for one in (node, *node.decorator_list))
            found.setdefault((first, node.name), []).append(node)
        elif isinstance(node, ast.Lambda):
            found.setdefault((node.lineno, "<lambda>"), []).append(node)
    return found


def _arguments(node: ast.Lambda) -> set[str]:
    return {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
