"""Ways in which wrong numbers can be like the right ones, number by number: a factor, a sign."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.checks.parts import Numbers

# The forms in which a way holds for one part of a result, as text: a factor, an axis; "" where it
# has one form only, and none where it does not hold.
Forms = Callable[[Numbers], set[str]]
ONE_FORM = {""}


def changed(change: Callable[[Tensor], Tensor]) -> Forms:
    """Return the way in which your numbers are those that a change of the right ones gives."""
    return lambda part: form_if(part.same(change(part.expected)))


def changed_along(change: Callable[[Tensor, int], Tensor]) -> Forms:
    """Return the same for a change along one axis, counted from the end; a table has none."""

    def forms(part: Numbers) -> set[str]:
        axes = () if part.table and part.expected.dim() > 1 else range(-part.expected.dim(), 0)
        return {str(axis) for axis in axes if part.same(change(part.expected, axis))}

    return forms


def form_if(holds: object) -> set[str]:
    """Return the one form of a way, if it holds."""
    return ONE_FORM if holds else set()


def _where_largest(part: Numbers) -> tuple[float, float] | None:
    """Return both numbers where the right one is largest; None if that is 0 or not finite."""
    if not part.alike or not part.expected.numel():
        return None
    expected = part.expected.flatten()
    place = int(expected.abs().nan_to_num(0, 0, 0).argmax())
    yours, wanted = float(part.yours.flatten()[place]), float(expected[place])
    return (yours, wanted) if wanted and math.isfinite(wanted) and math.isfinite(yours) else None


def _ratio(part: Numbers) -> float | None:
    """Return what all right numbers are multiplied by to give yours, if that is so."""
    numbers = _where_largest(part)
    if numbers is None or not numbers[0]:
        return None
    ratio = numbers[0] / numbers[1]
    nearly_1 = abs(ratio - 1) < 1e-3
    return ratio if not nearly_1 and part.same(part.expected * ratio) else None


def factor(part: Numbers) -> set[str]:
    """Return the factor."""
    ratio = _ratio(part)
    return set() if ratio is None else {f"{ratio:.5g}"}


def size_factor(part: Numbers) -> set[str]:
    """Return the sizes of the call that the right numbers are multiplied or divided by."""
    ratio = _ratio(part)
    if ratio is None:
        return set()
    sizes = [(name, size) for name, size in part.sizes.items() if size > 1]
    times = {
        f"multiplied by {name}" for name, size in sizes if math.isclose(ratio, size, rel_tol=1e-4)
    }
    return times | {
        f"divided by {name}" for name, size in sizes if math.isclose(ratio * size, 1, rel_tol=1e-4)
    }


def offset(part: Numbers) -> set[str]:
    """Return what is added to all of them."""
    numbers = _where_largest(part)
    if numbers is None:
        return set()
    step = numbers[0] - numbers[1]
    return {f"{step:+.5g}"} if part.same(part.expected + step) else set()


def scaled_and_shifted(part: Numbers) -> set[str]:
    """Return the factor and what is added to all of them."""
    if not part.alike or part.expected.numel() < 2 or not part.expected.isfinite().all():
        return set()
    low, high = part.expected.argmin(), part.expected.argmax()
    yours, expected = part.yours.flatten(), part.expected.flatten()
    span = float(expected[high] - expected[low])
    scale = float(yours[high] - yours[low]) / span if span else 0.0
    step = float(yours[low] - scale * expected[low])
    if not scale or not part.same(scale * part.expected + step):
        return set()
    return {f"times {scale:.3g}, and {step:+.3g}"}


def rounded(part: Numbers) -> set[str]:
    """Return to how many decimals they are rounded."""
    digits = range(6)
    return {str(n) for n in digits if part.same(torch.round(part.expected, decimals=n))}


def clipped(part: Numbers) -> set[str]:
    """Yours stop at a lowest or a highest number that several share."""
    if not part.alike or part.yours.numel() < 3 or not part.yours.isfinite().all():
        return set()
    low, high = part.yours.min(), part.yours.max()
    stopped = part.wrong & ((part.yours == low) | (part.yours == high))
    some_right = low < high and not part.wrong.all()
    return form_if(some_right and stopped.sum() > 1 and part.same(part.expected.clamp(low, high)))


def nearly(part: Numbers) -> set[str]:
    """Yours miss by less than a thousandth of the largest."""
    if not part.alike or not (part.yours.isfinite().all() and part.expected.isfinite().all()):
        return set()
    missed = (part.yours - part.expected).abs().max()
    return form_if(missed <= 1e-3 * part.expected.abs().max())


def constant(part: Numbers) -> set[str]:
    """Yours are all the same."""
    return form_if(part.alike and part.yours.numel() > 2 and n_different(part.yours) == 1)


def n_different(numbers: Tensor) -> int:
    """Return how many different numbers there are."""
    return len(set(numbers.flatten().tolist()))


def counted(part: Numbers, more: bool) -> set[str]:
    """Yours are a few whole numbers, and every wrong one is too large, or too small."""
    whole = (
        part.alike
        and (part.table or part.expected.dim() < 3)
        and all(bool((numbers == numbers.round()).all()) for numbers in (part.yours, part.expected))
    )
    if not whole:
        return set()
    surplus = (part.yours - part.expected)[part.wrong]
    return form_if(((surplus > 0) == more).all())
