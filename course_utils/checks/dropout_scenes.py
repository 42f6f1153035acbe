"""Assignment 4: the scenes that dropout is judged by: shares, factors and streams, no single bit.

They run while the answer is watched, so this module is not named as those that hold answers.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from course_utils.checks.comparison import describe
from course_utils.checks.exercise import Answer
from course_utils.checks.outcomes import WrongFormError, plain

AXES = ("images", "channels", "rows", "columns")
DEFAULT = 0.5  # left out of the call
DEVIATIONS = 5  # a right answer is outside once in a million
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-9}


@contextmanager
def _stage(seed: int) -> Iterator[None]:
    """Seed the global streams; all of them come back as they were."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    _seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])


def _seed(seed: int) -> None:
    """Do what `manual_seed` does, for the processor alone: that is faster."""
    torch.default_generator.manual_seed(seed)


@cache
def _drawn_numbers(shape: tuple[int, ...], seed: int) -> Tensor:
    """Return numbers far from zero, of both signs."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.uniform(0.5, 3.0, shape) * np.sign(rng.uniform(-1, 1, shape)))


def _numbers(shape: tuple[int, ...], seed: int, *, double: bool, strided: bool) -> Tensor:
    values = _drawn_numbers(shape, seed)
    x = values.to(torch.float64 if double else torch.float32, copy=True)
    return x.transpose(0, -1).contiguous().transpose(0, -1) if strided else x


def _call(answer: Answer, x: Tensor, *args: Any, **settings: Any) -> Tensor:
    """Return the answer's result, a tensor of the shape of x."""
    y = answer(x, *args, **settings)
    if type(y) is not Tensor:
        raise WrongFormError(f"the result is {describe(plain(y))}, and has to be a plain tensor")
    if y.shape != x.shape:
        raise TypeError(f"the result has shape {tuple(y.shape)}, and x has {tuple(x.shape)}")
    return y


def dropped(
    answer: Answer, p: float, shape: tuple[int, ...], seed: int, *, own_stream: bool
) -> dict[str, str]:
    """Observe how many are dropped, and whether each has its own draw."""
    x = _numbers(shape, seed, double=False, strided=False)
    settings: dict[str, Any] = {"generator": Generator().manual_seed(seed)} if own_stream else {}
    if p != DEFAULT:
        settings["p"] = p
    with _stage(seed):
        y = _call(answer, x, **settings)
        few = x.flatten()[:60]
        counts = {int((_call(answer, few, **settings) == 0).sum()) for _ in range(10)}
    zeros = y == 0
    seen = {"share of zeros": _share(zeros, p)}
    if x.dim() == len(AXES):
        seen |= {f"masks of two {axis}": _relation(zeros, n, p) for n, axis in enumerate(AXES)}
    changes = "changes from call to call" if len(counts) > 1 else "is the same in every call"
    return seen | {"number of zeros": changes}


def _share(zeros: Tensor, p: float) -> str:
    """Return in words what share of the elements is zero."""
    share = zeros.double().mean().item()
    if share in (0.0, 1.0):
        return "none" if share == 0.0 else "all"
    bound = DEVIATIONS * (p * (1 - p) / zeros.numel()) ** 0.5
    for words, candidate in [("p", p), ("1 - p", 1 - p)]:
        if abs(share - candidate) <= bound:
            return words
    return f"less than p = {p:.3g}" if share < p else f"more than p = {p:.3g}"


def _relation(zeros: Tensor, axis: int, p: float) -> str:
    """Return whether neighbours along an axis are dropped independently."""
    n_pairs = zeros.shape[axis] - 1
    first, second = zeros.narrow(axis, 0, n_pairs), zeros.narrow(axis, 1, n_pairs)
    same = (first == second).double().mean().item()
    if same == 1.0:
        return "the same mask"
    chance = p**2 + (1 - p) ** 2
    bound = 2 * DEVIATIONS * (chance * (1 - chance) / first.numel()) ** 0.5
    return "independent" if abs(same - chance) <= bound else "related"


def kept(
    answer: Answer, p: float, shape: tuple[int, ...], seed: int, *, double: bool, strided: bool
) -> dict[str, Any]:
    """Observe what has become of the survivors, and of the input."""
    x = _numbers(shape, seed, double=double, strided=strided)
    before = x.clone()
    with _stage(seed):
        y = _call(answer, x, p, True, Generator().manual_seed(seed))
    stays = y != 0
    factors = (y[stays].double() / before[stays].double()).detach()
    return {
        "dtype": str(y.dtype),
        "zeros": "none" if stays.all() else "some",
        "factor of the survivors": _factor(factors, p, TOLERANCE[before.dtype]),
        "x": "as it was" if torch.equal(x, before) else "changed",
    }


def _factor(factors: Tensor, p: float, tolerance: float) -> str:
    """Return in words what the survivors were multiplied by."""
    if not factors.numel():
        return "nothing survives"
    for words, value in [
        ("1 / (1 - p)", 1 / (1 - p)),
        ("1", 1.0),
        ("1 / p", 1 / p),
        ("1 - p", 1 - p),
        ("p", p),
        ("1 + p", 1 + p),
        ("the root of 1 / (1 - p)", (1 - p) ** -0.5),
    ]:
        if ((factors - value).abs() <= tolerance * abs(value)).all():
            return words
    spread = (factors.max() - factors.min()).item()
    if spread > 1e-4 * factors.abs().max().item():
        return "not the same for all"
    if abs(factors[0].item() * (1 - p) - 1) < 1e-5:
        return "1 / (1 - p) to about seven digits only"
    return "another number"


def edge(answer: Answer, x: Tensor, settings: dict[str, Any]) -> Any:
    """Return the result where no chance is left."""
    with _stage(1):
        return answer(x, **settings)


def streams(answer: Answer, p: float, shape: tuple[int, ...], seed: int) -> dict[str, str]:
    """Observe the stream of a given generator, and the global one beside it."""
    x = _numbers(shape, seed, double=False, strided=False)
    stream, again = Generator().manual_seed(seed), Generator().manual_seed(seed)
    other = Generator().manual_seed(seed + 1)
    with _stage(seed):
        before = torch.get_rng_state()
        first = _call(answer, x, p, True, stream)
        second = _call(answer, x, p, True, stream)
        left_alone = torch.equal(before, torch.get_rng_state())
        _seed(seed + 7)
        replay = [_call(answer, x, p, generator=again), _call(answer, x, p, generator=again)]
        elsewhere = _call(answer, x, p, generator=other)
    return {
        "the same state of a given generator": _results(torch.equal(first, replay[0])),
        "the next call with a given generator": _results(torch.equal(first, second)),
        "the next call from the same state": _results(torch.equal(second, replay[1])),
        "another state of a given generator": _results(torch.equal(first, elsewhere)),
        "the global stream beside a given generator": "left alone" if left_alone else "moved",
    }


def global_stream(answer: Answer, p: float, shape: tuple[int, ...], seed: int) -> dict[str, str]:
    """Observe the global stream, where no generator is given."""
    x = _numbers(shape, seed, double=False, strided=False)
    with _stage(seed):
        before = torch.get_rng_state()
        first = _call(answer, x, p)
        moved = not torch.equal(before, torch.get_rng_state())
        second = _call(answer, x, p, True, None)
        _seed(seed)
        replay = _call(answer, x, p), _call(answer, x, p)
        _seed(seed + 1)
        elsewhere = _call(answer, x, p)
    return {
        "the same manual_seed": _results(torch.equal(first, replay[0])),
        "the next call": _results(torch.equal(first, second)),
        "the next call after the same manual_seed": _results(torch.equal(second, replay[1])),
        "another manual_seed": _results(torch.equal(first, elsewhere)),
        "the global stream": "moves on" if moved else "stays where it was",
    }


def _results(same: bool) -> str:
    return "the same result" if same else "another result"


SCENES: dict[str, Callable[..., Any]] = {
    "dropped": dropped,
    "kept": kept,
    "edge": edge,
    "streams": streams,
    "global stream": global_stream,
}


def play(answer: Answer, scene: str, *args: Any, **settings: Any) -> Any:
    """Play a scene with an answer and return what is observed."""
    return SCENES[scene](answer, *args, **settings)
