"""Make the records of assignment 7's eight broken runs: python tools/make_runs.py

Trains the reference and each broken run, and writes what a diagnostician needs, rounded, to
course_utils/checks/a7_records.json. A test holds the file to what this script gives.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn, optim

from course_utils.checks.a7_network import lines, pictures
from course_utils.checks.a7_trainer import (
    CASES,
    FAULT_OF,
    NAME_OF,
    Pieces,
    Settings,
    train,
)
from course_utils.checks.broken_runs import RECORDS, REFERENCE
from course_utils.hooks import eval_mode, monitor_gradients, record_activations

WATCHED = ("conv1.weight", "fc1.weight", "fc2.weight", "fc2.bias")
BATCH_SIZES = (8, 32, 96)
NOISE = 1e-6  # where batch norm divides by almost nothing, the last bits of a processor


def make_record(pieces: Pieces, settings: Settings) -> dict[str, Any]:
    """Train and return the record: the log, gradients of each step, and what an autopsy finds."""
    steps: dict[str, dict[str, list[float]]] = {
        kind: {name: [] for name in WATCHED}
        for kind in ("gradients_brought", "gradients_held", "step_lengths", "weight_norms")
    }
    autopsy: dict[str, Any] = {"zero_share": {}, "bn1_batches": []}
    parts: list[Tensor] = []
    models: list[nn.Module] = []

    def split(images: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, ...]:
        parts[:] = pieces.split(images, labels, seed)
        return tuple(parts)

    def train_step(model: nn.Module, loss_fn: Any, optimizer: optim.Optimizer, *batch: Any) -> Any:
        before = {name: model.get_parameter(name).detach().clone() for name in WATCHED}
        with monitor_gradients(model) as norms:
            loss = pieces.train_step(model, loss_fn, optimizer, *batch)
        for name, weights in before.items():
            parameter = model.get_parameter(name)
            steps["gradients_brought"][name].append(norms[name][0])
            steps["gradients_held"][name].append(parameter.grad.norm().item())
            steps["step_lengths"][name].append((parameter.detach() - weights).norm().item())
            steps["weight_norms"][name].append(weights.norm().item())
        return loss

    def on_epoch(model: nn.Module) -> None:
        names = [name for name in dict(model.named_children()) if "relu" in name]
        with torch.no_grad(), eval_mode(model), record_activations(model, *names) as outputs:
            model(parts[0])
        for name, output in outputs.items():
            share = (output == 0).double().mean().item()
            autopsy["zero_share"].setdefault(name, []).append(share)
        autopsy["bn1_batches"].append(int(model.get_buffer("bn1.num_batches_tracked")))

    watched = replace(pieces, split=split, train_step=train_step)
    log = train(watched, settings, on_model=models.append, on_epoch=on_epoch)
    return as_plain({**log, **steps, **autopsy, **last_facts(pieces, settings, models[0], parts)})


def last_facts(
    pieces: Pieces, settings: Settings, model: nn.Module, parts: list[Tensor]
) -> dict[str, Any]:
    """Return what is seen of the trained model and of the data."""
    x_train, y_train, x_val, y_val = parts
    which = dict(zip(*distinct(settings), strict=True))
    with torch.no_grad(), eval_mode(model):
        answers = model(x_val).argmax(dim=1)
    return {
        "modules": [name for name, _ in model.named_children()],
        "n_parameters": sum(parameter.numel() for parameter in model.parameters()),
        "val_loss_by_batch_size": {
            str(size): pieces.evaluate(model, pieces.loss_fn, x_val, y_val, size)[0]
            for size in BATCH_SIZES
        },
        "val_right_by_class": [
            [int((answers[y_val == label] == label).sum()), int((y_val == label).sum())]
            for label in range(3)
        ],
        "train_pictures": [which[key(image)] for image in x_train],
        "train_labels": y_train.tolist(),
        "val_pictures": [which[key(image)] for image in x_val],
        "val_labels": y_val.tolist(),
    }


def key(image: Tensor) -> bytes:
    """Return what tells a picture from the others."""
    return image.numpy().tobytes()


def distinct(settings: Settings) -> tuple[list[bytes], list[int]]:
    """Return the key and the number of every image; the same numbers in all records."""
    images, _ = lines(settings.n_images, settings.data_seed)
    return [key(image) for image in images], pictures(images).tolist()


def as_plain(value: Any) -> Any:
    """Return the record with its floats rounded; what is smaller than any gradient alive is 0."""
    if isinstance(value, dict):
        return {name: as_plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [as_plain(part) for part in value]
    if isinstance(value, float):
        return float(f"{value:.3g}") if abs(value) > NOISE else 0.0
    return value


def make_records(note: Callable[[str], object] = lambda case: None) -> dict[str, Any]:
    """Return the records of all runs, by case."""
    records = {}
    for case in (REFERENCE, *CASES):
        note(case)
        fault = FAULT_OF[NAME_OF[case]] if case in NAME_OF else None
        pieces = fault.pieces() if fault else Pieces()
        seeds = fault.model_seeds if fault else Settings().model_seeds
        records[case] = make_record(pieces, Settings(model_seeds=seeds))
    return records


def as_text(records: dict[str, Any]) -> str:
    """Return the records as JSON, a line for each entry."""
    blocks = []
    for case, entries in records.items():
        lines_ = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in entries.items())
        blocks.append(f"{json.dumps(case)}: {{\n{lines_}\n}}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def main() -> int:
    """Write the records."""
    torch.set_num_threads(1)
    text = as_text(make_records(lambda case: sys.stderr.write(f"{case}\n")))
    RECORDS.write_text(text)
    sys.stdout.write(f"{RECORDS}: {len(text)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
