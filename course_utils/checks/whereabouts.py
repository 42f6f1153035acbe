"""Where and when an answer is wrong: which part of its results, and in which calls."""

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.exercise import Answer, Case, Exercise
from course_utils.checks.parts import Part, slug, telling_names, wrong_parts

Pair = tuple[Any, Any]  # a result, and the right one
Test = Callable[[Mapping[str, Any]], bool]
Feature = tuple[str, str]  # a name in kebab case, and what is so in those calls


def place(wrong: Sequence[Part], pairs: Sequence[Pair]) -> str:
    """
    Return the one name that all wrong parts share and some other part does not have, or "".

    ``pairs`` are the results of all calls, each beside the right one.
    """
    if not wrong:
        return ""
    everything = set().union(*(telling_names(*pair) for pair in pairs))
    shared = [name for name in wrong[0].names if all(name in part.names for part in wrong)]
    telling = [name for name in shared if any(name not in names for names in everything)]
    return telling[-1] if telling else ""


def first_wrong(pairs: Sequence[Pair]) -> str:
    """
    Return the name of the first wrong observation, if it is the same in all results, or "".

    ``pairs`` are wrong results beside the right ones; in some of them there has to be a right
    observation before it.
    """
    found, n_before = set(), 0
    for yours, expected in pairs:
        if not isinstance(yours, dict) or not isinstance(expected, dict):
            return ""
        names = list(expected)
        wrong = next((part.names[0] for part in wrong_parts(yours, expected)), "")
        n_before += names.index(wrong) if wrong in names else 0
        found.add(wrong.removeprefix("after "))
    return found.pop() if len(found) == 1 and n_before else ""


def arguments(exercise: Exercise, case: Case) -> dict[str, Any]:
    """Return the arguments of a call by name; nothing where a scene is played instead."""
    if case.told or isinstance(exercise.oracle, type):
        return {}
    signature = _signature_of(exercise.oracle)
    kwargs = {name: value for name, value in case.kwargs.items() if name in signature.parameters}
    try:
        bound = signature.bind(*case.args, **kwargs)
    except TypeError:  # they are for the probe
        return {}
    bound.apply_defaults()
    return dict(bound.arguments)


@lru_cache(maxsize=256)
def _signature_of(oracle: Answer) -> inspect.Signature:
    return inspect.signature(oracle)


def sizes(given: Mapping[str, Any]) -> dict[str, int]:
    """Return the sizes of a call by name: of axes, of neighbouring axes together, of settings."""
    found: dict[str, int] = {}
    for name, value in given.items():
        if isinstance(value, Tensor):
            found[f"the number of elements of `{name}`"] = value.numel()
            for axis, size in enumerate(value.shape):
                found[f"`{name}.shape[{axis}]`"] = size
            if value.dim() > 2:
                found[f"the number of elements of `{name}[0, 0]`"] = value[:1, :1].numel()
                found[f"the number of elements of `{name}[0]`"] = value[:1].numel()
        elif type(value) is int:
            found[f"`{name}`"] = value
            found[f"`{name}` squared"] = value * value
    return found


def when(exercise: Exercise, cases: Sequence[Case], wrong: Sequence[bool]) -> Feature | None:
    """
    Return the feature that the wrong calls have and no other, or None.

    It needs two calls of either kind.
    """
    if min(sum(wrong), len(wrong) - sum(wrong)) < 2:
        return None
    calls = [arguments(exercise, case) for case in cases]
    if not all(calls):
        return None
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(exercise.oracle).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    return next(
        (
            feature
            for feature, test in _features(calls, defaults)
            if [test(call) for call in calls] == list(wrong)
        ),
        None,
    )


def _features(
    calls: Sequence[Mapping[str, Any]], defaults: Mapping[str, Any]
) -> Iterator[tuple[Feature, Test]]:
    """Yield what can be said of a call: of one setting, of two together, of any argument."""
    for name, default in defaults.items():
        yield (f"{slug(name)}-set", f"`{name}` is not its default"), _is_set(name, default)
        yield (f"{slug(name)}-not-set", f"`{name}` is its default"), _is_unset(name, default)
    for one, other in itertools.combinations(defaults, 2):
        yield (
            (
                f"{slug(one)}-and-{slug(other)}-set",
                f"neither `{one}` nor `{other}` is its default",
            ),
            _both(_is_set(one, defaults[one]), _is_set(other, defaults[other])),
        )
    for name in calls[0]:
        for words in sorted({call[name] for call in calls if type(call[name]) is str}):
            yield (f"{slug(name)}-{slug(words)}", f"`{name}` is {words!r}"), _equals(name, words)
        of_windows = name in _OF_WINDOWS
        for suffix, told, test in (*_OF_VALUES, *(_OF_SIDES if of_windows else ())):
            yield (f"{slug(name)}-{suffix}", told.format(f"`{name}`")), _of(name, test)


def _of(name: str, test: Callable[[Any], bool]) -> Test:
    return lambda call: test(call[name])


def _equals(name: str, words: str) -> Test:
    return lambda call: call[name] == words


def _is_set(name: str, default: Any) -> Test:
    return lambda call: not _is_default(call[name], default)


def _is_unset(name: str, default: Any) -> Test:
    return lambda call: _is_default(call[name], default)


def _both(one: Test, other: Test) -> Test:
    return lambda call: one(call) and other(call)


def _is_default(value: Any, default: Any) -> bool:
    if isinstance(value, Tensor):
        return False
    return bool(value == default or (isinstance(value, tuple) and set(value) == {default}))


def _tensor(test: Callable[[Tensor], Any], n_axes: int = 0) -> Callable[[Any], bool]:
    """Return a test of tensors that have some axes at least, and some elements."""
    return lambda value: (
        isinstance(value, Tensor)
        and value.dim() >= n_axes
        and value.numel() > 0
        and bool(test(value))
    )


def _number(test: Callable[[int], Any]) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and bool(test(value))


def _side(test: Callable[[int, int], bool]) -> Callable[[Any], bool]:
    """Return a test of the height and the width of an image, a kernel or a window."""

    def holds(value: Any) -> bool:
        if isinstance(value, int):
            return test(value, value)
        if isinstance(value, Tensor):
            return value.dim() > 1 and test(value.shape[-2], value.shape[-1])
        return isinstance(value, tuple) and test(value[-2], value[-1])

    return holds


_OF_WINDOWS = frozenset({"k", "kernel", "kernel_size", "weight", "x", "hw", "input_shape"})
_OF_SIDES: tuple[tuple[str, str, Callable[[Any], bool]], ...] = (
    ("odd", "a side of {} is odd", _side(lambda height, width: bool(height % 2 or width % 2))),
    ("even", "a side of {} is even", _side(lambda height, width: not (height % 2 and width % 2))),
    ("no-square", "{} is no square", _side(lambda height, width: height != width)),
    ("tall", "{} is taller than wide", _side(lambda height, width: height > width)),
    ("wide", "{} is wider than tall", _side(lambda height, width: height < width)),
)
_OF_VALUES: tuple[tuple[str, str, Callable[[Any], bool]], ...] = (
    ("pair", "{} is a pair", lambda value: isinstance(value, tuple)),
    (
        "uneven-pair",
        "{} is a pair of two different numbers",
        lambda value: isinstance(value, tuple) and len(set(value)) > 1,
    ),
    ("above-1", "{} is more than 1", _number(lambda n: n > 1)),
    ("above-2", "{} is more than 2", _number(lambda n: n > 2)),
    ("several", "{} has more than one item along axis 0", _tensor(lambda x: len(x) > 1, 2)),
    ("channels", "{} has more than one item along axis 1", _tensor(lambda x: x.shape[1] > 1, 2)),
    ("many", "{} has more than two items along axis 1", _tensor(lambda x: x.shape[1] > 2, 2)),
    ("float64", "{} is float64", _tensor(lambda x: x.dtype == torch.float64)),
    ("with-gaps", "{} has gaps in memory", _tensor(lambda x: not x.is_contiguous())),
    ("negative", "{} holds numbers below 0", _tensor(lambda x: x.min() < 0)),
    ("large", "{} holds numbers of 50 or more in size", _tensor(lambda x: x.abs().max() >= 50)),
    ("one-axis", "{} has one axis", _tensor(lambda x: x.dim() == 1)),
    ("many-axes", "{} has more than two axes", _tensor(lambda x: x.dim() > 2)),
)
