"""What observing an answer relies on, kept before its code runs, and put back after."""

import builtins
import collections
import contextlib
import copy
import ctypes
import functools
import gc
import inspect
import itertools
import math
import os
import random
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from signal import ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL, setitimer
from types import FunctionType, ModuleType
from typing import Any, Protocol

import numpy as np
import torch
from torch._C import (
    _len_torch_dispatch_stack,
    _len_torch_function_stack,
    _pop_torch_dispatch_stack,
    _pop_torch_function_stack,
)

from course_utils.checks import comparison, exercise, observing, outcomes, watching
from course_utils.grading import wire


def _classes_in(module: ModuleType) -> Iterator[type]:
    """Yield the classes that a module offers."""
    return (one for one in vars(module).values() if isinstance(one, type))


LIBRARIES = (
    *(torch.Tensor, torch.Generator),
    *(torch, torch.nn, torch.nn.functional, torch.nn.init, torch.autograd, torch.optim),
    *(torch.linalg, torch.random, torch.utils.data, np, np.random),
    *(collections, contextlib, copy, functools, inspect, itertools, math, os, random),
    *(one for space in (torch.nn, torch.optim, torch.utils.data) for one in _classes_in(space)),
)
TIMERS = (ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF)
WATCHES = (sys.settrace, sys.setprofile, threading.settrace, threading.setprofile)
# what every module calls, and every collection of garbage
HOOKS: list[Any] = [
    gc.callbacks,
    *(
        hooks
        for name, hooks in vars(torch.nn.modules.module).items()
        if name.startswith("_global_") and isinstance(hooks, dict)
    ),
]
# modules of this package that are at work beside every answer
OURS = (comparison, exercise, observing, outcomes, watching, wire)


def calm() -> None:
    """Stop what code has left behind that breaks into other code: timers, tracing, modes, hooks."""
    for timer in TIMERS:
        setitimer(timer, 0)
    for watch in WATCHES:
        watch(None)
    while _len_torch_function_stack():
        _pop_torch_function_stack()
    while _len_torch_dispatch_stack():
        _pop_torch_dispatch_stack(None)
    for hooks in HOOKS:
        hooks.clear()


class Kept:
    """
    What was in modules and classes; what is changed or removed of it can be put back.

    Parameters
    ----------
    ours : iterable of module
        Modules of this package; of their functions the code is kept too.
    libraries : iterable of module or class
        Others, whose names are kept.
    """

    def __init__(self, ours: Iterable[ModuleType], libraries: Iterable[Any] = ()) -> None:
        mine = [owner for module in ours for owner in _parts(module)]
        spaces: list[_Part] = [_Space(owner) for owner in (*mine, *libraries)]
        self._parts = [*spaces, *_bodies_of(mine)]
        self._places = _Places([part.places for part in self._parts])

    def put_back(self) -> None:
        """Put back what was changed or removed; what was added stays."""
        if changed := self._places.changed():
            for number in changed:
                self._parts[number].put_back()
            self._places.renew()


class Everything(Kept):
    """What is kept of modules of this package and of libraries, and what Python itself looks up."""

    def __init__(self, ours: Iterable[ModuleType]) -> None:
        super().__init__(ours, LIBRARIES)
        self._builtins = vars(builtins), dict(vars(builtins)), _Places([_count_of(vars(builtins))])
        lists = ("meta_path", "path_hooks", "path")
        self._names: dict[str, Any] = {name: getattr(sys, name) for name in ("modules", *lists)}
        self._lists = [(self._names[name], list(self._names[name])) for name in lists]
        self._modules = sys.modules, dict(sys.modules), _Places([_count_of(sys.modules)])
        self._depth = sys.getrecursionlimit()

    def put_back_builtins(self) -> None:
        """Put back the built-in functions, without the help of one."""
        there, before, count = self._builtins
        if not count.same():
            there.update(before)

    def put_back(self) -> None:
        """Put back what was changed or removed, and stop what was left running."""
        self.put_back_builtins()
        calm()
        vars(sys).update(self._names)
        for found, before in self._lists:
            found[:] = before
        modules, known, count = self._modules
        if not count.same():
            modules |= {name: one for name, one in known.items() if modules.get(name) is not one}
        sys.setrecursionlimit(self._depth)
        super().put_back()


def _parts(module: ModuleType) -> list[Any]:
    """Return a module and the classes that it defines."""
    found = vars(module).values()
    mine = [one for one in found if isinstance(one, type) and one.__module__ == module.__name__]
    return [module, *mine]


Place = tuple[int, int]  # an address, and how many words from there


class _Part(Protocol):
    places: list[Place]  # what of it in memory is another after a change, if that is known

    def put_back(self) -> None: ...


class _Space:
    """The names of a module or a class."""

    def __init__(self, owner: Any) -> None:
        self.owner, self.before = owner, dict(vars(owner))
        names = vars(owner)
        self.places = _count_of(names if type(names) is dict else gc.get_referents(names)[0])

    def put_back(self) -> None:
        now, kind = vars(self.owner), type if isinstance(self.owner, type) else ModuleType
        for name in [n for n, value in self.before.items() if now.get(n, _MISSING) is not value]:
            with contextlib.suppress(AttributeError, TypeError):
                kind.__setattr__(self.owner, name, self.before[name])
        for name in [n for n in now if n not in self.before and self._hides(n)]:
            with contextlib.suppress(AttributeError, TypeError):
                type.__delattr__(self.owner, name)

    def _hides(self, name: str) -> bool:
        """Return whether a class has by itself what it would have from another."""
        bases = type.mro(self.owner)[1:] if isinstance(self.owner, type) else []
        return any(name in vars(base) for base in bases)


class _Body:
    """The code and the defaults of a function."""

    def __init__(self, function: FunctionType) -> None:
        self.function = function
        self.parts = function.__code__, function.__defaults__, function.__kwdefaults__
        self.places = [(id(function) + _BODY_AT, len(self.parts))] if _ARE_SEEN else []

    def put_back(self) -> None:
        function, (code, defaults, keywords) = self.function, self.parts
        if function.__defaults__ is not defaults:
            function.__defaults__ = defaults
        if function.__kwdefaults__ is not keywords:
            function.__kwdefaults__ = keywords
        if function.__code__ is not code:
            function.__code__ = code


def _bodies_of(owners: Iterable[Any]) -> list[_Body]:
    found = (value for owner in owners for value in vars(owner).values())
    return [_Body(value) for value in dict.fromkeys(v for v in found if type(v) is FunctionType)]


class _Places:
    """
    Words in memory by what they belong to, and what of it was changed: what has no words always is.

    To look at thousands of objects in a forked process would copy the memory that they lie in.
    """

    def __init__(self, places: Sequence[list[Place]]) -> None:
        self._there = [
            (ctypes.c_char * (_WORD * length)).from_address(at)
            for part in places
            for at, length in part
        ]
        self._owners = [
            number
            for number, part in enumerate(places)
            for _, length in part
            for _ in range(length)
        ]
        self._unseen = [number for number, part in enumerate(places) if not part]
        self.renew()

    def renew(self) -> None:
        self._before = b"".join(self._there)

    def same(self) -> bool:
        """Return whether nothing was changed, without the help of a built-in function."""
        return not self._unseen and b"".join(self._there) == self._before

    def changed(self) -> list[int]:
        if self.same():
            return []
        now, before = (memoryview(one).cast("Q") for one in (b"".join(self._there), self._before))
        words = zip(self._owners, now, before, strict=True)
        return [*self._unseen, *dict.fromkeys(owner for owner, one, two in words if one != two)]


def _count_of(names: dict[str, Any]) -> list[Place]:
    """Return where a dict counts its changes, if this Python's do."""
    return [(id(names) + _AT, 1)] if _ARE_COUNTED else []


def _are_counted() -> bool:
    """Return whether a dict of this Python counts its changes where it did when this was written."""
    if not _IS_KNOWN or sys.version_info >= (3, 13):
        return False
    tried: dict[str, int] = {"one": 1}
    count = ctypes.c_uint64.from_address(id(tried) + _AT)
    seen = [count.value]
    for value in (2, 3):
        tried["one"] = value
        seen.append(count.value)
    return len(set(seen)) == len(seen) and count.value == seen[-1]


def _are_seen() -> bool:
    """Return whether a function of this Python has code and defaults where we read them."""
    if not _IS_KNOWN:
        return False

    def tried(x: int = 1, *, y: int = 2) -> int:
        return x + y

    parts = (tried.__code__, tried.__defaults__, tried.__kwdefaults__)
    there = (ctypes.c_uint64 * len(parts)).from_address(id(tried) + _BODY_AT)
    return list(there) == [id(part) for part in parts]


_WORD = 8
_IS_KNOWN = sys.implementation.name == "cpython" and sys.maxsize > 2**32
_AT = 24  # bytes into a dict: behind its references, its type and its size
_BODY_AT = 48  # bytes into a function: behind its references, its type and four names
_ARE_COUNTED, _ARE_SEEN = _are_counted(), _are_seen()
_MISSING = object()
