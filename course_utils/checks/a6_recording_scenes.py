"""Assignment 6, recording: the scenes that an ActivationRecorder is played through."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.checks.a6_models import (
    Branches,
    TroubleError,
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
from course_utils.checks.exercise import Answer
from course_utils.checks.outcomes import plain

Recorder = Callable[..., Any]
Seen = dict[str, Any]

INSIDE = "outputs read inside the block"
AFTER = "outputs after the block"
HOOKS = "hooks left on the model by it"
ADDED = "attributes added to the model"
ERROR = "the error raised in the block"


def play(recorder: Recorder, scene: str, seed: int, *settings: Any) -> Any:
    """Return what is observed of a recorder in a scene."""
    return SCENES[scene](recorder, seed, *settings)


def _passes(
    recorder: Recorder, seed: int, names: list[str], sizes: list[int], settings: str = ""
) -> Seen:
    """One pass for each size; read after the first, and behind the block."""
    with stage(seed) as rng:
        double = "double" in settings
        net = {"dense": dense_net, "branches": Branches}.get(settings.split()[0], image_net)
        model = filled(net(), rng, double=double)
        shape = {"dense": (3,), "branches": (2,)}.get(settings.split()[0], (1, 3, 3))
        dtype = torch.float64 if double else torch.float32
        images = [numbers(rng, size, *shape, dtype=dtype) for size in sizes]
        model(images[0])  # before the block
        with torch.set_grad_enabled("no_grad" not in settings):
            with recorder(model, list(names)) as rec:
                model(images[0])
                inside = plain(rec.outputs)
                for batch in images[1:]:
                    model(batch)
            model(images[0] + 1)  # behind the block
        return {INSIDE: inside, AFTER: plain(rec.outputs)}


def _overwritten(recorder: Recorder, seed: int, settings: str, sizes: list[int]) -> Seen:
    """An in-place layer stands behind the recorded one."""
    with stage(seed) as rng:
        model = filled(image_net(inplace=True), rng)
        with (
            torch.set_grad_enabled(settings == "grad"),
            recorder(model, ["features.conv"]) as rec,
        ):
            for size in sizes:
                model(numbers(rng, size, 1, 3, 3))
        return {AFTER: plain(rec.outputs)}


def _changed_later(recorder: Recorder, seed: int, what: str) -> Seen:
    """The caller writes into what the model gave, or into what it was given."""
    with stage(seed) as rng:
        model = filled(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), rng)
        with torch.no_grad(), recorder(model, ["0", "1"]) as rec:
            x = numbers(rng, 2, 2, 2)
            y = model(x)
            {"input": x, "output": y}[what].fill_(7.0)
            x = numbers(rng, 1, 2, 2)
            y = model(x)
            {"input": x, "output": y}[what].fill_(9.0)
        return {AFTER: plain(rec.outputs)}


def _detached(recorder: Recorder, seed: int, sizes: list[int]) -> Seen:
    """The model runs with gradients; the record must not hang on its graph."""
    with stage(seed) as rng:
        model = filled(dense_net(), rng)
        with recorder(model, ["0", "2"]) as rec:
            results = [model(numbers(rng, size, 3)) for size in sizes]
            inside = _asking(rec.outputs)
        after = _asking(rec.outputs)
        with torch.no_grad():
            for record in rec.outputs.values():
                if isinstance(record, Tensor):
                    record.fill_(0.5)  # the record is the caller's own
        return {
            "records that require a gradient, inside the block": inside,
            "records that require a gradient, after the block": after,
            "the model's results, after the caller has changed the record": results,
        }


class _Kept:
    """What a graph keeps of a tensor for its backward."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor.detach()


def _graph(recorder: Recorder, seed: int, sizes: list[int]) -> Seen:
    """The caller drops the results of its passes, so nothing should keep their graphs."""
    with stage(seed) as rng:
        model = filled(dense_net(), rng)
        alive: weakref.WeakSet[_Kept] = weakref.WeakSet()

        def pack(tensor: Tensor) -> _Kept:
            kept = _Kept(tensor)
            alive.add(kept)
            return kept

        hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept.tensor)
        with hooks, recorder(model, ["0", "2"]) as rec:
            for size in sizes:
                model(numbers(rng, size, 3))
            inside = bool(alive)
        return {
            "graphs of dropped results are kept alive inside the block": inside,
            "graphs of dropped results are kept alive after the block": bool(alive),
            AFTER: plain(rec.outputs),
        }


def _asking(outputs: Any) -> str:
    return listed(n for n, record in outputs.items() if getattr(record, "requires_grad", False))


def _modes(recorder: Recorder, seed: int, mixed: bool) -> Seen:
    """A model with batch norms and dropout, partly in evaluation mode, or all of it."""
    with stage(seed) as rng:
        model = filled(norm_net(), rng)
        if not mixed:
            model.eval()
        with recorder(model, ["bn1", "fc2"]) as rec:
            inside = modes(model)
            result = model(numbers(rng, 4, 3))
            later = modes(model)
        return {
            "modes inside the block": inside,
            "modes after a pass in the block": later,
            "the model's result": result,
            AFTER: plain(rec.outputs),
            "modes after the block": modes(model),
            "parameters and running statistics after the block": values(model),
        }


def _gradients(recorder: Recorder, seed: int, when: str) -> Seen:
    """Backward, in the block or behind it, with what was in .grad before."""
    with stage(seed) as rng:
        model = filled(image_net(), rng)
        model.fc.bias.requires_grad_(False)
        model.features.conv.bias.grad = numbers(rng, 2)
        x = numbers(rng, 2, 1, 3, 3).requires_grad_()
        with recorder(model, ["features.conv", "flatten", "fc"]):
            result = model(x)
            if when == "inside":
                result.square().sum().backward()
        if when == "after":
            result.square().sum().backward()
        return {
            "gradients of the parameters": gradients(model),
            "gradient of the input": x.grad,
            "parameters that require a gradient": flags(model),
            "the model's result": result,
        }


def _grad_mode(recorder: Recorder, seed: int, enabled: bool) -> Seen:
    """Whether gradients are computed is the caller's choice, inside and behind."""
    with stage(seed) as rng, torch.set_grad_enabled(enabled):
        model = filled(dense_net(), rng)
        with recorder(model, ["1"]):
            inside = torch.is_grad_enabled()
            result = model(numbers(rng, 2, 3))
        return {
            "gradients are enabled inside the block": inside,
            "the model's result requires a gradient": result.requires_grad,
            "gradients are enabled after the block": torch.is_grad_enabled(),
        }


def _as_it_was(recorder: Recorder, seed: int) -> Seen:
    """Nothing of the model is replaced, and it runs only when the caller calls it."""
    with stage(seed) as rng:
        model = filled(image_net(), rng)
        calls: list[int] = []
        model.features.conv.register_forward_hook(lambda *_: calls.append(1))
        before, weights = attributes(model), values(model)
        with recorder(model, ["features", "features.conv"]):
            model(numbers(rng, 2, 1, 3, 3))
        model(numbers(rng, 2, 1, 3, 3))
        return {
            ADDED: listed(sorted(attributes(model) - before)),
            "weights are the same": all(
                torch.equal(weights[name], value) for name, value in values(model).items()
            ),
            "calls of the caller's own hook in two passes": len(calls),
        }


def _left_behind(recorder: Recorder, seed: int, names: list[str], n_passes: int) -> Seen:
    """The caller's own hooks were there first, and stay."""
    with stage(seed) as rng:
        model = filled(image_net(), rng)
        calls: list[str] = []
        model.features.conv.register_forward_hook(lambda *_: calls.append("conv"))
        model.fc.register_forward_pre_hook(lambda *_: calls.append("fc"))
        before = hook_count(model)
        with recorder(model, list(names)) as rec:
            for _ in range(n_passes):
                model(numbers(rng, 2, 1, 3, 3))
        left = hook_count(model) - before
        calls.clear()
        model(numbers(rng, 1, 1, 3, 3))
        return {
            HOOKS: left,
            "calls of the caller's own hooks in a pass after the block": listed(calls),
            AFTER: plain(rec.outputs) if n_passes else {},
        }


def _two(recorder: Recorder, seed: int) -> Seen:
    """One recorder ends while another one on the same model goes on."""
    with stage(seed) as rng:
        model = filled(dense_net(), rng)
        with recorder(model, ["0", "2"]) as outer:
            with recorder(model, ["0", "1"]) as inner:
                model(numbers(rng, 2, 3))
            model(numbers(rng, 1, 3))
        return {
            HOOKS: hook_count(model),
            "outputs of the recorder whose block ended first": plain(inner.outputs),
            "outputs of the recorder whose block lasted longer": plain(outer.outputs),
        }


def _error(recorder: Recorder, seed: int, where: str) -> Seen:
    """The model fails in a pass, or the caller's code does."""
    with stage(seed) as rng:
        model = filled(fragile_net(), rng)
        model.fc1.register_forward_hook(lambda *_: None)
        before, modes_before = hook_count(model), modes(model)
        trouble, fate = TroubleError("on purpose"), "swallowed"
        try:
            with recorder(model, ["fc1", "middle", "fc2"]):
                model(numbers(rng, 2, 3))
                if where == "block":
                    raise trouble
                model.middle.trouble.append(trouble)
                model(numbers(rng, 2, 3))
        except TroubleError as error:
            fate = "passed through" if error is trouble else "replaced"
        return {
            HOOKS: hook_count(model) - before,
            ERROR: fate,
            "modes are the same": modes(model) == modes_before,
        }


def _unknown(recorder: Recorder, seed: int, names: list[str]) -> Seen:
    """A name that the model does not have, alone or among others."""
    with stage(seed) as rng:
        model = filled(image_net(), rng)
        fate = "nothing"
        before = attributes(model)
        try:
            with recorder(model, list(names)):
                fate = "nothing until the block had begun"
        except KeyError:
            fate = "KeyError" if fate == "nothing" else "KeyError, but only behind the block"
        except Exception as error:
            if isinstance(error, NotImplementedError):
                raise
            fate = type(error).__name__
        return {
            "what the unknown name raises": fate,
            HOOKS: hook_count(model),
            ADDED: listed(sorted(attributes(model) - before)),
        }


def _again(recorder: Recorder, seed: int, sizes: list[list[int]]) -> Seen:
    """One recorder, entered several times."""
    with stage(seed) as rng:
        model = filled(dense_net(), rng)
        seen: Seen = {}
        one = recorder(model, ["0", "2"])
        for number, passes in enumerate(sizes, start=1):
            with one as rec:
                rows = _rows(rec)
                for size in passes:
                    model(numbers(rng, size, 3))
            model(numbers(rng, 2, 3))
            seen |= {
                f"rows recorded when it is entered for time {number}": rows,
                f"outputs after block {number}": plain(rec.outputs),
                f"hooks left after block {number}": hook_count(model),
            }
        return seen


def _again_after_error(recorder: Recorder, seed: int) -> Seen:
    """The first block ends with an error in the middle of a pass."""
    with stage(seed) as rng:
        model = filled(fragile_net(), rng)
        one = recorder(model, ["fc1", "fc2"])
        model.middle.trouble.append(TroubleError("on purpose"))
        try:
            with one:
                model(numbers(rng, 2, 3))
        except TroubleError:
            pass
        with one as rec:
            model(numbers(rng, 3, 3))
            model(numbers(rng, 1, 3))
        return {"outputs after the second block": plain(rec.outputs), HOOKS: hook_count(model)}


def _rows(rec: Any) -> int:
    """Count what is recorded before the first pass, whatever stands for nothing."""
    try:
        return sum(len(record) for record in rec.outputs.values() if record is not None)
    except Exception:  # joining nothing may fail
        return 0


SCENES: dict[str, Callable[..., Seen]] = {
    "passes": _passes,
    "overwritten": _overwritten,
    "changed later": _changed_later,
    "detached": _detached,
    "graph": _graph,
    "modes": _modes,
    "gradients": _gradients,
    "grad mode": _grad_mode,
    "as it was": _as_it_was,
    "left behind": _left_behind,
    "two": _two,
    "error": _error,
    "unknown": _unknown,
    "again": _again,
    "again after error": _again_after_error,
}


# --- feature_stats ----------------------------------------------------------------------------


def statistic(answer: Answer, outputs: dict[str, Tensor], names: list[str]) -> Any:
    """Return the named statistics of each layer, so that each can earn its points."""
    found = answer(outputs)
    if not isinstance(found, dict):
        return found
    return {
        layer: {name: stats[name] for name in names if name in stats}
        if isinstance(stats, dict)
        else stats
        for layer, stats in found.items()
    }
