"""The two networks have the layers, shapes and parameters that the chapters speak of."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from course_utils.models import lenet5, line_classifier

LENET5 = {  # output of each layer for one image, and parameters
    "C1": ((6, 28, 28), 156),
    "relu1": ((6, 28, 28), 0),
    "S2": ((6, 14, 14), 0),
    "C3": ((16, 10, 10), 2_416),
    "relu2": ((16, 10, 10), 0),
    "S4": ((16, 5, 5), 0),
    "C5": ((120, 1, 1), 48_120),
    "relu3": ((120, 1, 1), 0),
    "flatten": ((120,), 0),
    "F6": ((84,), 10_164),
    "relu4": ((84,), 0),
    "OUTPUT": ((10,), 850),
}
LINE_CLASSIFIER = {
    "conv1": ((1, 8, 8), 10),
    "relu1": ((1, 8, 8), 0),
    "maxp1": ((1, 4, 4), 0),
    "flatten": ((16,), 0),
    "fc1": ((10,), 170),
    "relu2": ((10,), 0),
    "fc2": ((3,), 33),
}


def parameter_count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def layers_of(model, images):
    """Return (output shape for one image, parameters) of each layer by name."""
    layers = {}
    for name, layer in model.named_children():
        images = layer(images)
        layers[name] = tuple(images.shape[1:]), parameter_count(layer)
    return layers


def test_lenet5_has_its_twelve_layers():
    layers = layers_of(lenet5(), torch.zeros(2, 1, 28, 28))

    assert list(layers.items()) == list(LENET5.items())
    assert len(layers) == 12


@pytest.mark.number(
    61_706,
    "parameters of the lesson's LeNet-5",
    item=17,
    chapter="08_lenet5",
    heading="61,706 parameters",
)
def test_lenet5_has_61706_parameters(number):
    assert parameter_count(lenet5()) == number


def test_line_classifier_has_its_seven_layers():
    layers = layers_of(line_classifier(), torch.zeros(2, 1, 10, 10))

    assert list(layers.items()) == list(LINE_CLASSIFIER.items())


@pytest.mark.number(
    213,
    "parameters of the case study's network",
    item=27,
    chapter="11_case_study",
    heading="213 parameters",
)
def test_line_classifier_has_213_parameters(number):
    assert parameter_count(line_classifier()) == number


@pytest.mark.parametrize("make", [lenet5, line_classifier])
def test_each_model_is_a_sequential_with_a_rectifier_after_every_layer_but_the_last(make):
    model = make()

    assert type(model) is nn.Sequential
    layers = [layer for layer in model if not isinstance(layer, nn.Flatten)]
    for layer, follower in pairwise(layers):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert isinstance(follower, nn.ReLU)
            assert not follower.inplace  # it would change what a hook has seen
    assert isinstance(layers[-1], nn.Linear)  # logits, no probabilities


def test_lenet5_gives_as_many_logits_as_classes():
    logits = lenet5(num_classes=7)(torch.zeros(5, 1, 28, 28))

    assert logits.shape == (5, 7)


def test_line_classifier_has_as_many_filters_as_asked_for():
    model = line_classifier(n_channels=8)

    assert model.conv1(torch.zeros(5, 1, 10, 10)).shape == (5, 8, 8, 8)
    assert model(torch.zeros(5, 1, 10, 10)).shape == (5, 3)


@pytest.mark.parametrize("make", [lenet5, line_classifier])
def test_models_draw_their_weights_from_the_global_seed(make):
    states = []
    for seed in (13, 13, 14):
        torch.manual_seed(seed)
        states.append(torch.cat([weight.flatten() for weight in make().parameters()]))

    torch.testing.assert_close(states[0], states[1], rtol=0, atol=0)
    assert not torch.equal(states[0], states[2])


def test_models_refuse_to_have_no_output():
    with pytest.raises(ValueError, match=r"^num_classes must be at least 1, got 0$"):
        lenet5(0)
    with pytest.raises(ValueError, match=r"^n_channels must be at least 1, got -1$"):
        line_classifier(-1)
