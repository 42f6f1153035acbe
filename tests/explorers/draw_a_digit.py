"""X16 against the shipped LeNet-5 and F.interpolate."""

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.datasets import mnist
from course_utils.hooks import record_activations
from course_utils.models import MNIST_MEAN, MNIST_STD, trained_lenet5
from explorers import Case

LAYERS = {
    "relu1": "C1",
    "S2": "S2",
    "relu2": "C3",
    "S4": "S4",
    "relu3": "C5",
    "relu4": "F6",
    "OUTPUT": "OUTPUT",
}


def layers(ink: Tensor) -> dict[str, list[float]]:
    """Return what every layer gives for ink of shape (28, 28), in float64."""
    model = trained_lenet5().double()
    with torch.no_grad(), record_activations(model, *LAYERS) as found:
        model((ink.double()[None, None] / 255 - MNIST_MEAN) / MNIST_STD)
    return {LAYERS[name]: values.flatten().tolist() for name, values in found.items()}


def spoil(ink: Tensor, how: str, right: int) -> Tensor:
    """Return ink of shape (28, 28) spoilt as in chapter 12."""
    x = ink[None, None]
    if how == "bold":
        x = F.max_pool2d(x, 3, stride=1, padding=1)
    if how == "small":
        x = F.pad(F.avg_pool2d(x, 2), (7, 7, 7, 7))
    x = torch.roll(F.pad(x, (8, 8)), right, dims=3)[0, 0, :, 8:-8]
    return 255 - x if how == "inverted" else x


def prepare(ink: Tensor) -> Tensor:
    """Return ink of shape (28, 28) in the form of MNIST: cut out, 20 pixels long, centred."""
    if ink.mean() > 127.5:
        ink = 255 - ink
    rows, columns = ink.nonzero().T
    if not len(rows):
        return ink
    cut = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    sizes = [max(1, int(side * 20 / max(cut.shape) + 0.5)) for side in cut.shape]
    small = F.interpolate(cut[None, None], sizes, mode="bilinear", antialias=True)[0, 0]
    corner = []
    for axis in (0, 1):
        places = torch.arange(sizes[axis]).double()
        middle = (small.sum(dim=1 - axis) * places).sum() / small.sum()
        corner.append(min(28 - sizes[axis], max(0, int((14 - middle + 0.5).floor()))))
    result = torch.zeros(28, 28).double()
    result[corner[0] : corner[0] + sizes[0], corner[1] : corner[1] + sizes[1]] = small
    return result


def cases():
    digits = mnist("test")[0][:, 0].double()
    drawings = [digits[18], digits[8408], torch.zeros(28, 28), torch.full((28, 28), 255.0)]
    rng = torch.Generator().manual_seed(16)
    drawings += [torch.randint(0, 256, (28, 28), generator=rng).double() for _ in range(2)]
    for ink in drawings:
        yield Case("layers", [ink.flatten().tolist()], layers(ink), tolerance=1e-6)
    for number, how, right in [
        (3, "none", 0),
        (2, "none", 8),
        (1, "none", -8),
        (18, "inverted", 4),
        (61, "bold", 2),
        (7, "small", -5),
        (0, "small", 6),
    ]:
        spoilt = spoil(digits[number], how, right)
        flat = digits[number].flatten().tolist()
        yield Case("spoil", [flat, how, right], spoilt.flatten().tolist())
        prepared = prepare(spoilt).flatten().tolist()
        yield Case("prepare", [spoilt.flatten().tolist()], prepared, tolerance=1e-6)
    for height, width in [(1, 1), (28, 3), (5, 28), (9, 7)]:
        ink = torch.zeros(28, 28).double()
        ink[:height, 28 - width :] = torch.rand(height, width, generator=rng).double() * 255
        prepared = prepare(ink).flatten().tolist()
        yield Case("prepare", [ink.flatten().tolist()], prepared, tolerance=1e-6)
    logits = [1.3863, 0.0, -0.6931, 800.0, 799.0]
    yield Case("softmax", [logits], torch.tensor(logits).double().softmax(0).tolist())
