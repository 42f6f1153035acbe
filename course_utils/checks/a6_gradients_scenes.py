"""Assignment 6, gradients: the scenes for GradientMonitor, dead_layers and update_ratios."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from course_utils.checks.a6_models import (
    Branches,
    TroubleError,
    Twice,
    attributes,
    dense_net,
    filled,
    flags,
    fragile_net,
    gradients,
    hook_count,
    image_net,
    listed,
    modes,
    norm_net,
    numbers,
    stage,
    values,
)
from course_utils.checks.comparison import describe
from course_utils.checks.outcomes import WrongFormError, plain

Seen = dict[str, Any]

INSIDE = "norms read inside the block, after the first backward"
AFTER = "norms after the block"
LATER = "norms after one more backward behind the block"
HOOKS = "hooks left on the model by it"
GRADIENTS = "gradients of the parameters"
ADDED = "attributes added to the model"


def play_monitor(monitor: Callable[..., Any], scene: str, seed: int, *settings: Any) -> Any:
    """Return what is observed of a gradient monitor in a scene."""
    return _MONITOR_SCENES[scene](monitor, seed, *settings)


def _norms(watching: Any) -> Seen:
    """Return the norms by parameter and backward; no key is the same as an empty list."""
    seen: Seen = {}
    for name, norms in dict(watching.norms).items():
        if not isinstance(norms, list):
            kind = type(norms).__name__
            raise WrongFormError(f"`norms[{name!r}]` is a {kind}; it has to be a list of floats")
        if norms:
            seen[name] = {f"backward {n}": norm for n, norm in enumerate(norms, start=1)}
    return seen


_NETS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "image": (image_net, (1, 3, 3)),
    "dense": (dense_net, (3,)),
    "branches": (Branches, (2,)),
    "twice": (Twice, (2,)),
    "norm": (norm_net, (3,)),
}


def _setting(rng: np.random.Generator, net: str, double: bool = False) -> Any:
    """Return a model and a function that gives the loss of a new batch."""
    make, shape = _NETS[net]
    model = filled(make(), rng, double=double)
    dtype = torch.float64 if double else torch.float32

    def loss() -> Tensor:
        x = numbers(rng, 3, *shape, dtype=dtype)
        result: Tensor = (model(x) - 1).square().mean()
        return result

    return model, loss


def _cleared(monitor: Callable[..., Any], seed: int, net: str, n: int, double: bool) -> Seen:
    """Clean gradients before every backward."""
    with stage(seed) as rng:
        model, loss = _setting(rng, net, double)
        inside: Seen = {}
        with monitor(model) as watching:
            for step in range(n):
                model.zero_grad()
                loss().backward()
                if not step:
                    inside = _norms(watching)
        after = _norms(watching)
        loss().backward()
        return {INSIDE: inside, AFTER: after, LATER: _norms(watching)}


def _dead(monitor: Callable[..., Any], seed: int) -> Seen:
    """A dead ReLU: what arrives in front of it is zero, and it arrives."""
    with stage(seed) as rng:
        model, loss = _setting(rng, "dense")
        model[0].bias.data.fill_(-100.0)
        with monitor(model) as watching:
            loss().backward()
            loss().backward()
        return {AFTER: _norms(watching)}


def _accumulated(monitor: Callable[..., Any], seed: int, net: str, way: str) -> Seen:
    """Gradients pile up in .grad."""
    with stage(seed) as rng:
        model, loss = _setting(rng, net)
        if way == "left over":
            loss().backward()
        with monitor(model) as watching:
            if way == "one graph":
                shared = loss()
                shared.backward(retain_graph=True)
                (2 * shared).backward()
            else:
                for step in range(3):
                    if way == "filled with zeros" and step:
                        model.zero_grad(set_to_none=False)
                    loss().backward()
        return {AFTER: _norms(watching), GRADIENTS: gradients(model)}


def _nothing(monitor: Callable[..., Any], seed: int, kind: str) -> Seen:
    """Frozen parameters, and parameters that the loss does not reach."""
    with stage(seed) as rng:
        model, loss = _setting(rng, "branches")
        if "frozen" in kind:
            model.trunk.fc.requires_grad_(False)
        if "left over" in kind:
            for parameter in (*model.right.parameters(), *model.trunk.fc.parameters()):
                parameter.grad = numbers(rng, *parameter.shape)
        with monitor(model) as watching:
            for _ in range(2):
                loss().backward()
        return {
            AFTER: _norms(watching),
            GRADIENTS: gradients(model),
            "parameters that require a gradient": flags(model),
        }


def _untouched(monitor: Callable[..., Any], seed: int, net: str) -> Seen:
    """The gradients, step by step, as they are without a monitor; and the caller's hooks."""
    with stage(seed) as rng:
        model, loss = _setting(rng, net, double=net == "norm")  # batch norm cancels most digits
        calls: list[str] = []
        first = next(model.parameters())
        first.register_hook(lambda _: calls.append("on a parameter"))
        model.register_forward_hook(lambda *_: calls.append("on the model"))
        before, hooks, settings = attributes(model), hook_count(model), modes(model)
        with monitor(model):
            loss().backward()
            one = gradients(model)
            loss().backward()
        two = gradients(model)
        left = hook_count(model) - hooks
        calls.clear()
        loss().backward()
        return {
            "gradients after the first backward": one,
            "gradients after the second backward": two,
            HOOKS: left,
            "calls of the caller's own hooks after the block": listed(calls),
            ADDED: listed(sorted(attributes(model) - before)),
            "modes are the same": modes(model) == settings,
            "parameters and running statistics": values(model),
            "parameters that require a gradient": flags(model),
        }


def _failing(monitor: Callable[..., Any], seed: int, where: str) -> Seen:
    """An error in a pass, or in the caller's code."""
    with stage(seed) as rng:
        model = filled(fragile_net(), rng)
        first = model.fc1.weight
        first.register_hook(lambda _: None)
        trouble, fate = TroubleError("on purpose"), "swallowed"
        watching: Any = None
        hooks = hook_count(model)
        try:
            with monitor(model) as watching:
                model(numbers(rng, 2, 3)).sum().backward()
                if where == "block":
                    raise trouble
                model.middle.trouble.append(trouble)
                model(numbers(rng, 2, 3))
        except TroubleError as error:
            fate = "passed through" if error is trouble else "replaced"
        left = hook_count(model) - hooks
        model(numbers(rng, 2, 3)).sum().backward()
        return {"the error raised in the block": fate, HOOKS: left, LATER: _norms(watching)}


_MONITOR_SCENES: dict[str, Callable[..., Seen]] = {
    "cleared": _cleared,
    "dead": _dead,
    "accumulated": _accumulated,
    "nothing": _nothing,
    "untouched": _untouched,
    "failing": _failing,
}


# --- dead_layers ------------------------------------------------------------------------------

NAMES = "names returned"


def _stack(rng: np.random.Generator, dead: list[str], *, inplace: bool) -> Any:
    """Return three pairs of linear layer and ReLU; a dead one is far below zero."""
    model: Any = nn.Sequential()
    for n in (1, 2, 3):
        model.add_module(f"fc{n}", nn.Linear(3, 3))
        model.add_module(f"relu{n}", nn.ReLU(inplace=inplace))
    filled(model, rng)
    for n in (1, 2, 3):
        bias = -100.0 if f"relu{n}" in dead else 2.0
        model.get_submodule(f"fc{n}").bias.data[:] = torch.tensor([bias, min(bias, 0.1), bias])
        model.get_submodule(f"fc{n}").weight.data[0] = 0.0
    return model


def _only(rng: np.random.Generator, what: str) -> Any:
    """Return a layer of which one number is above zero, and its input."""
    layers = OrderedDict[str, nn.Module](fc=nn.Linear(3, 3), relu=nn.ReLU(), last=nn.Linear(3, 1))
    model = filled(nn.Sequential(layers), rng)
    x = torch.ones(3, 3)
    model.fc.weight.data[:] = 0.0
    model.fc.bias.data[:] = -5.0
    if what == "one unit":
        model.fc.bias.data[1] = 0.25
    elif what in ("one image", "first image"):
        model.fc.weight.data[2, 0] = 1.0
        x[1 if what == "one image" else 0, 0] = 5.5
    elif what == "tiny":
        model.fc.bias.data[0] = 1e-9
    elif what == "zero":
        model.fc.bias.data[:] = 0.0
    return model, x


def _other_kinds(rng: np.random.Generator) -> Any:
    """Return a model in which layers of other kinds give only zeros too."""
    layers = OrderedDict[str, nn.Module](
        conv=nn.Conv2d(1, 2, 2),
        stem=nn.Sequential(OrderedDict(relu=nn.ReLU(), pool=nn.MaxPool2d(2))),
        flatten=nn.Flatten(),
        fc1=nn.Linear(2, 3),
        relu6=nn.ReLU6(),
        fc2=nn.Linear(3, 2),
        drop=nn.Dropout(0.5),
        relu=nn.ReLU(),
        fc3=nn.Linear(2, 2),
        leaky=nn.LeakyReLU(),
    )
    model: Any = filled(nn.Sequential(layers), rng)
    model.conv.bias.data[:] = -100.0
    model.fc1.bias.data[:] = -100.0
    model.fc2.bias.data[:] = -100.0
    model.fc3.weight.data[:] = 0.0
    model.fc3.bias.data[:] = 0.0
    return model, numbers(rng, 2, 1, 3, 3)


def _one_channel(rng: np.random.Generator) -> Any:
    """Return a convolution with a dead channel and a living one, and a dead one behind."""
    layers = OrderedDict[str, nn.Module](
        conv1=nn.Conv2d(1, 2, 2),
        relu1=nn.ReLU(),
        conv2=nn.Conv2d(2, 2, 2),
        relu2=nn.ReLU(inplace=True),
    )
    model: Any = filled(nn.Sequential(layers), rng)
    model.conv1.bias.data[:] = torch.tensor([-100.0, 9.0])
    model.conv2.bias.data[:] = -500.0
    return model, numbers(rng, 2, 1, 4, 4)


def _one_place(rng: np.random.Generator) -> Any:
    """Return a convolution that answers at one place of each image, in both channels."""
    layers = OrderedDict[str, nn.Module](conv=nn.Conv2d(1, 2, 2), relu=nn.ReLU())
    model: Any = filled(nn.Sequential(layers), rng)
    model.conv.weight.data[:] = 1.0
    model.conv.bias.data[:] = -50.0
    x = numbers(rng, 2, 1, 3, 3)
    x[:, 0, 0, 0] = 90.0
    return model, x


def _in_branches(rng: np.random.Generator, dead: list[str]) -> Any:
    """Return a model whose modules run in another order than they are registered in."""
    model: Any = filled(Branches(), rng)
    for name, layer in {"trunk.relu1": model.trunk.fc, "upper": model.left}.items():
        layer.weight.data[0] = 0.0
        layer.bias.data[:] = -100.0 if name in dead else 1.0
    return model, numbers(rng, 3, 2)


def _depends_on_mode(rng: np.random.Generator, what: str) -> Any:
    """Return a model that is dead in one mode only."""
    if what == "dropout":
        layers = OrderedDict(drop=nn.Dropout(1.0), fc=nn.Linear(3, 2), relu=nn.ReLU())
        model: Any = filled(nn.Sequential(layers), rng)
        model.fc.weight.data[:] = 1.0
        model.fc.bias.data[:] = -0.5
        return model, numbers(rng, 3, 3).abs() + 1
    norms = OrderedDict(bn=nn.BatchNorm1d(3), relu=nn.ReLU())
    model = nn.Sequential(norms)
    model.bn.running_mean.fill_(50.0 if what == "batch norm" else -50.0)
    model.bn.bias.data.fill_(0.0 if what == "batch norm" else -1.0)
    return model, numbers(rng, 3, 3) if what == "batch norm" else numbers(rng, 1, 3).repeat(3, 1)


def play_dead(answer: Callable[..., Any], scene: str, seed: int, what: Any = "") -> Any:
    """Return the names that an answer finds, and what it leaves of the model."""
    with stage(seed) as rng:
        if scene == "as it was":
            return _left_by_dead(answer, rng, what)
        if scene == "stack":
            model, x = _stack(rng, what[1], inplace=what[0]), numbers(rng, 2, 3)
        elif scene == "only":
            model, x = _only(rng, what)
        elif scene == "branches":
            model, x = _in_branches(rng, what)
        elif scene == "mode":
            model, x = _depends_on_mode(rng, what)
        else:
            model, x = _OTHERS[scene](rng)
        return _returned(answer(model, x))


_OTHERS = {"other kinds": _other_kinds, "one channel": _one_channel, "one place": _one_place}


def _returned(names: Any) -> Seen:
    """Return the names as one text, which compares as a whole, and what holds them."""
    if not isinstance(names, list | tuple):
        return {"what is returned": describe(plain(names)), NAMES: "none"}
    return {"what is returned": f"a {type(names).__name__}", NAMES: listed(map(str, names))}


def _left_by_dead(answer: Callable[..., Any], rng: np.random.Generator, way: str) -> Seen:
    """Modes, statistics, gradients, flags and hooks, before and after."""
    layers = OrderedDict[str, nn.Module](
        fc1=nn.Linear(3, 4),
        bn1=nn.BatchNorm1d(4),
        relu1=nn.ReLU(),
        drop=nn.Dropout(0.5),
        fc2=nn.Linear(4, 2),
        relu2=nn.ReLU(),
    )
    model: Any = filled(nn.Sequential(layers), rng)
    model.fc2.bias.data[:] = -100.0
    model.train(way != "in eval mode")
    if way == "with mixed modes":
        model.bn1.eval()
        model.drop.eval()
    model.fc1.weight.grad = numbers(rng, 4, 3)
    model.fc1.bias.requires_grad_(False)
    calls: list[str] = []
    model.relu1.register_forward_hook(lambda *_: calls.append("on relu1"))
    hooks, before = hook_count(model), attributes(model)
    x = numbers(rng, 3, 3)
    kept = x.clone()
    names = answer(model, x)
    left = hook_count(model) - hooks
    calls.clear()
    seen = _returned(names) | {
        "modes afterwards": modes(model),
        "parameters and running statistics afterwards": values(model),
        "gradients afterwards": gradients(model),
        "parameters that require a gradient": flags(model),
        HOOKS: left,
        ADDED: listed(sorted(attributes(model) - before)),
        "gradients are enabled afterwards": torch.is_grad_enabled(),
        "x is the same": torch.equal(x, kept),
    }
    model(x)
    return seen | {"calls of the caller's own hook in a pass afterwards": listed(calls)}


# --- update_ratios ----------------------------------------------------------------------------


def play_ratios(
    answer: Callable[..., Any], net: str, seed: int, lr: float, what: str = "", double: bool = False
) -> Any:
    """Return the ratios of a model whose gradients are set by hand."""
    with stage(seed) as rng:
        model, _ = _setting(rng, net, double)
        named = dict(model.named_parameters())
        for parameter in named.values():
            parameter.grad = numbers(rng, *parameter.shape, dtype=parameter.dtype)
        last = list(named.values())[-1]
        if what == "without":
            next(iter(named.values())).grad = None
            last.grad = None
        elif what == "none at all":
            model.zero_grad()
        elif what == "zero gradient":
            last.grad.zero_()
        elif what == "frozen":
            next(iter(named.values())).requires_grad_(False)
        elif what in ("norm 0", "norm 0 and zero gradient"):
            last.data.zero_()
            if "gradient" in what:
                last.grad.zero_()
        before, weights = gradients(model), values(model)
        found = answer(model, lr)
        return {
            "ratios": found,
            "gradients are the same": _same(before, gradients(model)),
            "parameters are the same": _same(weights, values(model)),
        }


def _same(before: Seen, after: Seen) -> bool:
    return all(
        torch.equal(value, after[name]) if isinstance(value, Tensor) else after[name] is None
        for name, value in before.items()
    )
