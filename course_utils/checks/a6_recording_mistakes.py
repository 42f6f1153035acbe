"""Assignment 6, recording: wrong answers, each with a name and what it shows."""

from functools import partial

import torch

from course_utils.checks.a6_rules import (
    AFTER_ERROR,
    AGAIN,
    ALL_ELEMENTS,
    CLONE,
    CONCATENATE,
    DEAD_CHANNEL,
    DETACH,
    GRADIENTS_THROUGH,
    LOOP,
    MODE,
    NAMES,
    POPULATION,
    REPLACED,
    STAY,
)
from course_utils.checks.exercise import Misconception

# --- ActivationRecorder -----------------------------------------------------------------------


class _Recorder:
    """Right so far; each mistake below changes one part."""

    def __init__(self, model, layer_names):
        self.model, self.layer_names = model, layer_names
        self.handles, self.outputs = [], {}

    def __enter__(self):
        self.outputs = {}
        self.attach(self.layers())
        return self

    def layers(self):
        known = dict(self.model.named_modules())
        return {name: known[name] for name in self.layer_names}

    def attach(self, layers):
        for name, layer in layers.items():
            self.handles.append(layer.register_forward_hook(partial(self.hook, name)))

    def __exit__(self, kind, error, traceback):
        for handle in self.handles:
            handle.remove()

    def hook(self, name, module, inputs, output):
        self.keep(name, output.detach().clone())

    def keep(self, name, output):
        if name in self.outputs:
            output = torch.cat([self.outputs[name], output])
        self.outputs[name] = output


class _LastPass(_Recorder):
    def keep(self, name, output):
        self.outputs[name] = output


class _FirstPass(_Recorder):
    def keep(self, name, output):
        self.outputs.setdefault(name, output)


class _ListOfPasses(_Recorder):
    def keep(self, name, output):
        self.outputs.setdefault(name, []).append(output)


class _Stacked(_Recorder):
    def keep(self, name, output):
        before = [self.outputs[name]] if name in self.outputs else []
        self.outputs[name] = torch.cat([*before, output[None]])


class _AlongChannels(_Recorder):
    def keep(self, name, output):
        if name in self.outputs:
            output = torch.cat([self.outputs[name], output], dim=1)
        self.outputs[name] = output


class _NewestFirst(_Recorder):
    def keep(self, name, output):
        if name in self.outputs:
            output = torch.cat([output, self.outputs[name]])
        self.outputs[name] = output


class _NotDetached(_Recorder):
    def hook(self, name, module, inputs, output):
        self.keep(name, output.clone())


class _NotClonedAtOnce(_Recorder):
    def hook(self, name, module, inputs, output):
        self.keep(name, output.detach())


class _Late(_Recorder):
    """Joins the passes when they are read."""

    def __enter__(self):
        self.pieces = {}
        return super().__enter__()

    @property
    def outputs(self):
        return {name: torch.cat(pieces) for name, pieces in self.pieces.items()}

    @outputs.setter
    def outputs(self, value):
        pass

    def hook(self, name, module, inputs, output):
        self.pieces.setdefault(name, []).append(output.detach())


class _NeitherNor(_Recorder):
    def hook(self, name, module, inputs, output):
        self.keep(name, output)


class _InputsKept(_Recorder):
    def hook(self, name, module, inputs, output):
        self.keep(name, inputs[0].detach().clone())


class _Arrays(_Recorder):
    def __exit__(self, kind, error, traceback):
        super().__exit__(kind, error, traceback)
        self.outputs = {name: output.numpy() for name, output in self.outputs.items()}


class _Returned(_Recorder):
    def hook(self, name, module, inputs, output):
        output = output.detach().clone()
        self.keep(name, output)
        return output


class _NeverRemoved(_Recorder):
    def __exit__(self, kind, error, traceback):
        pass


class _RemovedWithoutError(_Recorder):
    def __exit__(self, kind, error, traceback):
        if kind is None:
            super().__exit__(kind, error, traceback)


class _LastRemoved(_Recorder):
    def __exit__(self, kind, error, traceback):
        self.handles[-1].remove()


class _AllCleared(_Recorder):
    def __exit__(self, kind, error, traceback):
        for module in self.model.modules():
            module._forward_hooks.clear()


class _Swallowed(_Recorder):
    def __exit__(self, kind, error, traceback):
        super().__exit__(kind, error, traceback)
        return True


class _UnknownIgnored(_Recorder):
    def layers(self):
        return {n: m for n, m in self.model.named_modules() if n in self.layer_names}


class _OtherError(_Recorder):
    def layers(self):
        return {name: self.model.get_submodule(name) for name in self.layer_names}


class _LateLookup(_Recorder):
    def attach(self, layers):
        super().attach(layers)

    def __enter__(self):
        self.outputs = {}
        known = dict(self.model.named_modules())
        for name in self.layer_names:
            self.attach({name: known[name]})
        return self


class _ChildrenOnly(_Recorder):
    def layers(self):
        known = dict(self.model.named_children())
        return {name: known[name] for name in self.layer_names}


class _EndOfName(_Recorder):
    def layers(self):
        found = {}
        for name in self.layer_names:
            fitting = [m for n, m in self.model.named_modules() if n.endswith(name)]
            if not fitting:
                raise KeyError(name)
            found[name] = fitting[0]
        return found


class _NotEmptied(_Recorder):
    def __enter__(self):
        self.attach(self.layers())
        return self


class _LoopVariable(_Recorder):
    def attach(self, layers):
        for name, layer in layers.items():
            self.handles.append(
                layer.register_forward_hook(lambda m, i, o: self.hook(name, m, i, o))  # noqa: B023
            )

    def keep(self, name, output):
        self.outputs[name] = output


class _EvalThenTrain(_Recorder):
    def __enter__(self):
        self.model.eval()
        return super().__enter__()

    def __exit__(self, kind, error, traceback):
        super().__exit__(kind, error, traceback)
        self.model.train()


class _LeftInEval(_Recorder):
    def __enter__(self):
        self.model.eval()
        return super().__enter__()


class _NoGrad(_Recorder):
    def __enter__(self):
        self.before = torch.is_grad_enabled()
        torch.set_grad_enabled(False)
        return super().__enter__()

    def __exit__(self, kind, error, traceback):
        super().__exit__(kind, error, traceback)
        torch.set_grad_enabled(self.before)


class _GradientsCleared(_Recorder):
    def __enter__(self):
        self.model.zero_grad()
        return super().__enter__()


class _OnlyBehind(_Recorder):
    def __enter__(self):
        super().__enter__()
        self.kept = {}
        return self

    def keep(self, name, output):
        if name in self.kept:
            output = torch.cat([self.kept[name], output])
        self.kept[name] = output

    def __exit__(self, kind, error, traceback):
        super().__exit__(kind, error, traceback)
        self.outputs = self.kept


class _OnlyInside(_Recorder):
    def __exit__(self, kind, error, traceback):
        super().__exit__(kind, error, traceback)
        self.outputs = {}


class _ForwardReplaced(_Recorder):
    def attach(self, layers):
        for name, layer in layers.items():
            self.handles.append((layer, layer.forward))
            layer.forward = partial(self.run, name, layer.forward)

    def run(self, name, forward, *inputs):
        output = forward(*inputs)
        self.keep(name, output.detach().clone())
        return output

    def __exit__(self, kind, error, traceback):
        for layer, forward in reversed(self.handles):
            layer.forward = forward


class _OnTheModel(_Recorder):
    def hook(self, name, module, inputs, output):
        super().hook(name, module, inputs, output)
        module.recorded = self.outputs[name]


class _ValueErrorRaised(_Recorder):
    def layers(self):
        try:
            return super().layers()
        except KeyError:
            raise ValueError("unknown layer") from None


class _SomeUnknown(_Recorder):
    def layers(self):
        known = dict(self.model.named_modules())
        found = {name: known[name] for name in self.layer_names if name in known}
        if not found:
            raise KeyError("no layer is known")
        return found


class _Attributes(_Recorder):
    def layers(self):
        found = {}
        for name in self.layer_names:
            found[name] = self.model
            for part in name.split("."):
                if not hasattr(found[name], part):
                    raise KeyError(name)
                found[name] = getattr(found[name], part)
        return found


class _Twice(_Recorder):
    def attach(self, layers):
        super().attach(layers)
        super().attach(layers)


class _EvalInside(_Recorder):
    def __enter__(self):
        self.modes = [(module, module.training) for module in self.model.modules()]
        self.model.eval()
        return super().__enter__()

    def __exit__(self, kind, error, traceback):
        super().__exit__(kind, error, traceback)
        for module, training in self.modes:
            module.training = training


class _Float32(_Recorder):
    def keep(self, name, output):
        super().keep(name, output.float())


class _Flattened(_Recorder):
    def keep(self, name, output):
        super().keep(name, output.flatten(1))


class _OneImage(_Recorder):
    def keep(self, name, output):
        super().keep(name, output[:1])


class _GraphKept(_Late):
    @property
    def outputs(self):
        return {name: torch.cat(pieces).detach() for name, pieces in self.pieces.items()}

    @outputs.setter
    def outputs(self, value):
        pass

    def hook(self, name, module, inputs, output):
        self.pieces.setdefault(name, []).append(output.clone())


RECORDER_MISCONCEPTIONS = (
    Misconception(
        "detached-too-late",
        _GraphKept,
        "Between pass and reading you hold on to the model's graphs: what you keep is detached "
        "only when it is read.",
        DETACH,
    ),
    Misconception(
        "value-error",
        _ValueErrorRaised,
        "A name that the model does not have raises ValueError. It has to be KeyError.",
        NAMES,
    ),
    Misconception(
        "unknown-among-known-ignored",
        _SomeUnknown,
        "A name that the model does not have is passed over if another one is known. Each of them "
        "has to be a layer.",
        NAMES,
    ),
    Misconception(
        "attributes-taken-for-layers",
        _Attributes,
        "The name of a parameter or a method is taken for a layer, and fails later. Only modules "
        "are layers; other names raise KeyError.",
        NAMES,
    ),
    Misconception(
        "recorded-twice",
        _Twice,
        "Every pass is recorded twice: two registrations make two calls.",
        STAY,
    ),
    Misconception(
        "eval-inside",
        _EvalInside,
        "Inside your block the model is in eval mode, so a pass is recorded that the caller did "
        "not ask for.",
        MODE,
    ),
    Misconception(
        "always-float32",
        _Float32,
        "What a float64 model gives is float32 in your outputs. A record keeps the dtype.",
        CLONE,
    ),
    Misconception(
        "flattened",
        _Flattened,
        "Feature maps are flattened in your outputs. A record keeps the shape that the layer "
        "gives.",
        CONCATENATE,
    ),
    Misconception(
        "one-image-a-pass",
        _OneImage,
        "Only the first image of each pass is in your outputs. All of them are kept.",
        CONCATENATE,
    ),
    Misconception(
        "last-pass-only",
        _LastPass,
        "Only the last pass of the block is in your outputs. All passes are kept, one behind the "
        "other along the batch.",
        CONCATENATE,
    ),
    Misconception(
        "first-pass-only",
        _FirstPass,
        "Only the first pass of the block is in your outputs. All passes are kept, one behind the "
        "other along the batch.",
        CONCATENATE,
    ),
    Misconception(
        "list-of-passes",
        _ListOfPasses,
        "Your outputs hold a list of tensors for each layer. They hold one tensor, with the "
        "passes one behind the other along the batch.",
        CONCATENATE,
    ),
    Misconception(
        "stacked",
        _Stacked,
        "Your outputs have one axis too many: each pass became an entry of a new axis. Passes are "
        "joined along the axis that they have, the batch.",
        CONCATENATE,
    ),
    Misconception(
        "joined-along-channels",
        _AlongChannels,
        "Your passes are joined along axis 1, the channels or features. More images make more "
        "rows: the batch is axis 0.",
        CONCATENATE,
    ),
    Misconception(
        "newest-first",
        _NewestFirst,
        "Your outputs begin with the latest pass. They stand in the order in which they ran.",
        CONCATENATE,
    ),
    Misconception(
        "not-detached",
        _NotDetached,
        "What you recorded still requires a gradient, so it holds on to the graph of its pass.",
        DETACH,
    ),
    Misconception(
        "first-pass-not-copied",
        _NotClonedAtOnce,
        "A pass that stands alone shares its memory with the model, and whoever writes there "
        "writes into your record. Only joining makes a copy, and the first pass has nothing to be "
        "joined to.",
        CLONE,
    ),
    Misconception(
        "copied-too-late",
        _Late,
        "What you keep shares its memory with the model until it is read, and by then an in-place "
        "layer or the caller has written there. A copy must be made while the hook runs.",
        CLONE,
    ),
    Misconception(
        "neither-detached-nor-copied",
        _NeitherNor,
        "You keep the model's own tensor: it requires a gradient, and whoever writes into it "
        "writes into your record.",
        CLONE,
    ),
    Misconception(
        "inputs-recorded",
        _InputsKept,
        "Your outputs hold what each layer was given, not what it gave.",
        NAMES,
    ),
    Misconception(
        "arrays",
        _Arrays,
        "After the block your outputs are NumPy arrays. They stay tensors, inside and after it.",
        DETACH,
    ),
    Misconception(
        "record-returned",
        _Returned,
        "With your recorder on, no gradient passes the recorded layers: what your hook returns "
        "takes the place of the layer's output, and it has no history.",
        GRADIENTS_THROUGH,
    ),
    Misconception(
        "never-removed",
        _NeverRemoved,
        "Your hooks are still on the model after the block, and go on recording. A hook stays "
        "until its handle is removed.",
        STAY,
    ),
    Misconception(
        "left-after-error",
        _RemovedWithoutError,
        "After an error in the block your hooks are still on the model. They have to go however "
        "the block ends.",
        AFTER_ERROR,
    ),
    Misconception(
        "one-hook-removed",
        _LastRemoved,
        "Only the last of your hooks is removed when the block ends. Each registration has a "
        "handle of its own.",
        STAY,
    ),
    Misconception(
        "all-hooks-removed",
        _AllCleared,
        "Hooks that the caller or another recorder had on the model are gone after your block. "
        "Only your own are yours to remove.",
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
        "unknown-name-ignored",
        _UnknownIgnored,
        "A name that the model does not have is passed over in silence. It has to raise KeyError, "
        "at the latest when the block is entered.",
        NAMES,
    ),
    Misconception(
        "other-error",
        _OtherError,
        "A name that the model does not have raises AttributeError, as `get_submodule` does. It "
        "has to be KeyError.",
        NAMES,
    ),
    Misconception(
        "hooks-left-by-unknown-name",
        _LateLookup,
        "KeyError comes when hooks are already on the model, and they stay there: a block that "
        "was not entered is not exited.",
        NAMES,
    ),
    Misconception(
        "children-only",
        _ChildrenOnly,
        "Layers inside a block are not found. A name may be a path of several modules, joined by "
        "dots.",
        NAMES,
    ),
    Misconception(
        "end-of-name",
        _EndOfName,
        "A name that is only the end of a layer's path is taken for it, so that an unknown name "
        "is accepted. The whole path is the name.",
        NAMES,
    ),
    Misconception(
        "not-emptied",
        _NotEmptied,
        "When your recorder is entered again, the outputs of the earlier block are still there. "
        "Every block starts empty.",
        AGAIN,
    ),
    Misconception(
        "loop-variable",
        _LoopVariable,
        "Everything is recorded under the last name. A function made in a loop keeps the variable, "
        "not the value that it had.",
        LOOP,
    ),
    Misconception(
        "eval-then-train",
        _EvalThenTrain,
        "Your block runs the model in eval mode and leaves all of it in train mode. A recorder "
        "looks on; the mode is the caller's.",
        MODE,
    ),
    Misconception(
        "left-in-eval",
        _LeftInEval,
        "Your recorder puts the model in eval mode. A recorder looks on; the mode is the caller's.",
        MODE,
    ),
    Misconception(
        "no-grad",
        _NoGrad,
        "Inside your block gradients are switched off, so the caller cannot train while recording.",
        GRADIENTS_THROUGH,
    ),
    Misconception(
        "gradients-cleared",
        _GradientsCleared,
        "The gradients that the parameters had before the block are gone. Recording a forward "
        "pass changes none.",
        GRADIENTS_THROUGH,
    ),
    Misconception(
        "only-after-the-block",
        _OnlyBehind,
        "Inside the block your outputs are still empty. They can be read there too, after any "
        "pass.",
        CONCATENATE,
    ),
    Misconception(
        "only-inside-the-block",
        _OnlyInside,
        "After the block your outputs are gone. They stay readable until the recorder is entered "
        "again.",
        AGAIN,
    ),
    Misconception(
        "forward-replaced",
        _ForwardReplaced,
        "You put functions of yours in the place of `forward`, and the model is another one "
        "afterwards. A hook leaves the layer as it is.",
        REPLACED,
    ),
    Misconception(
        "stored-on-the-model",
        _OnTheModel,
        "Your recorder leaves attributes on the model's layers. What is recorded belongs to the "
        "recorder.",
        STAY,
    ),
)


# --- feature_stats ----------------------------------------------------------------------------


def _stats(mean=None, std=None, zeros=None, dead=None):
    """Return an answer that is right but for the statistics given."""

    def zero_everywhere(output):
        return int((output == 0).transpose(0, 1).flatten(1).all(dim=1).sum())

    def answer(outputs):
        return {
            name: {
                "mean": (mean or (lambda o: o.mean().item()))(output),
                "std": (std or (lambda o: o.std(correction=0).item()))(output),
                "frac_zero": (zeros or (lambda o: (o == 0).double().mean().item()))(output),
                "dead_channels": (dead or zero_everywhere)(output),
            }
            for name, output in outputs.items()
        }

    return answer


def _others(output):
    return [0, *range(2, output.dim())]


def _silent(output):
    return (output == 0).flatten(2).all(dim=2) if output.dim() > 2 else output == 0


def _only_maps(output):
    dead = (output == 0).transpose(0, 1).flatten(1).all(dim=1)
    return int(dead.sum()) if output.dim() == 4 else 0


def _last_layer_only(outputs):
    name = list(outputs)[-1]
    return _stats()({name: outputs[name]})


def _as_tensors(outputs):
    return {
        name: {key: torch.tensor(value) for key, value in stats.items()}
        for name, stats in _stats()(outputs).items()
    }


def _statistics_first(outputs):
    stats = _stats()(outputs)
    keys = ("mean", "std", "frac_zero", "dead_channels")
    return {key: {name: one[key] for name, one in stats.items()} for key in keys}


STATS_MISCONCEPTIONS = (
    Misconception(
        "sum-for-mean",
        _stats(mean=lambda o: o.sum().item()),
        "Your mean is a sum. It is divided by the number of elements.",
        ALL_ELEMENTS,
    ),
    Misconception(
        "mean-deviation",
        _stats(std=lambda o: (o - o.mean()).abs().mean().item()),
        "Your spread is the mean of the deviations' sizes. The standard deviation takes squares, "
        "their mean, and its root.",
        POPULATION,
    ),
    Misconception(
        "dead-places",
        _stats(dead=lambda o: int((o == 0).all(dim=0).sum())),
        "You count single places that are zero in all images. A channel is dead with all its "
        "places.",
        DEAD_CHANNEL,
    ),
    Misconception(
        "statistics-first",
        _statistics_first,
        "Your result has the statistics outside and the layers inside. It is the other way round.",
        ALL_ELEMENTS,
    ),
    Misconception(
        "sample-std",
        _stats(std=lambda o: o.std().item()),
        "Your spread divides the sum of squares by n - 1. The elements are all there is, so it is "
        "divided by n.",
        POPULATION,
    ),
    Misconception(
        "variance",
        _stats(std=lambda o: o.var(correction=0).item()),
        "Your spread is the variance. The standard deviation is its root.",
        POPULATION,
    ),
    Misconception(
        "mean-of-channel-spreads",
        _stats(std=lambda o: o.std(dim=_others(o), correction=0).mean().item()),
        "Your spread is the mean of the channels' spreads, which knows nothing of the differences "
        "between channels. It is taken over all elements.",
        ALL_ELEMENTS,
    ),
    Misconception(
        "spread-around-zero",
        _stats(std=lambda o: o.square().mean().sqrt().item()),
        "Your spread is measured from 0. It is measured from the mean.",
        POPULATION,
    ),
    Misconception(
        "mean-of-sizes",
        _stats(mean=lambda o: o.abs().mean().item()),
        "Your mean takes every element without its sign.",
        ALL_ELEMENTS,
    ),
    Misconception(
        "mean-of-the-living",
        _stats(mean=lambda o: o[o != 0].mean().nan_to_num().item()),
        "Your mean leaves the zeros out. It is over all elements.",
        ALL_ELEMENTS,
    ),
    Misconception(
        "first-image-only",
        lambda outputs: _stats()({name: output[:1] for name, output in outputs.items()}),
        "Your statistics are those of the first image. They are over the whole batch.",
        ALL_ELEMENTS,
    ),
    Misconception(
        "zeros-counted",
        _stats(zeros=lambda o: int((o == 0).sum())),
        "Your frac_zero is a number of elements. It is a fraction of all of them, from 0 to 1.",
        ALL_ELEMENTS,
    ),
    Misconception(
        "percent",
        _stats(zeros=lambda o: 100 * (o == 0).double().mean().item()),
        "Your frac_zero is in percent. It is a fraction, from 0 to 1.",
        ALL_ELEMENTS,
    ),
    Misconception(
        "fraction-not-zero",
        _stats(zeros=lambda o: (o != 0).double().mean().item()),
        "Your frac_zero is the share of the elements that are not zero.",
        ALL_ELEMENTS,
    ),
    Misconception(
        "not-positive",
        _stats(zeros=lambda o: (o <= 0).double().mean().item()),
        "Your frac_zero counts negative elements as well. Only exact zeros count.",
        ALL_ELEMENTS,
    ),
    Misconception(
        "threshold",
        _stats(zeros=lambda o: (o.abs() < 1e-6).double().mean().item()),
        "Your frac_zero counts small elements as zeros. Only exact zeros count.",
        ALL_ELEMENTS,
    ),
    Misconception(
        "dead-per-image",
        _stats(dead=lambda o: int(_silent(o).sum())),
        "You count a channel once for every image in which it is silent. A channel is dead, or "
        "not, for the whole batch.",
        DEAD_CHANNEL,
    ),
    Misconception(
        "dead-in-some-image",
        _stats(dead=lambda o: int(_silent(o).any(dim=0).sum())),
        "You count channels that are silent in at least one image. A dead channel is silent in "
        "all of them.",
        DEAD_CHANNEL,
    ),
    Misconception(
        "dead-by-sum",
        _stats(dead=lambda o: int((o.sum(dim=_others(o)) == 0).sum())),
        "You count channels whose elements add up to zero. Positive and negative ones can cancel; "
        "a dead channel is zero in every element.",
        DEAD_CHANNEL,
    ),
    Misconception(
        "dead-by-maximum",
        _stats(dead=lambda o: int((o.amax(dim=_others(o)) <= 0).sum())),
        "You count channels without a positive element. A channel of negative numbers is not zero.",
        DEAD_CHANNEL,
    ),
    Misconception(
        "dead-images",
        _stats(dead=lambda o: int((o == 0).flatten(1).all(dim=1).sum())),
        "You count images that are zero in every channel. Channels are on axis 1.",
        DEAD_CHANNEL,
    ),
    Misconception(
        "living-channels",
        _stats(dead=lambda o: int((o != 0).transpose(0, 1).flatten(1).any(dim=1).sum())),
        "You count the channels that are alive.",
        DEAD_CHANNEL,
    ),
    Misconception(
        "dead-fraction",
        _stats(
            dead=lambda o: (o == 0).transpose(0, 1).flatten(1).all(dim=1).double().mean().item()
        ),
        "Your dead_channels is a share of the channels. It is their number.",
        DEAD_CHANNEL,
    ),
    Misconception(
        "maps-only",
        _stats(dead=_only_maps),
        "For a layer of shape (N, F) you find no dead channel. Its F features are its channels.",
        DEAD_CHANNEL,
    ),
    Misconception(
        "one-layer-only",
        _last_layer_only,
        "Your result holds only one of the layers.",
        ALL_ELEMENTS,
    ),
    Misconception(
        "tensors",
        _as_tensors,
        "Your statistics are tensors. Each is one Python number.",
        ALL_ELEMENTS,
    ),
)
