"""Find forbidden calls: by reading the answer's code, and by watching it run."""

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

from course_utils.checks.exercise import Answer, Forbidden

LIBRARIES = frozenset(
    {"torch", "numpy", "scipy", "cv2", "skimage", "PIL", "tensorflow", "keras", "jax", "cupy"}
    | {"torchvision", "kornia", "astropy", "mxnet", "paddle", "course_utils"}
)


def is_library(module_name: object) -> bool:
    """Return whether a module belongs to a library rather than to the student."""
    return isinstance(module_name, str) and module_name.partition(".")[0] in LIBRARIES


# --- watching ---------------------------------------------------------------------------------


class _Watcher(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes which of PyTorch's operators run."""

    def __init__(self, forbidden: Forbidden) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.forbidden = forbidden
        self.seen: list[str] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # the compiler is not used, and importing it would take seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name
        if name in self.forbidden.operators:
            self.seen.append(name.removeprefix("aten::"))
        return func(*args, **(kwargs or {}))

    def profile(self, frame: FrameType, event: str, argument: Any) -> None:
        """Note functions of other libraries, as ``sys.setprofile`` reports them."""
        if event == "call":
            name, module = frame.f_code.co_name, frame.f_globals.get("__name__")
        elif event == "c_call":
            name, module = argument.__name__, argument.__module__
        else:
            return
        if name in self.forbidden.names and is_library(module):
            self.seen.append(f"{module}.{name}")


@contextmanager
def watch(forbidden: Forbidden) -> Iterator[list[str]]:
    """Yield a list that fills with the forbidden calls made in the block."""
    watcher = _Watcher(forbidden)
    previous = sys.getprofile()
    with watcher:
        sys.setprofile(watcher.profile)
        try:
            yield watcher.seen
        finally:
            sys.setprofile(previous)


# --- reading ----------------------------------------------------------------------------------


def read(answer: Answer, forbidden: Forbidden) -> list[str]:
    """Return the forbidden functions that the code of the answer, or of its helpers, names."""
    found: list[str] = []
    todo, done = [answer], set[CodeType]()
    while todo:
        function = inspect.unwrap(todo.pop())
        if not isinstance(function, FunctionType) or function.__code__ in done:
            continue
        done.add(function.__code__)
        tree = _parse(function)
        if tree is None:
            continue
        names = _Names(function)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and is_library(node.module):
                found += [a.name for a in node.names if a.name in forbidden.names]
            elif isinstance(node, ast.Name | ast.Attribute):
                value = names.resolve(node)
                last = node.id if isinstance(node, ast.Name) else node.attr
                if isinstance(value, FunctionType) and not is_library(value.__module__):
                    todo.append(value)
                elif value is not None and names.is_forbidden(value, last, forbidden):
                    found.append(ast.unparse(node))
    return found


class _Names:
    """Resolves dotted names as the function would, without running it."""

    def __init__(self, function: FunctionType) -> None:
        closure = inspect.getclosurevars(function).nonlocals
        self.known: dict[str, Any] = {**vars(builtins), **function.__globals__, **closure}
        local = set(function.__code__.co_varnames)
        self.known = {name: value for name, value in self.known.items() if name not in local}
        tree = _parse(function)
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.Import):
                for alias in node.names:
                    module = sys.modules.get(
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
                    self.known[alias.asname or alias.name.split(".")[0]] = module
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
            if isinstance(owner, ModuleType | type):
                return getattr(owner, node.attr, None)
        return None

    @staticmethod
    def is_forbidden(value: Any, name: str, forbidden: Forbidden) -> bool:
        """Return whether an object is a library's function of a forbidden name."""
        own_name = getattr(value, "__name__", name)
        if own_name not in forbidden.names and name not in forbidden.names:
            return False
        if isinstance(value, ModuleType):
            return False
        module = getattr(value, "__module__", None)
        # PyTorch's built-in functions tell no module; those of Python's own do
        return is_library(module) or module is None


def _parse(function: FunctionType) -> ast.AST | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None  # a lambda inside an expression, or code without a file: it is only watched
