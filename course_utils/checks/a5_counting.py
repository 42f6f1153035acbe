"""Assignment 5, third part: counts over classes and batches, and copies among the data."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.checks.a5_counting_mistakes import (
    APPLY_MISCONCEPTIONS,
    CORRECT_MISCONCEPTIONS,
    LEAKED_MISCONCEPTIONS,
)
from course_utils.checks.a5_counting_scenes import apply
from course_utils.checks.a5_oracles import correct_per_class, leaked, loader_apply
from course_utils.checks.drawing import DTYPES, random_size
from course_utils.checks.exercise import NO_PACKAGE, REFUSALS, Case, Exercise

# --- correct_per_class ------------------------------------------------------------------------


def _logits(predicted: list[int], n_classes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return logits that are a little larger at the predicted class, the same everywhere."""
    numbers = torch.arange(len(predicted) * n_classes).reshape(-1, n_classes)
    logits = ((numbers * 7) % 11 - 5).to(dtype) / 4
    logits[torch.arange(len(predicted)), torch.tensor(predicted)] = logits.amax(dim=1) + 0.125
    logits[::2] -= 4  # rows below zero, in which the largest logit is the nearest to it
    return logits


def _answers(
    labels: list[int], predicted: list[int], n_classes: int, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor, int]:
    return _logits(predicted, n_classes, dtype), torch.tensor(labels), n_classes


_LESSON = _answers(
    [2, 2, 2, 0, 0, 0, 0, 2, 0, 1, 0, 0, 2, 2, 1, 1],
    [2, 2, 2, 0, 0, 0, 2, 2, 2, 1, 0, 0, 2, 2, 1, 1],
    3,
)
_CORRECT_CASES = (
    Case("all classes", _LESSON),
    Case("all classes", _answers([0, 1, 2, 0, 1], [0, 2, 1, 1, 1], 3)),
    Case("all classes", _answers([1, 0, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 0, 1], 2)),
    Case("all classes", _answers([3, 1, 0, 2, 2, 3, 3], [3, 1, 1, 2, 0, 3, 2], 4)),
    Case("absent classes", _answers([0, 2, 2], [0, 2, 0], 4)),
    Case("absent classes", _answers([1, 1, 1, 0], [1, 3, 1, 4], 5)),
    Case("absent classes", _answers([2, 2], [1, 1], 3)),
    Case("absent classes", _answers([1], [1], 3)),
    Case(DTYPES, _answers([0, 1, 2, 2], [0, 1, 2, 0], 3, torch.float64)),
    Case(
        DTYPES,
        (
            _logits([1, 1, 0, 2, 2], 3).T.contiguous().T,
            torch.tensor([1, 9, 0, 9, 0, 9, 2, 9, 1, 9])[::2],
        ),
        {"n_classes": 3},
    ),
)


def _draw_correct(rng: np.random.Generator) -> list[Case]:
    def call(group: str, classes: list[int], n_classes: int, dtype: torch.dtype) -> Case:
        labels = [*classes, *rng.choice(classes, random_size(rng, 5, 12))]
        logits = torch.from_numpy(rng.standard_normal((len(labels), n_classes))).to(dtype)
        helped = torch.from_numpy(rng.random(len(labels)) < 0.6)
        targets = torch.tensor([int(label) for label in labels])
        logits[helped, targets[helped]] += 2  # many are right
        logits[::2] -= 5
        if group == DTYPES and dtype is torch.float32:
            logits = logits.T.contiguous().T
        return Case(group, (logits, targets, n_classes))

    return [
        *(call("all classes", list(range(n)), n, torch.float32) for n in (2, 3, 4)),
        call("absent classes", [0, 3], 5, torch.float32),
        call("absent classes", [1], 3, torch.float32),
        call(DTYPES, [0, 1, 2], 3, torch.float64),
        call(DTYPES, [0, 1, 2], 3, torch.float32),
    ]


# --- loader_apply -----------------------------------------------------------------------------


def _apply_case(
    group: str, seed: int, sizes: tuple[int, ...], function: str, reduce: str | None, **more: Any
) -> Case:
    dtype = more.pop("dtype", torch.float32)
    what = "its default" if reduce is None else f'"{reduce}"'
    told = f"func={function}, reduce {what}, batches of {', '.join(map(str, sizes))}"
    if dtype is torch.float64:
        told += ", float64"
    return Case(group, (seed, sizes, function, reduce, dtype), told=told, **more)


_UNKNOWN = "it is neither sum nor mean"
_APPLY_CASES = (
    _apply_case("sum", 1, (4, 4, 2), "count_classes", None),
    _apply_case("sum", 2, (5, 5, 3), "count_right", "sum"),
    _apply_case("sum", 3, (4, 4), "add_features", "sum", dtype=torch.float64),
    _apply_case("sum", 4, (3, 3, 3), "features", "sum"),
    _apply_case("sum", 5, (6,), "mean_loss", None),
    _apply_case("mean", 6, (4, 4, 1), "mean_loss", "mean"),
    _apply_case("mean", 7, (5, 2), "add_features", "mean", dtype=torch.float64),
    _apply_case("mean", 8, (3, 3), "features", "mean"),
    _apply_case("mean", 9, (4, 3, 3), "count_classes", "mean"),
    _apply_case("mean", 10, (5, 4), "count_right", "mean"),
    _apply_case("mean", 14, (5,), "count_classes", "mean"),
    _apply_case(REFUSALS, 11, (4, 4), "count_classes", "max", refusal=_UNKNOWN),
    _apply_case(REFUSALS, 12, (4, 4), "mean_loss", "none", refusal=_UNKNOWN),
    _apply_case(REFUSALS, 13, (4,), "features", "average", refusal=_UNKNOWN),
    _apply_case(REFUSALS, 15, (4, 2), "count_classes", "SUM", refusal=_UNKNOWN),
    _apply_case(REFUSALS, 16, (4, 2), "add_features", "me", refusal=_UNKNOWN),
    _apply_case(REFUSALS, 17, (4, 2), "count_right", "su", refusal=_UNKNOWN),
)


def _draw_applied(rng: np.random.Generator) -> list[Case]:
    def call(group: str, function: str, reduce: str | None, **more: Any) -> Case:
        full = random_size(rng, 3, 6)
        sizes = (full, full, full if function == "features" else random_size(rng, 1, full - 1))
        return _apply_case(group, random_size(rng, 20, 10_000), sizes, function, reduce, **more)

    double = {"dtype": torch.float64}
    return [
        call("sum", "count_right", None),
        call("sum", "add_features", "sum", **double),
        call("sum", "features", "sum"),
        call("mean", "mean_loss", "mean"),
        call("mean", "count_classes", "mean"),
        call("mean", "features", "mean", **double),
        call("mean", "add_features", "mean"),
        call(REFUSALS, "count_right", "total", refusal=_UNKNOWN),
        call(REFUSALS, "add_features", "Mean", refusal=_UNKNOWN),
        call(REFUSALS, "count_classes", "su", refusal=_UNKNOWN),
    ]


# --- leaked -----------------------------------------------------------------------------------


def _items(*rows: list[float], dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.tensor(rows, dtype=dtype)


def _shifted(x: Tensor, step: float, place: int = -1) -> Tensor:
    """Return a copy of which one element of each item, the last, is a little larger."""
    near = x.contiguous().clone()
    near.flatten(1)[:, place] += step
    return near


_TRAIN = _items([1, 2, 3], [4, 5, 6], [7, 8, 9], [2, 2, 2])
_TWICE = _items([1, 2, 3], [1, 2, 3], [4, 5, 6], [1, 2, 3])
_PAIRS = (torch.arange(1.0, 49.0) * 29 % 47).reshape(4, 2, 2, 3)
_PICTURES = torch.arange(1.0, 37.0).reshape(4, 1, 3, 3) % 10 + 1
_LEAKED_CASES = (
    Case("copies", (_TRAIN, _items([4, 5, 6], [0, 0, 1], [1, 2, 3]))),
    Case("copies", (_TRAIN, _items([1, 2, 4], [3, 2, 1], [2, 2, 1]))),
    Case("copies", (_PICTURES, _PICTURES.flip(0)[1:])),
    Case("copies", (_PICTURES[:2], torch.cat([_PICTURES[2:], _PICTURES[:1]]))),
    Case("copies", (_TRAIN[:1], _items([9, 9, 9], [1, 2, 3], [8, 8, 8], [5, 5, 5]))),
    Case("copies", (_PICTURES.mT, _PICTURES.mT[:3])),
    Case("copies", (_TRAIN, _items([2, 2, 2]))),
    Case("copies of copies", (_TWICE, _items([1, 2, 3], [7, 7, 7]))),
    Case("copies of copies", (_TRAIN[:1], _items([1, 2, 3], [1, 2, 3], [0, 0, 0]))),
    Case("copies of copies", (_TRAIN, _items([4, 5, 6], [4, 5, 6], [4, 5, 6], [0, 1, 0]))),
    Case("copies of copies", (_TWICE, _items([1, 2, 3], [1, 2, 3], [4, 5, 6]))),
    Case("nearly copies", (_TRAIN, torch.cat([_shifted(_TRAIN, 1e-4), _TRAIN[:1]]))),
    Case("nearly copies", (_TRAIN, torch.cat([_shifted(_TRAIN, 0.25), _TRAIN[3:]]))),
    Case("nearly copies", (_PICTURES, torch.cat([_shifted(_PICTURES, 1.0), _PICTURES[2:3]]))),
    Case("nearly copies", (_TRAIN + 0.5, torch.cat([_shifted(_TRAIN, 1e-6), _TRAIN[1:2]]) + 0.5)),
    Case(
        "nearly copies",
        (_PAIRS, torch.cat([*(_shifted(_PAIRS, 1.0, n) for n in range(12)), _PAIRS[1:3]])),
    ),
    Case(
        "nearly copies",
        (_TRAIN.double(), torch.cat([_shifted(_TRAIN.double(), 1e-11), _TRAIN.double()[1:3]])),
    ),
    Case(
        "nearly copies",
        (_items([1, 2, 3], [3, 1, 2]), _items([3, 2, 1], [2, 3, 1], [1, 1, 4], [3, 1, 2])),
    ),
)


def _draw_leaked(rng: np.random.Generator) -> list[Case]:
    def items(n: int, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.from_numpy(rng.integers(1, 100, (n, *shape))).to(dtype)

    def mixed(*parts: Tensor) -> Tensor:
        together = torch.cat(parts)
        return together[torch.from_numpy(rng.permutation(len(together)))]

    cases = []
    for shape in [(5,), (1, 2, 3), (2, 4)]:
        train = items(random_size(rng, 4, 8), *shape)
        cases.append(Case("copies", (train, mixed(train[1:3], items(3, *shape)))))
        again = mixed(train, train[:2])
        cases.append(
            Case("copies of copies", (again, mixed(train[:1], train[:1], items(2, *shape))))
        )
        near = _shifted(train, 0.25, random_size(rng, 0, train[0].numel() - 1))
        cases.append(Case("nearly copies", (train, mixed(near[:3], train[3:], items(1, *shape)))))
    precise = items(5, 4, dtype=torch.float64)
    near = _shifted(precise, 1e-10)
    cases.append(Case("nearly copies", (precise, mixed(near[:3], precise[2:]))))
    return cases


EXERCISES = (
    Exercise(
        "correct_per_class",
        5,
        correct_per_class,
        _CORRECT_CASES,
        _draw_correct,
        CORRECT_MISCONCEPTIONS,
        NO_PACKAGE,
        {"all classes": 3, "absent classes": 1, DTYPES: 1},
    ),
    Exercise(
        "loader_apply",
        4,
        loader_apply,
        _APPLY_CASES,
        _draw_applied,
        APPLY_MISCONCEPTIONS,
        NO_PACKAGE,
        {"sum": 1, "mean": 2, REFUSALS: 1},
        probe=apply,
    ),
    Exercise(
        "leaked",
        5,
        leaked,
        _LEAKED_CASES,
        _draw_leaked,
        LEAKED_MISCONCEPTIONS,
        NO_PACKAGE,
        {"copies": 2, "copies of copies": 2, "nearly copies": 1},
    ),
)
