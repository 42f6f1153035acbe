"""Assignment 7: the images and the network that all its runs share."""

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor, nn

from course_utils.datasets import line_images

LossFunction = Callable[[Tensor, Tensor], Tensor]
Split = tuple[Tensor, Tensor, Tensor, Tensor]  # x_train, y_train, x_val, y_val
Evaluation = tuple[float, float]  # loss, accuracy


def lines(n_images: int, seed: int) -> tuple[Tensor, Tensor]:
    """
    Return line images and their labels; at most 55 pictures are different, the others are copies.

    Images are float64, shape (n_images, 1, 10, 10), from -1 to 1; labels are int64.
    """
    images, labels = _lines(n_images, seed)
    return images.clone(), labels.clone()


@lru_cache(maxsize=100)
def _lines(n_images: int, seed: int) -> tuple[Tensor, Tensor]:
    images, labels = line_images(n_images, seed=seed)
    return (torch.from_numpy(images).double() / 255 - 0.5) / 0.5, torch.from_numpy(labels)


def pictures(images: Tensor) -> Tensor:
    """Return a number for each image, from 0 on: copies of one picture have the same, int64."""
    which: Tensor = torch.unique(images.flatten(1), dim=0, return_inverse=True)[1]
    return which


def network() -> nn.Sequential:
    """Return the network of all runs, in float64 and in training mode: 233 parameters."""
    layers: list[tuple[str, nn.Module]] = [
        ("conv1", nn.Conv2d(1, 1, kernel_size=3)),  # (1, 8, 8)
        ("relu1", nn.ReLU()),
        ("maxp1", nn.MaxPool2d(kernel_size=2)),  # (1, 4, 4)
        ("flatten", nn.Flatten()),
        ("fc1", nn.Linear(16, 10)),
        ("bn1", nn.BatchNorm1d(10)),
        ("relu2", nn.ReLU()),
        ("fc2", nn.Linear(10, 3)),
    ]
    return nn.Sequential(OrderedDict(layers)).double()


def fill(model: nn.Module, seed: int) -> nn.Module:
    """
    Give conv1, fc1 and fc2 the start weights of a seed, and return the model.

    Each number is drawn evenly between -1 and 1, over the root of the inputs of its unit; PyTorch's
    own stream of random numbers is left alone.
    """
    stream = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name in ("conv1", "fc1", "fc2"):
            parameters = dict(model.get_submodule(name).named_parameters())
            bound = parameters["weight"][0].numel() ** -0.5
            for parameter in parameters.values():
                draws = 2 * torch.rand(parameter.shape, generator=stream) - 1
                parameter.copy_(draws.double() * bound)
    return model
