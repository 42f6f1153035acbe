"""Wrong answers to assignment 6 that are not among the misconceptions."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

from answers import a6_right as right

# --- ActivationRecorder -----------------------------------------------------------------------

_Joined = right.ActivationRecorder_by_joining_when_read
_Stack = right.ActivationRecorder_by_an_exit_stack
_Numpy = right.ActivationRecorder_by_numpy


class _Rounded(_Joined):
    def keep(self, name, layer, inputs, output):
        super().keep(name, layer, inputs, output.half().to(output.dtype))


class _TwoPasses(_Joined):
    def keep(self, name, layer, inputs, output):
        super().keep(name, layer, inputs, output)
        del self.pieces[name][2:]


class _OnlyTheLastTwo(_Joined):
    def keep(self, name, layer, inputs, output):
        super().keep(name, layer, inputs, output)
        del self.pieces[name][:-2]


class _InPlaceDetached(_Joined):
    def keep(self, name, layer, inputs, output):
        output.detach_()
        super().keep(name, layer, inputs, output)


class _DoubledOnReentry(_Joined):
    """Hooks of the first block stay when a second one begins."""

    kept = ()

    def __exit__(self, *error):
        if not self.kept:
            self.kept = self.handles[:1]
            self.handles = self.handles[1:]
        super().__exit__(*error)


class _SwallowsValueErrorsOnly(_Joined):
    def __exit__(self, kind, error, trace):
        super().__exit__(kind, error, trace)
        return error is not None and "purpose" in str(error)


class _OtherErrorRaised(_Joined):
    def __exit__(self, kind, error, trace):
        super().__exit__(kind, error, trace)
        if error is not None:
            raise RuntimeError("recording failed") from error


class _EmptiedOnExit(_Joined):
    def __exit__(self, *error):
        super().__exit__(*error)
        if error[0] is None:
            self.pieces = {name: [torch.cat(p)[-1:]] for name, p in self.pieces.items() if p}


class _EmptiedOnlyWithoutError(_Joined):
    def __enter__(self):
        before, self.failed = self.pieces, getattr(self, "failed", False)
        super().__enter__()
        if self.failed:
            self.pieces = before
        return self

    def __exit__(self, *error):
        self.failed = error[0] is not None
        return super().__exit__(*error)


class _NoneReturned(_Joined):
    def __enter__(self):
        super().__enter__()


class _DictReturned(_Joined):
    def __enter__(self):
        super().__enter__()
        return self.outputs


class _UnknownOnExit(_Joined):
    def __init__(self, model, layer_names):
        known = dict(model.named_modules())
        super().__init__(model, [name for name in layer_names if name in known])
        self.unknown = [name for name in layer_names if name not in known]

    def __exit__(self, *error):
        super().__exit__(*error)
        if self.unknown:
            raise KeyError(self.unknown[0])


class _RunsTheModel(_Joined):
    """Runs the recorded layer once more in the hook."""

    def keep(self, name, layer, inputs, output):
        super().keep(name, layer, inputs, layer.forward(*inputs))


class _GradSwitchedOn(_Joined):
    def __enter__(self):
        torch.set_grad_enabled(True)
        return super().__enter__()


class _GradLeftOff(_Joined):
    def __exit__(self, *error):
        torch.set_grad_enabled(False)
        return super().__exit__(*error)


class _FrozenParameters(_Joined):
    def __init__(self, model, layer_names):
        super().__init__(model, layer_names)
        model.requires_grad_(False)


class _AllUnfrozen(_Joined):
    def __init__(self, model, layer_names):
        super().__init__(model, layer_names)
        model.requires_grad_(True)


class _ModelRemembers(_Joined):
    def __init__(self, model, layer_names):
        super().__init__(model, layer_names)
        model.recorder_names = list(layer_names)


class _RoundedOutput(_Joined):
    def keep(self, name, layer, inputs, output):
        super().keep(name, layer, inputs, output)
        return output.round(decimals=2)


class _CopiedBehindTheHook(_Joined):
    """A copy only where gradients are enabled."""

    def keep(self, name, layer, inputs, output):
        self.pieces[name].append(output.detach().clone() if output.requires_grad else output)


class _PassHooksCleared(_Joined):
    def __init__(self, model, layer_names):
        super().__init__(model, layer_names)
        for layer in self.layers.values():
            layer._forward_hooks.clear()


class _Sorted(_Joined):
    """Swaps the names of two layers."""

    def __enter__(self):
        result = super().__enter__()
        self.names = dict(zip(self.pieces, reversed(self.pieces), strict=True))
        return result

    def keep(self, name, layer, inputs, output):
        super().keep(self.names[name], layer, inputs, output)


class _OneStoreForAll(_Joined):
    shared: dict = {}  # noqa: RUF012 - that is the mistake

    def __enter__(self):
        result = super().__enter__()
        for name in self.pieces:
            self.pieces[name] = self.shared.setdefault(name, [])
        return result


# --- feature_stats ----------------------------------------------------------------------------


def _stats(**parts):
    """Return an answer that is right but for the parts given."""

    def answer(outputs):
        found = right.feature_stats_by_numpy(outputs)
        for name, output in outputs.items():
            for key, part in parts.items():
                found[name][key] = part(output)
        return found

    return answer


def _zeroing(outputs):
    found = right.feature_stats_by_numpy(outputs)
    for output in outputs.values():
        output.clamp_(min=0)
    return found


def _flat(outputs):
    found = right.feature_stats_by_numpy(outputs)
    return {f"{name}.{key}": value for name, one in found.items() for key, value in one.items()}


def _first_dead_only(output):
    return int((output[0] == 0).flatten(1).all(dim=1).sum()) if output.dim() > 1 else 0


# --- GradientMonitor --------------------------------------------------------------------------

_Tensors = right.GradientMonitor_by_hooks_on_tensors


class _Measured:
    """A monitor whose numbers, or hooks, are another matter."""

    def __init__(self, model):
        self.model, self.norms, self.handles = model, {}, []

    def __enter__(self):
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                self.handles.append(
                    parameter.register_hook(lambda g, n=name, p=parameter: self.note(n, p, g))
                )
        return self

    def note(self, name, parameter, gradient):
        self.norms.setdefault(name, []).append(self.measure(parameter, gradient))

    def measure(self, parameter, gradient):
        return gradient.norm().item()

    def __exit__(self, *error):
        for handle in self.handles:
            handle.remove()


class _PiledUpWithNew(_Measured):
    def measure(self, parameter, gradient):
        total = gradient if parameter.grad is None else parameter.grad + gradient
        return total.norm().item()


class _FirstRow(_Measured):
    def measure(self, parameter, gradient):
        return gradient[0].norm().item()


class _L3(_Measured):
    def measure(self, parameter, gradient):
        return gradient.norm(3).item()


class _WeightNorm(_Measured):
    def measure(self, parameter, gradient):
        return parameter.detach().norm().item()


class _RoundedNorm(_Measured):
    def measure(self, parameter, gradient):
        return round(gradient.norm().item(), 2)


class _Clipped(_Measured):
    def note(self, name, parameter, gradient):
        super().note(name, parameter, gradient)
        return gradient.clamp(-1, 1)


class _ScaledLater(_Measured):
    """Returns the gradient in half precision and back."""

    def note(self, name, parameter, gradient):
        super().note(name, parameter, gradient)
        return gradient.half().to(gradient.dtype)


class _UniqueOnly(_Measured):
    def note(self, name, parameter, gradient):
        norm = gradient.norm().item()
        if norm not in self.norms.get(name, []):
            super().note(name, parameter, gradient)


class _LastDimensionNorm(_Measured):
    def measure(self, parameter, gradient):
        return gradient.norm(dim=-1).mean().item()


class _LeavesTheLastHook(_Measured):
    def __exit__(self, *error):
        for handle in self.handles[:-1]:
            handle.remove()


class _RemovesOnExceptionOnly(_Measured):
    def __exit__(self, kind, error, trace):
        if kind is not None:
            super().__exit__()


class _WrapsErrors(_Measured):
    def __exit__(self, kind, error, trace):
        super().__exit__()
        if error is not None:
            raise RuntimeError("in the monitor") from error


class _ZeroGradEachBackward(_Measured):
    """Makes room for the new gradient by dropping the old one."""

    def note(self, name, parameter, gradient):
        super().note(name, parameter, gradient)
        parameter.grad = None


class _FrozenReleased(_Measured):
    def __enter__(self):
        self.model.requires_grad_(True)
        super().__enter__()
        return self


class _OneNumber(_Measured):
    """The norm of the whole gradient under every name."""

    def __exit__(self, *error):
        super().__exit__(*error)
        n = min(len(v) for v in self.norms.values()) if self.norms else 0
        total = [math.sqrt(sum(v[k] ** 2 for v in self.norms.values())) for k in range(n)]
        self.norms = {name: total for name in self.norms}


class _Tuples(_Measured):
    def __exit__(self, *error):
        super().__exit__(*error)
        self.norms = {name: tuple(norms) for name, norms in self.norms.items()}


# --- dead_layers ------------------------------------------------------------------------------


def _dead(model, x, verdict=lambda o: not o.any(), kind=nn.ReLU, prepare=None, after=None):
    modes = [(m, m.training) for m in model.modules()]
    (prepare or (lambda: model.eval()))()
    found = {}
    handles = [
        m.register_forward_hook(lambda m, i, o, n=n: found.update({n: verdict(o)}))
        for n, m in model.named_modules()
        if isinstance(m, kind)
    ]
    with torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    for module, training in modes:
        module.training = training
    if after:
        after()
    return [n for n, m in model.named_modules() if isinstance(m, kind) and found[n]]


def _dead_without_no_grad_and_cleared(model, x):
    names = _dead(model, x)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    return names


def _dead_only_batch_norm_in_eval(model, x):
    def prepare():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.eval()

    return _dead(model, x, prepare=prepare)


def _dead_only_dropout_in_eval(model, x):
    def prepare():
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.eval()

    return _dead(model, x, prepare=prepare)


def _dead_modules(model, x):
    return [model.get_submodule(name) for name in _dead(model, x)]


def _dead_count(model, x):
    return len(_dead(model, x))


def _dead_hook_left(model, x):
    names = _dead(model, x)
    next(model.modules()).register_forward_hook(lambda *_: None)
    return names


def _dead_clearing_hooks(model, x):
    names = _dead(model, x)
    for module in model.modules():
        module._forward_hooks.clear()
    return names


def _dead_attribute(model, x):
    names = _dead(model, x)
    model.dead = names
    return names


def _dead_changing_x(model, x):
    names = _dead(model, x)
    x.abs_()
    return names


# --- update_ratios, freeze, fine_tune ---------------------------------------------------------


def _ratios(change):
    def answer(model, lr):
        found = right.update_ratios_by_loops(model, lr)
        return change(model, lr, found)

    return answer


def _frozen(change, keep=lambda model, prefixes: None):
    def answer(model, prefixes):
        before = keep(model, prefixes)
        return change(model, prefixes, right.freeze_by_modules(model, prefixes), before)

    return answer


def _freeze_weights_only(model, prefixes, count, before):
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            parameter.requires_grad_(True)
    return count


def _freeze_zeroed(model, prefixes, count, before):
    for parameter in model.parameters():
        if not parameter.requires_grad:
            parameter.data.zero_()
    return count


def _freeze_last_prefix_counts(model, prefixes):
    return [right.freeze_by_modules(model, [prefix]) for prefix in prefixes][-1]


def _freeze_detach(model, prefixes):
    count = right.freeze_by_modules(copy.deepcopy(model), prefixes)
    for prefix in prefixes:
        for parameter in model.get_submodule(prefix).parameters():
            parameter.grad = None
    return count


def _freeze_pops(model, prefixes):
    total = 0
    while prefixes:
        total += right.freeze_by_modules(model, [prefixes.pop()])
    return total


def _freeze_asserts(model, prefixes):
    for prefix in prefixes:
        assert dict(model.named_modules()).get(prefix) is not None
    return right.freeze_by_modules(model, prefixes)


def _tuned(before=None, after=None, lr_factor=1.0, epochs_more=0, swap=None):
    def answer(model, new_head, train_loader, epochs, lr):
        if before:
            before(model, new_head)
        losses = right.fine_tune_by_autograd_grad(
            model, new_head, train_loader, epochs + epochs_more, lr * lr_factor
        )
        return after(model, new_head, losses) if after else losses

    return answer


def _unfreeze(model, new_head):
    model.requires_grad_(True)


def _freeze_head(model, new_head, losses):
    new_head.requires_grad_(False)
    return losses


def _statistics_reset(model, new_head):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.reset_running_stats()


def _tune_head_first(model, new_head, train_loader, epochs, lr):
    model[0] = model[0]
    model.insert(0, nn.Identity())
    return right.fine_tune_by_autograd_grad(model, new_head, train_loader, epochs, lr)


def _tune_reinitialised(model, new_head, train_loader, epochs, lr):
    for module in new_head.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return right.fine_tune_by_autograd_grad(model, new_head, train_loader, epochs, lr)


def _tune_full_batch(model, new_head, train_loader, epochs, lr):
    batches = list(train_loader)
    whole = [(torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches]))]
    return right.fine_tune_by_autograd_grad(model, new_head, whole, epochs, lr)


def _tune_decaying_rate(model, new_head, train_loader, epochs, lr):
    losses = []
    for epoch in range(epochs):
        losses += right.fine_tune_by_autograd_grad(
            model, new_head, train_loader, 1, lr * 0.9**epoch
        )
    return losses


def _tune_nll(model, new_head, train_loader, epochs, lr):
    model[-1] = nn.Sequential(new_head, nn.Softmax(dim=1))
    losses = right.fine_tune_by_autograd_grad(
        model, nn.Sequential(new_head, nn.Softmax(dim=1)), train_loader, epochs, lr
    )
    model[-1] = new_head
    return losses


def _tune_clipped(model, new_head, train_loader, epochs, lr):
    model[-1] = new_head
    model.train()
    right._rest(model)
    free = [p for p in model.parameters() if p.requires_grad]
    result = []
    for _ in range(epochs):
        total, n = 0.0, 0
        for x, y in train_loader:
            loss = F.cross_entropy(model(x), y)
            with torch.no_grad():
                for p, g in zip(free, torch.autograd.grad(loss, free), strict=True):
                    p.sub_(g / max(1.0, float(g.norm()) / 0.1), alpha=lr)
            total, n = total + float(loss) * len(y), n + len(y)
        result.append(total / n)
    return result


def _tune_tensor_losses(model, new_head, losses):
    return torch.tensor(losses)


WRONG = {
    "ActivationRecorder": {
        "half precision on the way": _Rounded,
        "the first two passes": _TwoPasses,
        "the last two passes": _OnlyTheLastTwo,
        "detached in place": _InPlaceDetached,
        "the first block's hook stays": _DoubledOnReentry,
        "some errors swallowed": _SwallowsValueErrorsOnly,
        "another error raised": _OtherErrorRaised,
        "the last row after the block": _EmptiedOnExit,
        "not emptied after an error": _EmptiedOnlyWithoutError,
        "enter returns nothing": _NoneReturned,
        "enter returns the dict": _DictReturned,
        "unknown names told on exit": _UnknownOnExit,
        "the layer run again": _RunsTheModel,
        "gradients switched on": _GradSwitchedOn,
        "gradients left off": _GradLeftOff,
        "parameters frozen": _FrozenParameters,
        "parameters unfrozen": _AllUnfrozen,
        "an attribute on the model": _ModelRemembers,
        "a rounded output handed on": _RoundedOutput,
        "copied only with gradients": _CopiedBehindTheHook,
        "other hooks on the layers cleared": _PassHooksCleared,
        "names swapped": _Sorted,
        "one store for all recorders": _OneStoreForAll,
    },
    "feature_stats": {
        "median": _stats(mean=lambda o: o.median().item()),
        "mean of channel 0": _stats(mean=lambda o: o[:, 0].mean().item()),
        "mean of image means, rounded": _stats(mean=lambda o: round(o.mean().item(), 1)),
        "mean absolute deviation": _stats(std=lambda o: (o - o.mean()).abs().mean().item()),
        "spread of image means": _stats(
            std=lambda o: o.flatten(1).mean(dim=1).std(correction=0).item()
        ),
        "range": _stats(std=lambda o: (o.max() - o.min()).item()),
        "zeros of the first image": _stats(frac_zero=lambda o: (o[0] == 0).float().mean().item()),
        "zeros per channel": _stats(frac_zero=lambda o: (o == 0).sum().item() / o.shape[1]),
        "zeros rounded": _stats(frac_zero=lambda o: round((o == 0).float().mean().item(), 1)),
        "dead in the first image": _stats(dead_channels=_first_dead_only),
        "dead as a bool": _stats(dead_channels=lambda o: bool((o.sum(0) == 0).any())),
        "dead list": _stats(dead_channels=lambda o: (o == 0).all(0).nonzero().tolist()),
        "dead with the mean": _stats(
            dead_channels=lambda o: int(
                (o.mean(dim=[d for d in range(o.dim()) if d != 1]).abs() < 0.2).sum()
            )
        ),
        "input changed": _zeroing,
        "one flat dict": _flat,
        "std missing": lambda outputs: {
            name: {key: value for key, value in one.items() if key != "std"}
            for name, one in right.feature_stats_by_numpy(outputs).items()
        },
    },
    "GradientMonitor": {
        "piled up with the new one": _PiledUpWithNew,
        "the first row": _FirstRow,
        "L3": _L3,
        "norm of the weight": _WeightNorm,
        "rounded": _RoundedNorm,
        "gradients clipped": _Clipped,
        "gradients through half precision": _ScaledLater,
        "equal norms once": _UniqueOnly,
        "mean norm of rows": _LastDimensionNorm,
        "one hook stays": _LeavesTheLastHook,
        "hooks removed after errors only": _RemovesOnExceptionOnly,
        "errors wrapped": _WrapsErrors,
        "old gradients dropped": _ZeroGradEachBackward,
        "frozen released": _FrozenReleased,
        "one norm for all": _OneNumber,
        "tuples": _Tuples,
    },
    "dead_layers": {
        "at most 1e-8": lambda model, x: _dead(model, x, lambda o: o.max().item() <= 1e-8),
        "sum of the first unit": lambda model, x: _dead(model, x, lambda o: not o[:, 0].any()),
        "all layers of an activation kind": lambda model, x: _dead(
            model, x, kind=(nn.ReLU, nn.ReLU6, nn.LeakyReLU)
        ),
        "zero gradients made": _dead_without_no_grad_and_cleared,
        "only batch norm in eval": _dead_only_batch_norm_in_eval,
        "only dropout in eval": _dead_only_dropout_in_eval,
        "modules": _dead_modules,
        "a number": _dead_count,
        "a hook left": _dead_hook_left,
        "the caller's hooks cleared": _dead_clearing_hooks,
        "an attribute": _dead_attribute,
        "x changed": _dead_changing_x,
        "reversed": lambda model, x: _dead(model, x)[::-1],
        "sorted by name": lambda model, x: sorted(_dead(model, x)),
        "the first only": lambda model, x: _dead(model, x)[:1],
        "nothing": lambda model, x: [],
        "a set": lambda model, x: set(_dead(model, x)),
    },
    "update_ratios": {
        "percent": _ratios(lambda m, lr, found: {n: 100 * r for n, r in found.items()}),
        "rounded": _ratios(lambda m, lr, found: {n: round(r, 3) for n, r in found.items()}),
        "squared": _ratios(lambda m, lr, found: {n: r * r for n, r in found.items()}),
        "rate 0.1": lambda model, lr: right.update_ratios_by_loops(model, 0.1),
        "one number": _ratios(lambda m, lr, found: sum(found.values())),
        "a list": _ratios(lambda m, lr, found: list(found.values())),
        "weights only": _ratios(
            lambda m, lr, found: {n: r for n, r in found.items() if "weight" in n}
        ),
        "finite only": _ratios(
            lambda m, lr, found: {n: r for n, r in found.items() if math.isfinite(r)}
        ),
        "nan for norm 0": _ratios(
            lambda m, lr, found: {n: r if math.isfinite(r) else math.nan for n, r in found.items()}
        ),
        "a large number for norm 0": _ratios(
            lambda m, lr, found: {n: min(r, 1e9) for n, r in found.items()}
        ),
        "minus inf": _ratios(
            lambda m, lr, found: {n: r if math.isfinite(r) else -r for n, r in found.items()}
        ),
        "missing ones as None": _ratios(
            lambda m, lr, found: {n: found.get(n) for n, _ in m.named_parameters()}
        ),
        "parameters changed": _ratios(
            lambda m, lr, found: [p.data.mul_(0.9) for p in m.parameters()] and found
        ),
        "gradients scaled": _ratios(
            lambda m, lr, found: (
                ([p.grad.mul_(lr) for p in m.parameters() if p.grad is not None] and found) or found
            )
        ),
        "relative to the largest": _ratios(
            lambda m, lr, found: {n: r / max(found.values()) for n, r in found.items()}
        ),
    },
    "freeze": {
        "weights only": _frozen(_freeze_weights_only),
        "zeroed": _frozen(_freeze_zeroed),
        "a list": _frozen(lambda m, p, count, before: [count]),
        "a float": _frozen(lambda m, p, count, before: float(count)),
        "a tensor": _frozen(lambda m, p, count, before: torch.tensor(count)),
        "one more": _frozen(lambda m, p, count, before: count + 1),
        "the last prefix counted": _freeze_last_prefix_counts,
        "a copy frozen": _freeze_detach,
        "prefixes used up": _freeze_pops,
        "AssertionError": _freeze_asserts,
        "then in eval mode": _frozen(lambda m, p, count, before: m.eval() and count),
        "then in train mode": _frozen(lambda m, p, count, before: m.train() and count),
        "number of modules": _frozen(
            lambda m, p, count, before: sum(
                any(not q.requires_grad for q in module.parameters(recurse=False))
                for module in m.modules()
            )
        ),
        "the whole model if one matches": _frozen(
            lambda m, p, count, before: m.requires_grad_(False) and count
        ),
    },
    "fine_tune": {
        "unfrozen before": _tuned(_unfreeze),
        "rate times ten": _tuned(lr_factor=10.0),
        "half the rate": _tuned(lr_factor=0.5),
        "one epoch more": _tuned(epochs_more=1),
        "one epoch more, not told": _tuned(
            epochs_more=1, after=lambda model, head, losses: losses[:-1]
        ),
        "last loss only": _tuned(after=lambda model, head, losses: losses[-1]),
        "a tensor": _tuned(after=_tune_tensor_losses),
        "reversed": _tuned(after=lambda model, head, losses: losses[::-1]),
        "cumulated": _tuned(
            after=lambda model, head, losses: [sum(losses[: n + 1]) for n in range(len(losses))]
        ),
        "head frozen afterwards": _tuned(after=_freeze_head),
        "statistics reset": _tuned(_statistics_reset),
        "a child inserted": _tune_head_first,
        "head drawn anew": _tune_reinitialised,
        "one batch of all": _tune_full_batch,
        "rate decays": _tune_decaying_rate,
        "softmax before the loss": _tune_nll,
        "clipped": _tune_clipped,
    },
}
