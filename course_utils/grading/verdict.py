"""What grading finds: one verdict a submission, one for each exercise in it, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Flag:
    """Something that a person should look at: a code, the exercise or "", and a sentence."""

    code: str
    exercise: str
    sentence: str


@dataclass(frozen=True)
class ExerciseVerdict:
    """
    The verdict on one exercise.

    ``code`` is the reason: "right", "unstarted", "missing", "forbidden", "timeout", "memory", or
    the code of the first wrong case. ``text`` is what the student is told, report and all; it holds
    nothing that the oracle says about drawn cases.
    """

    exercise: str
    grade_id: str
    points: float
    max_points: float
    code: str
    text: str
    misconception: str | None = None
    groups: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """
    The verdict on one submission.

    ``source`` is the SHA-256 of what was handed in, ``release`` that of the master, ``sandbox``
    "bubblewrap" or "no sandbox". ``sources`` are the recovered solution cells by grade id, code and
    text graded by hand alike; ``pictures`` are PNGs as base64, handed in with cells that a person
    grades, and made by whatever the student ran. ``problem`` says why nothing could be read, or
    is "".
    """

    student: str
    assignment: str
    seed: int
    source: str
    release: str
    version: str
    sandbox: str
    exercises: tuple[ExerciseVerdict, ...]
    sources: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()
    problem: str = ""
    pictures: Mapping[str, str] = field(default_factory=dict)

    @property
    def points(self) -> float:
        """Points earned by machine."""
        return sum(exercise.points for exercise in self.exercises)

    @property
    def max_points(self) -> float:
        """Points to be had by machine."""
        return sum(exercise.max_points for exercise in self.exercises)

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON's types."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Verdict":
        """Return the verdict that ``to_json`` wrote."""
        exercises = tuple(
            ExerciseVerdict(
                **{
                    **part,
                    "groups": {name: tuple(pair) for name, pair in part["groups"].items()},
                }
            )
            for part in data["exercises"]
        )
        flags = tuple(Flag(**flag) for flag in data["flags"])
        return Verdict(**{**data, "exercises": exercises, "flags": flags})
