"""Which names a piece of code binds, and to what, as its text says it."""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from course_utils.checks.resolving import FUNCTIONS, Function

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = (*FUNCTIONS, *COMPREHENSIONS, ast.ClassDef)  # what is inside sees names of its own
DECLARING = (ast.Global, ast.Nonlocal)


@dataclass(eq=False)
class Names:
    """The names that a piece of code sees: its own, and then those around it."""

    around: "Names | None" = None
    own: "Bindings" = field(default_factory=dict)
    of_class: ast.ClassDef | None = None

    def find(self, name: str, *, inside: bool = True) -> "tuple[list[Binding], bool]":
        """Return what a name is bound to, and whether the notebook binds it."""
        if name in self.own and (inside or self.of_class is None):
            return self.own[name], False
        return self.around.find(name, inside=False) if self.around else ([], False)

    def later(self) -> "Names":
        """Return the names as they are when all cells have run: so a function sees them."""
        around = self.around.later() if self.around else None
        return self if around is self.around else Names(around, self.own, self.of_class)


NOWHERE = Names()


@dataclass(frozen=True, eq=False)
class Binding:
    """
    What a name is bound to: a dotted path, or code and the names that the code sees.

    ``whole`` says that the name stands for the value of the code, not for a part of it.
    """

    path: str = ""
    node: ast.AST | None = None
    names: Names = NOWHERE
    whole: bool = True


UNKNOWN = Binding()
Bindings = dict[str, list[Binding]]


def root_of(node: ast.AST) -> str:
    """Return the name in front of a chain of attributes and items, or ""."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def run_at_once(root: ast.AST) -> tuple[ast.AST, ...]:
    """Return what a statement runs itself, without the insides of functions and classes."""
    found: tuple[ast.AST, ...] | None = getattr(root, "run_at_once", None)
    if found is None:  # a cell is read once for each answer beside it
        todo, nodes = [root], []
        while todo:
            node = todo.pop()
            nodes.append(node)
            if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                todo += reversed(list(ast.iter_child_nodes(node)))
        found = tuple(nodes)
        root.run_at_once = found  # type: ignore[attr-defined]
    return found


def bindings_of(body: Iterable[ast.AST], names: Names, *, outer: bool = False) -> Bindings:
    """Return what a body binds, by name; with ``outer`` also what it declares global or nonlocal."""
    found: Bindings = defaultdict(list)
    declared: set[str] = set()
    for node in (one for statement in body for one in run_at_once(statement)):
        if isinstance(node, DECLARING):
            declared.update(node.names)
        for name, binding in _bound_by(node, names):
            found[name].append(binding)
    return {name: found[name] for name in found if outer or name not in declared}


def _bound_by(node: ast.AST, names: Names) -> Iterable[tuple[str, Binding]]:
    """Return the names that one statement or expression binds."""
    binds = _BINDING.get(type(node))
    return binds(node, names) if binds else ()


def _imported(node: ast.Import, _names: Names) -> Iterator[tuple[str, Binding]]:
    for alias in node.names:
        top = alias.name.partition(".")[0]
        yield (alias.asname, Binding(alias.name)) if alias.asname else (top, Binding(top))


def _imported_from(node: ast.ImportFrom, _names: Names) -> Iterator[tuple[str, Binding]]:
    for alias in node.names:
        yield alias.asname or alias.name, Binding(f"{node.module}.{alias.name}")


def _assigned(node: ast.Assign, names: Names) -> Iterator[tuple[str, Binding]]:
    for target in node.targets:
        yield from _paired(target, node.value, names)


def _unknown(name: str | None) -> Iterable[tuple[str, Binding]]:
    return [(name, UNKNOWN)] if name else []


def _paired(
    target: ast.AST, value: ast.expr, names: Names, *, whole: bool = True
) -> Iterator[tuple[str, Binding]]:
    """Yield what an assignment binds; tuples are taken apart where both sides are written out."""
    if isinstance(target, ast.Name):
        yield target.id, Binding(node=value, names=names, whole=whole)
    elif isinstance(target, ast.Starred):
        yield from _paired(target.value, value, names, whole=False)
    elif isinstance(target, ast.Tuple | ast.List):
        values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        fits = len(values) == len(target.elts)
        for number, part in enumerate(target.elts):
            yield from _paired(part, values[number] if fits else value, names, whole=whole and fits)


def _each(target: ast.AST, items: ast.expr, names: Names) -> Iterator[tuple[str, Binding]]:
    """Yield what a loop binds to each of its items."""
    if isinstance(items, ast.Tuple | ast.List | ast.Set):
        for item in items.elts:
            yield from _paired(target, item, names)
    else:
        yield from _paired(target, items, names, whole=False)


_BINDING: dict[type, Callable[[Any, Names], Iterable[tuple[str, Binding]]]] = {
    **dict.fromkeys(
        (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
        lambda node, names: [(node.name, Binding(node=node, names=names))],
    ),
    ast.Import: _imported,
    ast.ImportFrom: _imported_from,
    ast.Assign: _assigned,
    **dict.fromkeys(
        (ast.AugAssign, ast.AnnAssign, ast.NamedExpr),
        lambda node, names: _paired(node.target, node.value, names) if node.value else (),
    ),
    **dict.fromkeys(
        (ast.For, ast.AsyncFor), lambda node, names: _each(node.target, node.iter, names)
    ),
    ast.withitem: lambda node, names: (
        _paired(node.optional_vars, node.context_expr, names, whole=False)
        if node.optional_vars
        else ()
    ),
    **dict.fromkeys(
        (ast.ExceptHandler, ast.MatchAs, ast.MatchStar), lambda node, _: _unknown(node.name)
    ),
    ast.MatchMapping: lambda node, _: _unknown(node.rest),
}


def names_in(function: Function, names: Names) -> Names:
    """Return the names that the inside of a function sees."""
    inside = Names(names.later())
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    for argument in [*positional, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]:
        if argument is not None:
            inside.own[argument.arg] = [UNKNOWN]
    defaults = [
        *zip(positional[::-1], arguments.defaults[::-1], strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    for argument, default in defaults:
        if default is not None:
            inside.own[argument.arg].append(Binding(node=default, names=names))
    static = any(getattr(one, "id", "") == "staticmethod" for one in _decorators(function))
    if names.of_class is not None and positional and not static:
        inside.own[positional[0].arg].append(
            Binding(node=names.of_class, names=names.around or NOWHERE)
        )
    body = [function.body] if isinstance(function, ast.Lambda) else function.body
    for name, bindings in bindings_of(body, inside).items():
        inside.own.setdefault(name, []).extend(bindings)
    return inside


def _decorators(function: Function) -> list[ast.expr]:
    return [] if isinstance(function, ast.Lambda) else function.decorator_list


def body_of(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a function, a class or a comprehension that see names of its own."""
    body = getattr(node, "body", [])
    if isinstance(node, COMPREHENSIONS):
        return list(ast.iter_child_nodes(node))
    return body if isinstance(body, list) else [body]


def returned_by(function: Function) -> list[ast.expr]:
    """Return the expressions that a function gives back."""
    if isinstance(function, ast.Lambda):
        return [function.body]
    parts = (part for one in function.body for part in run_at_once(one))
    return [part.value for part in parts if isinstance(part, ast.Return) and part.value]


def scope_of(node: ast.AST, names: Names) -> Names:
    """Return the names that the inside of a function, a class or a comprehension sees."""
    if isinstance(node, FUNCTIONS):
        return names_in(node, names)
    return names_in_class(node, names) if isinstance(node, ast.ClassDef) else _each_in(node, names)


def names_in_class(node: ast.ClassDef, names: Names) -> Names:
    """Return the names that the statements of a class see."""
    inside = Names(names, of_class=node)
    inside.own = bindings_of(node.body, inside)
    return inside


def _each_in(node: ast.AST, names: Names) -> Names:
    """Return the names that the parts of a comprehension see."""
    inside = Names(names)
    for part in getattr(node, "generators", []):
        for name, binding in _each(part.target, part.iter, names):
            inside.own.setdefault(name, []).append(binding)
    return inside


def attributes_in(node: ast.ClassDef, names: Names) -> Bindings:
    """Return what a class and its methods bind to the names of attributes."""
    inside = names_in_class(node, names)
    found: Bindings = defaultdict(list, {name: [*own] for name, own in inside.own.items()})
    for method in node.body:
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and method.args.args:
            own_names, own = names_in(method, inside), method.args.args[0].arg
            stores = (part for part in ast.walk(method) if isinstance(part, ast.Assign))
            for target, value in ((one, part.value) for part in stores for one in part.targets):
                if isinstance(target, ast.Attribute) and root_of(target.value) == own:
                    found[target.attr].append(Binding(node=value, names=own_names))
    return found
