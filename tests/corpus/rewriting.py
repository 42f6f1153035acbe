"""Answers written in another way that means the same, or with code put into them."""

import ast
import textwrap
from typing import Any


def _definition(tree: ast.Module, name: str) -> Any:
    """Return the last definition of a name at the top of a text."""
    kinds = ast.FunctionDef | ast.ClassDef
    return next(
        (node for node in reversed(tree.body) if isinstance(node, kinds) and node.name == name),
        None,
    )


def is_function(answer: str, name: str) -> bool:
    return isinstance(_definition(ast.parse(answer), name), ast.FunctionDef)


def with_code_inside(answer: str, name: str, code: str) -> str:
    """Put code at the beginning of a function, or of the first method of a class."""
    tree = ast.parse(answer)
    function = _definition(tree, name)
    if isinstance(function, ast.ClassDef):
        function = next(node for node in function.body if isinstance(node, ast.FunctionDef))
    at = 1 if ast.get_docstring(function) is not None else 0
    function.body[at:at] = ast.parse(code).body
    return ast.unparse(tree)


def with_result(answer: str, name: str, result: str) -> str:
    """Return something else in the place of each result of a function."""
    tree = ast.parse(answer)
    _Returns(result).change(_definition(tree, name).body)
    return ast.unparse(tree)


class _Returns(ast.NodeTransformer):
    """Changes what the return statements of one function return."""

    def __init__(self, result: str) -> None:
        self.result = result

    def change(self, body: list[ast.stmt]) -> None:
        body[:] = [self.visit(statement) for statement in body]

    def visit_Return(self, node: ast.Return) -> ast.Return:
        value = ast.unparse(node.value) if node.value else "None"
        new = ast.parse(f"(lambda result: ({self.result}))({value})", mode="eval").body
        return ast.Return(new)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        return node


def in_class(answer: str, name: str) -> str:
    return f"class Answers:\n{textwrap.indent(answer, '    ')}\n\n{name} = Answers.{name}"


def decorated(answer: str, name: str) -> str:
    wrapper = f"""
import functools

def _logged(function):
    @functools.wraps(function)
    def wrapped(*args, **settings):
        return function(*args, **settings)
    return wrapped

{name} = _logged({name})
"""
    return answer + wrapper


def renamed(answer: str, name: str) -> str:
    tree = ast.parse(answer)
    _definition(tree, name).name = f"my_{name}"
    return f"{ast.unparse(tree)}\n\n{name} = my_{name}"


def partial(answer: str, name: str) -> str:
    return f"{answer}\n\nfrom functools import partial\n{name} = partial({name})"


def executed(answer: str, name: str) -> str:
    return f"exec({answer!r}, globals())"


def branched(answer: str, name: str) -> str:
    inner = textwrap.indent(answer, "            ")
    head = "import contextlib\nif True:\n    try:\n        with contextlib.suppress(ZeroDivisionError):\n"
    return f"{head}{inner}\n    finally:\n        pass"


def stub_first(answer: str, name: str) -> str:
    return f"def {name}(*args):\n    raise NotImplementedError()\n\n{answer}"
