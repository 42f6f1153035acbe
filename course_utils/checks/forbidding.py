"""What an answer may not use: functions of libraries by name, and this package, but for some of it."""

import re
import sys
from importlib import import_module
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, ModuleType
from typing import Any

import numpy as np

from course_utils.checks.exercise import Forbidden

LIBRARIES = frozenset(
    {"torch", "numpy", "scipy", "cv2", "skimage", "PIL", "tensorflow", "keras", "jax", "cupy"}
    | {"torchvision", "kornia", "astropy", "mxnet", "paddle"}
)
PACKAGE = "course_utils"
CHECK = frozenset({f"{PACKAGE}.checks.check", f"{PACKAGE}.checks.checking.check"})


def is_library(module_name: object) -> bool:
    """Return whether a module belongs to a library rather than to the student."""
    return isinstance(module_name, str) and module_name.partition(".")[0] in LIBRARIES


def is_ours(path: object) -> bool:
    """Return whether a dotted name belongs to this package."""
    return isinstance(path, str) and path.partition(".")[0] == PACKAGE


def is_banned(path: str, forbidden: Forbidden) -> bool:
    """Return whether a dotted name belongs to this package, and neither it nor its module is allowed."""
    allowed = CHECK | forbidden.allowed
    return is_ours(path) and not any(f"{path}.".startswith(f"{name}.") for name in allowed)


def is_named(name: str, module: object, forbidden: Forbidden) -> bool:
    """Return whether a library's function is among the forbidden names, bare or with its module."""
    return is_library(module) and not forbidden.names.isdisjoint({name, f"{module}.{name}"})


def is_forbidden(value: Any, forbidden: Forbidden) -> bool:
    """Return whether an object is a library's function or class of a forbidden name."""
    if isinstance(value, FunctionType | type):
        return is_named(value.__name__, value.__module__, forbidden)
    if isinstance(value, np.ufunc):
        return value.__name__ in forbidden.names
    if isinstance(value, BuiltinFunctionType | MethodDescriptorType):
        # PyTorch's built-in functions tell no module; those of other libraries do
        module = getattr(value, "__module__", None)
        return value.__name__ in forbidden.names and (module is None or is_library(module))
    if not is_library(type(value).__module__):
        return False
    operator = str(getattr(value, "_qualified_op_name", ""))
    named = str(getattr(value, "__name__", "")), str(getattr(value, "__module__", ""))
    return is_named(*named, forbidden) or bool(
        operator and re.search(forbidden.operators, operator)
    )


def is_forbidden_path(path: str, forbidden: Forbidden) -> bool:
    """Return whether a dotted name stands for something forbidden; no such thing has to exist."""
    if not is_library(path):
        return is_banned(path, forbidden)
    if path.startswith("torch.ops."):
        operator = path.removeprefix("torch.ops.").replace(".", "::", 1)
        return "::" in operator and re.search(forbidden.operators, operator) is not None
    value = object_at(path)
    if value is not None:
        return is_forbidden(value, forbidden)
    module, _, name = path.rpartition(".")
    return is_named(name, module, forbidden)


def object_at(path: str) -> Any:
    """Return what a dotted name of a loaded library stands for, or None; no code of it runs."""
    parts = path.split(".")
    for n_parts in range(len(parts), 0, -1):
        value: Any = sys.modules.get(".".join(parts[:n_parts]))
        if value is not None:
            break
    for name in parts[n_parts:]:
        value = attribute_of(value, name)
    return value


def attribute_of(owner: Any, name: str) -> Any:
    """Return an attribute of a module or a class as it is stored there, or None."""
    spaces = [owner, *owner.__mro__] if isinstance(owner, type) else [owner]
    found = [vars(one)[name] for one in spaces if hasattr(one, "__dict__") and name in vars(one)]
    return found[0] if found and isinstance(owner, type | ModuleType) else None


def has_public(module_name: str, name: str) -> bool | None:
    """
    Return whether ``from module import *`` gives a name; None if it cannot be known.

    A module of this package is loaded to see it, another one is not.
    """
    try:
        module = import_module(module_name) if is_ours(module_name) else sys.modules[module_name]
    except ImportError:
        return False
    except KeyError:
        return None
    public = getattr(module, "__all__", None)
    return name in (public if public is not None else vars(module))
