"""Find forbidden calls: by reading the answer's code, and by watching it run."""

import ast
import builtins
import functools
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from types import (
    BuiltinFunctionType,
    CodeType,
    FrameType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, cast

import numpy as np
from torch.utils._python_dispatch import TorchDispatchMode

from course_utils.checks.exercise import Answer, Forbidden
from course_utils.checks.outcomes import is_installed

LIBRARIES = frozenset(
    {"torch", "numpy", "scipy", "cv2", "skimage", "PIL", "tensorflow", "keras", "jax", "cupy"}
    | {"torchvision", "kornia", "astropy", "mxnet", "paddle"}
)
# This package's own right and wrong answers, and its arithmetic.
OURS = re.compile(r"course_utils\.(arithmetic|checks\.a\d)")


def is_library(module_name: object) -> bool:
    """Return whether a module belongs to a library rather than to the student."""
    return isinstance(module_name, str) and module_name.partition(".")[0] in LIBRARIES


def is_ours(module_name: object) -> bool:
    """Return whether a module of this package holds answers."""
    return isinstance(module_name, str) and OURS.match(module_name) is not None


# --- watching ---------------------------------------------------------------------------------


class _Watcher(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes which of PyTorch's operators run."""

    def __init__(self, forbidden: Forbidden) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.forbidden = forbidden
        self.operators = re.compile(forbidden.operators)
        self.seen: list[str] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # the compiler is not used, and importing it would take seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name
        if self.operators.search(name):
            self.seen.append(name.partition("::")[2])
        return func(*args, **(kwargs or {}))

    def profile(self, frame: FrameType, event: str, argument: Any) -> None:
        """Note functions of other libraries, as ``sys.setprofile`` reports them."""
        if event == "call":
            name, module = frame.f_code.co_name, frame.f_globals.get("__name__")
        elif event == "c_call":
            name, module = argument.__name__, argument.__module__
        else:
            return
        if _is_named(name, module, self.forbidden) or is_ours(module):
            self.seen.append(f"{module}.{name}")


@contextmanager
def watch(forbidden: Forbidden) -> Iterator[list[str]]:
    """Yield a list that fills with the forbidden calls made in the block."""
    watcher = _Watcher(forbidden)
    previous = sys.getprofile()
    with watcher:
        if previous is not None and not callable(previous):  # cProfile's own: leave it alone
            yield watcher.seen
            return
        sys.setprofile(watcher.profile)
        try:
            yield watcher.seen
        finally:
            sys.setprofile(previous)


def _is_named(name: str, module: object, forbidden: Forbidden) -> bool:
    """Return whether a library's function is among the forbidden names, bare or with its module."""
    return is_library(module) and not forbidden.names.isdisjoint({name, f"{module}.{name}"})


# --- reading ----------------------------------------------------------------------------------


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
    todo: list[Any] = [answer]
    done: set[CodeType] = set()
    while todo:
        function = _function_behind(todo.pop())
        if function is None or function.__code__ in done:
            continue
        done.add(function.__code__)
        tree = _parse(function)
        if tree is None or is_installed(function.__code__.co_filename):
            continue
        names = _Names(function, tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and is_library(node.module):
                for alias in node.names:
                    if _is_named(alias.name, node.module, forbidden):
                        yield alias.name
            elif isinstance(node, ast.Name | ast.Attribute):
                value = names.resolve(node)
                if _is_forbidden(value, forbidden):
                    yield ast.unparse(node)
                elif isinstance(value, FunctionType | MethodType | functools.partial):
                    todo.append(value)


def _function_behind(answer: Any) -> FunctionType | None:
    """Return the function that runs when ``answer`` is called, if it is written in Python."""
    for _ in range(20):
        if isinstance(answer, functools.partial):
            answer = answer.func
        elif isinstance(answer, MethodType):
            answer = answer.__func__
        elif isinstance(answer, FunctionType):
            return cast(FunctionType, inspect.unwrap(answer))
        else:
            answer = getattr(type(answer), "__call__", None)  # noqa: B004 - not a test
    return None


def _is_forbidden(value: Any, forbidden: Forbidden) -> bool:
    """Return whether an object is a library's function or class of a forbidden name."""
    if isinstance(value, FunctionType) and is_ours(value.__module__):
        return True
    if isinstance(value, FunctionType | type):
        return _is_named(value.__name__, value.__module__, forbidden)
    if isinstance(value, np.ufunc):
        return value.__name__ in forbidden.names
    if isinstance(value, BuiltinFunctionType | MethodDescriptorType):
        # PyTorch's built-in functions tell no module; those of other libraries do
        module = getattr(value, "__module__", None)
        return value.__name__ in forbidden.names and (module is None or is_library(module))
    name = (
        str(getattr(value, "_qualified_op_name", "")) if is_library(type(value).__module__) else ""
    )
    return bool(name) and re.search(forbidden.operators, name) is not None


class _Names:
    """Resolves dotted names as the function would, without running it."""

    def __init__(self, function: FunctionType, tree: ast.AST) -> None:
        local = set(function.__code__.co_varnames)
        closure = {
            name: cell.cell_contents
            for name, cell in zip(
                function.__code__.co_freevars, function.__closure__ or (), strict=True
            )
            if _is_filled(cell)
        }
        known: dict[str, Any] = {**vars(builtins), **function.__globals__, **closure}
        self.known = {name: value for name, value in known.items() if name not in local}
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

    def resolve(self, node: ast.AST) -> Any:
        """Return the object that a dotted name stands for, or None."""
        if isinstance(node, ast.Name):
            return self.known.get(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.resolve(node.value)
            if isinstance(owner, ModuleType | type) or is_library(type(owner).__module__):
                return getattr(owner, node.attr, None)
        return None


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an unset variable raises
    except ValueError:
        return False
    return True


def _parse(function: FunctionType) -> ast.AST | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None  # a lambda inside an expression, or code without a file: it is only watched
