"""Inputs of cases: small whole numbers that are the same everywhere, and drawn ones."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from course_utils.checks.exercise import Answer, Case

Form = tuple[torch.dtype, bool]  # dtype, and whether the tensor has gaps between its elements

DTYPES = "float64 and strides"
FORMS: tuple[Form, ...] = ((torch.float32, False), (torch.float64, False), (torch.float32, True))


def image_tensor(*shape: int, start: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return small whole numbers without symmetry, the same on every machine."""
    count = int(np.prod(shape))
    numbers = [(start + 7 * n + n * n) % 19 - 8 for n in range(count)]
    return torch.tensor(numbers, dtype=dtype).reshape(shape)


def random_tensor(rng: np.random.Generator, *shape: int, form: Form = FORMS[0]) -> Tensor:
    """Return normal numbers; if strided, as every other element of a larger tensor, transposed."""
    dtype, strided = form
    if not strided:
        return torch.from_numpy(rng.standard_normal(shape)).to(dtype)
    wide = torch.from_numpy(rng.standard_normal((*shape[:-2], shape[-1] * 2, shape[-2]))).to(dtype)
    return wide[..., ::2, :].transpose(-1, -2)


def random_size(rng: np.random.Generator, low: int, high: int) -> int:
    """Return a whole number from ``low`` to ``high``, both included."""
    return int(rng.integers(low, high + 1))


def substantial(make: Callable[[], Case], oracle: Answer) -> Case:
    """Draw until the answer is not close to zero everywhere, so that rounding cannot matter."""
    while True:
        case = make()
        if oracle(*case.args, **case.kwargs).abs().max() > 0.5:
            return case
