"""Assignment 6, fine-tuning: wrong answers, each with a name and what it shows."""

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.checks.a6_rules import (
    DOT,
    EARLY_OPTIMIZER,
    FLAG,
    FROZEN_NORM,
    HEAD,
    LAST_BATCH,
    MOMENTUM,
    NO_MATCH,
    ONLY_WHAT_MOVES,
    OTHER_NAME,
    OTHERS,
    OVER_SAMPLES,
    PART,
    SCALARS,
    STALE,
    THROUGH,
    TRAIN_UNDOES,
)
from course_utils.checks.exercise import Misconception

# --- freeze -----------------------------------------------------------------------------------


def _module_of(name):
    return name.rpartition(".")[0]


def _by_module(name, prefix):
    module = _module_of(name)
    return module == prefix or module.startswith(prefix + ".")


def _scalars(matched):
    return sum(p.numel() for p in {id(p): p for p in matched}.values())


def _freezing(
    fits=_by_module,
    count=_scalars,
    refuse=lambda hits: not all(hits),
    others=lambda p: None,
    stop=lambda p: p.requires_grad_(False),
    error=ValueError,
):
    """Return an answer that is right but for the parts given."""

    def answer(model, prefixes):
        named = list(model.named_parameters())
        by_prefix = [[p for n, p in named if fits(n, prefix)] for prefix in prefixes]
        if refuse([len(hits) for hits in by_prefix]):
            raise error("no match")
        matched = [p for hits in by_prefix for p in hits]
        ids = {id(p) for p in matched}
        already = {id(p) for p in matched if not p.requires_grad}
        for _, parameter in named:
            if id(parameter) in ids:
                stop(parameter)
            else:
                others(parameter)
        matched_with_flags = [(p, id(p) in already) for p in matched]
        try:
            return count(matched)
        except _WithFlagsError as wanted:
            return wanted.args[0](matched_with_flags)

    return answer


class _WithFlagsError(Exception):
    pass


def _newly_frozen(matched):
    raise _WithFlagsError(
        lambda pairs: sum(p.numel() for p in {id(p): p for p, was in pairs if not was}.values())
    )


def _all_frozen(model, prefixes):
    _freezing()(model, prefixes)
    return sum(p.numel() for p in model.parameters() if not p.requires_grad)


def _free_left(model, prefixes):
    _freezing()(model, prefixes)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def _with_buffers(model, prefixes):
    total = _freezing()(model, prefixes)
    buffers = {
        name: buffer
        for prefix in prefixes
        for name, buffer in model.named_buffers()
        if _by_module(name, prefix)
    }
    return total + sum(buffer.numel() for buffer in buffers.values())


def _attribute(model, prefixes):
    total = _freezing(stop=lambda p: None)(model, prefixes)
    for prefix in prefixes:
        model.get_submodule(prefix).requires_grad = False
    return total


def _and_eval(model, prefixes):
    total = _freezing()(model, prefixes)
    for prefix in prefixes:
        model.get_submodule(prefix).eval()
    return total


def _clearing(model, prefixes):
    total = _freezing()(model, prefixes)
    model.zero_grad()
    return total


def _none(model, prefixes):
    _freezing()(model, prefixes)


def _direct_only(name, prefix):
    return _module_of(name) == prefix


def _first_prefix(model, prefixes):
    return _freezing()(model, prefixes[:1])


def _below_only(name, prefix):
    return _module_of(name).startswith(prefix + ".")


FREEZE_MISCONCEPTIONS = (
    Misconception(
        "first-prefix-only",
        _first_prefix,
        "Only the first prefix has an effect. Each of them freezes what it matches.",
        PART,
    ),
    Misconception(
        "module-itself-missed",
        _freezing(_below_only),
        "A module whose name is the prefix itself is not matched. The name ends with the prefix, "
        "or a dot follows.",
        DOT,
    ),
    Misconception(
        "without-the-dot",
        _freezing(lambda name, prefix: name.startswith(prefix)),
        "Names that only begin with the same letters are frozen too, or accepted as a match. "
        "After the prefix, the module's name ends or a dot follows.",
        DOT,
    ),
    Misconception(
        "module-without-the-dot",
        _freezing(lambda name, prefix: _module_of(name).startswith(prefix)),
        "Modules whose names only begin with the same letters are frozen too. After the prefix, "
        "the module's name ends or a dot follows.",
        DOT,
    ),
    Misconception(
        "anywhere-in-the-name",
        _freezing(lambda name, prefix: prefix in name),
        "Names that hold the text anywhere are frozen too. A prefix stands at the beginning.",
        DOT,
    ),
    Misconception(
        "any-part-of-the-path",
        _freezing(lambda name, prefix: prefix in name.split(".")),
        "A part in the middle of the path counts as a match with you, and a path with a dot does "
        "not. A prefix is compared from the beginning.",
        DOT,
    ),
    Misconception(
        "parameter-names-too",
        _freezing(lambda name, prefix: f"{name}.".startswith(f"{prefix}.")),
        "The name of a parameter is accepted as a prefix. It is the module's name that is "
        "compared.",
        NO_MATCH,
    ),
    Misconception(
        "case-ignored",
        _freezing(lambda name, prefix: _by_module(name.lower(), prefix.lower())),
        "Capital letters make no difference to you. Names are compared as they are.",
        NO_MATCH,
    ),
    Misconception(
        "first-level-only",
        _freezing(lambda name, prefix: name.split(".")[0] == prefix),
        "Only the first part of a name is compared, so a path with a dot finds nothing.",
        DOT,
    ),
    Misconception(
        "own-parameters-only",
        _freezing(_direct_only),
        "Modules inside the named one are not frozen. A name that goes on with a dot matches too.",
        DOT,
    ),
    Misconception(
        "weights-only",
        _freezing(lambda name, prefix: _by_module(name, prefix) and name.endswith(".weight")),
        "Only weights are frozen. A bias is a parameter of its module too.",
        PART,
    ),
    Misconception(
        "others-unfrozen",
        _freezing(others=lambda p: p.requires_grad_(True)),
        "Parameters that were frozen before are free again. A freeze leaves the others as they "
        "are.",
        OTHERS,
    ),
    Misconception(
        "others-frozen",
        _freezing(stop=lambda p: p.requires_grad_(True), others=lambda p: p.requires_grad_(False)),
        "You freeze what does not match.",
        PART,
    ),
    Misconception(
        "everything-frozen",
        _freezing(others=lambda p: p.requires_grad_(False)),
        "You freeze the whole model. Only what matches is frozen.",
        PART,
    ),
    Misconception(
        "toggled",
        _freezing(stop=lambda p: p.requires_grad_(not p.requires_grad)),
        "A matching parameter that was frozen already is free again.",
        OTHERS,
    ),
    Misconception(
        "nothing-frozen",
        _attribute,
        "No parameter of the model is frozen. The flag belongs to every single parameter; a "
        "module has none that anything reads.",
        FLAG,
    ),
    Misconception(
        "tensors-counted",
        _freezing(count=lambda matched: len({id(p) for p in matched})),
        "You count tensors. A parameter of shape (3, 2) holds 6 scalars.",
        SCALARS,
    ),
    Misconception(
        "counted-by-prefix",
        _freezing(count=lambda matched: sum(p.numel() for p in matched)),
        "A parameter that two prefixes match is counted twice.",
        SCALARS,
    ),
    Misconception(
        "newly-frozen-only",
        _freezing(count=_newly_frozen),
        "Parameters that were frozen before are missing in your number. It says how many scalars "
        "match.",
        SCALARS,
    ),
    Misconception(
        "all-frozen-counted",
        _all_frozen,
        "Your number is that of all frozen scalars of the model. It says how many match.",
        SCALARS,
    ),
    Misconception(
        "free-counted",
        _free_left,
        "Your number is that of the scalars that are still free.",
        SCALARS,
    ),
    Misconception(
        "buffers-counted",
        _with_buffers,
        "Running statistics are in your number. They are buffers, not parameters.",
        SCALARS,
    ),
    Misconception(
        "nothing-returned",
        _none,
        "Your function returns nothing. It returns how many scalars match.",
        SCALARS,
    ),
    Misconception(
        "no-match-accepted",
        _freezing(refuse=lambda hits: False),
        "A prefix that matches nothing is passed over in silence. It has to raise ValueError.",
        NO_MATCH,
    ),
    Misconception(
        "refused-only-if-all-miss",
        _freezing(refuse=lambda hits: not any(hits)),
        "A prefix that matches nothing is passed over if another one matches. Each of them has "
        "to match something.",
        NO_MATCH,
    ),
    Misconception(
        "other-error",
        _freezing(error=KeyError),
        "A prefix that matches nothing raises another exception. It has to be ValueError.",
        NO_MATCH,
    ),
    Misconception(
        "modes-changed",
        _and_eval,
        "Modules are in another mode afterwards. Freezing is about gradients; the mode is the "
        "caller's.",
        FLAG,
    ),
    Misconception(
        "gradients-cleared",
        _clearing,
        "Gradients of parameters that do not match are gone. A freeze leaves the others as they "
        "are.",
        OTHERS,
    ),
)


# --- fine_tune --------------------------------------------------------------------------------

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class _Descent:
    """SGD as far as it is needed; `torch.optim` takes seconds to load."""

    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.parameters, self.lr = list(parameters), lr
        self.momentum, self.weight_decay = momentum, weight_decay
        self.memory = {}

    @torch.no_grad()
    def step(self):
        for p in self.parameters:
            if p.grad is not None:
                p -= self.lr * self.direction(p)

    def direction(self, p):
        change = p.grad + self.weight_decay * p
        if p in self.memory:
            change = change + self.momentum * self.memory[p]
        self.memory[p] = change
        return change


class _Adam(_Descent):
    def direction(self, p):
        n, first, second = self.memory.get(p, (0, 0.0, 0.0))
        n, first, second = n + 1, 0.9 * first + 0.1 * p.grad, 0.999 * second + 0.001 * p.grad**2
        self.memory[p] = (n, first, second)
        return first / (1 - 0.9**n) / ((second / (1 - 0.999**n)).sqrt() + 1e-8)


def _replace(model, new_head):
    setattr(model, list(model._modules)[-1], new_head)


def _frozen_to_eval(model):
    for module in model.modules():
        if isinstance(module, _NORMS) and not module.weight.requires_grad:
            module.eval()


def _set_train(model):
    model.train()
    _frozen_to_eval(model)


def _free(model):
    return [p for p in model.parameters() if p.requires_grad]


def _over_samples(losses, sizes):
    return sum(a * b for a, b in zip(losses, sizes, strict=True)) / sum(sizes)


def _tuning(
    replace=_replace,
    mode=_set_train,
    held=_free,
    make=_Descent,
    clear=lambda model, optimizer: model.zero_grad(),
    loss_fn=F.cross_entropy,
    gather=_over_samples,
    once=False,
    early=False,
    epochs_less=0,
):
    """Return an answer that is right but for the parts given."""

    def answer(model, new_head, train_loader, epochs, lr):
        optimizer = make(held(model), lr) if early else None
        model = replace(model, new_head) or model
        mode(model)
        optimizer = optimizer or make(held(model), lr)
        if once:
            clear(model, optimizer)
        result = []
        for _ in range(epochs - epochs_less):
            losses, sizes = [], []
            for x, y in train_loader:
                if not once:
                    clear(model, optimizer)
                loss = loss_fn(model(x), y)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                sizes.append(len(y))
            result.append(gather(losses, sizes))
        return result

    return answer


def _all(model):
    return list(model.parameters())


def _added(model, new_head):
    model.add_module("head", new_head)


def _rebuilt(model, new_head):
    return nn.Sequential(*list(model)[:-1], new_head)


def _renamed(model, new_head):
    del model[-1]
    model.add_module("head", new_head)


def _copied_weights(model, new_head):
    import copy

    setattr(model, list(model._modules)[-1], copy.deepcopy(new_head))


def _unfrozen(model):
    model.requires_grad_(True)
    model.train()


def _all_but_head_frozen(model):
    model[:-1].requires_grad_(False)
    _set_train(model)


def _norms_at_rest(model):
    model.train()
    for module in model.modules():
        if isinstance(module, _NORMS):
            module.eval()


def _cut(model, new_head, train_loader, epochs, lr):
    """Runs all that stands before the last frozen child under no_grad."""
    _replace(model, new_head)
    _set_train(model)
    optimizer = _Descent(_free(model), lr)
    children = list(model)
    frozen = [n for n, m in enumerate(children) if any(not p.requires_grad for p in m.parameters())]
    place = frozen[-1] + 1 if frozen else 0
    result = []
    for _ in range(epochs):
        total, n = 0.0, 0
        for x, y in train_loader:
            with torch.no_grad():
                features = x
                for child in children[:place]:
                    features = child(features)
            for child in children[place:]:
                features = child(features)
            loss = F.cross_entropy(features, y)
            model.zero_grad()
            loss.backward()
            optimizer.step()
            total, n = total + loss.item() * len(y), n + len(y)
        result.append(total / n)
    return result


def _after_the_epoch(model, new_head, train_loader, epochs, lr):
    losses = []
    for epoch in range(epochs):
        _tuning(replace=_replace if epoch == 0 else lambda m, h: None)(
            model, new_head, train_loader, 1, lr
        )
        with torch.no_grad():
            model.eval()
            parts = [(F.cross_entropy(model(x), y).item(), len(y)) for x, y in train_loader]
        losses.append(sum(a * n for a, n in parts) / sum(n for _, n in parts))
    return losses


def _on_a_copy(model, new_head, train_loader, epochs, lr):
    import copy

    return _tuning()(copy.deepcopy(model), new_head, train_loader, epochs, lr)


def _short_batch_left_out(model, new_head, train_loader, epochs, lr):
    batches = list(train_loader)
    full = [batch for batch in batches if len(batch[1]) == len(batches[0][1])]
    return _tuning()(model, new_head, full, epochs, lr)


def _softmax_first(z, y):
    return F.cross_entropy(z.softmax(dim=1), y)


TUNE_MISCONCEPTIONS = (
    Misconception(
        "on-a-copy",
        _on_a_copy,
        "The model that was given is as before: you trained a copy. It is changed in place.",
        HEAD,
    ),
    Misconception(
        "short-batch-left-out",
        _short_batch_left_out,
        "The short batch at the end of an epoch is left out. It makes a step and counts too.",
        OVER_SAMPLES,
    ),
    Misconception(
        "softmax-before-the-loss",
        _tuning(loss_fn=_softmax_first),
        "Your losses are those of probabilities. Cross-entropy takes the model's output as it is.",
        OVER_SAMPLES,
    ),
    Misconception(
        "head-behind-the-old-one",
        _tuning(replace=_added),
        "The old head is still there, and the new one stands behind it under another name.",
        OTHER_NAME,
    ),
    Misconception(
        "model-rebuilt",
        _tuning(replace=_rebuilt),
        "The model that was given still has its old head: you made another one. It is changed in "
        "place.",
        OTHER_NAME,
    ),
    Misconception(
        "head-renamed",
        _tuning(replace=_renamed),
        "Your new head has another name than the old one.",
        OTHER_NAME,
    ),
    Misconception(
        "head-copied",
        _tuning(replace=_copied_weights),
        "The last child is a copy of the new head. It is the new head itself.",
        HEAD,
    ),
    Misconception(
        "head-not-replaced",
        _tuning(
            replace=lambda model, new_head: None, loss_fn=lambda z, y: F.cross_entropy(z, y % 2)
        ),
        "The old head is still the last child.",
        HEAD,
    ),
    Misconception(
        "optimizer-made-early",
        _tuning(early=True),
        "Your new head does not learn: the optimizer was made before it was there.",
        EARLY_OPTIMIZER,
    ),
    Misconception(
        "all-unfrozen",
        _tuning(mode=_unfrozen),
        "Parameters that were frozen are trained: you ask for their gradients again.",
        ONLY_WHAT_MOVES,
    ),
    Misconception(
        "head-only",
        _tuning(mode=_all_but_head_frozen),
        "You train the head only. What is not frozen in front of it learns too.",
        PART,
    ),
    Misconception(
        "stale-gradients-of-frozen",
        _tuning(
            held=_all, clear=lambda m, o: [p.grad.zero_() for p in _free(m) if p.grad is not None]
        ),
        "Frozen parameters move by gradients that were left over from before: the optimizer "
        "looks at `.grad`, not at the flag.",
        STALE,
    ),
    Misconception(
        "never-cleared",
        _tuning(clear=lambda model, optimizer: None),
        "Gradients pile up from batch to batch. Every step starts from clean ones.",
        STALE,
    ),
    Misconception(
        "never-cleared-at-all",
        _tuning(held=_all, clear=lambda model, optimizer: None),
        "Gradients pile up from batch to batch, and those left over in frozen parameters move "
        "them.",
        STALE,
    ),
    Misconception(
        "cleared-once",
        _tuning(once=True),
        "You clear the gradients once, before the first batch. Every step starts from clean ones.",
        STALE,
    ),
    Misconception(
        "momentum",
        _tuning(make=lambda p, lr: _Descent(p, lr, momentum=0.9)),
        "Your steps remember the earlier ones. Plain SGD is rate times gradient.",
        MOMENTUM,
    ),
    Misconception(
        "weight-decay",
        _tuning(make=lambda p, lr: _Descent(p, lr, weight_decay=0.01)),
        "Your steps shrink the weights as well. Plain SGD is rate times gradient.",
        MOMENTUM,
    ),
    Misconception(
        "adam",
        _tuning(make=_Adam),
        "Your steps are those of Adam. Plain SGD is rate times gradient.",
        MOMENTUM,
    ),
    Misconception(
        "frozen-norms-in-train-mode",
        _tuning(mode=lambda model: model.train()),
        "The running statistics of frozen batch norms have moved. A forward pass in train mode "
        "moves them without any gradient, and one call of `train()` puts all of them there.",
        FROZEN_NORM,
    ),
    Misconception(
        "all-norms-at-rest",
        _tuning(mode=_norms_at_rest),
        "Batch norms that are not frozen keep their old statistics, as in eval mode. Only frozen "
        "ones rest.",
        FROZEN_NORM,
    ),
    Misconception(
        "mode-as-given",
        _tuning(mode=_frozen_to_eval),
        "A model that comes in eval mode is trained in it, so its batch norms keep their old "
        "statistics.",
        TRAIN_UNDOES,
    ),
    Misconception(
        "gradient-cut",
        _cut,
        "Layers in front of a frozen one do not learn. A frozen layer lets the gradient through.",
        THROUGH,
    ),
    Misconception(
        "mean-of-batch-means",
        _tuning(gather=lambda losses, sizes: sum(losses) / len(losses)),
        "Your losses give a short batch the weight of a full one. The mean is over samples.",
        OVER_SAMPLES,
    ),
    Misconception(
        "last-batch",
        _tuning(gather=lambda losses, sizes: losses[-1]),
        "Your losses are those of the last batch of each epoch. The mean is over all samples.",
        LAST_BATCH,
    ),
    Misconception(
        "summed-losses",
        _tuning(gather=lambda losses, sizes: sum(losses)),
        "Your losses are sums over batches. The mean is over samples.",
        OVER_SAMPLES,
    ),
    Misconception(
        "full-batches-assumed",
        _tuning(gather=lambda losses, sizes: sum(losses) * sizes[0] / sum(sizes)),
        "Your losses count every batch as if it were full. The last one may be short.",
        OVER_SAMPLES,
    ),
    Misconception(
        "after-the-epoch",
        _after_the_epoch,
        "Your losses are measured again after each epoch. They are those that the steps were "
        "taken from.",
        OVER_SAMPLES,
    ),
    Misconception(
        "loss-of-each-batch",
        lambda model, new_head, train_loader, epochs, lr: [
            loss
            for losses in _tuning(gather=lambda losses, sizes: losses)(
                model, new_head, train_loader, epochs, lr
            )
            for loss in losses
        ],
        "Your list has an entry for each batch. It has one for each epoch.",
        LAST_BATCH,
    ),
    Misconception(
        "summed-cross-entropy",
        _tuning(loss_fn=lambda z, y: F.cross_entropy(z, y, reduction="sum")),
        "Your loss is the sum over a batch, which also makes longer steps. It is the mean.",
        OVER_SAMPLES,
    ),
)
