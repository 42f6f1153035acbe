"""The rules and numbers of chapter 13, found without its notebook."""

import pytest
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

from course_utils.architecture import Architecture
from course_utils.datasets import line_loaders
from course_utils.models import line_classifier


@pytest.fixture
def layer():
    """Return a linear layer of two features."""
    return nn.Linear(2, 2)


@pytest.fixture
def seen(layer):
    """Return the list that a forward hook on the layer fills with its inputs."""
    inputs = []
    layer.register_forward_hook(lambda _module, args, _output: inputs.append(args))
    return inputs


def test_forward_called_directly_runs_no_hook(layer, seen):
    layer.forward(torch.ones(1, 2))

    assert seen == []


def test_a_keyword_argument_is_not_among_the_inputs(layer, seen):
    layer(input=torch.ones(1, 2))

    assert seen == [()]


def test_a_returned_tensor_replaces_the_output(layer):
    layer.register_forward_hook(lambda _module, _args, output: 10 * output)

    outputs = layer(torch.ones(1, 2))

    torch.testing.assert_close(outputs, 10 * layer.forward(torch.ones(1, 2)))


def test_a_hook_that_is_registered_twice_runs_twice(layer):
    calls = []

    def hook(*_):
        calls.append("called")

    layer.register_forward_hook(hook)
    layer.register_forward_hook(hook)
    layer(torch.ones(1, 2))

    assert calls == ["called", "called"]


def test_only_a_clone_survives_an_in_place_layer():
    block = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True))
    kept = {}
    block[0].register_forward_hook(
        lambda _module, _args, output: kept.update(
            detached=output.detach(), cloned=output.detach().clone()
        )
    )

    block(torch.randn(1, 1, 9, 9, generator=torch.Generator().manual_seed(0)))

    assert kept["detached"].min() == 0
    assert kept["cloned"].min() < 0


def test_the_filter_of_the_case_study_is_the_one_of_the_chapter():
    """In float64, from the draws of seed 13; float32 differs in the third decimal."""
    train_loader, _ = line_loaders()
    images, labels = train_loader.dataset.tensors
    model = line_classifier().double()
    torch.manual_seed(13)
    for module in (model.conv1, model.fc1, model.fc2):
        bound = module.weight[0].numel() ** -0.5
        for parameter in module.parameters():
            parameter.data = (2 * torch.rand(parameter.shape) - 1).double() * bound
    trainer = Architecture(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters(), lr=0.1))
    trainer.set_loaders(
        DataLoader(
            TensorDataset(images.double(), labels), batch_size=16, sampler=train_loader.sampler
        )
    )

    trainer.train(20)

    lesson = [[-1.006, -0.729, 0.015], [-0.908, -1.058, 0.760], [0.033, 0.950, 2.105]]
    torch.testing.assert_close(
        model.conv1.weight.detach()[0, 0], torch.tensor(lesson).double(), rtol=0, atol=0.02
    )
    assert model.conv1.bias.item() == pytest.approx(0.063, abs=0.02)
