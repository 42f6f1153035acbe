"""Assignment 6, gradients: wrong answers, each with a name and what it shows."""

from functools import partial

import torch
from torch import nn

from course_utils.checks.a6_rules import (
    AGAIN,
    BROUGHT,
    DEAD_LAYER,
    INFINITE,
    L2,
    LEAF,
    MODE,
    MODULE_HOOK,
    NOTHING,
    OFF,
    RATIO,
    RETURNS,
    RIGHT_WAY_UP,
    STAY,
)
from course_utils.checks.exercise import Misconception
from course_utils.hooks import eval_mode

# --- GradientMonitor --------------------------------------------------------------------------


class _Monitor:
    """Right so far; each mistake below changes one part."""

    def __init__(self, model):
        self.model, self.norms, self.handles = model, {}, []

    def __enter__(self):
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                self.handles.append(self.attach(name, parameter))
        return self

    def attach(self, name, parameter):
        return parameter.register_hook(partial(self.hook, name))

    def hook(self, name, gradient):
        self.keep(name, self.size(gradient))

    def size(self, gradient):
        return gradient.norm().item()

    def keep(self, name, norm):
        self.norms.setdefault(name, []).append(norm)

    def __exit__(self, kind, error, traceback):
        for handle in self.handles:
            handle.remove()


class _PiledUp(_Monitor):
    def attach(self, name, parameter):
        return parameter.register_post_accumulate_grad_hook(
            lambda p: self.keep(name, p.grad.norm().item())
        )


class _Before(_Monitor):
    """Reads .grad while the hook runs: what was there before."""

    def attach(self, name, parameter):
        def hook(_):
            grad = parameter.grad
            self.keep(name, 0.0 if grad is None else grad.norm().item())

        return parameter.register_hook(hook)


class _AtTheEnd(_Monitor):
    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        for name, parameter in self.model.named_parameters():
            if parameter.grad is not None:
                self.norms[name] = [parameter.grad.norm().item()]


class _Squared(_Monitor):
    def size(self, gradient):
        return gradient.square().sum().item()


class _L1(_Monitor):
    def size(self, gradient):
        return gradient.abs().sum().item()


class _Largest(_Monitor):
    def size(self, gradient):
        return gradient.abs().max().item()


class _Mean(_Monitor):
    def size(self, gradient):
        return gradient.square().mean().sqrt().item()


class _TensorNorms(_Monitor):
    def size(self, gradient):
        return gradient.norm()


class _LastOnly(_Monitor):
    def keep(self, name, norm):
        self.norms[name] = [norm]


class _NewestFirst(_Monitor):
    def keep(self, name, norm):
        self.norms.setdefault(name, []).insert(0, norm)


class _Normalised(_Monitor):
    def hook(self, name, gradient):
        super().hook(name, gradient)
        return gradient / (gradient.norm() + 1e-12)


class _InPlace(_Monitor):
    def size(self, gradient):
        return gradient.pow_(2).sum().sqrt().item()


class _ZerosForFrozen(_Monitor):
    def __enter__(self):
        super().__enter__()
        self.passes = {}
        return self

    def __exit__(self, kind, error, traceback):
        super().__exit__(kind, error, traceback)
        for name, _ in self.model.named_parameters():
            self.norms.setdefault(name, [0.0])


class _FrozenHooked(_Monitor):
    def __enter__(self):
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(True)
            self.handles.append(self.attach(name, parameter))
        return self


class _FrozenCrash(_Monitor):
    def __enter__(self):
        for name, parameter in self.model.named_parameters():
            self.handles.append(self.attach(name, parameter))
        return self


class _NeverRemoved(_Monitor):
    def __exit__(self, kind, error, traceback):
        pass


class _RemovedWithoutError(_Monitor):
    def __exit__(self, kind, error, traceback):
        if kind is None:
            super().__exit__(kind, error, traceback)


class _AllCleared(_Monitor):
    def __exit__(self, kind, error, traceback):
        for parameter in self.model.parameters():
            if parameter._backward_hooks:
                parameter._backward_hooks.clear()


class _Swallowed(_Monitor):
    def __exit__(self, kind, error, traceback):
        super().__exit__(kind, error, traceback)
        return True


class _GradientsCleared(_Monitor):
    def __enter__(self):
        self.model.zero_grad()
        return super().__enter__()


class _ClearedAtTheEnd(_Monitor):
    def __exit__(self, kind, error, traceback):
        super().__exit__(kind, error, traceback)
        self.model.zero_grad()


class _ModuleHooks(_Monitor):
    """Reads the gradient of a module's output, and gives it to all parameters of the module."""

    def __enter__(self):
        for path, module in self.model.named_modules():
            own = [name for name, _ in module.named_parameters(path, recurse=False)]
            if own:
                self.handles.append(
                    module.register_full_backward_hook(partial(self.module_hook, own))
                )
        return self

    def module_hook(self, names, module, grad_input, grad_output):
        for name in names:
            self.keep(name, grad_output[0].norm().item())


class _WeightsOnly(_Monitor):
    def __enter__(self):
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad and name.endswith("weight"):
                self.handles.append(self.attach(name, parameter))
        return self


class _ZerosLeftOut(_Monitor):
    def keep(self, name, norm):
        if norm > 0:
            super().keep(name, norm)


class _LayerNames(_Monitor):
    def keep(self, name, norm):
        super().keep(name.rpartition(".")[0], norm)


class _LoopVariable(_Monitor):
    def __enter__(self):
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                self.handles.append(parameter.register_hook(lambda g: self.hook(name, g)))  # noqa: B023
        return self


class _OnlyBehind(_Monitor):
    def __init__(self, model):
        super().__init__(model)
        self.kept = {}

    def keep(self, name, norm):
        self.kept.setdefault(name, []).append(norm)

    def __exit__(self, kind, error, traceback):
        super().__exit__(kind, error, traceback)
        self.norms = self.kept


class _Relative(_Monitor):
    def attach(self, name, parameter):
        return parameter.register_hook(
            lambda g: self.keep(name, (g.norm() / parameter.detach().norm()).item())
        )


class _Spectral(_Monitor):
    def size(self, gradient):
        return (
            torch.linalg.norm(gradient, 2).item() if gradient.dim() == 2 else super().size(gradient)
        )


class _UnreachedRead(_Monitor):
    def __exit__(self, kind, error, traceback):
        super().__exit__(kind, error, traceback)
        for name, parameter in self.model.named_parameters():
            if name not in self.norms and parameter.grad is not None:
                self.norms[name] = [parameter.grad.norm().item()]


class _InEval(_Monitor):
    def __enter__(self):
        self.model.eval()
        return super().__enter__()


MONITOR_MISCONCEPTIONS = (
    Misconception(
        "relative-to-the-weight",
        _Relative,
        "Your norms are divided by the norm of the parameter. That is another number, the update "
        "ratio without its rate.",
        L2,
    ),
    Misconception(
        "spectral-norm",
        _Spectral,
        "For matrices your norm is the largest singular value. The L2 norm is over all elements, "
        "whatever the shape.",
        L2,
    ),
    Misconception(
        "old-gradient-of-unreached",
        _UnreachedRead,
        "For a parameter that no backward reaches you note what was in `.grad` before. It has an "
        "empty list or no key.",
        NOTHING,
    ),
    Misconception(
        "model-in-eval-mode",
        _InEval,
        "Your monitor puts the model in eval mode. It looks on; the mode is the caller's.",
        MODE,
    ),
    Misconception(
        "piled-up",
        _PiledUp,
        "Your norms are those of `.grad`, in which gradients add up. A norm is of what one "
        "backward brings, whatever was there before.",
        BROUGHT,
    ),
    Misconception(
        "read-too-early",
        _Before,
        "Your norms are those of `.grad` at a moment when the new gradient is not yet in it.",
        BROUGHT,
    ),
    Misconception(
        "read-at-the-end",
        _AtTheEnd,
        "You have one norm for the whole block, of what is in `.grad` when it ends. Every "
        "backward in the block has a norm of its own.",
        BROUGHT,
    ),
    Misconception(
        "squared-norm",
        _Squared,
        "Your numbers are sums of squares. The L2 norm is the root of that.",
        L2,
    ),
    Misconception(
        "l1-norm",
        _L1,
        "Your numbers are sums of sizes, which is the L1 norm.",
        L2,
    ),
    Misconception(
        "largest-element",
        _Largest,
        "Your numbers are the largest element of each gradient. The L2 norm is over all of them.",
        L2,
    ),
    Misconception(
        "root-mean-square",
        _Mean,
        "Your norms are divided by the root of the number of elements. The L2 norm adds the "
        "squares up and takes no mean.",
        L2,
    ),
    Misconception(
        "tensor-norms",
        _TensorNorms,
        "Your norms are tensors. Each is a Python float.",
        L2,
    ),
    Misconception(
        "last-backward-only",
        _LastOnly,
        "Only the latest backward is in your lists. Each has one norm for every backward, in "
        "order.",
        LEAF,
    ),
    Misconception(
        "newest-first",
        _NewestFirst,
        "Your lists begin with the latest backward. They stand in the order in which they ran.",
        LEAF,
    ),
    Misconception(
        "gradient-replaced",
        _Normalised,
        "With your monitor on, the gradients are other ones: what a hook returns takes the place "
        "of the gradient.",
        RETURNS,
    ),
    Misconception(
        "gradient-overwritten",
        _InPlace,
        "With your monitor on, the gradients are squared: an operation in place works on the "
        "gradient itself, not on a copy.",
        RETURNS,
    ),
    Misconception(
        "zeros-for-nothing",
        _ZerosForFrozen,
        "A parameter that no gradient has reached gets a 0 from you. It has an empty list or no "
        "key: nothing is not zero.",
        NOTHING,
    ),
    Misconception(
        "frozen-made-trainable",
        _FrozenHooked,
        "With your monitor on, frozen parameters ask for a gradient again. They stay as they are, "
        "without a hook.",
        NOTHING,
    ),
    Misconception(
        "frozen-crash",
        _FrozenCrash,
        "On a frozen parameter PyTorch refuses a hook, and your monitor stops there.",
        NOTHING,
    ),
    Misconception(
        "zeros-left-out",
        _ZerosLeftOut,
        "A gradient of zeros is missing from your lists. It has arrived, and its norm is 0.0.",
        NOTHING,
    ),
    Misconception(
        "never-removed",
        _NeverRemoved,
        "Your hooks are still there after the block, and go on counting.",
        OFF,
    ),
    Misconception(
        "left-after-error",
        _RemovedWithoutError,
        "After an error in the block your hooks are still there. They have to go however the "
        "block ends.",
        OFF,
    ),
    Misconception(
        "all-hooks-removed",
        _AllCleared,
        "Hooks that the caller had on a parameter are gone after your block. Only your own are "
        "yours to remove.",
        STAY,
    ),
    Misconception(
        "error-swallowed",
        _Swallowed,
        "An error in the block disappears, and the program goes on as if nothing had happened. "
        "What `__exit__` returns decides that.",
        AGAIN,
    ),
    Misconception(
        "gradients-cleared",
        _GradientsCleared,
        "The gradients that the parameters had before the block are gone. A monitor looks on and "
        "clears nothing.",
        RETURNS,
    ),
    Misconception(
        "gradients-cleared-at-the-end",
        _ClearedAtTheEnd,
        "After your block the gradients are gone, and the caller's step has nothing to go by.",
        RETURNS,
    ),
    Misconception(
        "module-hooks",
        _ModuleHooks,
        "Your norms are those of the gradient that arrives at a layer's output. The gradient of "
        "its weights is another tensor.",
        MODULE_HOOK,
    ),
    Misconception(
        "weights-only",
        _WeightsOnly,
        "Biases are missing from your norms. Every parameter that a gradient reaches has its list.",
        LEAF,
    ),
    Misconception(
        "layer-names",
        _LayerNames,
        "Your keys are names of layers, so weight and bias share a list. A key is the name of a "
        "parameter.",
        LEAF,
    ),
    Misconception(
        "loop-variable",
        _LoopVariable,
        "Everything is noted under the name of the last parameter. A function made in a loop keeps "
        "the variable, not the value that it had.",
        LEAF,
    ),
    Misconception(
        "only-after-the-block",
        _OnlyBehind,
        "Inside the block your norms are still empty. They are there after every backward.",
        LEAF,
    ),
)


# --- dead_layers ------------------------------------------------------------------------------


def _dead(
    verdict=lambda output: not output.any(),
    kinds=lambda module: isinstance(module, nn.ReLU),
    mode=eval_mode,
    named="named_modules",
    result=list,
):
    """Return an answer that is right but for the parts given."""

    def answer(model, x):
        found, handles = {}, []
        names = [name for name, module in getattr(model, named)() if kinds(module)]
        for name in names:
            handles.append(
                model.get_submodule(name).register_forward_hook(
                    lambda m, i, o, name=name: found.update({name: o.detach().clone()})
                )
            )
        with mode(model), torch.no_grad():
            model(x)
        for handle in handles:
            handle.remove()
        return result(name for name in names if name in found and verdict(found[name]))

    return answer


class _AsIs:
    def __init__(self, model):
        pass

    def __enter__(self):
        pass

    def __exit__(self, *error):
        pass


class _LeftInEval(_AsIs):
    def __init__(self, model):
        model.eval()


class _ThenTrain(_LeftInEval):
    def __init__(self, model):
        super().__init__(model)
        self.model = model

    def __exit__(self, *error):
        self.model.train()


class _ThenItsOwn(_ThenTrain):
    def __init__(self, model):
        self.training = model.training
        super().__init__(model)

    def __exit__(self, *error):
        self.model.train(self.training)


class _Training(_AsIs):
    def __init__(self, model):
        self.modes = [(m, m.training) for m in model.modules()]
        model.train()

    def __exit__(self, *error):
        for module, training in self.modes:
            module.training = training


def _with_hooks_left(model, x):
    names = [name for name, m in model.named_modules() if isinstance(m, nn.ReLU)]
    found = {}
    for name in names:
        model.get_submodule(name).register_forward_hook(
            lambda m, i, o, name=name: found.update({name: o.detach().clone()})
        )
    with eval_mode(model), torch.no_grad():
        model(x)
    return [name for name in names if not found[name].any()]


def _in_order_of_running(model, x):
    found = {}
    handles = [
        m.register_forward_hook(lambda m, i, o, name=name: found.update({name: o.any().item()}))
        for name, m in model.named_modules()
        if isinstance(m, nn.ReLU)
    ]
    with eval_mode(model), torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    return [name for name, alive in found.items() if not alive]


def _from_inputs(model, x):
    found = {}
    handles = [
        m.register_forward_hook(
            lambda m, i, o, name=name: found.update({name: i[0].mean().item() <= 0})
        )
        for name, m in model.named_modules()
        if isinstance(m, nn.ReLU)
    ]
    with eval_mode(model), torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    return [n for n, m in model.named_modules() if isinstance(m, nn.ReLU) and found[n]]


def _living(model, x):
    dead = _dead()(model, x)
    return [n for n, m in model.named_modules() if isinstance(m, nn.ReLU) and n not in dead]


def _clearing(model, x):
    names = _dead()(model, x)
    model.zero_grad()
    return names


def _grad_off(model, x):
    names = _dead()(model, x)
    torch.set_grad_enabled(False)
    return names


def _any_unit(output):
    return bool((output == 0).flatten(1).all(dim=0).any())


def _any_channel(output):
    return bool((output == 0).transpose(0, 1).flatten(1).all(dim=1).any())


def _statistics_moved(model, x):
    with torch.no_grad():
        model(x)
    return _dead()(model, x)


def _unfreezing(model, x):
    names = _dead()(model, x)
    model.requires_grad_(True)
    return names


DEAD_MISCONCEPTIONS = (
    Misconception(
        "sorted-by-name",
        _dead(result=sorted),
        "Your names are sorted. They stand in the order of `named_modules`.",
        DEAD_LAYER,
    ),
    Misconception(
        "last-part-of-the-name",
        _dead(result=lambda names: [name.rpartition(".")[2] for name in names]),
        "Of a layer inside a block you give only the last part of its name.",
        DEAD_LAYER,
    ),
    Misconception(
        "first-dead-layer-only",
        _dead(result=lambda names: list(names)[:1]),
        "You stop at the first dead layer. All of them are asked for.",
        DEAD_LAYER,
    ),
    Misconception(
        "statistics-moved",
        _statistics_moved,
        "The model's running statistics have moved: it has also run in train mode.",
        MODE,
    ),
    Misconception(
        "made-trainable",
        _unfreezing,
        "Parameters that were frozen ask for a gradient afterwards. They stay as they were.",
        MODE,
    ),
    Misconception(
        "mode-as-it-is",
        _dead(mode=_AsIs),
        "You look in the mode that the model happens to be in. In train mode dropout and batch "
        "statistics decide, and the look moves the running statistics.",
        DEAD_LAYER,
    ),
    Misconception(
        "train-mode",
        _dead(mode=_Training),
        "You look in train mode, where dropout and batch statistics decide, and the look moves "
        "the running statistics.",
        DEAD_LAYER,
    ),
    Misconception(
        "left-in-eval",
        _dead(mode=_LeftInEval),
        "The model is in eval mode afterwards. Every module gets its own mode back.",
        MODE,
    ),
    Misconception(
        "eval-then-train",
        _dead(mode=_ThenTrain),
        "All of the model is in train mode afterwards. Every module gets its own mode back.",
        MODE,
    ),
    Misconception(
        "one-mode-for-all",
        _dead(mode=_ThenItsOwn),
        "Afterwards all modules have the mode of the whole model, also those that had another "
        "one. Every module gets its own mode back.",
        MODE,
    ),
    Misconception(
        "threshold",
        _dead(lambda output: output.max().item() < 1e-6),
        "A layer whose largest output is small counts as dead with you. Dead means only zeros.",
        DEAD_LAYER,
    ),
    Misconception(
        "first-image-only",
        _dead(lambda output: not output[0].any()),
        "You decide by the first image. A layer that answers to any image is alive.",
        DEAD_LAYER,
    ),
    Misconception(
        "last-image-only",
        _dead(lambda output: not output[-1].any()),
        "You decide by the last image. A layer that answers to any image is alive.",
        DEAD_LAYER,
    ),
    Misconception(
        "any-zero",
        _dead(lambda output: bool((output == 0).any())),
        "A layer with any zero in its output counts as dead with you. Dead means only zeros.",
        DEAD_LAYER,
    ),
    Misconception(
        "any-dead-unit",
        _dead(_any_unit),
        "A layer with one dead unit counts as dead with you. The whole layer must give only zeros.",
        DEAD_LAYER,
    ),
    Misconception(
        "any-dead-channel",
        _dead(_any_channel),
        "A layer with one dead channel counts as dead with you. The whole layer must give only "
        "zeros.",
        DEAD_LAYER,
    ),
    Misconception(
        "mostly-zero",
        _dead(lambda output: (output == 0).double().mean().item() > 0.5),
        "A layer with more zeros than not counts as dead with you. Dead means only zeros.",
        DEAD_LAYER,
    ),
    Misconception(
        "any-layer",
        _dead(kinds=lambda module: not list(module.children())),
        "Layers that are no `nn.ReLU` are among your names.",
        DEAD_LAYER,
    ),
    Misconception(
        "similar-kinds",
        _dead(kinds=lambda module: "ReLU" in type(module).__name__),
        "Layers with a similar name are among yours. Only `nn.ReLU` is asked for.",
        DEAD_LAYER,
    ),
    Misconception(
        "children-only",
        _dead(named="named_children"),
        "ReLUs inside a block are not found.",
        DEAD_LAYER,
    ),
    Misconception(
        "order-of-running",
        _in_order_of_running,
        "Your names stand in the order in which the layers ran. It has to be that of "
        "`named_modules`.",
        DEAD_LAYER,
    ),
    Misconception(
        "mean-of-the-input",
        _from_inputs,
        "You decide by the mean in front of the ReLU. A layer that is negative on average may "
        "still answer; what counts is its largest output.",
        DEAD_LAYER,
    ),
    Misconception(
        "living-layers",
        _living,
        "Your names are those of the layers that are alive.",
        DEAD_LAYER,
    ),
    Misconception(
        "tuple-of-names",
        _dead(result=tuple),
        "Your names are in a tuple. The result is a list.",
        DEAD_LAYER,
    ),
    Misconception(
        "hooks-left",
        _with_hooks_left,
        "Your hooks are still on the model afterwards.",
        STAY,
    ),
    Misconception(
        "gradients-cleared",
        _clearing,
        "The gradients that the parameters had are gone afterwards. Looking changes none.",
        MODE,
    ),
    Misconception(
        "gradients-off",
        _grad_off,
        "Gradients are switched off after your function, for the whole program.",
        MODE,
    ),
)


# --- update_ratios ----------------------------------------------------------------------------


def _ratios(
    ratio=lambda lr, g, w: lr * g / w,
    size=lambda values: values.detach().double().norm().item(),
    missing=None,
    zero=lambda step: float("inf"),
    convert=float,
    parameters=lambda model: model.named_parameters(),
):
    """Return an answer that is right but for the parts given."""

    def answer(model, lr):
        found = {}
        for name, parameter in parameters(model):
            if parameter.grad is None:
                if missing is not None:
                    found[name] = missing
                continue
            g, w = size(parameter.grad), size(parameter)
            found[name] = convert(ratio(lr, g, w) if w else zero(lr * g))
        return found

    return answer


def _after_step(model, lr):
    found = _ratios()(model, lr)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= lr * parameter.grad
    return found


def _then_cleared(model, lr):
    found = _ratios()(model, lr)
    model.zero_grad()
    return found


def _without_zeros(model, lr):
    found = _ratios()(model, lr)
    return {name: ratio for name, ratio in found.items() if ratio > 0}


def _by_layer(model, lr):
    return {name.rpartition(".")[0]: ratio for name, ratio in _ratios()(model, lr).items()}


def _elementwise(model, lr):
    return {
        name: (lr * p.grad / p.detach()).norm().item()
        for name, p in model.named_parameters()
        if p.grad is not None
    }


def _finite_only(model, lr):
    return {name: ratio for name, ratio in _ratios()(model, lr).items() if ratio != float("inf")}


RATIO_MISCONCEPTIONS = (
    Misconception(
        "norm-zero-left-out",
        _finite_only,
        "A parameter of norm 0 is missing. It has a gradient, and the ratio `inf`.",
        INFINITE,
    ),
    Misconception(
        "norm-zero-gives-nan",
        _ratios(zero=lambda step: float("nan")),
        "A parameter of norm 0 gets nan. Any step from there is infinitely long: `inf`.",
        INFINITE,
    ),
    Misconception(
        "percent",
        _ratios(lambda lr, g, w: 100 * lr * g / w),
        "Your ratios are in percent. They are plain quotients.",
        RATIO,
    ),
    Misconception(
        "rate-forgotten",
        _ratios(lambda lr, g, w: g / w),
        "Your ratios do not depend on the learning rate. A step is rate times gradient.",
        RIGHT_WAY_UP,
    ),
    Misconception(
        "upside-down",
        _ratios(lambda lr, g, w: w / (lr * g) if g else 0.0),
        "Your ratios are upside down: the step is above, the parameter below.",
        RIGHT_WAY_UP,
    ),
    Misconception(
        "rate-below",
        _ratios(lambda lr, g, w: g / (lr * w)),
        "You divide by the learning rate. A larger rate makes a larger step.",
        RIGHT_WAY_UP,
    ),
    Misconception(
        "squared-norms",
        _ratios(size=lambda values: values.detach().double().square().sum().item()),
        "Your ratios are made of sums of squares. The L2 norm is the root of that.",
        RIGHT_WAY_UP,
    ),
    Misconception(
        "l1-norms",
        _ratios(size=lambda values: values.detach().double().abs().sum().item()),
        "Your ratios are made of sums of sizes. The norm is L2.",
        RIGHT_WAY_UP,
    ),
    Misconception(
        "largest-elements",
        _ratios(size=lambda values: values.detach().double().abs().max().item()),
        "Your ratios are made of the largest elements. The norm is L2, over all of them.",
        RIGHT_WAY_UP,
    ),
    Misconception(
        "element-by-element",
        _elementwise,
        "You divide element by element and take a norm of that. The ratio is one norm over "
        "another.",
        RATIO,
    ),
    Misconception(
        "missing-as-zero",
        _ratios(missing=0.0),
        "A parameter without a gradient gets a ratio of 0. It has none, and is left out.",
        INFINITE,
    ),
    Misconception(
        "missing-as-none",
        _ratios(missing=float("nan")),
        "A parameter without a gradient gets nan. It has no ratio, and is left out.",
        INFINITE,
    ),
    Misconception(
        "zero-gradient-left-out",
        _without_zeros,
        "A parameter whose gradient is zero is missing. It has a gradient, and the ratio 0.",
        INFINITE,
    ),
    Misconception(
        "epsilon",
        _ratios(lambda lr, g, w: lr * g / (w + 1e-12), zero=lambda step: step / 1e-12),
        "A parameter of norm 0 gets a large number. The ratio is infinite: `inf`.",
        INFINITE,
    ),
    Misconception(
        "norm-zero-gives-zero",
        _ratios(zero=lambda step: 0.0),
        "A parameter of norm 0 gets a ratio of 0. Any step from there is infinitely long: `inf`.",
        INFINITE,
    ),
    Misconception(
        "zero-over-zero",
        _ratios(zero=lambda step: float("inf") if step else float("nan")),
        "A parameter of norm 0 whose gradient is 0 too gets nan. Norm 0 gives `inf`.",
        INFINITE,
    ),
    Misconception(
        "norm-zero-crash",
        _ratios(zero=lambda step: step / 0.0),
        "A parameter of norm 0 stops your function: Python refuses to divide by zero. The ratio "
        "is `inf`.",
        INFINITE,
    ),
    Misconception(
        "tensor-ratios",
        _ratios(convert=torch.tensor),
        "Your ratios are tensors. Each is a Python float.",
        RATIO,
    ),
    Misconception(
        "by-layer",
        _by_layer,
        "Your keys are names of layers, so weight and bias share one. A key is the name of a "
        "parameter.",
        RATIO,
    ),
    Misconception(
        "weights-only",
        _ratios(
            parameters=lambda model: [
                (n, p) for n, p in model.named_parameters() if n.endswith("weight")
            ]
        ),
        "Biases are missing. Every parameter with a gradient has a ratio.",
        RATIO,
    ),
    Misconception(
        "frozen-left-out",
        _ratios(
            parameters=lambda model: [
                (n, p) for n, p in model.named_parameters() if p.requires_grad
            ]
        ),
        "A frozen parameter with a gradient is missing. What counts is what is in `.grad`.",
        RATIO,
    ),
    Misconception(
        "step-taken",
        _after_step,
        "Your function moves the parameters. It measures the step and takes none.",
        RATIO,
    ),
    Misconception(
        "gradients-cleared",
        _then_cleared,
        "The gradients are gone after your function. It reads them and clears nothing.",
        RATIO,
    ),
)
