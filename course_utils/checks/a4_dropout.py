"""Assignment 4: dropout."""

from typing import Any

import numpy as np
from torch import Tensor

from course_utils.checks.a4_dropout_mistakes import DROPOUT_MISCONCEPTIONS
from course_utils.checks.a4_oracles import dropout
from course_utils.checks.a4_rules import NO_DROPOUT
from course_utils.checks.drawing import image_tensor, random_size, random_tensor
from course_utils.checks.dropout_scenes import DEFAULT, play
from course_utils.checks.exercise import REFUSALS, Case, Exercise

DROPPED, KEPT, EDGES, STREAMS = "what is dropped", "what stays", "edges", "streams"
_OUTSIDE = "p is outside [0, 1]"
Shape = tuple[int, ...]


def _dropped(p: float, shape: Shape, seed: int, *, own_stream: bool) -> Case:
    settings = {"own_stream": own_stream}
    source = "a generator" if own_stream else "the global stream"
    chance = "p left out" if p == DEFAULT else f"p = {p:.3g}"
    told = f"{chance}, x of shape {shape}, drawn from {source}"
    return Case(DROPPED, ("dropped", p, shape, seed), settings, told=told)


def _kept(
    p: float, shape: Shape, seed: int, *, double: bool = False, strided: bool = False
) -> Case:
    settings = {"double": double, "strided": strided}
    dtype = "float64" if double else "float32"
    gaps = ", not contiguous" if strided else ""
    told = f"p = {p:.3g}, x of shape {shape}, {dtype}{gaps}"
    return Case(KEPT, ("kept", p, shape, seed), settings, told=told)


def _edge(x: Tensor, group: str = EDGES, refusal: str | None = None, **settings: Any) -> Case:
    shown = ", ".join(f"{name}={value}" for name, value in settings.items())
    dtype = str(x.dtype).removeprefix("torch.")
    told = f"x of shape {tuple(x.shape)}, {dtype}, {shown}"
    return Case(group, ("edge",), {"x": x, "settings": settings}, refusal, told=told)


def _streams(p: float, shape: Shape, seed: int) -> Case:
    told = f"p = {p:.3g}, with generators"
    return Case(STREAMS, ("streams", p, shape, seed), told=told)


def _global_stream(p: float, shape: Shape, seed: int) -> Case:
    told = f"p = {p:.3g}, without a generator"
    return Case(STREAMS, ("global stream", p, shape, seed), told=told)


_X = image_tensor(2, 3, 4) / 7

_DROPOUT_CASES = (
    _dropped(DEFAULT, (6, 8, 8, 12), 1, own_stream=False),
    _dropped(0.2, (5, 9, 10, 12), 2, own_stream=True),
    _dropped(0.85, (6, 7, 12, 10), 3, own_stream=False),
    _dropped(0.35, (12, 400), 4, own_stream=True),
    _kept(0.5, (4, 5, 6), 5),
    _kept(0.2, (200,), 6),
    _kept(0.75, (3, 4, 5, 6), 7, strided=True),
    _kept(0.3, (12, 9), 8, double=True),
    _edge(_X, training=False),
    _edge(_X.double(), p=0.25, training=False),
    _edge(_X, p=1.0, training=False),
    _edge(_X, p=0.0),
    _edge(_X[:, :, ::2], p=0.0, training=True),
    _edge(_X, p=1.0),
    _edge(_X.double(), p=1.0, training=True),
    _streams(0.5, (60, 2), 9),
    _streams(0.3, (5, 4, 6), 10),
    _global_stream(0.5, (100,), 11),
    _global_stream(0.4, (3, 5, 8), 12),
    _edge(_X, REFUSALS, _OUTSIDE, p=1.5),
    _edge(_X, REFUSALS, _OUTSIDE, p=-0.5),
    _edge(_X, REFUSALS, _OUTSIDE, p=1.001),
    _edge(_X, REFUSALS, _OUTSIDE, p=-0.001),
)


def _draw_dropouts(rng: np.random.Generator) -> list[Case]:
    def chance() -> float:
        low, high = (0.1, 0.42) if rng.random() < 0.5 else (0.58, 0.9)
        return float(rng.uniform(low, high))

    def seed() -> int:
        return random_size(rng, 20, 10_000)

    def shape(low: int, high: int, dims: int) -> Shape:
        return tuple(random_size(rng, low, high) for _ in range(dims))

    x = random_tensor(rng, 2, 3, 4)
    return [
        _dropped(chance(), shape(7, 11, 4), seed(), own_stream=True),
        _dropped(chance(), shape(7, 11, 4), seed(), own_stream=False),
        _dropped(chance(), shape(50, 70, 2), seed(), own_stream=True),
        _dropped(DEFAULT, shape(7, 11, 4), seed(), own_stream=False),
        _kept(chance(), shape(5, 7, 3), seed()),
        _kept(chance(), shape(4, 5, 4), seed(), strided=True),
        _kept(chance(), shape(8, 12, 2), seed(), double=True),
        _edge(x, p=chance(), training=False),
        _edge(x.double(), p=1.0, training=False),
        _edge(x, p=0.0),
        _edge(x, p=1.0),
        _streams(chance(), shape(8, 12, 3), seed()),
        _global_stream(chance(), shape(8, 12, 3), seed()),
        _edge(x, REFUSALS, _OUTSIDE, p=float(rng.uniform(1.01, 3))),
        _edge(x, REFUSALS, _OUTSIDE, p=float(rng.uniform(-2, -0.01))),
    ]


EXERCISES = (
    Exercise(
        "dropout",
        5,
        dropout,
        _DROPOUT_CASES,
        _draw_dropouts,
        DROPOUT_MISCONCEPTIONS,
        NO_DROPOUT,
        {DROPPED: 1, KEPT: 1, EDGES: 1, STREAMS: 1, REFUSALS: 1},
        probe=play,
    ),
)
