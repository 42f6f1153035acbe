"""Assignment 4: the models that summarize is given, and what is seen of them before and after."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from course_utils.checks.a4_lenet_scenes import seeded
from course_utils.checks.exercise import Answer

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class Square(nn.Module):
    """A layer of one's own, without weights."""

    def forward(self, values: Tensor) -> Tensor:
        """Return the squares."""
        return values**2


def _named(**layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(layers))


def _lenet5() -> nn.Sequential:
    return _named(
        C1=nn.Conv2d(1, 6, 5, padding=2),
        relu1=nn.ReLU(),
        S2=nn.MaxPool2d(2),
        C3=nn.Conv2d(6, 16, 5),
        relu2=nn.ReLU(),
        S4=nn.MaxPool2d(2),
        C5=nn.Conv2d(16, 120, 5),
        relu3=nn.ReLU(),
        flatten=nn.Flatten(),
        F6=nn.Linear(120, 84),
        relu4=nn.ReLU(),
        OUTPUT=nn.Linear(84, 10),
    )


def _plain_net() -> nn.Sequential:
    """Return a small convolutional network, its layers numbered."""
    return nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3 * 2 * 3, 4)
    )


def _settings_net() -> nn.Sequential:
    """Return convolutions with every setting that changes a count."""
    return _named(
        wide=nn.Conv2d(3, 4, (3, 5), stride=(2, 1), padding=(1, 2)),
        act=nn.ReLU(inplace=True),
        grouped=nn.Conv2d(4, 6, (1, 2), groups=2, bias=False),
        holes=nn.Conv2d(6, 2, (2, 3), dilation=(2, 1), padding=1),
        depthwise=nn.Conv2d(2, 4, 2, stride=2, groups=2),
    )


def _norm_net() -> nn.Sequential:
    """Return batch norms and dropout between convolutions."""
    return _named(
        conv1=nn.Conv2d(1, 3, 3, padding=1),
        bn1=nn.BatchNorm2d(3),
        relu1=nn.ReLU(),
        drop=nn.Dropout(0.5),
        conv2=nn.Conv2d(3, 2, (2, 1), bias=False),
        bn2=nn.BatchNorm2d(2),
        pool=nn.AvgPool2d(2),
        flatten=nn.Flatten(),
        fc=nn.Linear(2 * 2 * 3, 3, bias=False),
    )


def _dense_net() -> nn.Sequential:
    """Return linear layers only."""
    return _named(
        fc1=nn.Linear(5, 7), square=Square(), fc2=nn.Linear(7, 2, bias=False), out=nn.Softmax(1)
    )


def _one_layer() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(2, 5, (2, 3), stride=(1, 2)))


def _padded_net() -> nn.Sequential:
    """Return layers in which input and output sizes differ in both directions."""
    return _named(
        grow=nn.Conv2d(1, 2, 3, padding=3),
        act=nn.PReLU(),
        shrink=nn.Conv2d(2, 3, 4, stride=3),
        norm=nn.BatchNorm2d(3, affine=False),
        tail=nn.Flatten(),
    )


MODELS: dict[str, Callable[[], nn.Sequential]] = {
    "LeNet-5": _lenet5,
    "a small network": _plain_net,
    "four convolutions": _settings_net,
    "a network with batch norm": _norm_net,
    "linear layers": _dense_net,
    "one convolution": _one_layer,
    "a network with padding": _padded_net,
}


def drawn_model(seed: int) -> tuple[nn.Sequential, tuple[int, ...]]:
    """Return a network of a seed, and the shape of its input."""
    rng = np.random.default_rng(seed)

    def size(low: int, high: int) -> int:
        return int(rng.integers(low, high + 1))

    groups, channels = size(2, 3), size(1, 3)
    middle, last = groups * size(1, 2), groups * size(1, 2)
    model = _named(
        first=nn.Conv2d(
            channels,
            middle,
            (size(1, 2), size(3, 4)),
            stride=(size(1, 2), size(1, 2)),
            padding=(size(0, 1), size(1, 2)),
        ),
        norm=nn.BatchNorm2d(middle),
        act=nn.ReLU(),
        second=nn.Conv2d(
            middle, last, 2, dilation=(1, size(1, 2)), groups=groups, bias=bool(size(0, 1))
        ),
        pool=nn.MaxPool2d(2, stride=1),
        flatten=nn.Flatten(),
    )
    shape = channels, size(7, 8), size(9, 11)
    with torch.no_grad():
        n_features = model.eval()(torch.zeros(1, *shape)).shape[1]
    model.train()
    model.add_module("fc", nn.Linear(n_features, size(2, 5), bias=bool(size(0, 1))))
    return model, shape


def play(
    answer: Answer, scene: str, which: str | int, shape: tuple[int, ...], seed: int, *keys: str
) -> Any:
    """Build a model and return the rows, or what has become of the model."""
    with seeded(seed), torch.enable_grad():
        if isinstance(which, int):
            model, shape = drawn_model(which)
        else:
            model = MODELS[which]()
        if scene == "rows":
            return _pick(answer(model, shape), keys)
        return _left(answer, model, shape, seed)


def _pick(rows: Any, keys: tuple[str, ...]) -> Any:
    """Return some keys of each row, or the rows as they are."""
    if not keys or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return rows
    return [{key: row[key] for key in keys if key in row} for row in rows]


def _left(
    answer: Answer, model: nn.Sequential, shape: tuple[int, ...], seed: int
) -> dict[str, Any]:
    """Observe what an answer changes in a model that has lived."""
    _live(model, shape, seed)
    modes, state, gradients = _modes(model), _state(model), _gradients(model)
    hooks, flags, layers = _hooks(model), _flags(model), list(model)
    answer(model, shape)
    return {
        "modes": _compared(modes, _modes(model)),
        "parameters and buffers": _compared(state, _state(model)),
        "hooks": _hook_words(hooks, _hooks(model)),
        "gradients": _compared(gradients, _gradients(model)),
        "requires_grad": _compared(flags, _flags(model)),
        "layers": "as they were"
        if len(layers) == len(list(model))
        and all(a is b for a, b in zip(layers, model, strict=True))
        else "others",
    }


def _live(model: nn.Sequential, shape: tuple[int, ...], seed: int) -> None:
    """Give a model mixed modes, used buffers, gradients and hooks of its owner."""
    images = torch.randn(2, *shape)
    model.train()
    model(images).square().mean().backward()
    for number, layer in enumerate(model):
        layer.train((number + seed) % 3 > 0)
    model.training = seed % 2 == 0
    model[0].register_forward_hook(lambda module, inputs, output: None)
    model[-1].register_forward_pre_hook(lambda module, inputs: None)
    first = next(model.parameters())
    first.requires_grad_(False)


def _modes(model: nn.Module) -> dict[str, str]:
    return {
        name or "the model": "train" if module.training else "eval"
        for name, module in model.named_modules()
    }


def _state(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def _gradients(model: nn.Module) -> dict[str, Tensor]:
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return {name: gradient.clone() for name, gradient in gradients.items() if gradient is not None}


def _flags(model: nn.Module) -> dict[str, str]:
    return {name: str(parameter.requires_grad) for name, parameter in model.named_parameters()}


def _hooks(model: nn.Module) -> list[int]:
    return [
        id(hook) for m in model.modules() for kind in _HOOKS for hook in getattr(m, kind).values()
    ]


def _hook_words(before: list[int], after: list[int]) -> str:
    if before == after:
        return "as they were"
    missing, more = len(set(before) - set(after)), len(set(after) - set(before))
    return f"{missing} gone" if missing else f"{more} left behind"


def _compared(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Return which of the named things is another one now."""
    if before.keys() != after.keys():
        return f"{len(after)} instead of {len(before)}"
    for name, value in before.items():
        now = after[name]
        tensor = isinstance(value, Tensor)
        same = value.dtype == now.dtype and torch.equal(value, now) if tensor else value == now
        if not same:
            told = f" from {value} to {now}" if isinstance(value, str) else ""
            return f"{name} changed{told}"
    return "as they were"
