"""Right answers to assignment 6, written as different students would: <exercise>_by_<way>."""

import contextlib
import copy
import functools
import math
import re
from collections import defaultdict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.modules.module import register_module_forward_hook

# --- ActivationRecorder -----------------------------------------------------------------------


class ActivationRecorder_by_joining_when_read:  # noqa: N801 - named by exercise and way
    def __init__(self, model, layer_names):
        self.layers = {name: dict(model.named_modules())[name] for name in layer_names}
        self.pieces = {}

    @property
    def outputs(self):
        return {name: torch.cat(pieces, dim=0) for name, pieces in self.pieces.items()}

    def __enter__(self):
        self.pieces = {name: [] for name in self.layers}
        self.handles = [
            layer.register_forward_hook(functools.partial(self.keep, name))
            for name, layer in self.layers.items()
        ]
        return self

    def keep(self, name, layer, inputs, output):
        self.pieces[name].append(output.data.clone())

    def __exit__(self, *error):
        while self.handles:
            self.handles.pop().remove()
        return False


class ActivationRecorder_by_an_exit_stack(contextlib.ExitStack):  # noqa: N801
    def __init__(self, model, layer_names):
        super().__init__()
        self.model, self.layer_names = model, layer_names

    def __enter__(self):
        super().__enter__()
        layers = []
        for name in self.layer_names:
            try:
                layers.append(self.model.get_submodule(name))
            except AttributeError:
                raise KeyError(f"no layer {name}") from None
        self.outputs = {}
        for name, layer in zip(self.layer_names, layers, strict=True):
            self.enter_context(layer.register_forward_hook(self.hook_for(name)))
        return self

    def hook_for(self, name):
        def hook(module, args, output):
            with torch.no_grad():
                new = output.clone()
                if name in self.outputs:
                    new = torch.vstack((self.outputs[name], new))
            self.outputs[name] = new.detach()

        return hook


class ActivationRecorder_by_one_hook_for_all_modules:  # noqa: N801
    def __init__(self, model, layer_names):
        known = {name: module for name, module in model.named_modules()}
        for name in layer_names:
            if name not in known:
                raise KeyError(name)
        self.names = {id(known[name]): name for name in layer_names}
        self.outputs = dict()

    def __enter__(self):
        self.outputs = dict()
        self.handle = register_module_forward_hook(self.look)
        return self

    def look(self, module, args, output):
        name = self.names.get(id(module))
        if name:
            rows = [self.outputs[name]] if name in self.outputs else []
            self.outputs[name] = torch.concat([*rows, output.detach().clone()])

    def __exit__(self, kind, value, trace):
        self.handle.remove()


class ActivationRecorder_by_numpy(dict):  # noqa: N801
    def __init__(self, model, layer_names):
        self.model, self.layer_names, self.handles = model, layer_names, []

    def __enter__(self):
        modules = dict(self.model.named_modules())
        chosen = [modules[name] for name in self.layer_names]
        self.outputs = {}
        for name, module in zip(self.layer_names, chosen, strict=True):
            self.handles += [module.register_forward_hook(lambda m, i, o, n=name: self.add(n, o))]
        return self

    def add(self, name, output):
        array = np.array(output.detach().numpy())
        if name in self.outputs:
            array = np.concatenate([self.outputs[name].numpy(), array], axis=0)
        self.outputs[name] = torch.from_numpy(array)

    def __exit__(self, kind, value, trace):
        for handle in self.handles:
            handle.remove()
        self.handles = []


class ActivationRecorder_by_hooks_from_the_start:  # noqa: N801
    """Empty tensors to begin with; the hooks are made once, and once more for each re-entry."""

    def __init__(self, model, layer_names):
        modules = dict(model.named_modules())
        missing = set(layer_names) - set(modules)
        if missing:
            raise KeyError(f"unknown: {missing}")
        self.layers = [(name, modules[name]) for name in layer_names]
        self.outputs, self.handles = {}, []
        self._attach()

    def _attach(self):
        for name, layer in self.layers:
            self.handles.append(layer.register_forward_hook(self._hook(name), always_call=False))

    def _hook(self, name):
        return lambda module, args, output: self.outputs.update(
            {name: torch.cat((self.outputs[name], output.clone().detach()))}
        )

    def __enter__(self):
        if not self.handles:
            self._attach()
        self.outputs = {name: torch.empty(0) for name, _ in self.layers}
        return self

    def __exit__(self, *_):
        [handle.remove() for handle in self.handles]
        self.handles.clear()


class _Results:
    def __init__(self):
        self.outputs = {}


class ActivationRecorder_by_an_object_for_each_block:  # noqa: N801
    """What `as` gives is a new object each time."""

    def __init__(self, model, layer_names):
        self.model, self.layer_names = model, layer_names

    @contextlib.contextmanager
    def block(self):
        results = _Results()
        layers = {name: dict(self.model.named_modules())[name] for name in self.layer_names}

        def hook(name, layer, args, kwargs, output):
            old = results.outputs.get(name, output[:0])
            results.outputs[name] = torch.cat([old, output]).detach()

        with contextlib.ExitStack() as stack:
            for name, layer in layers.items():
                handle = layer.register_forward_hook(
                    functools.partial(hook, name), with_kwargs=True
                )
                stack.callback(handle.remove)
            yield results

    def __enter__(self):
        self.current = self.block()
        return self.current.__enter__()

    def __exit__(self, *error):
        return self.current.__exit__(*error)


# --- feature_stats ----------------------------------------------------------------------------


def feature_stats_by_numpy(outputs):
    stats = {}
    for name, output in outputs.items():
        array = output.numpy()
        dead = ~array.any(axis=tuple(axis for axis in range(array.ndim) if axis != 1))
        stats[name] = dict(
            mean=float(np.mean(array)),
            std=float(np.std(array)),
            frac_zero=float(np.mean(array == 0)),
            dead_channels=int(dead.sum()),
        )
    return stats


def feature_stats_by_loops(outputs):
    def numbers(values):
        if isinstance(values, list):
            return [number for value in values for number in numbers(value)]
        return [values]

    stats = {}
    for name, output in outputs.items():
        every = numbers(output.tolist())
        mean = math.fsum(every) / len(every)
        dead = 0
        for channel in range(output.shape[1]):
            dead += not any(numbers(output[:, channel].tolist()))
        stats[name] = {
            "dead_channels": int(dead),
            "frac_zero": every.count(0.0) / len(every),
            "std": math.sqrt(math.fsum((x - mean) ** 2 for x in every) / len(every)),
            "mean": mean,
        }
    return stats


def feature_stats_by_moments(outputs):
    def one(output):
        flat = output.double().reshape(-1)
        variance = (flat * flat).mean() - flat.mean() ** 2
        alive = output.abs().amax(dim=[d for d in range(output.ndim) if d != 1]) > 0
        return {
            "mean": flat.sum().item() / flat.numel(),
            "std": variance.clamp(min=0).sqrt().item(),
            "frac_zero": 1 - output.count_nonzero().item() / output.numel(),
            "dead_channels": output.shape[1] - int(alive.sum()),
        }

    return {name: one(output) for name, output in outputs.items()}


def feature_stats_by_std_mean(outputs):
    result = defaultdict(dict)
    for name in outputs:
        std, mean = torch.std_mean(outputs[name], correction=0)
        result[name]["mean"] = mean.item()
        result[name]["std"] = std.item()
        result[name]["frac_zero"] = torch.eq(outputs[name], 0).float().mean().item()
        channels = outputs[name].unbind(dim=1)
        result[name]["dead_channels"] = float(
            sum(torch.equal(channel, torch.zeros_like(channel)) for channel in channels)
        )
    return result


# --- GradientMonitor --------------------------------------------------------------------------


class GradientMonitor_by_hooks_on_tensors:  # noqa: N801
    def __init__(self, model):
        self.named = list(model.named_parameters())

    def __enter__(self):
        self.norms = {name: [] for name, _ in self.named}
        self.handles = [
            parameter.register_hook(
                lambda gradient, norms=self.norms[name]: norms.append(
                    math.sqrt(gradient.double().square().sum())
                )
            )
            for name, parameter in self.named
            if parameter.requires_grad
        ]
        return self

    def __exit__(self, *error):
        for handle in self.handles:
            handle.remove()


class GradientMonitor_by_differences(contextlib.AbstractContextManager):  # noqa: N801
    """What has been added to .grad since the last look; a clear in between is noticed."""

    def __init__(self, model):
        self.model, self.norms = model, {}

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                self.watch(name, parameter)
        return self

    def watch(self, name, parameter):
        brought = []
        first = parameter.register_hook(lambda gradient: brought.append(gradient.clone()))
        second = parameter.register_post_accumulate_grad_hook(
            lambda p: self.norms.setdefault(name, []).append(
                torch.linalg.vector_norm(brought.pop()).item()
            )
        )
        self.stack.callback(first.remove)
        self.stack.callback(second.remove)

    def __exit__(self, *error):
        self.stack.close()


class GradientMonitor_by_nodes_of_the_graph:  # noqa: N801
    """Hooks on the nodes that add gradients up, before they do."""

    def __init__(self, model):
        self.model = model

    def __enter__(self):
        self.norms, self.nodes, self.handles = defaultdict(list), [], []
        for name, parameter in self.model.named_parameters():
            if not parameter.requires_grad:
                continue
            node = parameter.expand_as(parameter).grad_fn.next_functions[0][0]
            self.nodes.append(node)
            self.handles.append(node.register_prehook(functools.partial(self.note, name)))
        return self

    def note(self, name, gradients):
        self.norms[name].append(gradients[0].norm(2).item())

    def __exit__(self, *error):
        for handle in self.handles:
            handle.remove()


class GradientMonitor_by_an_exit_stack:  # noqa: N801
    def __init__(self, model):
        self.model, self.norms, self.stack = model, defaultdict(list), contextlib.ExitStack()

    def __enter__(self):
        for name, parameter in self.model.named_parameters():
            with contextlib.suppress(RuntimeError):  # a frozen one takes no hook
                handle = parameter.register_hook(self.hook(name))
                self.stack.callback(handle.remove)
        return self

    def hook(self, name):
        def note(gradient):
            array = gradient.detach().numpy().astype(float).ravel()
            self.norms[name].append(np.sqrt(array @ array))

        return note

    def __exit__(self, *error):
        self.stack.__exit__(*error)


# --- dead_layers ------------------------------------------------------------------------------


def dead_layers_by_a_copy(model, x):
    twin = copy.deepcopy(model).eval()
    relus = {n: m for n, m in twin.named_modules() if isinstance(m, nn.ReLU)}
    dead = {}
    for name, relu in relus.items():
        relu.register_forward_hook(
            lambda m, i, o, name=name: dead.__setitem__(name, bool((o == 0).all()))
        )
    twin(x)
    return [name for name in relus if dead[name]]


def dead_layers_by_largest_output(model, x):
    modes = {name: module.training for name, module in model.named_modules()}
    top, handles = {}, []
    try:
        for name, module in model.named_modules():
            module.training = False
            if isinstance(module, nn.ReLU):

                def hook(module, args, output, name=name):
                    top[name] = output.max().item()

                handles.append(module.register_forward_hook(hook))
        with torch.inference_mode():
            model(x.clone())
    finally:
        for handle in handles:
            handle.remove()
        for name, module in model.named_modules():
            module.training = modes[name]
    return [name for name, module in model.named_modules() if top.get(name, 1.0) <= 0.0]


def dead_layers_by_what_goes_in(model, x):
    """A rectifier gives only zeros where nothing that it gets is above zero."""
    names, found, before = [], set(), [m.training for m in model.modules()]
    handles = []
    for name, module in model.named_modules():
        if type(module) is nn.ReLU:
            names.append(name)
            handles.append(
                module.register_forward_pre_hook(
                    lambda m, args, name=name: found.add(name) if (args[0] <= 0).all() else None
                )
            )
    model.eval()
    with torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    for module, training in zip(model.modules(), before, strict=True):
        module.training = training
    return sorted(found, key=names.index)


def dead_layers_by_a_recorder(model, x):
    relus = [name for name, module in model.named_modules() if isinstance(module, nn.ReLU)]
    training = [module for module in model.modules() if module.training]
    model.eval()
    with ActivationRecorder_by_joining_when_read(model, relus) as recorder:
        model(x)
    for module in training:
        module.training = True
    return [*filter(lambda name: recorder.outputs[name].count_nonzero() == 0, relus)]


# --- update_ratios ----------------------------------------------------------------------------


def update_ratios_by_tensors(model, lr):
    ratios = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is None:
            continue
        size = torch.linalg.vector_norm(parameter.detach())
        if size == 0:
            ratios[name] = math.inf
        else:
            ratios[name] = (torch.linalg.vector_norm(lr * parameter.grad) / size).item()
    return ratios


def update_ratios_by_numpy(model, lr):
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {
            name: np.linalg.norm(p.grad.numpy().ravel().astype(float))
            * lr
            / np.linalg.norm(p.detach().numpy().ravel().astype(float))
            for name, p in model.named_parameters()
            if p.grad is not None
        }
    return {
        name: float("inf") if np.isnan(ratio) else float(ratio) for name, ratio in found.items()
    }


def update_ratios_by_loops(model, lr):
    def length(tensor):
        return math.hypot(*tensor.detach().flatten().tolist())

    result = dict()
    for name, parameter in model.named_parameters():
        gradient = parameter.grad
        if gradient is not None:
            try:
                result[name] = lr * length(gradient) / length(parameter)
            except ZeroDivisionError:
                result[name] = float("inf")
    return result


def update_ratios_by_squares(model, lr):
    with torch.no_grad():
        ratios = {
            n: lr * (p.grad.pow(2).sum().div(p.pow(2).sum())).sqrt().item()
            for n, p in model.named_parameters()
            if p.grad is not None
        }
    return {n: math.inf if r != r else r for n, r in ratios.items()}


# --- freeze -----------------------------------------------------------------------------------


def freeze_by_modules(model, prefixes):
    chosen = {}
    for prefix in prefixes:
        hits = 0
        for path, module in model.named_modules():
            if path == prefix or path.startswith(prefix + "."):
                for parameter in module.parameters(recurse=False):
                    chosen[id(parameter)] = parameter
                    hits += 1
        if hits == 0:
            raise ValueError(prefix)
    total = 0
    for parameter in chosen.values():
        parameter.requires_grad = False
        total += parameter.numel()
    return total


def freeze_by_parts_of_the_path(model, prefixes):
    wanted = [prefix.split(".") for prefix in prefixes]
    paths = {name: name.split(".")[:-1] for name, _ in model.named_parameters()}
    for prefix in wanted:
        if not any(path[: len(prefix)] == prefix for path in paths.values()):
            raise ValueError(".".join(prefix))
    count = 0
    for name, parameter in model.named_parameters():
        if any(paths[name][: len(prefix)] == prefix for prefix in wanted):
            parameter.requires_grad_(False)
            count += math.prod(parameter.shape)
    return count


class NoMatchError(ValueError):
    pass


def freeze_by_patterns(model, prefixes):
    matched = set()
    for prefix in prefixes:
        pattern = re.compile(rf"{re.escape(prefix)}(\..+)?\.[^.]+")
        names = {name for name, _ in model.named_parameters() if pattern.fullmatch(name)}
        if len(names) == 0:
            raise NoMatchError(f"{prefix} matches nothing")
        matched |= names
    return sum(
        parameter.requires_grad_(False).nelement()
        for name, parameter in model.named_parameters()
        if name in matched
    )


def freeze_by_submodules(model, prefixes):
    parameters = []
    for prefix in prefixes:
        try:
            module = model.get_submodule(prefix)
        except AttributeError as error:
            raise ValueError(f"nothing is called {prefix}") from error
        parameters += list(module.parameters())
    parameters = list(dict.fromkeys(parameters))
    for parameter in parameters:
        parameter.requires_grad = False
    return sum(len(parameter.flatten()) for parameter in parameters)


# --- fine_tune --------------------------------------------------------------------------------


def _rest(model):
    """Put the batch norms whose parameters are frozen in eval mode."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            own = list(module.parameters(recurse=False))
            if not any(parameter.requires_grad for parameter in own):
                module.eval()


def fine_tune_by_an_optimizer(model, new_head, train_loader, epochs, lr):
    name = list(dict(model.named_children()))[-1]
    setattr(model, name, new_head)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=lr)
    criterion, history = nn.CrossEntropyLoss(), []
    for _ in range(epochs):
        model.train()
        _rest(model)
        running = 0.0
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()
            running += loss.item() * inputs.size(0)
        history.append(running / len(train_loader.dataset))
    return history


def fine_tune_by_clearing_everything(model, new_head, train_loader, epochs, lr):
    """The optimizer holds all parameters; those without a gradient are skipped."""
    *_, (last, _) = model.named_children()
    model._modules[last] = new_head
    model.train()
    _rest(model)
    optimizer = torch.optim.SGD(model.parameters(), lr)
    means = []
    for _ in range(epochs):
        losses = []
        for x, y in train_loader:
            model.zero_grad(set_to_none=True)
            each = F.cross_entropy(model(x), y, reduction="none")
            each.mean().backward()
            optimizer.step()
            losses += each.tolist()
        means.append(sum(losses) / len(losses))
    return means


def fine_tune_by_autograd_grad(model, new_head, train_loader, epochs, lr):
    model[len(model) - 1] = new_head
    model.train()
    _rest(model)
    free = [p for p in model.parameters() if p.requires_grad]
    result = np.zeros(epochs)
    for epoch in range(epochs):
        n = 0
        for x, y in train_loader:
            loss = -F.log_softmax(model(x), dim=1).gather(1, y[:, None]).mean()
            with torch.no_grad():
                for p, g in zip(free, torch.autograd.grad(loss, free), strict=True):
                    p.sub_(g, alpha=lr)
            result[epoch] += float(loss) * len(x)
            n += len(x)
        result[epoch] /= n
    return result.tolist()


def fine_tune_by_statistics_without_momentum(model, new_head, train_loader, epochs, lr):
    """Frozen batch norms run in train mode, and their statistics do not move."""
    model[-1] = new_head
    model.train()
    momenta = {
        m: m.momentum
        for m in model.modules()
        if isinstance(m, nn.BatchNorm1d) and not m.weight.requires_grad
    }
    for norm in momenta:
        norm.momentum = 0.0
    free = [p for p in model.parameters() if p.requires_grad]
    losses = []
    for _ in range(epochs):
        pairs = []
        for x, y in train_loader:
            for p in free:
                p.grad = None
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            for p in free:
                p.data.add_(p.grad, alpha=-lr)
            pairs.append((loss.item(), y.numel()))
        losses.append(sum(a * b for a, b in pairs) / sum(b for _, b in pairs))
    for norm, momentum in momenta.items():
        norm.momentum = momentum
    return losses
