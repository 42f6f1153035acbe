"""Assignment 5, first part: the line images, their split, and the weights of a sampler."""

from typing import Any

import numpy as np
import torch

from course_utils.checks.a5_data_mistakes import (
    LINES_MISCONCEPTIONS,
    SPLIT_MISCONCEPTIONS,
    WEIGHTS_MISCONCEPTIONS,
)
from course_utils.checks.a5_data_scenes import divide, draw_lines
from course_utils.checks.a5_oracles import balanced_weights, make_lines, split_and_scale
from course_utils.checks.drawing import random_size
from course_utils.checks.exercise import NO_PACKAGE, Case, Exercise

# --- make_lines -------------------------------------------------------------------------------


_STREAM = {"look": "stream"}
_LINES_CASES = (
    Case("10 × 10 pixels", (12,)),
    Case("10 × 10 pixels", (30, 10, 5)),
    Case("10 × 10 pixels", (), {"n": 25, "seed": 99}),
    Case("10 × 10 pixels", (), {"look": "summary"}, told="called with its defaults"),
    Case("other sizes", (20, 5, 3)),
    Case("other sizes", (25, 7), {"seed": 42}),
    Case("other sizes", (40, 12, 8)),
    Case("other sizes", (), {"size": 3, "n": 15}),
    Case("other sizes", (1, 4, 2)),
    Case("the global stream", (4,), _STREAM, told="called with n=4 after `np.random.seed(3)`"),
    Case(
        "the global stream",
        (3, 6, 2),
        _STREAM,
        told="called with (3, 6, 2) after `np.random.seed(3)`",
    ),
)


def _draw_lines(rng: np.random.Generator) -> list[Case]:
    def call(group: str, size: int, **more: Any) -> Case:
        return Case(group, (random_size(rng, 15, 30), size, random_size(rng, 0, 10_000)), **more)

    return [
        *(call("10 × 10 pixels", 10) for _ in range(3)),
        *(call("other sizes", random_size(rng, *sizes)) for sizes in [(3, 6), (7, 9), (11, 14)]),
        call("the global stream", 5, kwargs=_STREAM, told="called after `np.random.seed(3)`"),
    ]


# --- split_and_scale --------------------------------------------------------------------------


def _numbered(n: int, size: int = 2, start: int = 0, channels: int = 1) -> tuple[Any, Any]:
    """Return grey images, all different, and labels that number them."""
    pixels = (np.arange(n * channels * size * (size + 1)) * 37 + start) % 256
    shape = n, channels, size, size + 1
    return pixels.astype(np.uint8).reshape(shape), np.arange(n, dtype=np.int64)


_LABELS = {"look": "labels"}
_SPLIT_CASES = (
    Case("the split", _numbered(10), _LABELS),
    Case("the split", _numbered(25, start=5), _LABELS),
    Case("the split", _numbered(23, start=9), _LABELS),
    Case("other fractions and seeds", (*_numbered(12), 0.25), _LABELS),
    Case("other fractions and seeds", (*_numbered(10), 0.27, 5), _LABELS),
    Case("other fractions and seeds", _numbered(9), {"val_fraction": 0.5, **_LABELS}),
    Case("other fractions and seeds", _numbered(11), {"seed": 0, **_LABELS}),
    Case("the scaled images", _numbered(10)),
    Case("the scaled images", (*_numbered(6, 3, start=100), 0.5, 2)),
    Case("the scaled images", (*_numbered(7, 4, start=31), 0.3, 21)),
    Case("the scaled images", _numbered(8, 2, start=77, channels=3)),
)


def _draw_splits(rng: np.random.Generator) -> list[Case]:
    def call(group: str, look: str, *, default: bool) -> Case:
        n = random_size(rng, 8, 30)
        shape = n, random_size(rng, 1, 3), 3, 2
        images = rng.integers(0, 256, shape, dtype=np.uint8)
        labels = rng.permutation(n).astype(np.int64)
        more = () if default else (float(rng.uniform(0.2, 0.7)), random_size(rng, 0, 1000))
        return Case(group, (images, labels, *more), {"look": look})

    return [
        *(call("the split", "labels", default=True) for _ in range(3)),
        *(call("other fractions and seeds", "labels", default=False) for _ in range(3)),
        *(call("the scaled images", "all", default=default) for default in (True, False, False)),
    ]


# --- balanced_weights -------------------------------------------------------------------------


def _labels(*numbers: int) -> Any:
    return torch.tensor(numbers)


_WEIGHTS_CASES = (
    Case("every class present", (_labels(0, 1, 1, 2, 1, 2),)),
    Case("every class present", (_labels(1, 0, 0, 0, 0),)),
    Case("every class present", (_labels(2, 2, 1, 0, 1, 2, 2, 0, 2),)),
    Case("every class present", (torch.tensor([[0, 1], [1, 0], [1, 1], [0, 2]])[:, 1],)),
    Case("absent classes", (_labels(0, 3, 3, 0, 3),)),
    Case("absent classes", (_labels(5, 2, 5, 5),)),
    Case("absent classes", (_labels(4, 4, 4),)),
    Case("absent classes", (_labels(12, 0, 12, 30, 0, 12),)),
)


def _draw_weights(rng: np.random.Generator) -> list[Case]:
    def call(group: str, classes: list[int]) -> Case:
        more = rng.choice(classes, random_size(rng, 4, 12), p=_uneven(len(classes)))
        return Case(group, (torch.from_numpy(rng.permutation([*classes, *more])),))

    return [
        *(call("every class present", [0, 1, 2]) for _ in range(3)),
        *(call("absent classes", [1, 4]) for _ in range(2)),
        call("absent classes", [0, 2, 6]),
    ]


def _uneven(n: int) -> Any:
    shares = np.arange(1, n + 1) ** 2
    return shares / shares.sum()


EXERCISES = (
    Exercise(
        "make_lines",
        6,
        make_lines,
        _LINES_CASES,
        _draw_lines,
        LINES_MISCONCEPTIONS,
        NO_PACKAGE,
        {"10 × 10 pixels": 3, "other sizes": 2, "the global stream": 1},
        probe=draw_lines,
    ),
    Exercise(
        "split_and_scale",
        5,
        split_and_scale,
        _SPLIT_CASES,
        _draw_splits,
        SPLIT_MISCONCEPTIONS,
        NO_PACKAGE,
        {"the split": 2, "other fractions and seeds": 1, "the scaled images": 2},
        probe=divide,
    ),
    Exercise(
        "balanced_weights",
        3,
        balanced_weights,
        _WEIGHTS_CASES,
        _draw_weights,
        WEIGHTS_MISCONCEPTIONS,
        NO_PACKAGE,
        {"every class present": 2, "absent classes": 1},
    ),
)
