"""Watch an answer run: which forbidden operators and functions it calls."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from types import CodeType, FrameType
from typing import Any

import torch
from torch._C import (
    DispatchKeySet,
    _dispatch_get_all_op_names,
    _dispatch_has_kernel_for_dispatch_key,
    _dispatch_key_parse,
    _dispatch_tls_is_dispatch_key_excluded,
    _dispatch_tls_is_dispatch_key_included,
    _dispatch_tls_set_dispatch_key_excluded,
    _dispatch_tls_set_dispatch_key_included,
    _ExcludeDispatchKeyGuard,
)
from torch.library import Library

from course_utils.checks.exercise import NO_OPERATOR, Forbidden
from course_utils.checks.forbidding import is_banned, is_named, is_ours
from course_utils.checks.outcomes import is_installed
from course_utils.checks.reading import read_source as read_source

# Modules of this package that hold answers. Scenes, and the models of a6, are called by the answer.
ANSWERS = re.compile(
    r"course_utils\.(arithmetic|architecture|datasets|hooks|models"
    r"|checks\.(broken_runs|a\d_(?!(\w+_)?scenes\.|models\.)))"
)
# A place in PyTorch's dispatcher, in front of all others, that PyTorch itself keeps for tests. An
# operator is called there first while the place is open to the thread, if something waits there.
PLACE = "TESTING_ONLY_GenericMode"
_libraries: dict[str, Any] = {}
_waiting: set[str] = set()
_at_work: "list[Watcher]" = []


@cache
def wait_for(operators: str) -> None:
    """
    Let the operators whose names match tell when they run while the place is open.

    Elsewhere, and to all others, nothing happens. Operators that are made of others do not tell.
    """
    if "_" not in _libraries:  # all there are go on to the next place, but those below
        _library("_").fallback(torch.library.fallthrough_kernel)
    for full_name in _dispatch_get_all_op_names():
        name, _, overload = full_name.partition(".")
        made_of_others = _dispatch_has_kernel_for_dispatch_key(
            full_name, "CompositeImplicitAutograd"
        )
        if full_name in _waiting or made_of_others or not re.search(operators, name):
            continue
        _waiting.add(full_name)
        space, _, bare_name = name.partition("::")
        _library(space).impl(full_name, _teller(space, bare_name, overload or "default"))


def _library(space: str) -> Any:
    if space not in _libraries:
        _libraries[space] = Library(space, "IMPL", PLACE)  # type: ignore[no-untyped-call]
    return _libraries[space]


def _teller(space: str, name: str, overload: str) -> Callable[..., Any]:
    """Return what is called first in place of an operator."""
    place = DispatchKeySet(_dispatch_key_parse(PLACE))

    def tell(*args: Any, **kwargs: Any) -> Any:
        for watcher in _at_work[-1:]:
            watcher.note_operator(f"{space}::{name}")
        operator = getattr(getattr(getattr(torch.ops, space), name), overload)
        with _ExcludeDispatchKeyGuard(place):  # what it is made of is its own
            return operator(*args, **kwargs)

    return tell


@contextmanager
def _open_place() -> Iterator[None]:
    """Open the place to this thread, whoever has closed it."""
    included = _dispatch_tls_is_dispatch_key_included(PLACE)
    excluded = _dispatch_tls_is_dispatch_key_excluded(PLACE)
    _dispatch_tls_set_dispatch_key_excluded(PLACE, False)
    _dispatch_tls_set_dispatch_key_included(PLACE, True)
    try:
        yield
    finally:
        _dispatch_tls_set_dispatch_key_included(PLACE, included)
        _dispatch_tls_set_dispatch_key_excluded(PLACE, excluded)


class Watcher:
    """Notes which forbidden operators and functions run, while it watches."""

    def __init__(self, forbidden: Forbidden) -> None:
        self.forbidden = forbidden
        self.operators = re.compile(forbidden.operators)
        self.last_names = {name.rpartition(".")[2] for name in forbidden.names}
        self.harmless: dict[int, CodeType] = {}  # code that was looked at, by identity, and kept
        self.seen: list[str] = []

    def note_operator(self, name: str) -> None:
        """Note an operator that runs, if it is forbidden here."""
        if self.operators.search(name):
            self.seen.append(name.partition("::")[2])

    def profile(self, frame: FrameType, event: str, argument: Any) -> None:
        """Note functions of other libraries and of this one, as ``sys.setprofile`` reports them."""
        if event == "call":
            if id(frame.f_code) not in self.harmless:
                self._note_call(frame)
        elif event == "c_call" and argument.__name__ in self.last_names:
            name, module = argument.__name__, argument.__module__
            if is_named(name, module, self.forbidden):
                self.seen.append(f"{module}.{name}")

    def _note_call(self, frame: FrameType) -> None:
        name, module = frame.f_code.co_name, frame.f_globals.get("__name__")
        if is_ours(module):
            self._note_ours(frame, f"{module}.{name}")
        elif is_named(name, module, self.forbidden):
            self.seen.append(f"{module}.{name}")
        else:
            self.harmless[id(frame.f_code)] = frame.f_code

    def _note_ours(self, frame: FrameType, path: str) -> None:
        """Note a function of this package that the answer calls."""
        if not ANSWERS.match(path) or not is_banned(path, self.forbidden):
            self.harmless[id(frame.f_code)] = frame.f_code
        elif not _is_inside(frame):
            self.seen.append(path)

    @contextmanager
    def watch(self) -> Iterator[list[str]]:
        """Yield a list that fills with the forbidden calls made in the block."""
        seen = self.seen = []
        previous = sys.getprofile()
        with ExitStack() as stack:
            if self.forbidden.operators != NO_OPERATOR:
                wait_for(self.forbidden.operators)
                _at_work.append(self)
                stack.callback(_at_work.remove, self)
                stack.enter_context(_open_place())
            if previous is not None and not callable(previous):  # cProfile's own: leave it alone
                yield seen
                return
            sys.setprofile(self.profile)
            try:
                yield seen
            finally:
                sys.setprofile(previous)


def _is_inside(frame: FrameType) -> bool:
    """Return whether this package itself calls the function of a frame, by way of libraries or not."""
    caller = frame.f_back
    while caller is not None and not is_ours(caller.f_globals.get("__name__")):
        if not is_installed(caller.f_code.co_filename):
            return False
        caller = caller.f_back
    return caller is not None
