"""What the names in a piece of code stand for, found without running it."""

import ast
from abc import ABC, abstractmethod
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
MENTIONS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript)

NOT_RUN = {"annotation", "returns", "type_params", "ctx", "op", "ops"}  # fields of nodes

DEEPEST = 40  # names of names, attributes of attributes


class Path(str):
    """A dotted name of a library, of Python's own or of this package."""

    __slots__ = ()


class Resolver(ABC):
    """Finds the values that an expression may have; what stands in no way for a name has none."""

    def __init__(self) -> None:
        self._depth = 0

    @abstractmethod
    def named(self, name: str) -> list[Any]:
        """Return what a name may stand for."""

    @abstractmethod
    def attribute(self, owner: Any, name: str) -> list[Any]:
        """Return what an attribute of a value may be."""

    @abstractmethod
    def module(self, name: str) -> list[Any]:
        """Return the module of a dotted name."""

    @abstractmethod
    def path(self, value: Any) -> str:
        """Return the dotted name of a value, such as ``builtins.getattr``."""

    def values(self, node: ast.AST) -> list[Any]:
        """Return what an expression may stand for; what is too deep stands for nothing."""
        if self._depth > DEEPEST:
            return []
        self._depth += 1
        try:
            return self.looked_up(node)
        finally:
            self._depth -= 1

    def looked_up(self, node: ast.AST) -> list[Any]:
        """Return what an expression may stand for, by its kind."""
        if isinstance(node, ast.Name):
            return self.named(node.id)
        if isinstance(node, ast.Attribute):
            return self.attributes(node.value, node.attr)
        if isinstance(node, ast.Call):
            return self.called(node)
        if isinstance(node, ast.Subscript):
            return self.item(node)
        return []

    def attributes(self, owner: ast.AST, name: str) -> list[Any]:
        """Return what an attribute may be; a dotted name is taken step by step."""
        found = self.values(owner)
        for part in name.split("."):
            found = [value for one in found for value in self.attribute(one, part)]
        return found

    def called(self, node: ast.Call) -> list[Any]:
        """Return what a call gives, if it only looks something up."""
        texts = [text_of(argument) for argument in node.args[:2]]
        first = texts[0] if texts else None
        if isinstance(node.func, ast.Attribute) and node.func.attr == "__getattribute__" and first:
            return self.attributes(node.func.value, first)
        if isinstance(node.func, ast.Call) and node.args and node.func.args:
            name = text_of(node.func.args[0])
            if name and self._is("operator.attrgetter", node.func.func):
                return self.attributes(node.args[0], name)
        if len(texts) == 2 and texts[1] and self._is("builtins.getattr", node.func):
            return self.attributes(node.args[0], texts[1])
        if first and self._is("importlib.import_module", node.func):
            return self.module(first)
        if first and self._is("builtins.__import__", node.func):
            return [*self.module(first.partition(".")[0]), *self.module(first)]
        return []

    def item(self, node: ast.Subscript) -> list[Any]:
        """Return what stands under a name in a module's dict, or among the loaded modules."""
        name, table = text_of(node.slice), node.value
        if not name:
            return []
        if isinstance(table, ast.Attribute) and table.attr == "__dict__":
            return self.attributes(table.value, name)
        if isinstance(table, ast.Call) and self._is("builtins.vars", table.func) and table.args:
            return self.attributes(table.args[0], name)
        if isinstance(table, ast.Call) and self._is("builtins.globals", table.func):
            return self.named(name)
        return self.module(name) if self._is("sys.modules", table) else []

    def _is(self, path: str, node: ast.AST) -> bool:
        return path in map(self.path, self.values(node))


def text_of(node: ast.AST) -> str | None:
    """Return the text that an expression of constants gives, or None."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return joined([text_of(part) for part in node.values])
    if isinstance(node, ast.FormattedValue):
        return text_of(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return joined([text_of(node.left), text_of(node.right)])
    return None


def joined(parts: list[str | None]) -> str | None:
    """Return texts one after the other, or None if one is missing."""
    known = [part for part in parts if part is not None]
    return "".join(known) if len(known) == len(parts) else None


def parts_of(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a piece of code that are run: no annotations, and no signs."""
    found: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if name in NOT_RUN or not value:
            continue
        if isinstance(value, list):
            found += [one for one in value if isinstance(one, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def shown(node: ast.AST) -> str:
    """Return a piece of code in one short line."""
    try:
        return ast.unparse(node)[:80]
    except RecursionError:
        return getattr(node, "attr", "a long expression")
