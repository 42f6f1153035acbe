"""Which names a cell defines, and how: read from its text, which is never run."""

import ast
import re
import textwrap
from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache
from itertools import zip_longest

from course_utils.checks.notebook import tree_of

MAX_PARSED = 200_000  # characters; a longer cell is looked at by its lines only

# `%%time` and the like run the cell in the notebook's own namespace; other cell magics do not.
_CELL_MAGIC = re.compile(r"\s*%%(?:time|capture|prun)\b[^\n]*")
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.|In \[\d+\]:) ?", re.MULTILINE)
_FROM_SHELL = re.compile(r"[\w., ]+=\s*[%!]")
_BROKEN = re.compile(
    r"^[ \t]*(?:>>> ?)?(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)|^(\w+)[ \t]*=[ \t]*lambda\b",
    re.MULTILINE,
)


class Definition(IntEnum):
    """How a cell defines a name, the better the higher."""

    VALUE = 1  # a result, an import: something that happens to have the name
    STUB = 2  # as it was handed out
    BROKEN = 3  # in a cell that is no Python
    WHOLE = 4  # a function, a class, another name for one


def definitions(source: str) -> dict[str, Definition]:
    """
    Return the names that a cell defines at its top level, each as it is defined last.

    Lines of IPython are passed over. A cell that is no Python is searched for lines that begin
    a definition.

    Examples
    --------
    >>> definitions("%matplotlib inline\\ndef odds(p): return p / (1 - p)")
    {'odds': <Definition.WHOLE: 4>}
    >>> definitions("def odds(p): return p / (1 - p")
    {'odds': <Definition.BROKEN: 3>}
    """
    tree = parse(source)
    if tree is None:
        names = (match[1] or match[2] for match in _BROKEN.finditer(source))
        return dict.fromkeys(names, Definition.BROKEN)
    found: dict[str, Definition] = {}
    try:
        for statement in _statements(tree.body):
            found.update(_defined(statement))
    except RecursionError:
        pass  # what was found before the deepest statement stands
    return found


def parse(source: str) -> ast.Module | None:
    """Return a cell's syntax tree, or None if it is no Python, IPython's lines apart."""
    return _tree(python_of(source))


@lru_cache(maxsize=1024)
def python_of(source: str) -> str:
    """Return a cell as Python: IPython's own lines give way, if that makes it Python."""
    magic = _CELL_MAGIC.match(source)
    no_python = not magic and source.lstrip().startswith("%%")
    if no_python or len(source) > MAX_PARSED or _tree(source) is not None:
        return source
    rest = source[magic.end() :] if magic else source
    text = _without_shell(textwrap.dedent(_PROMPT.sub("", rest)))
    return source if _tree(text) is None else text


def _without_shell(source: str) -> str:
    """Put ``pass`` for the lines that IPython takes for itself: ``%``, ``!`` and ``?``."""
    return "\n".join(
        line[: len(line) - len(line.lstrip())] + "pass" if _is_shell(line.strip()) else line
        for line in source.split("\n")
    )


def _is_shell(line: str) -> bool:
    return line.startswith(("%", "!", "?")) or line.endswith("?") or bool(_FROM_SHELL.match(line))


def _tree(source: str) -> ast.Module | None:
    return tree_of(source) if len(source) <= MAX_PARSED else None


def is_unfilled(node: ast.AST) -> bool:
    """Whether a function or class is what students get: a docstring and nothing that is done."""
    if isinstance(node, ast.ClassDef):
        return all(_is_constant(part) or is_unfilled(part) for part in node.body)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return all(_is_constant(part) or _gives_up(part) for part in node.body)
    return False


def _is_constant(statement: ast.AST) -> bool:
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _gives_up(statement: ast.AST) -> bool:
    """Whether a statement is ``raise NotImplementedError``, called or not."""
    if not isinstance(statement, ast.Raise):
        return False
    raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when the cell runs: also those under ``if``, ``try``, ``with``."""
    for statement in body:
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for part in ("body", "handlers", "cases", "orelse", "finalbody"):
                for inner in getattr(statement, part, ()):
                    yield from _statements([inner] if isinstance(inner, ast.stmt) else inner.body)


def _defined(statement: ast.stmt) -> Iterator[tuple[str, Definition]]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        whole = Definition.STUB if is_unfilled(statement) else Definition.WHOLE
        yield statement.name, whole
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0], Definition.VALUE
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _assigned(target, statement.value)
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        yield from _assigned(statement.target, statement.value)


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, Definition]]:
    if isinstance(target, ast.Name):
        yield target.id, Definition.WHOLE if _is_callable(value) else Definition.VALUE
    elif isinstance(target, ast.Tuple | ast.List):
        values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        for part, each in zip_longest(target.elts, values[: len(target.elts)]):
            yield from _assigned(part, each or ast.Constant(0))


def _is_callable(value: ast.expr) -> bool:
    """Whether a value reads like a function: a lambda, another name, something made of those."""
    if isinstance(value, ast.Call):
        called = value.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        return name == "partial" or any(isinstance(part, ast.Lambda) for part in value.args)
    return isinstance(value, ast.Lambda | ast.Name)
