"""Look at an answer and run it: what it is and what it did, without any oracle."""

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from course_utils.checks.comparison import describe
from course_utils.checks.exercise import Case, Forbidden
from course_utils.checks.inspecting import read
from course_utils.checks.outcomes import Foreign, Outcome, plain, quiet, run_case
from course_utils.checks.watching import Watcher

Parameters = tuple[tuple[Any, ...], ...]  # (name,) or (name, default), in order


@dataclass(frozen=True)
class Form:
    """
    What an answer is before it is called.

    ``kind`` is "function", "class", "makes itself" (a class whose call gives what it likes) or
    "value"; ``described`` says what a value is; ``parameters`` are None where any are taken, or
    where they cannot be known.
    """

    kind: str
    described: str = ""
    parameters: Parameters | None = None


@dataclass(frozen=True)
class Plan:
    """How an answer is to be run: all that has to be known of an exercise, and no answer to it."""

    cases: Sequence[Case]
    names: tuple[str, ...]
    probe: Callable[..., Any] | None
    forbidden: Forbidden
    n_visible: int


def form_of(answer: Any) -> Form:
    """Return what an answer is; nothing of it is called but ``__signature__``, if it has one."""
    if not callable(answer):
        with quiet():
            return Form("value", describe(plain(answer)))
    kind = "function"
    if isinstance(answer, type):
        kind = "makes itself" if "__new__" in vars(answer) else "class"
    return Form(kind, "", _parameters(answer))


def _parameters(answer: Any) -> Parameters | None:
    try:
        found = list(inspect.signature(answer).parameters.values())
    except Exception:  # an answer may lie about its signature
        return None
    if any(parameter.kind.name.startswith("VAR_") for parameter in found):
        return None  # a decorated function takes what it is given
    empty = inspect.Parameter.empty
    return tuple(
        (one.name,) if one.default is empty else (one.name, _default(one.default)) for one in found
    )


def _default(value: Any) -> Any:
    """Return a default as it is if it is one of Python's own simple values."""
    simple = value is None or type(value) in (bool, int, float, str)
    return value if simple else Foreign(type(value).__name__)


def run_cases(
    answer: Any, plan: Plan, *, watched: bool = True
) -> Iterator[tuple[Outcome, list[str]]]:
    """
    Yield what the answer did in each case, and which forbidden calls were seen in it.

    Watching slows an answer down: it is done in the first visible case of each group, and in the
    first drawn one.
    """
    kinds: set[str] = set()
    watcher = Watcher(plan.forbidden)
    for number, case in enumerate(plan.cases):
        with contextlib.ExitStack() as stack:
            kind = case.group if number < plan.n_visible else "drawn"
            calls: list[str] = []
            if watched and kind not in kinds:
                calls = stack.enter_context(watcher.watch())
            kinds.add(kind)
            outcome = run_case(answer, case, plan.names, plan.probe)
        yield outcome, list(calls)


def read_answer(answer: Any, plan: Plan) -> list[str]:
    """Return the forbidden functions that the answer's code names."""
    with quiet():
        return read(answer, plan.forbidden)
