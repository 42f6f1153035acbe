"""X12 against F.conv2d, the course's lines, a first epoch, and what chapter 11 prints."""

import json

import numpy as np
import torch
import torch.nn.functional as F

from course_utils.datasets import line_images, line_loaders
from course_utils.explorers.showing import FOLDER
from explorers import Case
from explorers.gradient_dashboard import network


def lines():
    """Return the line of each label and start."""
    images, labels = line_images()
    starts = np.random.RandomState(17).randint(-9, 10, size=1000)
    return {
        (int(label), int(start)): torch.from_numpy(image[0]).double() / 127.5 - 1
        for image, label, start in zip(images, labels, starts, strict=True)
    }


def first_epochs(seed):
    """Yield validation loss and filter after 0 and 1 epochs."""
    train_loader, val_loader = line_loaders()
    images, labels = train_loader.dataset.tensors
    val_images, val_labels = val_loader.dataset.tensors
    train_loader.sampler.generator.manual_seed(42)
    model = network(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for steps in ([], torch.tensor(list(train_loader.sampler)).view(-1, 16)):
        for picked in steps:
            optimizer.zero_grad()
            F.cross_entropy(model(images[picked].double()), labels[picked]).backward()
            optimizer.step()
        loss = F.cross_entropy(model(val_images.double()), val_labels).detach()
        yield loss, model.conv1.weight.detach()[0, 0].clone()


def cases():
    drawn = lines()
    assert len(drawn) == 57
    for (label, start), image in drawn.items():
        yield Case("pixels", [label, start], image.tolist())
    frames = json.loads((FOLDER / "data" / "training-replay.json").read_text("utf-8"))
    for seed in ("13", "32", "42", "1"):
        for frame, (loss, kernel) in zip(frames[seed], first_epochs(int(seed)), strict=False):
            recorded = torch.tensor(frame["kernel"], dtype=torch.float64)
            torch.testing.assert_close(recorded, kernel, rtol=1e-6, atol=1e-6)
            assert abs(frame["loss"] - loss) < 1e-5
    for seed, label, start in [("13", 0, 5), ("32", 1, -3), ("42", 2, 4), ("1", 0, -9)]:
        last = frames[seed][20]
        kernel = torch.tensor(last["kernel"], dtype=torch.float64)
        bias = torch.tensor([last["bias"]], dtype=torch.float64)
        image = drawn[label, start]
        expected = F.conv2d(image[None, None], kernel[None, None], bias).relu()[0, 0]
        arguments = [image.tolist(), last["kernel"], last["bias"]]
        yield Case("relu1", arguments, expected.tolist())
    table = [[59, 67], [55, 62], [71, 71]]
    yield Case("correct", [frames["13"][20]["counts"]], table)
    for seed, accuracy, loss in [("13", 92.5, 0.25), ("42", 33.5, 1.10), ("32", 100.0, 0.01)]:
        assert round(frames[seed][20]["loss"], 2) == loss
        yield Case("accuracy", [frames[seed][20]["counts"]], accuracy)
    for seed, epoch in [("13", None), ("32", None), ("42", 0), ("1", 14)]:
        yield Case("death", [[frame["peak"] for frame in frames[seed]]], epoch)
