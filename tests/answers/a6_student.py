"""Mistakes that students make in assignment 6, written from its prompts alone."""

import torch
import torch.nn.functional as F
from torch import nn


class Recorder:
    """A right recorder, with steps that a wrong one replaces."""

    def __init__(self, model, layer_names):
        self.model, self.layer_names = model, list(layer_names)
        self.handles, self.outputs = [], {}

    def keep(self, output):
        return output.detach().clone()

    def add(self, name, kept):
        before = [self.outputs[name]] if name in self.outputs else []
        self.outputs[name] = torch.cat([*before, kept])

    def find(self):
        known = dict(self.model.named_modules())
        return {name: known[name] for name in self.layer_names}

    def start(self):
        self.outputs = {}

    def hook(self, name, layer):
        return layer.register_forward_hook(
            lambda module, inputs, output: self.add(name, self.keep(output))
        )

    def __enter__(self):
        layers = self.find()
        self.start()
        for name, layer in layers.items():
            self.handles.append(self.hook(name, layer))
        return self

    def __exit__(self, error_type, error, traceback):
        for handle in self.handles:
            handle.remove()
        self.handles.clear()


class KeepsLastPass(Recorder):
    def add(self, name, kept):
        self.outputs[name] = kept


class KeepsGraph(Recorder):
    def keep(self, output):
        return output.clone()


class KeepsView(Recorder):
    def add(self, name, kept):
        if name in self.outputs:
            kept = torch.cat([self.outputs[name], kept])
        self.outputs[name] = kept

    def keep(self, output):
        return output.detach()


class KeepsOutput(Recorder):
    def keep(self, output):
        return output


class KeepsLists(Recorder):
    def add(self, name, kept):
        self.outputs.setdefault(name, []).append(kept)


class Stacks(Recorder):
    def add(self, name, kept):
        before = self.outputs.get(name)
        self.outputs[name] = kept if before is None else torch.cat([before, kept], 1)


class NeverRemoves(Recorder):
    def __exit__(self, error_type, error, traceback):
        pass


class RemovesWithoutError(Recorder):
    def __exit__(self, error_type, error, traceback):
        if error_type is None:
            super().__exit__(error_type, error, traceback)


class SwallowsErrors(Recorder):
    def __exit__(self, error_type, error, traceback):
        super().__exit__(error_type, error, traceback)
        return True


class RemovesAll(Recorder):
    def __exit__(self, error_type, error, traceback):
        for module in self.model.modules():
            module._forward_hooks.clear()


class StartsFull(Recorder):
    def start(self):
        pass


class HooksAtOnce(Recorder):
    def __init__(self, model, layer_names):
        super().__init__(model, layer_names)
        for name, layer in self.find().items():
            self.handles.append(self.hook(name, layer))

    def __enter__(self):
        return self


class IgnoresUnknown(Recorder):
    def find(self):
        known = dict(self.model.named_modules())
        return {name: known[name] for name in self.layer_names if name in known}


class ChildrenOnly(Recorder):
    def find(self):
        known = dict(self.model.named_children())
        return {name: known[name] for name in self.layer_names}


class LateName(Recorder):
    def __enter__(self):
        self.start()
        for name, layer in self.find().items():
            self.handles.append(
                layer.register_forward_hook(lambda m, i, o: self.add(name, self.keep(o)))  # noqa: B023
            )
        return self


class HooksOneByOne(Recorder):
    def __enter__(self):
        self.start()
        known = dict(self.model.named_modules())
        for name in self.layer_names:
            self.handles.append(self.hook(name, known[name]))
        return self


class Evaluates(Recorder):
    def __enter__(self):
        self.model.eval()
        return super().__enter__()


class ReturnsNothing(Recorder):
    def __enter__(self):
        super().__enter__()


class KeepsInputs(Recorder):
    def hook(self, name, layer):
        return layer.register_forward_hook(
            lambda module, inputs, output: self.add(name, self.keep(inputs[0]))
        )


class ReplacesOutput(Recorder):
    def hook(self, name, layer):
        def store(module, inputs, output):
            self.add(name, self.keep(output))
            return self.outputs[name]

        return layer.register_forward_hook(store)


class StopsGradients(Recorder):
    def hook(self, name, layer):
        def store(module, inputs, output):
            self.add(name, self.keep(output))
            return output.detach()

        return layer.register_forward_hook(store)


class ForgetsAtTheEnd(Recorder):
    def __exit__(self, error_type, error, traceback):
        super().__exit__(error_type, error, traceback)
        self.outputs = {}


class RaisesAttributeError(Recorder):
    def find(self):
        return {name: self.model.get_submodule(name) for name in self.layer_names}


class Averages(Recorder):
    def keep(self, output):
        return output.detach().mean(0, keepdim=True)


RECORDER = {
    "keeps the last pass": KeepsLastPass,
    "keeps the graph": KeepsGraph,
    "does not copy": KeepsView,
    "keeps the output itself": KeepsOutput,
    "keeps lists": KeepsLists,
    "joins along the channels": Stacks,
    "never removes": NeverRemoves,
    "removes unless there is an error": RemovesWithoutError,
    "swallows errors": SwallowsErrors,
    "removes all hooks": RemovesAll,
    "starts with what it had": StartsFull,
    "hooks in the constructor": HooksAtOnce,
    "ignores unknown names": IgnoresUnknown,
    "knows children only": ChildrenOnly,
    "late binding": LateName,
    "hooks before it knows all names": HooksOneByOne,
    "sets eval mode": Evaluates,
    "enter gives nothing": ReturnsNothing,
    "keeps inputs": KeepsInputs,
    "replaces the output": ReplacesOutput,
    "stops gradients": StopsGradients,
    "forgets at the end": ForgetsAtTheEnd,
    "raises AttributeError": RaisesAttributeError,
    "averages the batch": Averages,
}


def stats(outputs, **other):
    found = {}
    for name, output in outputs.items():
        zero = output == 0
        row = {
            "mean": output.mean().item(),
            "std": output.std(correction=0).item(),
            "frac_zero": zero.double().mean().item(),
            "dead_channels": zero.transpose(0, 1).flatten(1).all(1).sum().item(),
        }
        row.update({key: change(output, row) for key, change in other.items()})
        found[name] = row
    return found


def stat(**other):
    return lambda outputs: stats(outputs, **other)


STATS = {
    "std of a sample": stat(std=lambda o, row: o.std().item()),
    "variance": stat(std=lambda o, row: o.var(correction=0).item()),
    "std of means": stat(std=lambda o, row: o.flatten(1).mean(1).std(correction=0).item()),
    "counts zeros": stat(frac_zero=lambda o, row: (o == 0).sum().item()),
    "percent": stat(frac_zero=lambda o, row: 100 * row["frac_zero"]),
    "counts what is not positive": stat(frac_zero=lambda o, row: (o <= 0).double().mean().item()),
    "fraction of others": stat(frac_zero=lambda o, row: 1 - row["frac_zero"]),
    "almost zero": stat(frac_zero=lambda o, row: (o.abs() < 0.1).double().mean().item()),
    "dead in some image": stat(
        dead_channels=lambda o, row: (
            (o == 0).flatten(2).all(2).any(0).sum().item()
            if o.dim() > 2
            else (o == 0).any(0).sum().item()
        )
    ),
    "channels of the first image": stat(
        dead_channels=lambda o, row: (
            (o[0] == 0).flatten(1).all(1).sum().item() if o.dim() > 2 else (o[0] == 0).sum().item()
        )
    ),
    "dead images": stat(dead_channels=lambda o, row: (o == 0).flatten(1).all(1).sum().item()),
    "sum is zero": stat(
        dead_channels=lambda o, row: (o.transpose(0, 1).flatten(1).sum(1) == 0).sum().item()
    ),
    "only four axes": stat(
        dead_channels=lambda o, row: (o == 0).all(0).all(-1).all(-1).sum().item()
    ),
    "share of dead channels": stat(dead_channels=lambda o, row: row["dead_channels"] / o.shape[1]),
    "tensors": stat(mean=lambda o, row: o.mean()),
    "mean of non-zeros": stat(mean=lambda o, row: o[o != 0].mean().item()),
    "mean of sizes": stat(mean=lambda o, row: o.abs().mean().item()),
    "per channel": stat(mean=lambda o, row: o.transpose(0, 1).flatten(1).mean(1).tolist()),
    "forgets a key": lambda outputs: {
        name: {key: row[key] for key in ("mean", "std", "frac_zero")}
        for name, row in stats(outputs).items()
    },
    "a list": lambda outputs: list(stats(outputs).values()),
    "the last layer": lambda outputs: list(stats(outputs).values())[-1],
}


class Monitor:
    """A right monitor, with steps that a wrong one replaces."""

    def __init__(self, model):
        self.model, self.norms, self.handles = model, {}, []

    def size(self, gradient):
        return gradient.norm().item()

    def note(self, name, gradient):
        self.norms[name].append(self.size(gradient))

    def parameters(self):
        return self.model.named_parameters()

    def __enter__(self):
        for name, parameter in self.parameters():
            self.norms[name] = []
            if parameter.requires_grad:
                self.handles.append(
                    parameter.register_hook(lambda gradient, name=name: self.note(name, gradient))
                )
        return self

    def __exit__(self, error_type, error, traceback):
        for handle in self.handles:
            handle.remove()
        self.handles.clear()


class KeepsLastNorm(Monitor):
    def note(self, name, gradient):
        self.norms[name] = [self.size(gradient)]


class KeepsANumber(Monitor):
    def note(self, name, gradient):
        self.norms[name] = self.size(gradient)


class ReadsGradAtTheEnd(Monitor):
    def __enter__(self):
        return self

    def __exit__(self, error_type, error, traceback):
        for name, parameter in self.model.named_parameters():
            if parameter.grad is not None:
                self.norms[name] = [parameter.grad.norm().item()]


class ReadsHeldGradient(Monitor):
    def __enter__(self):
        for name, parameter in self.model.named_parameters():
            self.norms[name] = []
            if parameter.requires_grad:
                self.handles.append(
                    parameter.register_post_accumulate_grad_hook(
                        lambda p, name=name: self.norms[name].append(p.grad.norm().item())
                    )
                )
        return self


class NotesOneNorm(Monitor):
    def size(self, gradient):
        return gradient.abs().sum().item()


class NotesLargest(Monitor):
    def size(self, gradient):
        return gradient.abs().max().item()


class NotesSquares(Monitor):
    def size(self, gradient):
        return (gradient**2).sum().item()


class NotesMean(Monitor):
    def size(self, gradient):
        return gradient.abs().mean().item()


class NotesRootMeanSquare(Monitor):
    def size(self, gradient):
        return (gradient**2).mean().sqrt().item()


class NotesTensor(Monitor):
    def size(self, gradient):
        return gradient.norm()


class LeavesHooks(Monitor):
    def __exit__(self, error_type, error, traceback):
        pass


class LeavesHooksAfterErrors(Monitor):
    def __exit__(self, error_type, error, traceback):
        if error is None:
            super().__exit__(error_type, error, traceback)


class SwallowsMonitorErrors(Monitor):
    def __exit__(self, error_type, error, traceback):
        super().__exit__(error_type, error, traceback)
        return True


class ScalesGradients(Monitor):
    def __enter__(self):
        for name, parameter in self.model.named_parameters():
            self.norms[name] = []
            if parameter.requires_grad:

                def note(gradient, name=name):
                    self.norms[name].append(gradient.norm().item())
                    return gradient / gradient.norm()

                self.handles.append(parameter.register_hook(note))
        return self


class ZeroesFirst(Monitor):
    def __enter__(self):
        self.model.zero_grad()
        return super().__enter__()


class HooksFrozen(Monitor):
    def __enter__(self):
        for name, parameter in self.model.named_parameters():
            self.norms[name] = []
            self.handles.append(
                parameter.register_hook(lambda gradient, name=name: self.note(name, gradient))
            )
        return self


class Unfreezes(Monitor):
    def __enter__(self):
        for parameter in self.model.parameters():
            parameter.requires_grad_(True)
        return super().__enter__()


class LateMonitor(Monitor):
    def __enter__(self):
        for name, parameter in self.model.named_parameters():
            self.norms[name] = []
            if parameter.requires_grad:
                self.handles.append(
                    parameter.register_hook(lambda gradient: self.note(name, gradient))  # noqa: B023
                )
        return self


class WeightsOnly(Monitor):
    def parameters(self):
        return [(n, p) for n, p in self.model.named_parameters() if n.endswith("weight")]


class ByModule(Monitor):
    def note(self, name, gradient):
        self.norms.setdefault(name.rpartition(".")[0], []).append(self.size(gradient))


class HooksLayers(Monitor):
    def __enter__(self):
        for name, module in self.model.named_modules():
            if not list(module.children()):
                self.norms[name] = []
                self.handles.append(
                    module.register_full_backward_hook(
                        lambda m, i, o, name=name: self.norms[name].append(o[0].norm().item())
                    )
                )
        return self


MONITOR = {
    "keeps the last": KeepsLastNorm,
    "keeps a number": KeepsANumber,
    "reads grad at the end": ReadsGradAtTheEnd,
    "reads what is held": ReadsHeldGradient,
    "L1": NotesOneNorm,
    "largest": NotesLargest,
    "squares": NotesSquares,
    "mean": NotesMean,
    "root mean square": NotesRootMeanSquare,
    "tensors": NotesTensor,
    "leaves hooks": LeavesHooks,
    "leaves hooks after errors": LeavesHooksAfterErrors,
    "swallows errors": SwallowsMonitorErrors,
    "scales gradients": ScalesGradients,
    "clears gradients": ZeroesFirst,
    "hooks frozen parameters": HooksFrozen,
    "unfreezes": Unfreezes,
    "late binding": LateMonitor,
    "weights only": WeightsOnly,
    "by module": ByModule,
    "hooks layers": HooksLayers,
}


def dead(
    model,
    x,
    *,
    kinds=(nn.ReLU,),
    evaluates=True,
    restores="modes",
    test=lambda output: not output.any(),
    named=lambda model: model.named_modules(),
    removes=True,
    grad=False,
):
    modes = [(module, module.training) for module in model.modules()]
    found, handles = {}, []
    for name, module in named(model):
        if isinstance(module, kinds):
            handles.append(
                module.register_forward_hook(
                    lambda m, i, o, name=name: found.__setitem__(name, bool(test(o)))
                )
            )
    if evaluates:
        model.eval()
    with torch.set_grad_enabled(grad):
        model(x)
    if removes:
        for handle in handles:
            handle.remove()
    if restores == "modes":
        for module, training in modes:
            module.training = training
    elif restores == "train":
        model.train()
    elif restores == "root":
        model.train(modes[0][1])
    order = [name for name, module in named(model) if name in found]
    return [name for name in order if found[name]]


def deads(then=lambda names, model: names, **other):
    return lambda model, x: then(dead(model, x, **other), model)


DEAD = {
    "all layers": deads(kinds=(nn.Module,)),
    "leaves hooks": deads(removes=False),
    "in train mode": deads(evaluates=False),
    "stays in eval mode": deads(restores=""),
    "ends in train mode": deads(restores="train"),
    "restores the root only": deads(restores="root"),
    "some zeros": deads(test=lambda output: (output == 0).any()),
    "mostly zeros": deads(test=lambda output: (output == 0).float().mean() > 0.5),
    "one image dead": deads(test=lambda output: (output.flatten(1) == 0).all(1).any()),
    "first image only": deads(test=lambda output: not output[0].any()),
    "some channel dead": deads(
        test=lambda output: (output.transpose(0, 1).flatten(1) == 0).all(1).any()
    ),
    "children only": deads(named=lambda model: model.named_children()),
    "a count": deads(lambda names, model: len(names)),
    "modules": deads(lambda names, model: [model.get_submodule(name) for name in names]),
    "sorted": deads(lambda names, model: sorted(names, reverse=True)),
    "those that live": deads(
        lambda names, model: [
            name
            for name, module in model.named_modules()
            if isinstance(module, nn.ReLU) and name not in names
        ]
    ),
    "a set": deads(lambda names, model: set(names)),
    "other rectifiers too": deads(kinds=(nn.ReLU, nn.LeakyReLU, nn.ReLU6, nn.GELU)),
    "negative inputs counted": deads(test=lambda output: output.sum() <= 0.01),
}


def ratios(
    model,
    lr,
    *,
    ratio=lambda lr, gradient, parameter: (
        lr * gradient.norm().item() / parameter.norm().item()
        if parameter.norm().item()
        else float("inf")
    ),
    name_of=lambda name: name,
    without=None,
):
    found = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is None:
            if without is not None:
                found[name] = without
            continue
        found[name_of(name)] = ratio(lr, parameter.grad, parameter.detach())
    return found


def ratio(**other):
    return lambda model, lr: ratios(model, lr, **other)


def safe(value, length):
    return value / length if length else float("inf")


RATIOS = {
    "without the rate": ratio(ratio=lambda lr, g, p: safe(g.norm().item(), p.norm().item())),
    "turned over": ratio(ratio=lambda lr, g, p: safe(p.norm().item(), lr * g.norm().item())),
    "squares": ratio(ratio=lambda lr, g, p: safe(lr * (g**2).sum().item(), (p**2).sum().item())),
    "L1": ratio(ratio=lambda lr, g, p: safe(lr * g.abs().sum().item(), p.abs().sum().item())),
    "means of sizes": ratio(
        ratio=lambda lr, g, p: safe(lr * g.abs().mean().item(), p.abs().mean().item())
    ),
    "largest": ratio(ratio=lambda lr, g, p: safe(lr * g.abs().max().item(), p.abs().max().item())),
    "mean of ratios": ratio(ratio=lambda lr, g, p: (lr * g / p).abs().mean().item()),
    "norm of ratios": ratio(ratio=lambda lr, g, p: (lr * g / p).norm().item()),
    "adds a little": ratio(ratio=lambda lr, g, p: lr * g.norm().item() / (p.norm().item() + 1e-8)),
    "0 for norm 0": ratio(
        ratio=lambda lr, g, p: lr * g.norm().item() / p.norm().item() if p.norm() else 0.0
    ),
    "nan for norm 0": ratio(ratio=lambda lr, g, p: (lr * g.norm() / p.norm()).item()),
    "divides without looking": ratio(ratio=lambda lr, g, p: lr * g.norm().item() / p.norm().item()),
    "0 without gradient": ratio(without=0.0),
    "nan without gradient": ratio(without=float("nan")),
    "divided by the new length": ratio(
        ratio=lambda lr, g, p: safe(lr * g.norm().item(), (p - lr * g).norm().item())
    ),
    "percent": ratio(ratio=lambda lr, g, p: 100 * safe(lr * g.norm().item(), p.norm().item())),
    "by module": ratio(name_of=lambda name: name.rpartition(".")[0]),
    "tensors": ratio(ratio=lambda lr, g, p: lr * g.norm() / p.norm()),
    "a list": lambda model, lr: list(ratios(model, lr).values()),
    "only weights": lambda model, lr: {
        name: value for name, value in ratios(model, lr).items() if name.endswith("weight")
    },
    "skips frozen": lambda model, lr: {
        name: value
        for name, value in ratios(model, lr).items()
        if dict(model.named_parameters())[name].requires_grad
    },
    "the rate divides": ratio(ratio=lambda lr, g, p: safe(g.norm().item(), lr * p.norm().item())),
}


def frozen(
    model,
    prefixes,
    *,
    matches=lambda name, prefix: f"{name.rpartition('.')[0]}.".startswith(f"{prefix}."),
    refuses=True,
    others=None,
    counts=lambda matching, model: sum(p.numel() for p in matching.values()),
    value=False,
):
    matching = {}
    for prefix in prefixes:
        found = {n: p for n, p in model.named_parameters() if matches(n, prefix)}
        if refuses and not found:
            raise ValueError(prefix)
        matching.update(found)
    result = counts(matching, model)
    for name, parameter in model.named_parameters():
        if name in matching:
            parameter.requires_grad_(value)
        elif others is not None:
            parameter.requires_grad_(others)
    return result


def freezes(**other):
    return lambda model, prefixes: frozen(model, prefixes, **other)


def freeze_adding(model, prefixes):
    return sum(frozen(model, [prefix]) for prefix in prefixes)


FREEZE = {
    "any beginning": freezes(matches=lambda name, prefix: name.startswith(prefix)),
    "exact names only": freezes(matches=lambda name, prefix: name.rpartition(".")[0] == prefix),
    "anywhere in the name": freezes(matches=lambda name, prefix: prefix in name),
    "first part only": freezes(matches=lambda name, prefix: name.split(".")[0] == prefix),
    "names of parameters too": freezes(
        matches=lambda name, prefix: f"{name}.".startswith(f"{prefix}.")
    ),
    "refuses nothing": freezes(refuses=False),
    "frees the others": freezes(others=True),
    "freezes the others": freezes(others=False, value=True),
    "counts tensors": freezes(counts=lambda matching, model: len(matching)),
    "counts new ones only": freezes(
        counts=lambda matching, model: sum(p.numel() for p in matching.values() if p.requires_grad)
    ),
    "counts all that is frozen": lambda model, prefixes: (
        frozen(model, prefixes),
        sum(p.numel() for p in model.parameters() if not p.requires_grad),
    )[1],
    "counts what is left": freezes(
        counts=lambda matching, model: (
            sum(p.numel() for p in model.parameters()) - sum(p.numel() for p in matching.values())
        )
    ),
    "counts twice": freeze_adding,
    "does not freeze": freezes(value=True),
    "gives the names": freezes(counts=lambda matching, model: list(matching)),
    "gives nothing": freezes(counts=lambda matching, model: None),
    "a tensor": freezes(
        counts=lambda matching, model: torch.tensor(sum(p.numel() for p in matching.values()))
    ),
    "weights only": freezes(
        matches=lambda name, prefix: (
            f"{name.rpartition('.')[0]}.".startswith(f"{prefix}.") and name.endswith("weight")
        )
    ),
}


def tune(
    model,
    new_head,
    train_loader,
    epochs,
    lr,
    *,
    mode="train",
    norms=True,
    replace=lambda model, head: model.__setitem__(-1, head),
    clears=True,
    momentum=0.0,
    params=lambda model: [p for p in model.parameters() if p.requires_grad],
    weigh=len,
    mean=lambda total, n, batches: total / n,
    keeps=lambda losses: losses,
    optimizer=torch.optim.SGD,
    after=False,
    loss_of=F.cross_entropy,
):
    replace(model, new_head)
    model.train(mode == "train")
    if norms:
        for module in model.modules():
            own = list(module.parameters())
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and own:
                module.train(any(p.requires_grad for p in own))
    chosen = params(model)
    extra = {"momentum": momentum} if momentum else {}
    sgd = optimizer(chosen, lr=lr, **extra)
    for p in model.parameters():
        if clears:
            p.grad = None
    losses = []
    for _ in range(epochs):
        total, n, batches = 0.0, 0, 0
        for x, y in train_loader:
            loss = loss_of(model(x), y)
            if clears:
                sgd.zero_grad()
            loss.backward()
            sgd.step()
            if after:
                with torch.no_grad():
                    loss = loss_of(model(x), y)
            total += loss.item() * weigh(y)
            n += len(y)
            batches += 1
        losses.append(mean(total, n, batches))
    return keeps(losses)


def tunes(**other):
    return lambda model, new_head, train_loader, epochs, lr: tune(
        model, new_head, train_loader, epochs, lr, **other
    )


def append_head(model, head):
    model.append(head)


def rename_head(model, head):
    del model[-1]
    model.add_module("head", head)


TUNE = {
    "in eval mode": tunes(mode="eval", norms=False),
    "moves frozen batch norms": tunes(norms=False),
    "mean of batches": tunes(weigh=lambda y: 1, mean=lambda total, n, batches: total / batches),
    "sums the losses": tunes(mean=lambda total, n, batches: total),
    "the last epoch": tunes(keeps=lambda losses: losses[-1]),
    "one mean": tunes(keeps=lambda losses: [sum(losses) / len(losses)] if losses else []),
    "appends the head": tunes(replace=append_head),
    "another name": tunes(replace=rename_head),
    "the first child": tunes(replace=lambda model, head: model.__setitem__(0, head)),
    "keeps the old head": tunes(replace=lambda model, head: None),
    "no zero_grad": tunes(clears=False),
    "momentum": tunes(momentum=0.9),
    "Adam": tunes(optimizer=torch.optim.Adam),
    "trains the head only": tunes(params=lambda model: list(model[-1].parameters())),
    "trains all": lambda model, new_head, train_loader, epochs, lr: (
        [p.requires_grad_(True) for p in model.parameters()],
        tune(model, new_head, train_loader, epochs, lr),
    )[1],
    "loss after the step": tunes(after=True),
    "softmax": tunes(loss_of=lambda logits, y: F.cross_entropy(logits.softmax(1), y)),
    "one epoch": lambda model, new_head, train_loader, epochs, lr: tune(
        model, new_head, train_loader, 1, lr
    ),
    "one epoch more": lambda model, new_head, train_loader, epochs, lr: tune(
        model, new_head, train_loader, epochs + 1, lr
    ),
    "every loss": tunes(keeps=lambda losses: tuple(losses)),
    "a tenth of the rate": lambda model, new_head, train_loader, epochs, lr: tune(
        model, new_head, train_loader, epochs, lr / 10
    ),
    "optimizer before the head": lambda model, new_head, train_loader, epochs, lr: tune(
        model,
        new_head,
        train_loader,
        epochs,
        lr,
        params=lambda model: (
            [p for p in list(model.parameters())[:-2] if p.requires_grad]
            or [nn.Parameter(torch.zeros(1))]
        ),
    ),
}

WRONG = {
    "ActivationRecorder": RECORDER,
    "feature_stats": STATS,
    "GradientMonitor": MONITOR,
    "dead_layers": DEAD,
    "update_ratios": RATIOS,
    "freeze": FREEZE,
    "fine_tune": TUNE,
}
