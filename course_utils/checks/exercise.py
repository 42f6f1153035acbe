"""What an exercise is: an oracle, cases, misconceptions and what is forbidden, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Answer = Callable[..., Any]


@dataclass(frozen=True)
class Place:
    """A heading of the book, where a rule is explained."""

    chapter: str
    heading: str

    def __str__(self) -> str:
        number = int(self.chapter.partition("_")[0])
        return f"chapter {number}, “{self.heading}”"


@dataclass(frozen=True)
class Case:
    """
    One call of the answer, or one scene that a probe plays with it.

    ``group`` is the part of the exercise that it belongs to: the points of a group are earned if
    all its cases are right. ``refusal`` says why the call must raise ``error``, if it must.
    ``told`` stands in reports in place of the call, where a scene needs words.
    """

    group: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    refusal: str | None = None
    error: str = "ValueError"
    told: str = ""


@dataclass(frozen=True)
class Misconception:
    """
    A wrong answer with a name.

    ``message`` tells the student a fact about their result and the rule; never the answer.
    ``group`` is the only group of cases in which it is wrong, where only one is.
    """

    name: str
    answer: Answer
    message: str
    place: Place
    group: str = ""


NO_OPERATOR = "(?!)"


@dataclass(frozen=True)
class Forbidden:
    """
    What an answer may not call.

    ``operators`` is a pattern of PyTorch's own names (as in ``aten::convolution``), seen while the
    answer runs; ``names`` are functions of any library, read in the code and seen while it runs: a
    bare name, or one with its module (``torch.nn.functional.unfold``) where others may be called.
    Of this package nothing may be used but ``check`` and what is in ``allowed``: dotted names of
    modules, functions and values, those that the notebook's first cell imports.
    """

    sentence: str
    operators: str = NO_OPERATOR
    names: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()


NO_PACKAGE = Forbidden("The course's package is no library here; write it yourself.")


@dataclass(frozen=True)
class Exercise:
    """
    An exercise as data.

    Parameters
    ----------
    name : str
        Name of the function that the student writes.
    points : int
        Sum of the points of the groups.
    oracle : callable
        The right answer, by PyTorch, with the signature that the answer must have.
    cases : tuple of Case
        The visible cases; their answers are stored as reference tensors.
    draw : callable
        Maps a NumPy generator to new cases of every kind that the exercise names.
    misconceptions : tuple of Misconception
        Wrong answers that are recognised.
    forbidden : Forbidden
        What may not be called.
    groups : mapping of str to int
        Points of each group of cases. The group "refusals" earns only beside another one.
    trace : callable, optional
        Maps the arguments of a case to a sentence that derives the shape of the result.
    probe : callable, optional
        Maps the answer and the arguments of a case to what is observed, as plain data: for
        classes, models, and whatever has to be played through. A dict of observations by name is
        compared name by name. Without a probe, the answer's result is what is observed. Probes run
        where no answer may lie about, so each is a function of a module ``*_scenes``.
    reading : callable, optional
        Maps what the probe observed and the arguments of the case to what that means, which is
        what is compared: for a probe that runs beside the answer and must not know what is right.
        It takes any plain data.
    tolerances : mapping of str to float
        By the name of an observation: how far a number may be from the expected one.
    restraints : frozenset of str
        Groups that like refusals ask for what an answer must not do: whoever does nothing passes
        them, so they earn only beside another one.
    remembered : dict
        What misconceptions gave in visible cases, by name and number of the case; filled when a
        wrong answer is explained.
    """

    name: str
    points: int
    oracle: Answer
    cases: tuple[Case, ...]
    draw: Callable[[np.random.Generator], list[Case]]
    misconceptions: tuple[Misconception, ...]
    forbidden: Forbidden
    groups: Mapping[str, int]
    trace: Callable[..., str] | None = None
    probe: Callable[..., Any] | None = None
    reading: Callable[..., Any] | None = None
    tolerances: Mapping[str, float] = field(default_factory=dict)
    restraints: frozenset[str] = frozenset()
    remembered: dict[tuple[str, int], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if sum(self.groups.values()) != self.points:
            raise ValueError(
                f"{self.name}: groups add up to {sum(self.groups.values())}, not {self.points}"
            )
        unknown = {case.group for case in self.cases} ^ set(self.groups)
        unknown |= self.restraints - set(self.groups)
        if unknown:
            raise ValueError(f"{self.name}: groups and cases do not match: {sorted(unknown)}")


REFUSALS = "refusals"
