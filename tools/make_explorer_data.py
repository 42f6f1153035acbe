"""Record the numbers that explorers show: python tools/make_explorer_data.py [NAME ...]

Writes course_utils/explorers/data/NAME.json, for every record if none is named. A test of each
explorer compares some of its record with what the course's code gives.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import nbformat
import numpy as np
import torch
import torch.nn.functional as F

from course_utils import datasets
from course_utils.explorers.showing import FOLDER

CHAPTERS = FOLDER.parents[1] / "chapters"


def run_cells(chapter: str, *cell_ids: str) -> dict[str, Any]:
    """Run some code cells of a chapter and return the names that they define."""
    names: dict[str, Any] = {}
    for cell in nbformat.read(CHAPTERS / f"{chapter}.ipynb", as_version=4).cells:
        if cell.id in cell_ids:
            exec(cell.source, names)
    return names


def filter_playground() -> list[list[int]]:
    """Return the face in chapter 1's cat, 96 x 128 greys from 0 to 255."""
    luma = torch.tensor([0.299, 0.587, 0.114])
    grey = torch.einsum("c,chw->hw", luma, datasets.photo().float() / 255)
    cat = F.avg_pool2d(grey[None], 2)[0]
    face: list[list[int]] = (255 * cat[38:134, 58:186]).round().int().tolist()
    return face


def line_pictures() -> torch.Tensor:
    """Return the line of each label (0 to 2) and start (-9 to 9), float64, from -1 to 1."""
    images, labels = datasets.line_images()
    starts = np.random.RandomState(17).randint(-9, 10, size=len(images))  # as line_images draws
    place = {(label, start): i for i, (label, start) in enumerate(zip(labels, starts, strict=True))}
    chosen = [place[label, start] for label in range(3) for start in range(-9, 10)]
    return torch.from_numpy(images[chosen]).double() / 127.5 - 1


def rounded(values: Any, digits: int = 6) -> Any:
    """Return a tensor, or numbers in lists and dicts, with so many significant digits."""
    if isinstance(values, dict):
        return {name: rounded(value, digits) for name, value in values.items()}
    if isinstance(values, list):
        return [rounded(value, digits) for value in values]
    if isinstance(values, torch.Tensor):
        return rounded(values.tolist(), digits)
    return float(f"{values:.{digits}g}")


def training_replay() -> dict[str, Any]:
    """Return chapter 11's runs by seed: what the network is after 0, 1, ..., 20 epochs."""
    chapter = run_cells(
        "11_case_study",
        *("setup", "explorer-network", "explorer-draw", "explorer-replay", "explorer-epoch"),
    )
    lines = line_pictures()

    @torch.no_grad()
    def frame(model: torch.nn.Module) -> dict[str, Any]:
        """Return loss, filter, its largest response, right and wrong answers, answers to lines."""
        logits, labels = model(chapter["val_images"]), chapter["val_labels"]
        pairs = 3 * labels + logits.argmax(dim=1)
        return {
            "loss": rounded(F.cross_entropy(logits, labels)),
            "kernel": rounded(model.conv1.weight[0, 0], 7),
            "bias": rounded(model.conv1.bias.item(), 7),
            "peak": rounded(model.conv1(lines).max()),
            "counts": torch.bincount(pairs, minlength=9).view(3, 3).tolist(),
            "answers": "".join(map(str, model(lines).argmax(dim=1).tolist())),
        }

    seeds = {}
    for seed in (13, 32, 42, 1):
        model = chapter["network"](seed)
        seeds[str(seed)] = [frame(model)]
        for picked in chapter["draw"](chapter["train_loader"].sampler).split(50):
            chapter["sgd_epoch"](model, picked)
            seeds[str(seed)].append(frame(model))
    return seeds


def gradient_dashboard() -> dict[str, Any]:
    """Return chapter 14's runs: gradients, update ratios and losses, of 20 steps and of each."""
    chapter = run_cells("14_gradients", "setup", "explorer-network", "explorer-run")
    network, batch_loss, draws = (chapter[key] for key in ("network", "batch_loss", "draws"))

    def softmax_twice(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(logits.softmax(dim=1), labels)

    runs = {str(rate): (13, rate, F.cross_entropy, True) for rate in (0.001, 0.01, 0.1, 1, 10)}
    runs |= {
        "softmax": (13, 0.1, softmax_twice, True),
        "piled": (13, 0.1, F.cross_entropy, False),
        "seed 42": (42, 0.1, F.cross_entropy, True),
    }

    def watch(seed: int, rate: float, loss_fn: Any, clear: bool) -> dict[str, Any]:
        model = network(seed)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        brought, held, ratios, losses = [], [], [], []
        for picked in draws:
            loss = batch_loss(model, picked, loss_fn)
            parameters = list(model.parameters())
            before = [parameter.detach().clone() for parameter in parameters]
            brought.append([g.norm() for g in torch.autograd.grad(loss, parameters)])
            if clear:
                optimizer.zero_grad()
            batch_loss(model, picked, loss_fn).backward()
            held.append([parameter.grad.norm() for parameter in parameters])
            optimizer.step()
            moves = [p.detach() - old for p, old in zip(parameters, before, strict=True)]
            ratios.append([m.norm() / old.norm() for m, old in zip(moves, before, strict=True)])
            losses.append([loss.detach()])
        found = {"gradient": brought, "ratio": ratios, "loss": losses}
        if not clear:
            found["held"] = held
        return {name: both(torch.tensor(values)) for name, values in found.items()}

    def both(values: torch.Tensor) -> dict[str, Any]:
        """Return rows of means of 20 steps, and of the first 50 steps, rounded."""
        means = values.view(50, 20, -1).mean(dim=1)
        return {"all": rounded(means.T, 3), "first": rounded(values[:50].T, 3)}

    return {name: watch(*settings) for name, settings in runs.items()}


def feature_map_browser() -> dict[str, Any]:
    """Return the weights of chapter 13's networks: one filter, before and after, and eight."""
    chapter = run_cells(
        "13_hooks",
        *("setup", "setup-course", "browser-loaders", "browser-network", "browser-train"),
        "eight-train",
    )
    models = {
        "trained": chapter["model_cnn1"],
        "untrained": chapter["network"](13),
        "eight": chapter["eight"],
    }
    return {name: rounded(dict(model.state_dict()), 7) for name, model in models.items()}


RECORDS: dict[str, Callable[[], Any]] = {
    "filter-playground": filter_playground,
    "feature-map-browser": feature_map_browser,
    "gradient-dashboard": gradient_dashboard,
    "training-replay": training_replay,
}


def main(names: list[str]) -> None:
    """Make the named records."""
    folder = FOLDER / "data"
    folder.mkdir(exist_ok=True)
    for name in names or list(RECORDS):
        text = json.dumps(RECORDS[name](), separators=(",", ":"))
        (folder / f"{name}.json").write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
