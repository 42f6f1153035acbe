"""Train LeNet-5 on MNIST and write the weights that the course ships.

    .venv/bin/python tools/train_lenet5.py --validate    # compare the recipes, on validation digits
    .venv/bin/python tools/train_lenet5.py               # all 60,000 digits; the weights are written

Recipes are compared on 10,000 training digits that are kept out. The test set is used once, when
the weights have been written.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from course_utils.datasets import mnist
from course_utils.models import WEIGHTS, lenet5, normalize_digits, pack_weights, trained_lenet5

RECORD = Path(__file__).with_name("lenet5_candidates.json")
N_VALIDATION = 10_000
BATCH_SIZE = 128
AVERAGE_STEPS = 1000  # the weights that are kept are a mean over about so many steps


@dataclass(frozen=True)
class Recipe:
    """How far digits are distorted, and how fast the network learns."""

    learning_rate: float = 3e-3  # the peak of the cycle
    weight_decay: float = 0.01
    rotation: float = 10.0  # degrees to either side
    stretch: float = 0.1  # of the size, each axis for itself
    shear: float = 0.1  # pixels sideways for each pixel down
    shift: float = 1.5  # pixels, each axis for itself
    bend: float = 0.0  # pixels, at 5 x 5 places, smoothly in between


CANDIDATES = {
    "undistorted": Recipe(rotation=0, stretch=0, shear=0, shift=0),
    "gentle": Recipe(rotation=5, stretch=0.05, shear=0.05, shift=1),
    "standard": Recipe(),
    "strong": Recipe(rotation=15, stretch=0.15, shear=0.2, shift=2),
    "fast": Recipe(learning_rate=6e-3),
    "faster": Recipe(learning_rate=1e-2),
    "fastest": Recipe(learning_rate=2e-2),
    "fastest gentle": Recipe(2e-2, rotation=5, stretch=0.05, shear=0.05, shift=1),
    "faster strong": Recipe(1e-2, rotation=15, stretch=0.15, shear=0.2, shift=2),
    "bent": Recipe(1e-2, bend=1.5),
}
CHOSEN = "bent"  # the lowest validation loss after twenty epochs
EARLIER = "a first run, 40 epochs of 'faster', had 99.48 % of the test digits right"


def distort(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Turn, stretch, shear, shift and bend each image at random; outside there is no ink."""
    draws = torch.rand(6, len(images), generator=generator) * 2 - 1
    angle = draws[0] * recipe.rotation * torch.pi / 180
    wide, high = 1 + draws[1] * recipe.stretch, 1 + draws[2] * recipe.stretch
    shear = draws[3] * recipe.shear
    right, down = draws[4:] * recipe.shift * 2 / images.shape[-1]  # a picture is 2 units wide
    cos, sin = angle.cos(), angle.sin()
    top = torch.stack([wide * cos, high * (shear * cos - sin), right], dim=1)
    bottom = torch.stack([wide * sin, high * (shear * sin + cos), down], dim=1)
    theta = torch.stack([top, bottom], dim=1).to(images.device)  # (batch, 2, 3)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    if recipe.bend:
        places = torch.rand(len(images), 2, 5, 5, generator=generator) * 2 - 1
        bend = F.interpolate(places, images.shape[-2:], mode="bicubic", align_corners=True)
        pixels = recipe.bend * 2 / images.shape[-1]
        grid = grid + pixels * bend.permute(0, 2, 3, 1).to(images.device)
    return F.grid_sample(images, grid, align_corners=False)


@torch.no_grad()
def loss_and_accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Return the mean loss and the percentage of right answers."""
    logits = torch.cat([model(batch) for batch in images.split(1000)])
    right = (logits.argmax(dim=1) == labels).sum().item()
    return F.cross_entropy(logits, labels).item(), 100 * right / len(labels)


def train(
    digits: tuple[Tensor, Tensor],
    recipe: Recipe,
    *,
    n_epochs: int,
    seed: int,
    device: torch.device,
    after_epoch: Callable[[int, nn.Sequential], None] = lambda epoch, model: None,
) -> nn.Sequential:
    """Return LeNet-5, on the CPU, with the running mean of the weights it had while it learnt."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)  # on the CPU, so that a GPU sees the same draws
    layout = torch.channels_last
    model = lenet5().to(device, memory_format=layout)
    average = lenet5().to(device)
    average.load_state_dict(model.state_dict())
    images, labels = digits[0].to(device).float() / 255, digits[1].to(device)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=recipe.weight_decay)
    n_batches = -(-len(images) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, epochs=n_epochs, steps_per_epoch=n_batches, pct_start=0.2
    )
    for epoch in range(n_epochs):
        order = torch.randperm(len(images), generator=generator).to(device)
        progress = tqdm(order.split(BATCH_SIZE), f"epoch {epoch + 1}/{n_epochs}", leave=False)
        for step, chosen in enumerate(progress, start=epoch * n_batches):
            batch = distort(images[chosen], recipe, generator)
            logits = model(normalize_digits(batch * 255).to(memory_format=layout))
            loss = F.cross_entropy(logits, labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            update_average(average, model, step)
            if step % 50 == 0:
                progress.set_postfix(loss=f"{loss.item():.3f}")
        after_epoch(epoch + 1, average)
    return average.cpu()


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, step: int) -> None:
    """Move the average towards the model: by much at first, by one thousandth later."""
    share = max(1 / AVERAGE_STEPS, 9 / (10 + step))
    for mean, parameter in zip(average.parameters(), model.parameters(), strict=True):
        mean.lerp_(parameter, share)


def split(limit: int | None) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return training and validation digits, from one fixed permutation of the 60,000."""
    images, labels = mnist("train")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(12))
    learn, check = order[:-N_VALIDATION][:limit], order[-N_VALIDATION:]
    return (images[learn], labels[learn]), (normalize_digits(images[check]), labels[check])


def validate(name: str, options: argparse.Namespace) -> None:
    """Train one recipe without the validation digits, and say after each epoch how it does."""
    learn, (images, labels) = split(options.limit)
    images, labels = images.to(options.device), labels.to(options.device)
    curve = []

    def measure(epoch: int, model: nn.Sequential) -> None:
        loss, accuracy = loss_and_accuracy(model, images, labels)
        curve.append((round(loss, 4), round(accuracy, 2)))
        tqdm.write(f"epoch {epoch:3}: validation loss {loss:.4f}, {accuracy:.2f} %")

    tqdm.write(f"recipe {name}: {CANDIDATES[name]}")
    settings = {"n_epochs": options.epochs, "seed": options.seed, "device": options.device}
    train(learn, CANDIDATES[name], after_epoch=measure, **settings)
    if options.record:
        rows = json.loads(RECORD.read_text()) if RECORD.exists() else []
        row = {"recipe": name, "seed": options.seed, "images": len(learn[0]), "curve": curve}
        write(RECORD, (json.dumps([*rows, row]).replace('{"r', '\n {"r') + "\n").encode())


def make_weights(options: argparse.Namespace) -> None:
    """Train the chosen recipe on all training digits, write the weights, test them once."""
    images, labels = mnist("train")
    if options.limit:
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(12))
        images, labels = images[order[: options.limit]], labels[order[: options.limit]]
    recipe = CANDIDATES[options.recipe]
    settings = {"n_epochs": options.epochs, "seed": options.seed, "device": options.device}
    model = train((images, labels), recipe, **settings)
    about = {"epochs": options.epochs, "seed": options.seed, "images": len(images)}
    about |= {"recipe": options.recipe, "settings": asdict(recipe), "torch": torch.__version__}
    about["earlier"] = EARLIER
    about["candidates"] = json.loads(RECORD.read_text()) if RECORD.exists() else []
    write(options.output, pack_weights(model, about))
    tqdm.write(f"{options.output} holds the weights: {options.output.stat().st_size} bytes")

    test_images, test_labels = mnist("test")
    _, accuracy = loss_and_accuracy(
        trained_lenet5(options.output), normalize_digits(test_images), test_labels
    )
    tqdm.write(f"test accuracy {accuracy:.2f} %")


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def options_from(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line; what cannot work is refused before any training."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=60, help="passes over the digits (60)")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--seed", type=int, default=5, help="of the weights and the draws (5)")
    parser.add_argument("--output", type=Path, default=WEIGHTS, help="the file that is written")
    parser.add_argument("--limit", type=int, help="learn from so many digits only")
    parser.add_argument("--recipe", choices=CANDIDATES, help=f"({CHOSEN})")
    parser.add_argument("--validate", action="store_true", help="compare recipes, write no weights")
    parser.add_argument("--record", action="store_true", help=f"note the result in {RECORD.name}")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU (1)")
    options = parser.parse_args(arguments)
    for name in ("epochs", "limit", "threads"):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"--{name} must be at least 1, got {value}")
    if not 0 <= options.seed < 2**63:
        parser.error(f"--seed must be a whole number from 0 to 2**63 - 1, got {options.seed}")
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: PyTorch finds no GPU here; take --device cpu")
    found = "cuda" if torch.cuda.is_available() else "cpu"
    options.device = torch.device(found if options.device == "auto" else options.device)
    folder = options.output.parent
    if options.output.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        parser.error(f"--output {options.output}: no file can be written there")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = options_from(arguments)
    torch.set_num_threads(options.threads)  # the network is small: more threads hardly help
    try:
        if options.validate:
            for name in [options.recipe] if options.recipe else CANDIDATES:
                validate(name, options)
        else:
            options.recipe = options.recipe or CHOSEN
            make_weights(options)
    except KeyboardInterrupt:
        tqdm.write("Stopped: no file was changed.")
        return 130
    except (OSError, ValueError) as error:
        tqdm.write(f"{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
