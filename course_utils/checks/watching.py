"""Watch an answer run: which forbidden operators and functions it calls."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import CodeType, FrameType
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

from course_utils.checks.exercise import NO_OPERATOR, Forbidden
from course_utils.checks.forbidding import is_banned, is_named, is_ours
from course_utils.checks.outcomes import is_installed
from course_utils.checks.reading import read_source as read_source

# Modules of this package that hold answers. Scenes, and the models of a6, are called by the answer.
ANSWERS = re.compile(
    r"course_utils\.(arithmetic|architecture|datasets|hooks|models"
    r"|checks\.(broken_runs|a\d_(?!(\w+_)?scenes\.|models\.)))"
)


class Watcher(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes which forbidden operators and functions run, while it watches; one watches at a time."""

    def __init__(self, forbidden: Forbidden) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.forbidden = forbidden
        self.operators = re.compile(forbidden.operators)
        self.last_names = {name.rpartition(".")[2] for name in forbidden.names}
        # what was looked at and is allowed: operators by name, code by identity, and kept
        self.harmless_operators: set[str] = set()
        self.harmless: dict[int, CodeType] = {}
        self.seen: list[str] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # the compiler is not used, and importing it would take seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func._name not in self.harmless_operators:
            self._note_operator(func)
        return func(*args, **kwargs) if kwargs else func(*args)

    def _note_operator(self, func: Any) -> None:
        name = func._schema.name
        if self.operators.search(name):
            self.seen.append(name.partition("::")[2])
        else:
            self.harmless_operators.add(func._name)

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
        with self if self.forbidden.operators != NO_OPERATOR else nullcontext():
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
