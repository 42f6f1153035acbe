"""The right answer, called with something else than it was given: slips with an argument."""

import inspect
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.exercise import Answer, Exercise
from course_utils.checks.parts import slug

Given = dict[str, Any]  # arguments by name
Change = Callable[[Given], Given]  # from the arguments to those that are others


@dataclass(frozen=True)
class Alteration:
    """
    The oracle with changed arguments.

    ``fact`` goes on after "your result is what comes out if".
    """

    name: str
    answer: Answer
    fact: str


def altered_settings(exercise: Exercise) -> Iterator[Alteration]:
    """Yield the slips that settings allow: left out, exchanged, turned round, one too many."""
    yield from _altered(exercise, _changes_of_settings)


def altered_tensors(exercise: Exercise) -> Iterator[Alteration]:
    """Yield the slips that tensors among the arguments allow: flipped, negated, the first only."""
    yield from _altered(exercise, _changes_of_tensors)


def _altered(
    exercise: Exercise, changes: Callable[[inspect.Signature], Iterator[tuple[str, str, Change]]]
) -> Iterator[Alteration]:
    if isinstance(exercise.oracle, type):
        return
    signature = inspect.signature(exercise.oracle)
    for name, fact, change in changes(signature):
        yield Alteration(name, partial(_call, exercise.oracle, signature, change), fact)


def _call(
    oracle: Answer, signature: inspect.Signature, change: Change, *args: Any, **kwargs: Any
) -> Any:
    """Call the oracle with changed arguments."""
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    given = dict(bound.arguments)
    return oracle(**{**given, **change(given)})


def _changes_of_settings(signature: inspect.Signature) -> Iterator[tuple[str, str, Change]]:
    parameters = signature.parameters
    defaults = {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    yield from _left_out(defaults)
    yield from _exchanged(parameters)
    yield from _pairs(parameters)
    for name, parameter in parameters.items():
        for suffix, fact, change in _of_one(_kind(parameter.annotation)):
            yield f"{slug(name)}-{suffix}", fact.format(f"`{name}`"), _only(name, change)


def _changes_of_tensors(signature: inspect.Signature) -> Iterator[tuple[str, str, Change]]:
    for name, parameter in signature.parameters.items():
        if _kind(parameter.annotation) == _kind(Tensor):
            for suffix, fact, change in _OF_TENSORS:
                yield f"{slug(name)}-{suffix}", fact.format(f"`{name}`"), _only(name, change)


def _only(name: str, change: Callable[[Any], Any]) -> Change:
    """Return the change of one argument; None stays None."""
    return lambda given: {} if given[name] is None else {name: change(given[name])}


def _left_out(defaults: Given) -> Iterator[tuple[str, str, Change]]:
    """Yield one, two and all settings at their defaults."""
    counts = sorted({count for count in (1, 2, len(defaults)) if 0 < count <= len(defaults)})
    for count in counts:
        for names in itertools.combinations(defaults, count):
            told = " and ".join(f"`{name}`" for name in names)
            yield (
                f"{'-and-'.join(map(slug, names)) if count < 3 else 'all-settings'}-ignored",
                f"{told} {'is' if count == 1 else 'are'} left at the default: what is given there "
                "has no effect",
                partial(_constants, {name: defaults[name] for name in names}),
            )


def _constants(values: Given, given: Given) -> Given:
    return values


def _exchanged(parameters: Any) -> Iterator[tuple[str, str, Change]]:
    """Yield pairs of arguments of one kind, exchanged."""
    for (one, first), (other, second) in itertools.combinations(parameters.items(), 2):
        if _kind(first.annotation) == _kind(second.annotation):
            yield (
                f"{slug(one)}-and-{slug(other)}-exchanged",
                f"`{one}` and `{other}` are exchanged",
                partial(_swap, one, other),
            )


def _kind(annotation: Any) -> str:
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return text.removeprefix("torch.").removesuffix(" | None")


def _swap(one: str, other: str, given: Given) -> Given:
    return {one: given[other], other: given[one]}


def _pairs(parameters: Any) -> Iterator[tuple[str, str, Change]]:
    """Yield what can be done wrong with pairs (vertical, horizontal), of one or all arguments."""
    names = [name for name, parameter in parameters.items() if "tuple[int, int]" in str(parameter)]
    names = [name for name in names if "int |" in str(parameters[name].annotation)]
    for chosen in [names, *([name] for name in names)] if len(names) > 1 else [names]:
        for suffix, fact, change in _OF_PAIRS:
            start = slug(chosen[0]) if len(chosen) == 1 else "pairs"
            told = f"the pair `{chosen[0]}`" if len(chosen) == 1 else "every pair"
            if chosen:
                yield f"{start}-{suffix}", fact.format(told), partial(_each, chosen, change)


def _each(names: list[str], change: Callable[[Any], Any], given: Given) -> Given:
    return {name: change(given[name]) for name in names if isinstance(given[name], tuple)}


_OF_PAIRS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("turned-round", "{} is read as (horizontal, vertical)", lambda pair: pair[::-1]),
    ("first-only", "the first number of {} is used for both axes", lambda pair: (pair[0],) * 2),
    ("last-only", "the last number of {} is used for both axes", lambda pair: (pair[1],) * 2),
    ("larger-only", "the larger number of {} is used for both axes", lambda p: (max(p),) * 2),
    ("smaller-only", "the smaller number of {} is used for both axes", lambda p: (min(p),) * 2),
)


def _of_one(annotation: str) -> Iterator[tuple[str, str, Callable[[Any], Any]]]:
    """Yield what can be done to an argument of this type."""
    if annotation == "int" or annotation.startswith("int |"):
        yield from _OF_WHOLE_NUMBERS
    elif annotation == "float":
        yield from _OF_FLOATS
    elif annotation == "bool":
        yield from _OF_FLAGS
    elif annotation.startswith("list["):
        yield from _OF_LISTS


def _whole(change: Callable[[int], int]) -> Callable[[Any], Any]:
    """Return the change of a whole number, or of both numbers of a pair."""
    return lambda value: tuple(map(change, value)) if isinstance(value, tuple) else change(value)


_OF_WHOLE_NUMBERS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("one-more", "{} is one more than given", _whole(lambda n: n + 1)),
    ("one-less", "{} is one less than given", _whole(lambda n: n - 1)),
    ("doubled", "{} is twice what is given", _whole(lambda n: 2 * n)),
    ("halved", "{} is half of what is given", _whole(lambda n: n // 2)),
    ("negated", "{} has the other sign", _whole(lambda n: -n)),
    ("at-most-1", "{} is never more than 1", _whole(lambda n: min(n, 1))),
    ("at-most-2", "{} is never more than 2", _whole(lambda n: min(n, 2))),
    ("at-least-1", "{} is at least 1", _whole(lambda n: max(n, 1))),
    ("at-least-2", "{} is at least 2", _whole(lambda n: max(n, 2))),
)
_OF_FLOATS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("doubled", "{} is twice what is given", lambda value: 2 * value),
    ("halved", "{} is half of what is given", lambda value: value / 2),
    ("one-minus", "{} is 1 minus what is given", lambda value: 1 - value),
    ("squared", "{} is squared", lambda value: value**2),
    ("zero", "{} is 0", lambda value: 0.0),
    ("one", "{} is 1", lambda value: 1.0),
    ("negated", "{} has the other sign", lambda value: -value),
    ("times-10", "{} is ten times what is given", lambda value: 10 * value),
    ("divided-by-10", "{} is a tenth of what is given", lambda value: value / 10),
    ("a-tenth", "{} is 0.1, whatever is given", lambda value: 0.1),
)
_OF_FLAGS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("always-true", "{} is always True", lambda value: True),
    ("always-false", "{} is always False", lambda value: False),
    ("the-other-way", "{} is True where False is given, and False where True is", lambda v: not v),
)
_OF_LISTS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("backwards", "{} is read from its end", lambda items: items[::-1]),
    ("without-first", "the first item of {} is left out", lambda items: items[1:]),
    ("without-last", "the last item of {} is left out", lambda items: items[:-1]),
    ("first-only", "only the first item of {} is used", lambda items: items[:1]),
    ("last-only", "only the last item of {} is used", lambda items: items[-1:]),
    ("sorted", "{} is sorted", sorted),
)


def _floating(change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda x: change(x) if x.is_floating_point() else x


def _integral(change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda x: x if x.is_floating_point() else change(x)


def _axis(axis: int, change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return a change that needs an axis, counted from the end."""
    return lambda x: change(x) if x.dim() >= -axis else x


def _lead(axis: int, change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return a change that needs an axis, counted from the front."""
    return lambda x: change(x) if x.dim() > axis else x


def _first(axis: int, x: Tensor) -> Tensor:
    return x.narrow(axis, 0, min(1, x.shape[axis])).expand_as(x)


_OF_TENSORS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("flipped", "{} is flipped in its last two axes", _axis(-2, lambda x: x.flip(-2, -1))),
    (
        "turned-left-to-right",
        "{} runs backwards along its last axis",
        _axis(-1, lambda x: x.flip(-1)),
    ),
    (
        "upside-down",
        "{} runs backwards along its last but one axis",
        _axis(-2, lambda x: x.flip(-2)),
    ),
    ("transposed", "the last two axes of {} are exchanged", _axis(-2, lambda x: x.mT)),
    ("backwards", "{} runs backwards along its first axis", _lead(0, lambda x: x.flip(0))),
    ("axis-1-backwards", "{} runs backwards along axis 1", _lead(1, lambda x: x.flip(1))),
    ("first-for-all", "all of {} is like its first along axis 0", _lead(0, lambda x: _first(0, x))),
    (
        "axis-1-first-for-all",
        "all of {} is like its first along axis 1",
        _lead(1, lambda x: _first(1, x)),
    ),
    (
        "axes-0-and-1-exchanged",
        "the first two axes of {} are exchanged",
        _lead(1, lambda x: x.transpose(0, 1)),
    ),
    ("negated", "{} has the other sign", _floating(torch.neg)),
    ("without-signs", "{} has no negative numbers: their signs are gone", _floating(torch.abs)),
    ("nothing-below-zero", "negative numbers in {} are 0", _floating(lambda x: x.clamp_min(0))),
    ("squared", "{} is squared", _floating(torch.square)),
    ("doubled", "{} is twice what is given", _floating(lambda x: 2 * x)),
    ("halved", "{} is half of what is given", _floating(lambda x: x / 2)),
    ("zero", "{} is 0", _floating(torch.zeros_like)),
    ("one", "{} is 1", _floating(torch.ones_like)),
    ("one-minus", "{} is 1 minus what is given", _floating(lambda x: 1 - x)),
    ("centred", "the mean is taken off {}", _floating(lambda x: x - x.mean())),
    (
        "averaged",
        "{} is divided by its number of elements",
        _floating(lambda x: x / max(1, x.numel())),
    ),
    ("rounded", "{} is rounded to whole numbers", _floating(torch.round)),
    ("in-half-precision", "{} goes through 16 bits", _floating(lambda x: x.half().to(x.dtype))),
    ("one-more", "{} is one more than given", _integral(lambda x: x + 1)),
    ("one-less", "{} is one less than given", _integral(lambda x: x - 1)),
)
