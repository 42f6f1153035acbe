"""What chapter 14 says of gradients, found again without the chapter's code."""

import re
from pathlib import Path

import nbformat
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.datasets import line_loaders
from course_utils.models import line_classifier

CHAPTERS = Path(__file__).parents[1] / "chapters"
RATE = re.compile(r"rate +([\d.]+): accuracy +([\d.]+) %, loss ([\d.]+)")


def printed_rates(stem):
    """Return {rate: (accuracy, loss)} as the chapter's stored outputs print them."""
    notebook = nbformat.read(CHAPTERS / f"{stem}.ipynb", as_version=4)
    text = "\n".join(
        output.get("text", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    return {float(rate): (accuracy, loss) for rate, accuracy, loss in RATE.findall(text)}


@pytest.fixture
def lesson():
    """Return the loader of the case study, and its images and labels in float64."""
    train_loader, _ = line_loaders()
    images, labels = train_loader.dataset.tensors
    train_loader.sampler.generator.manual_seed(42)
    picked = torch.tensor(list(train_loader.sampler)).view(-1, 16)
    return images.double(), labels, picked


def network(seed):
    torch.manual_seed(seed)
    return line_classifier().double()


def test_chapters_11_and_14_print_the_same_for_each_learning_rate():
    chapter_11, chapter_14 = printed_rates("11_case_study"), printed_rates("14_gradients")

    assert sorted(chapter_11) == [0.001, 0.01, 0.1, 1]
    assert chapter_14 == chapter_11


@pytest.mark.number(
    -0.16,
    "largest response before ReLU of the network with seed 42, over all images",
    chapter="14_gradients",
    heading="Born dead: the pixels and the kernel",
    digits=4,
)
def test_seed_42_is_dead_before_training(number, lesson):
    images, labels, _ = lesson
    model = network(42)

    F.cross_entropy(model(images), labels).backward()

    assert round(model.conv1(images).max().item(), 4) == number
    alive = [name for name, parameter in model.named_parameters() if parameter.grad.any()]
    assert alive == ["fc1.bias", "fc2.weight", "fc2.bias"]


def steps_until_dead(lesson, rate):
    """Return after how many steps no image gets through ReLU; None if not within 20."""
    images, labels, picked = lesson
    model = network(13)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    for step, batch in enumerate(picked[:20], start=1):
        optimizer.zero_grad()
        F.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimizer.step()
        if model.conv1(images).max() <= 0:
            return step
    return None


@pytest.mark.number(
    9,
    "steps until learning rate 1 has killed the filter of seed 13",
    item=37,
    chapter="14_gradients",
    heading="Five learning rates",
)
def test_learning_rate_1_kills_the_filter(number, lesson):
    assert steps_until_dead(lesson, 1) == number


@pytest.mark.parametrize(("rate", "step"), [(0.1, None), (10, 1)])
def test_learning_rate_10_kills_at_once_and_a_tenth_does_not(lesson, rate, step):
    assert steps_until_dead(lesson, rate) == step


@pytest.mark.number(
    4.8,
    "times smaller is the first gradient with softmax before the loss",
    item=37,
    chapter="14_gradients",
    heading="Smaller gradients: the signature of two softmaxes",
    digits=1,
)
def test_softmax_before_the_loss_makes_the_first_gradient_about_5_times_smaller(number, lesson):
    images, labels, _ = lesson
    norms = []

    for last in (nn.Identity(), nn.Softmax(dim=1)):
        model = nn.Sequential(network(13), last)
        F.cross_entropy(model(images), labels).backward()
        norms.append(torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item())

    assert round(norms[0] / norms[1], 1) == number


@pytest.mark.number(
    0.5514,
    "smallest loss of three classes with softmax before the loss",
    chapter="14_gradients",
    heading="Softmax before the loss",
    digits=4,
)
def test_two_softmaxes_put_a_floor_under_the_loss(number):
    certain = torch.tensor([[1e3, 0.0, 0.0]]).softmax(dim=1)

    assert round(F.cross_entropy(certain, torch.tensor([0])).item(), 4) == number


def test_no_zero_grad_is_momentum_1(lesson):
    images, labels, picked = lesson
    paths = []

    for momentum in (0, 1):
        model = network(13)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=momentum)
        for batch in picked:
            if momentum:
                optimizer.zero_grad()
            F.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()
        paths.append([p.detach() for p in model.parameters()])

    torch.testing.assert_close(*paths)
