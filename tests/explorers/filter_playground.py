"""X1 against F.conv2d, and its photo against the course's."""

import torch
import torch.nn.functional as F

from course_utils import datasets
from explorers import Case


def photo():
    """Return the part of the chapter's cat that is recorded, from 0 to 1."""
    luma = torch.tensor([0.299, 0.587, 0.114])
    grey = torch.einsum("c,chw->hw", luma, datasets.photo().float() / 255)
    return F.avg_pool2d(grey[None], 2)[0, 38:134, 58:186].double()


def four_views(output):
    largest, low, high = output.abs().max(), output.min(), output.max()
    return {
        "raw": 0.5 + output / (2 * largest),
        "abs": output.abs() / largest,
        "clip": output.clamp(0, 1),
        "normalise": (output - low) / (high - low),
    }


def cases():
    yield Case("photo", [], photo().tolist(), tolerance=0.51 / 255 / photo().max().item())
    rng = torch.Generator().manual_seed(1)
    for height, width in [(3, 3), (3, 9), (12, 16), (24, 32), (7, 5)]:
        image = torch.rand(height, width, generator=rng, dtype=torch.float64)
        kernel = torch.randint(-40, 41, (3, 3), generator=rng).double() / 8
        output = F.conv2d(image[None, None], kernel[None, None])[0, 0]
        yield Case("applyFilter", [image.tolist(), kernel.tolist()], output.tolist())
        if output.numel() > 1:
            for view, greys in four_views(output).items():
                yield Case("greys", [output.tolist(), view], greys.tolist())
        corners = torch.cartesian_prod(*[torch.tensor([0.0, 1.0]).double()] * 9).reshape(-1, 3, 3)
        extreme = F.conv2d(corners[:, None], kernel[None, None]).flatten()
        yield Case("bounds", [kernel.tolist()], [extreme.min().item(), extreme.max().item()])
        yield Case("normalised", [kernel.tolist()], (kernel / kernel.sum()).tolist())
    edges = [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]
    yield Case("normalised", [edges], None)
    yield Case("greys", [[[0, 0], [0, 0]], "raw"], [[0.5, 0.5], [0.5, 0.5]])
