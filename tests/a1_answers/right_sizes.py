"""Right answers to exercises 1 to 4, written as different students would: <exercise>_by_<way>."""

import functools
import itertools
import math
import sys
import warnings
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import torch

# --- conv_output_size -------------------------------------------------------------------------


def conv_output_size_by_formula(n, k, p=0, s=1, d=1):
    if n < 1 or k < 1 or s < 1 or d < 1 or p < 0:
        raise ValueError("out of range")
    room = n + 2 * p - d * (k - 1) - 1
    if room < 0:
        raise ValueError("no place for the kernel")
    return math.floor(room / s) + 1


def conv_output_size_by_walking(n, k, p=0, s=1, d=1):
    """Move the window as F.conv2d or x.unfold(0, k, s) would, and count."""
    for value in (n, k, s, d):
        if value <= 0:
            raise ValueError(f"{value} is too small")
    if p < 0:
        raise ValueError
    places, start = 0, 0
    while start + d * (k - 1) + 1 <= n + 2 * p:
        places += 1
        start += s
    if not places:
        raise ValueError("no place")
    return places


def conv_output_size_by_recursion(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    def steps(room):
        return 0 if room < s else 1 + steps(room - s)

    if min(n, k, s, d) < 1 or p < 0:
        raise ValueError
    room = n + 2 * p - (k + (k - 1) * (d - 1))
    if room < 0:
        raise ValueError
    return steps(room) + 1


def conv_output_size_by_range(n, k, p=0, s=1, d=1):
    try:
        assert n > 0
        assert k > 0
        assert d > 0
        assert p >= 0
        assert s > 0
        return (range(0, n + 2 * p - d * (k - 1), s)[-1]) // s + 1
    except (AssertionError, IndexError) as error:
        raise ValueError("refused") from error


class TooSmallError(ValueError):
    def __init__(self, name, value):
        super().__init__(f"{name}={value}")


def at_least(minimum, *names):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(n, k, p=0, s=1, d=1):
            settings = {"n": n, "k": k, "p": p, "s": s, "d": d}
            print("checking", settings)
            warnings.warn("a warning of the answer", stacklevel=2)
            print("text on stderr", file=sys.stderr)
            for name in names:
                if settings[name] < minimum:
                    raise TooSmallError(name, settings[name])
            return function(n, k, p, s, d)

        return wrapper

    return decorate


@at_least(0, "p")
@at_least(1, "n", "k", "s", "d")
def conv_output_size_by_decorators(n, k, p=0, s=1, d=1):
    match Fraction(n + 2 * p - d * (k - 1) - 1, s):
        case room if room < 0:
            raise ValueError(room)
        case room:
            return math.floor(room) + 1


# --- conv_output_shape ------------------------------------------------------------------------


def _pair(value):
    return value if isinstance(value, tuple) else (value, value)


def conv_output_shape_by_zip(hw, kernel_size, stride=1, padding=0, dilation=1):
    settings = map(_pair, (kernel_size, stride, padding, dilation))
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(hw, *settings, strict=True)
    )


class Shape(NamedTuple):
    height: int
    width: int


def conv_output_shape_by_named_tuple(hw, kernel_size, stride=1, padding=0, dilation=1) -> Shape:
    def axis(number):
        k, s, p, d = (
            value if type(value) is int else value[number]
            for value in (kernel_size, stride, padding, dilation)
        )
        return conv_output_size_by_formula(hw[number], k, p, s, d)

    return Shape(axis(0), axis(1))


def conv_output_shape_by_numpy(hw, kernel_size, stride=1, padding=0, dilation=1):
    k, s, p, d = (np.broadcast_to(value, 2) for value in (kernel_size, stride, padding, dilation))
    return tuple(((np.array(hw) + 2 * p - d * (k - 1) - 1) // s + 1).tolist())


def conv_output_shape_by_slicing(hw, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sv, sh), (pv, ph), (dv, dh) = map(_pair, (kernel_size, stride, padding, dilation))
    padded = torch.zeros(hw[0] + 2 * pv, hw[1] + 2 * ph)
    height, width = padded.shape
    return padded[: height - dv * (kh - 1) : sv, : width - dh * (kw - 1) : sh].shape  # a torch.Size


class _Shapes:
    def __call__(self, hw, kernel_size, stride=1, padding=0, dilation=1):
        def at(value, number):
            try:
                return value[number]
            except TypeError:
                return value

        return tuple(
            conv_output_size_by_walking(
                hw[i], *(at(value, i) for value in (kernel_size, padding, stride, dilation))
            )
            for i in range(2)
        )


conv_output_shape_by_object = _Shapes()

# --- same_padding -----------------------------------------------------------------------------


def same_padding_by_span(k, d=1):
    span = k + (k - 1) * (d - 1)
    if span % 2 == 0:
        raise ValueError(span)
    return int((span - 1) / 2)


def same_padding_by_search(k, d=1):
    for p in range(d * k + 1):
        if 100 + 2 * p - d * (k - 1) == 100:
            return p
    raise ValueError("none")


@functools.lru_cache
def same_padding_by_cases(k, d=1):
    if k % 2:
        return d * (k // 2)
    if d % 2:
        raise ValueError("even span")
    return (d // 2) * (k - 1)


def same_padding_by_float(k, d=1):
    padding = d * (k - 1) / 2
    if not padding.is_integer():
        raise ValueError(padding)
    return int(padding)


same_padding_by_lambda = lambda k, d=1: d * (k - 1) >> 1 if d * (k - 1) % 2 == 0 else int("no")  # noqa: E731

# --- transposed_output_size -------------------------------------------------------------------


def transposed_output_size_by_formula(n, k, p=0, s=1, d=1, output_padding=0):
    if not (output_padding < s or output_padding < d):
        raise ValueError("output_padding")
    size = s * (n - 1) + (k + (k - 1) * (d - 1)) + output_padding - 2 * p
    if size <= 0:
        raise ValueError("nothing left")
    return size


def transposed_output_size_by_places(n, k, p=0, s=1, d=1, output_padding=0):
    if all(output_padding >= limit for limit in (s, d)):
        raise ValueError
    places = [i * s + j * d for i, j in itertools.product(range(n), range(k))]
    if (size := max(places) + 1 - 2 * p + output_padding) < 1:
        raise ValueError
    return size


def transposed_output_size_by_zeros_between(n, k, p=0, s=1, d=1, output_padding=0):
    if output_padding >= max(s, d):
        raise ValueError
    stretched, span = n + (n - 1) * (s - 1), d * (k - 1) + 1
    result = stretched + 2 * (span - 1 - p) - span + 1 + output_padding
    if result < 1:
        raise ValueError
    return result


class Backwards:
    @classmethod
    def size(cls, n, k, p=0, s=1, d=1, output_padding=0):
        size = cls.dot([s, -2, d], [n - 1, p, k - 1]) + 1 + output_padding
        if size < 1 or output_padding >= max(s, d):
            raise ValueError(size)
        return size

    @staticmethod
    def dot(left, right):
        return np.dot(left, right).item()


transposed_output_size_by_class_method = Backwards.size
transposed_output_size_by_partial = functools.partial(Backwards.size)
