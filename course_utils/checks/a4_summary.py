"""Assignment 4: a summary of a model."""

import numpy as np

from course_utils.checks.a4_oracles import summarize
from course_utils.checks.a4_summary_mistakes import SUMMARY_MISCONCEPTIONS
from course_utils.checks.a4_summary_scenes import play
from course_utils.checks.drawing import random_size
from course_utils.checks.exercise import NO_PACKAGE, Case, Exercise

SHAPES, PARAMETERS, MACS, LEFT = "names, types, shapes", "params", "macs", "the model is left alone"
_KEYS = {
    SHAPES: ("name", "type", "out_shape"),
    PARAMETERS: ("name", "params"),
    MACS: ("name", "macs"),
}
_LENET = ("LeNet-5", (1, 28, 28))
_SMALL = ("a small network", (2, 6, 9))
_FOUR = ("four convolutions", (3, 8, 7))
_NORM = ("a network with batch norm", (1, 5, 6))
_DENSE = ("linear layers", (5,))
_ONE = ("one convolution", (2, 4, 9))
_PADDED = ("a network with padding", (1, 4, 5))


def _rows(group: str, which: str | int, shape: tuple[int, ...], *, whole: bool = False) -> Case:
    keys = () if whole else _KEYS[group]
    told = f"input_shape={shape}" if shape else f"network number {which}"
    name = f"{which}, " if shape else ""
    return Case(group, ("rows", which, shape, 1, *keys), told=f"{name}{told}")


def _left(which: str | int, shape: tuple[int, ...], seed: int) -> Case:
    name = which if shape else f"network number {which}"
    return Case(LEFT, ("left", which, shape, seed), told=f"{name}, before and after")


_SUMMARY_CASES = (
    _rows(SHAPES, *_LENET, whole=True),
    _rows(SHAPES, *_SMALL, whole=True),
    _rows(SHAPES, *_FOUR),
    _rows(SHAPES, *_NORM),
    _rows(SHAPES, *_DENSE),
    _rows(SHAPES, *_ONE),
    _rows(SHAPES, *_PADDED),
    *(_rows(PARAMETERS, *model) for model in (_LENET, _FOUR, _NORM, _DENSE, _PADDED)),
    *(_rows(MACS, *model) for model in (_LENET, _FOUR, _NORM, _DENSE, _ONE, _PADDED)),
    _left(*_NORM, 1),
    _left(*_NORM, 2),
    _left(*_NORM, 3),
    _left(*_SMALL, 4),
)


def _draw_summaries(rng: np.random.Generator) -> list[Case]:
    cases = []
    for _ in range(3):
        numbers = [random_size(rng, 1, 10**6) for _ in range(2)]
        cases += [_rows(group, number, ()) for group in _KEYS for number in numbers]
        cases.append(_left(numbers[0], (), random_size(rng, 1, 60)))
    return cases


EXERCISES = (
    Exercise(
        "summarize",
        7,
        summarize,
        _SUMMARY_CASES,
        _draw_summaries,
        SUMMARY_MISCONCEPTIONS,
        NO_PACKAGE,
        {SHAPES: 2, PARAMETERS: 1, MACS: 2, LEFT: 2},
        probe=play,
        restraints=frozenset({LEFT}),
    ),
)
