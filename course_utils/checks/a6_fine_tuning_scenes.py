"""Assignment 6, fine-tuning: the scenes for freeze and fine_tune."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils.checks.a6_models import filled, flags, gradients, listed, modes, numbers, stage
from course_utils.checks.a6_models import values as state

Seen = dict[str, Any]

COUNT = "the number returned"
FROZEN = "parameters that are frozen afterwards"


class _Scaled(nn.Module):
    """A linear layer with a parameter beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))
        self.fc = nn.Linear(2, 2)

    def forward(self, values: Tensor) -> Tensor:
        """Return the layer's output, scaled."""
        return self.fc(values) * self.scale  # type: ignore[no-any-return]


def _block(size: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(fc=nn.Linear(2, size, bias=size > 2), out=nn.Linear(size, 2)))


def blocks() -> nn.Sequential:
    """Return a network for (N, 2) whose names begin alike."""
    layers = OrderedDict[str, nn.Module](
        block1=_block(3),
        norm=nn.BatchNorm1d(2),
        block10=_block(2),
        block2=_block(4),
        head=nn.Sequential(OrderedDict(block1=nn.Linear(2, 2), scaled=_Scaled())),
    )
    return nn.Sequential(layers)


def play_freeze(
    answer: Callable[..., Any], seed: int, what: str, prefixes: list[str], frozen: list[str]
) -> Any:
    """Return the count, or what has become of the model; some of it is frozen before."""
    with stage(seed) as rng:
        model = filled(blocks(), rng)
        model.norm.eval()
        for name, parameter in model.named_parameters():
            if any(name.startswith(f"{layer}.") for layer in frozen):
                parameter.requires_grad_(False)
        given = list(prefixes)
        if what == "count":
            return {COUNT: answer(model, given)}
        for parameter in model.head.parameters():
            parameter.grad = numbers(rng, *parameter.shape)
        before = gradients(model.head), modes(model), state(model)
        answer(model, given)
        after = gradients(model.head), modes(model), state(model)
        seen = {
            FROZEN: listed(name for name, asks in flags(model).items() if not asks),
            "gradients in head are the same": _equal(before[0], after[0])
            or any(prefix.startswith("head") for prefix in prefixes),
            "modes are the same": before[1] == after[1],
            "parameters and running statistics are the same": _equal(before[2], after[2]),
            "prefixes are the same": given == prefixes,
        }
        if what == "backward":
            model.zero_grad()
            model(numbers(rng, 3, 2)).sum().backward()
            seen["parameters that a backward reaches afterwards"] = listed(
                name for name, gradient in gradients(model).items() if gradient is not None
            )
        return seen


def _equal(before: Seen, after: Seen) -> bool:
    def same(one: Tensor | None, other: Tensor | None) -> bool:
        return one is other if one is None or other is None else torch.equal(one, other)

    return all(same(value, after[name]) for name, value in before.items())


# --- fine_tune --------------------------------------------------------------------------------

LOSSES = "losses returned"
WEIGHTS = "parameters afterwards"
SAME_BITS = "frozen parameters with other bits than before"
SAME_STATISTICS = "running statistics of frozen batch norms with other bits than before"


def _plain_net() -> nn.Sequential:
    layers = OrderedDict[str, nn.Module](
        fc1=nn.Linear(3, 4), relu1=nn.ReLU(), fc2=nn.Linear(4, 4), relu2=nn.ReLU()
    )
    layers["out"] = nn.Linear(4, 2)
    return nn.Sequential(layers)


def _normed_net() -> nn.Sequential:
    layers = OrderedDict[str, nn.Module](
        fc1=nn.Linear(3, 4, bias=False),
        bn1=nn.BatchNorm1d(4),
        relu1=nn.ReLU(),
        fc2=nn.Linear(4, 4, bias=False),
        bn2=nn.BatchNorm1d(4),
        out=nn.Linear(4, 2),
    )
    return nn.Sequential(layers)


def _numbered_net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def _scene(rng: np.random.Generator, net: str, sizes: tuple[int, int], head: str = "") -> Any:
    """Return a model, a head for three classes and a loader of batches of the given size."""
    make = {"plain": _plain_net, "normed": _normed_net, "numbered": _numbered_net}[net]
    model = filled(make(), rng)
    new = nn.Linear(4, 3)
    if head == "deep":
        new = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3))  # type: ignore[assignment]
    filled(new, rng)
    with torch.no_grad():
        for parameter in [*model.parameters(), *new.parameters()]:
            parameter.mul_(0.5)
    n, batch_size = sizes
    x, y = numbers(rng, n, 3), torch.from_numpy(rng.integers(0, 3, n))
    return model, new, DataLoader(TensorDataset(x, y), batch_size=batch_size)


def play_fine_tune(answer: Callable[..., Any], scene: str, seed: int, *settings: Any) -> Any:
    """Return what an answer makes of a model in a scene."""
    with stage(seed) as rng:
        return _TUNING_SCENES[scene](answer, rng, *settings)


def _head(answer: Callable[..., Any], rng: np.random.Generator, net: str, head: str) -> Seen:
    """The new head stands in place of the old one."""
    model, new, loader = _scene(rng, net, (4, 2), head)
    names = [name for name, _ in model.named_children()]
    kept = list(model.children())[:-1]
    answer(model, new, loader, 1, 0.1)
    after = list(model.children())
    return {
        "names of the children": listed(name for name, _ in model.named_children()),
        "the last child is the new head": after[-1] is new,
        "the other children are those from before": len(after) == len(names)
        and all(a is b for a, b in zip(after, kept, strict=False)),
    }


def _trained(
    answer: Callable[..., Any],
    rng: np.random.Generator,
    frozen: list[str],
    epochs: int,
    lr: float,
    left_over: bool,
) -> Seen:
    """Every step is plain SGD on what is not frozen."""
    model, new, loader = _scene(rng, "plain", (7, 3))
    for name in frozen:
        model.get_submodule(name).requires_grad_(False)
    if left_over:
        for parameter in [*model.parameters(), *new.parameters()]:
            parameter.grad = numbers(rng, *parameter.shape)
    asking = flags(model)
    answer(model, new, loader, epochs, lr)
    after = flags(model)
    return {
        WEIGHTS: state(model),
        "parameters that are frozen afterwards": listed(
            name for name, asks in after.items() if not asks
        ),
    } | ({} if asking.keys() == after.keys() else {"names of the parameters": "others"})


def _losses(
    answer: Callable[..., Any],
    rng: np.random.Generator,
    sizes: tuple[int, int],
    epochs: int,
    lr: float,
) -> Seen:
    """The last batch is short."""
    model, new, loader = _scene(rng, "plain", sizes)
    return {LOSSES: answer(model, new, loader, epochs, lr)}


def _bits(
    answer: Callable[..., Any],
    rng: np.random.Generator,
    frozen: list[str],
    left_over: bool,
    mode: str,
) -> Seen:
    """A model with batch norms, some of them frozen."""
    model, new, loader = _scene(rng, "normed", (6, 3))
    model.train(mode == "train")
    for name in frozen:
        model.get_submodule(name).requires_grad_(False)
    if left_over:
        for parameter in model.parameters():
            parameter.grad = numbers(rng, *parameter.shape)
    before, new_weight = state(model), new.weight.detach().clone()
    still = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
    answer(model, new, loader, 2, 0.1)
    after = state(model)

    def moved(names: list[str]) -> str:
        return listed(n for n in names if n not in after or not torch.equal(before[n], after[n]))

    norms = ["bn1", "bn2"]
    statistics = ("running_mean", "running_var")
    return {
        SAME_BITS: moved([name for name in still if not name.startswith("out")]),
        SAME_STATISTICS: moved([f"{n}.{s}" for n in norms if n in frozen for s in statistics]),
        "what moved of the batch norms that are not frozen": moved(
            [f"{n}.{s}" for n in norms if n not in frozen for s in ("weight", *statistics)]
        ),
        "the head's weight moved": not torch.equal(new_weight, new.weight),
    }


_TUNING_SCENES: dict[str, Callable[..., Seen]] = {
    "head": _head,
    "trained": _trained,
    "losses": _losses,
    "bits": _bits,
}
