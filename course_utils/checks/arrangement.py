"""Ways in which right numbers can be arranged wrongly, and places that alone are wrong."""

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

from course_utils.checks.likeness import changed_along, form_if, n_different
from course_utils.checks.parts import Numbers

# --- another order, another shape -----------------------------------------------------------------


def transposed(part: Numbers) -> set[str]:
    """The last two axes are exchanged."""
    return form_if(part.expected.dim() >= 2 and part.same(part.expected.mT))


def turned(part: Numbers) -> set[str]:
    """The last two axes run backwards."""
    return form_if(part.expected.dim() >= 2 and part.same(part.expected.flip(-2, -1)))


def permuted(part: Numbers) -> set[str]:
    """Return the order that the axes stand in."""
    dims = part.expected.dim()
    if not 2 < dims <= 5 or part.yours.dim() != dims:
        return set()
    orders = itertools.permutations(range(dims))
    return {str(order) for order in orders if part.same(part.expected.permute(order))}


def backwards(part: Numbers) -> set[str]:
    """A single row of numbers is in reverse order."""
    return form_if(part.expected.dim() == 1 and part.same(part.expected.flip(0)))


def reordered(part: Numbers) -> set[str]:
    """The numbers are right, at other places."""
    if part.yours.numel() != part.expected.numel() or part.yours.isnan().any():
        return set()
    yours, expected = part.yours.flatten().sort().values, part.expected.flatten().sort().values
    return form_if(n_different(yours) > 2 and _same(part, yours, expected))


def reshaped(part: Numbers) -> set[str]:
    """The numbers are right and in order, but have another shape."""
    if part.alike or part.yours.numel() != part.expected.numel():
        return set()
    return form_if(part.same(part.expected.reshape(part.yours.shape)))


def reduced(part: Numbers) -> set[str]:
    """Return the axis that a sum or a mean is taken over."""
    dims = part.expected.dim()
    if part.yours.numel() >= part.expected.numel() or not dims:
        return set()
    axes: dict[str, tuple[int, ...]] = {f"axis {axis}": (axis,) for axis in range(-dims, 0)}
    axes["all axes"] = tuple(range(-dims, 0))
    return {
        f"{word} over {name}"
        for name, over in axes.items()
        for word, reduce in (("summed", torch.sum), ("averaged", torch.mean))
        if any(part.same(reduce(part.expected, over, keepdim=keep)) for keep in (False, True))
    }


def cut(part: Numbers) -> set[str]:
    """Return which end of the right numbers yours are."""
    return _inside(part, part.yours, part.expected)


def surrounded(part: Numbers) -> set[str]:
    """Return which end of yours the right numbers are."""
    return _inside(part, part.expected, part.yours)


def _inside(part: Numbers, small: Tensor, large: Tensor) -> set[str]:
    """Return where the small one stands in the large one."""
    if small.dim() != large.dim() or small.shape == large.shape or not small.numel():
        return set()
    if any(few > many for few, many in zip(small.shape, large.shape, strict=True)):
        return set()
    sizes = list(zip(small.shape, large.shape, strict=True))
    starts = {
        "beginning": [0 for _ in sizes],
        "end": [many - few for few, many in sizes],
        "middle": [(many - few) // 2 for few, many in sizes],
    }
    return {
        name
        for name, start in starts.items()
        if _same(part, small, large[tuple(map(_stretch, start, small.shape))])
    }


def _stretch(start: int, size: int) -> slice:
    return slice(start, start + size)


def first_for_all(part: Numbers) -> set[str]:
    """Return the axes along which yours are all like the first of the right ones."""
    if part.table:
        return set()
    return changed_along(lambda right, axis: right.narrow(axis, 0, 1).expand_as(right))(part)


def shifted(part: Numbers) -> set[str]:
    """Return along which axis they stand one place further; what enters there does not matter."""
    if not part.alike or part.table:
        return set()
    found = set()
    for axis in range(-part.expected.dim(), 0):
        size = part.expected.shape[axis]
        for here, there, word in ((1, 0, "further on"), (0, 1, "further back")):
            if size < 3:
                continue
            yours = part.yours.narrow(axis, here, size - 1)
            expected = part.expected.narrow(axis, there, size - 1)
            if n_different(expected) > 2 and _same(part, yours, expected):
                found.add(f"{word} along axis {axis}")
    return found


def _same(part: Numbers, yours: Tensor, expected: Tensor) -> bool:
    """Compare other numbers in the precision of the part."""
    return Numbers(part.names, yours, yours, part.precision).same(expected)


# --- which of them --------------------------------------------------------------------------------


def _places(part: Numbers) -> Iterator[tuple[str, Tensor]]:
    """Yield each axis, and which of its places have something wrong."""
    if part.alike and not part.table:
        for axis in range(-part.wrong.dim(), 0):
            rows = part.wrong.movedim(axis, 0)
            yield str(axis), rows.flatten(1).any(1) if rows.dim() > 1 else rows


def first_right(part: Numbers) -> set[str]:
    """Return the axes along which only the first place is right."""
    return {
        axis for axis, wrong in _places(part) if len(wrong) > 1 and not wrong[0] and wrong[1:].all()
    }


def first_wrong(part: Numbers) -> set[str]:
    """Return the axes along which only the first place is wrong."""
    return {axis for axis, wrong in _places(part) if len(wrong) > 2 and _only(wrong, 0)}


def last_wrong(part: Numbers) -> set[str]:
    """Return the axes along which only the last place is wrong."""
    return {axis for axis, wrong in _places(part) if len(wrong) > 2 and _only(wrong, -1)}


def _only(wrong: Tensor, place: int) -> bool:
    return bool(wrong[place]) and int(wrong.sum()) == 1


def column_wrong(part: Numbers) -> set[str]:
    """Return the one place that is wrong in each row of a table."""
    if not (part.table and part.alike and part.expected.dim()):
        return set()
    wrong = part.wrong.reshape(-1, part.expected.shape[-1]).any(0)
    return {str(int(wrong.nonzero()))} if len(wrong) > 1 and wrong.sum() == 1 else set()


def border(part: Numbers) -> set[str]:
    """Only the border of the last two axes is wrong, and there is something inside it."""
    if not part.alike or part.table or part.expected.dim() < 2:
        return set()
    return form_if(min(part.expected.shape[-2:]) > 2 and not part.wrong[..., 1:-1, 1:-1].any())


def left_at_zero(part: Numbers) -> set[str]:
    """All wrong ones of yours are 0."""
    return form_if(part.alike and not part.yours[part.wrong].any())


def zero_expected(part: Numbers) -> set[str]:
    """Wrong are only places where 0 is right, and not everywhere it is."""
    return form_if(part.alike and part.expected.any() and not part.expected[part.wrong].any())


def negative_wrong(part: Numbers) -> set[str]:
    """Wrong are exactly those that have to be below 0, and others are above."""
    positive = part.alike and bool((part.expected > 0).any())
    return form_if(positive and torch.equal(part.wrong, part.expected < 0))


def infinite_wrong(part: Numbers) -> set[str]:
    """Wrong are only those that have to be infinite or no number."""
    return form_if(part.alike and not part.expected[part.wrong].isfinite().any())
