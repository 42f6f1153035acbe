"""Assignment 4: the scenes that LeNet-5 is judged by: names, numbers, shapes and what it computes."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from course_utils.checks.exercise import Answer
from course_utils.checks.outcomes import WrongFormError


class BuildError(Exception):
    """The model cannot be played with."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global stream; it comes back as it was."""
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)  # torch.manual_seed looks for other devices first
    try:
        yield
    finally:
        torch.set_rng_state(state)


def count_parameters(module: nn.Module) -> int:
    """Return how many numbers a module learns."""
    return sum(parameter.numel() for parameter in module.parameters())


def play(answer: Answer, scene: str, seed: int, **settings: int) -> Any:
    """Build a model from a seed and return what a scene observes of it."""
    with torch.enable_grad(), seeded(seed):
        model = answer(**settings)
        if isinstance(model, type) or not isinstance(model, nn.Module):
            kind = model.__name__ if isinstance(model, type) else type(model).__name__
            raise WrongFormError(f"the result is {kind}, and has to be an nn.Sequential")
        if scene == "modules":
            return _modules(model)
        if not isinstance(model, nn.Sequential):
            raise WrongFormError(f"the result is a {type(model).__name__}, not an nn.Sequential")
        if scene == "fresh":
            return _fresh(answer, model, seed, settings)
        return {"parameters": _parameters, "shapes": _shapes, "values": _values}[scene](model, seed)


def _modules(model: nn.Module) -> dict[str, Any]:
    """Observe the names, in order; one object under two names counts twice."""
    kind = "nn.Sequential" if isinstance(model, nn.Sequential) else type(model).__name__
    return {"what is built": kind, "names": list(model._modules)}


def _parameters(model: nn.Sequential, seed: int) -> dict[str, int]:
    """Observe how many numbers are learned, in all and by module."""
    counts = {name: count_parameters(m) for name, m in model._modules.items() if m is not None}
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {**counts, "in all": count_parameters(model), "with a gradient": trained}


def _shapes(model: nn.Sequential, seed: int) -> dict[str, str]:
    """Observe the shape after each module, for as many images as the seed says."""
    values = torch.zeros(1 + seed % 3, 1, 28, 28)
    shapes = dict.fromkeys(model._modules, "not reached")
    with torch.no_grad():
        for name, module in model._modules.items():
            try:
                values = _run(module, values, name)
            except BuildError as error:
                shapes[name] = f"none, since {error}"
                break
            shapes[name] = str(tuple(values.shape))
    return shapes


def _run(module: Any, values: Tensor, name: str) -> Tensor:
    try:
        return module(values)  # type: ignore[no-any-return]
    except RuntimeError as error:
        reason = str(error).splitlines()[0][:120]
        raise BuildError(
            f"{name} cannot take a tensor of {tuple(values.shape)}: {reason}"
        ) from None


def _values(model: nn.Sequential, seed: int) -> dict[str, Any]:
    """Observe what comes out of each module for given weights, and whether C5 to F6 bends."""
    rng = np.random.default_rng(seed)
    drawn, start = _normal_numbers(), seed % 100
    model.double()
    for parameter in model.parameters():
        scale = max(parameter[0].numel(), 1) ** -0.5
        numbers = drawn[start : start + parameter.numel()].reshape(parameter.shape)
        parameter.data = (numbers + 0.1) * scale
        start += 131
    values = images = torch.from_numpy(rng.standard_normal((2, 1, 28, 28)))
    seen: dict[str, Any] = {}
    with torch.no_grad():
        for name, module in model._modules.items():
            values = _run(module, values, name)
            seen[f"after {name}"] = _digest(values)
        seen["logits"] = model(images)
        seen["C5 to F6"] = _superposition(model, rng)
    return seen


@cache
def _normal_numbers() -> Tensor:
    """Return more numbers than any layer has weights."""
    return torch.from_numpy(np.random.default_rng(4).standard_normal(200_000))


def _digest(values: Tensor) -> Tensor:
    """Return five numbers that depend on every value and on its place."""
    flat = values.double().flatten()
    places = torch.linspace(0, 1, flat.numel(), dtype=torch.float64)
    waves = torch.stack([torch.cos(7 * n * places) for n in range(1, 4)])
    return torch.stack([flat.min(), flat.max(), *(waves @ flat / flat.numel())])


def _superposition(model: nn.Sequential, rng: np.random.Generator) -> str:
    """Return whether the model from C5 to F6 is one affine map."""
    names = list(model._modules)
    if "C5" not in names or "F6" not in names:
        return "not to be found"
    part = list(model._modules.values())[names.index("C5") : names.index("F6") + 1]
    first, second = (torch.from_numpy(rng.standard_normal((3, 16, 5, 5))) for _ in range(2))

    def through(values: Tensor) -> Tensor:
        for module in part:
            values = _run(module, values, "C5 to F6")
        return values

    both = through(first + second) + through(torch.zeros_like(first))
    affine = torch.allclose(both, through(first) + through(second))
    return "one affine map" if affine else "bent between"


def _fresh(answer: Answer, model: nn.Sequential, seed: int, settings: dict[str, int]) -> Any:
    """Observe where the weights come from, and what two models share."""
    second = answer(**settings)
    torch.default_generator.manual_seed(seed)
    again = answer(**settings)
    torch.default_generator.manual_seed(seed + 1)
    elsewhere = answer(**settings)
    mine, others = ({p.data_ptr() for p in m.parameters()} for m in (model, second))
    return {
        "the first weights": "all alike" if _alike(model) else "different numbers",
        "two models share": f"{len(mine & others)} tensors",
        "weights of the next model": _same(model, second),
        "weights after the same manual_seed": _same(model, again),
        "weights after another manual_seed": _same(model, elsewhere),
    }


def _alike(model: nn.Module) -> bool:
    first = next(model.parameters()).detach()
    return bool((first == first.flatten()[0]).all())


def _same(model: nn.Module, other: nn.Module) -> str:
    pairs = zip(model.parameters(), other.parameters(), strict=False)
    return "the same" if all(torch.equal(mine, theirs) for mine, theirs in pairs) else "others"


# --- lenet5_1998 ------------------------------------------------------------------------------


def count(answer: Answer, *, table: list[list[int]], layers: list[str]) -> Any:
    """Return the answer's counts of some layers, or everything that it returned."""
    counts = answer(table)
    if not (layers and isinstance(counts, dict)):
        return counts
    return {name: counts[name] for name in layers if name in counts}
