"""The lesson's numbers come out of PyTorch, or of a count made another way than the chapter's."""

import math
import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.models import lenet5

guards = pytest.mark.number
PATCH = torch.arange(1, 10).view(3, 3)
SOBEL_X = torch.tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
FEATURE_MAP = [[-10, 3, 5, 0], [4, -3, 3, -3], [1, 0, 20, 4], [5, 6, -10, 9]]
POOL_DATA = [[181, 237, 170, 223], [229, 181, 89, 108], [109, 93, 48, 66], [158, 21, 71, 14]]
LOGITS = torch.tensor([1.3863, 0, -0.6931])
C3_TABLE = """
    012 123 234 345 045 015 0123 1234
    2345 0345 0145 0125 0134 1245 0235 012345
"""
C3_MAPS = re.findall(r"\d+", C3_TABLE)  # the maps of S2 that each map of C3 reads

chapter_2 = {"chapter": "02_correlation_and_convolution"}
chapter_3 = {"chapter": "03_convolution_arithmetic"}
chapter_4 = {"chapter": "04_channels_and_groups"}
chapter_6 = {"chapter": "06_relu_pooling_receptive_field"}
chapter_8 = {"chapter": "08_lenet5"}
chapter_9 = {"chapter": "09_softmax"}
chapter_10 = {"chapter": "10_cross_entropy"}


def image(rows):
    return torch.tensor([[rows]]).float()


def lesson_batch():
    """Return the five rows of logits and the labels of the lesson."""
    generator = torch.Generator().manual_seed(11)
    return torch.randn(5, 3, generator=generator), torch.tensor([0, 0, 1, 2, 1])


def softmax_as_in_the_lesson(logits):
    exponentials = torch.exp(logits)
    return exponentials / exponentials.sum(dim=1, keepdim=True)


# Chapters 2 to 4


@guards(
    [[-1, 0, 3], [-8, 0, 12], [-7, 0, 9]],
    "element-wise product of the image 1 to 9 and Sobel-x",
    item=2,
    heading="Nine products",
    **chapter_2,
)
def test_products_of_the_patch_and_sobel_x(number):
    assert (PATCH * SOBEL_X).tolist() == number


@guards(8, "their sum, the correlation", item=2, heading="Nine products", **chapter_2)
def test_correlation_of_the_patch(number):
    assert F.conv2d(PATCH[None, None], SOBEL_X[None, None]).item() == number


@guards(-8, "true convolution of the same patch", item=3, heading="The kernel turned", **chapter_2)
def test_convolution_of_the_patch(number):
    columns = [
        np.convolve(row, kernel, "valid")
        for row, kernel in zip(PATCH, SOBEL_X.flip(0), strict=True)
    ]

    assert np.sum(columns) == number


@guards(
    {"input": [1, 1, 7, 7], "output": [1, 1, 5, 5]},
    "shapes of `Conv2d(1, 1, 3)` on 7 × 7",
    item=4,
    heading="The layer",
    **chapter_2,
)
def test_shapes_of_one_filter_on_seven_by_seven(number):
    output = nn.Conv2d(1, 1, 3)(torch.zeros(number["input"]))

    assert {"input": [1, 1, 7, 7], "output": list(output.shape)} == number


@guards(
    54.25,
    "AlexNet's first layer on 224 pixels, before the floor",
    item=5,
    heading="AlexNet: 224 or 227",
    **chapter_3,
)
def test_quotient_of_alexnet(number):
    width, kernel_size, stride = 224, 11, 4

    assert (width - kernel_size) / stride + 1 == number


@guards(
    {"224": 54, "227": 55},
    "its output sizes on 224 and 227 pixels",
    item=5,
    heading="AlexNet: 224 or 227",
    **chapter_3,
)
def test_sizes_of_alexnet(number):
    layer = nn.Conv1d(1, 1, 11, stride=4)

    assert {str(n): layer(torch.zeros(1, n)).shape[-1] for n in (224, 227)} == number


@guards(
    {"weight": [2, 3, 3, 3], "bias": [2], "output": [1, 2, 4, 4]},
    "shapes of `Conv2d(3, 2, 3)` on (1, 3, 6, 6)",
    item=6,
    heading="Sums over channels",
    **chapter_4,
)
def test_shapes_of_two_filters_on_three_channels(number):
    layer = nn.Conv2d(3, 2, 3)
    output = layer(torch.zeros(1, 3, 6, 6))

    tensors = {"weight": layer.weight, "bias": layer.bias, "output": output}
    assert {name: list(tensor.shape) for name, tensor in tensors.items()} == number


@guards(
    {"standard": 73_728, "separable": 8_768},
    "weights from 64 to 128 channels, 3 × 3",
    item=6,
    heading="Depthwise separable convolutions",
    **chapter_4,
)
def test_weights_of_standard_and_separable_convolutions(number):
    standard = nn.Conv2d(64, 128, 3).weight.numel()
    depthwise, pointwise = nn.Conv2d(64, 64, 3, groups=64), nn.Conv2d(64, 128, 1)

    separable = depthwise.weight.numel() + pointwise.weight.numel()
    assert {"standard": standard, "separable": separable} == number


# Chapters 5 and 6


@guards(
    {"C1": 25.0, "C3": 12.8},
    "times as many numbers in the table of windows as in the map",
    heading="What the table costs",
    digits=1,
    chapter="05_im2col_and_backward",
)
def test_blow_up_of_the_table_of_windows(number):
    tables = {
        "C1": F.unfold(torch.zeros(1, 1, 28, 28), 5, padding=2).numel() / (1 * 28 * 28),
        "C3": F.unfold(torch.zeros(1, 6, 14, 14), 5).numel() / (6 * 14 * 14),
    }

    assert {name: round(times, 1) for name, times in tables.items()} == number


@guards(
    [[0, 3, 5, 0], [4, 0, 3, 0], [1, 0, 20, 4], [5, 6, 0, 9]],
    "ReLU of the 4 × 4 example",
    item=7,
    heading="ReLU",
    **chapter_6,
)
def test_relu_of_the_example(number):
    assert nn.ReLU()(image(FEATURE_MAP))[0, 0].tolist() == number


@guards(
    [[237, 237, 223], [229, 181, 108], [158, 93, 71]],
    "max pooling 2 × 2 of the 4 × 4 example, stride 1",
    item=9,
    heading="Predict first",
    **chapter_6,
)
def test_max_pooling_with_stride_one(number):
    assert nn.MaxPool2d(2, stride=1)(image(POOL_DATA))[0, 0].tolist() == number


@guards(
    [[237, 223], [158, 71]],
    "the same with the default stride",
    item=9,
    heading="The default stride",
    **chapter_6,
)
def test_max_pooling_with_the_default_stride(number):
    assert nn.MaxPool2d(2)(image(POOL_DATA))[0, 0].tolist() == number


@guards(
    [237, 237, 223, 229, 181, 108, 158, 93, 71],
    "the pooled map, flattened",
    item=10,
    heading="Flatten",
    **chapter_6,
)
def test_flattened_map(number):
    assert nn.Flatten()(F.max_pool2d(image(POOL_DATA), 2, stride=1))[0].tolist() == number


@guards(
    75,
    "per cent of the values that a 2 × 2 pooling drops",
    item=8,
    heading="What is lost",
    **chapter_6,
)
def test_share_of_the_values_that_pooling_drops(number):
    kept = F.max_pool2d(image(POOL_DATA), 2).numel()

    assert 100 * (1 - kept / 16) == number


@guards(
    {"C1": 5, "S2": 6, "C3": 14, "S4": 16, "C5": 32},
    "receptive fields of LeNet-5 on the padded input, in pixels",
    item=15,
    heading="Receptive field and jump",
    **chapter_6,
)
def test_receptive_fields_of_lenet5(number):
    fields = {}
    values = canvas = torch.zeros(1, 1, 92, 92, dtype=torch.float64, requires_grad=True)
    for name, kernel in [("C1", 5), ("S2", 2), ("C3", 5), ("S4", 2), ("C5", 5)]:
        if name.startswith("S"):
            values = F.avg_pool2d(values, kernel)  # a mean has the windows of a maximum
        else:
            values = F.conv2d(values, torch.ones(1, 1, kernel, kernel).double())
        unit = values[0, 0, values.shape[2] // 2, values.shape[3] // 2]
        (slope,) = torch.autograd.grad(unit, canvas, retain_graph=True)
        fields[name] = (slope[0, 0] != 0).any(dim=0).sum().item()

    assert fields == number


# Chapters 7 and 8


@guards(
    {"parameters": 12, "buffers": 3},
    "parameters and buffers of `BatchNorm2d(6)`",
    item=12,
    heading="Layer, instance and group normalisation",
    chapter="07_batch_norm_and_dropout",
)
def test_what_a_batch_norm_holds(number):
    layer = nn.BatchNorm2d(6)
    parameters = sum(parameter.numel() for parameter in layer.parameters())

    assert {"parameters": parameters, "buffers": len(list(layer.buffers()))} == number


@guards(
    {"C1": 156, "C3": 2_416, "C5": 48_120, "F6": 10_164, "OUTPUT": 850},
    "parameters of LeNet-5, layer by layer",
    item=16,
    heading="61,706 parameters",
    **chapter_8,
)
def test_parameters_of_lenet5_layer_by_layer(number):
    counts = {
        name: sum(parameter.numel() for parameter in layer.parameters())
        for name, layer in lenet5().named_children()
    }

    assert {name: count for name, count in counts.items() if count} == number


@guards(
    {"C1": 156, "S2": 12, "C3": 1_516, "S4": 32, "C5": 48_120, "F6": 10_164, "total": 60_000},
    "trained parameters of the network of 1998",
    item=17,
    heading="60,000 trained parameters",
    **chapter_8,
)
def test_trained_parameters_of_1998(number):
    links = sum(len(maps) for maps in C3_MAPS)
    layers = {
        "C1": nn.Conv2d(1, 6, 5).weight.numel() + 6,
        "S2": 2 * 6,  # a coefficient and a bias for each map
        "C3": links * 5 * 5 + len(C3_MAPS),
        "S4": 2 * 16,
        "C5": nn.Conv2d(16, 120, 5).weight.numel() + 120,
        "F6": nn.Linear(120, 84).weight.numel() + 84,
    }

    assert layers | {"total": sum(layers.values())} == number


@guards(
    {"dense C3": 900, "trained output": 850, "S2": 12, "S4": 32},
    "what lies between 60,000 and 61,706: the first two more, the others less",
    item=17,
    heading="60,000 trained parameters",
    **chapter_8,
)
def test_walk_from_60000_to_61706(number):
    missing_links = 6 * 16 - sum(len(maps) for maps in C3_MAPS)
    output = sum(parameter.numel() for parameter in lenet5().OUTPUT.parameters())

    steps = {"dense C3": missing_links * 25, "trained output": output, "S2": 2 * 6, "S4": 2 * 16}
    assert steps == number
    assert 60_000 + steps["dense C3"] + steps["trained output"] - 12 - 32 == 61_706


@guards(
    {
        "C1": 122_304,
        "S2": 5_880,
        "C3": 151_600,
        "S4": 2_000,
        "C5": 48_120,
        "F6": 10_164,
        "OUTPUT": 840,
        "total": 340_908,
    },
    "connections of the network of 1998",
    item=17,
    heading="340,908 connections",
    **chapter_8,
)
def test_connections_of_1998(number):
    fan_in = {"C1": 25, "S2": 4, "S4": 4, "C5": 16 * 25, "F6": 120}
    units = {"C1": 6 * 28**2, "S2": 6 * 14**2, "S4": 16 * 5**2, "C5": 120, "F6": 84}
    connections = {name: units[name] * (fan_in[name] + 1) for name in units}
    connections["C3"] = sum(10**2 * (len(maps) * 25 + 1) for maps in C3_MAPS)
    connections["OUTPUT"] = 10 * 84

    assert connections | {"total": sum(connections.values())} == number


@guards(
    {"links": 60, "readers of each S2 map": 10},
    "the table of C3",
    item=17,
    heading="The table of C3",
    **chapter_8,
)
def test_links_of_the_c3_table(number):
    readers = {sum(str(source) in maps for maps in C3_MAPS) for source in range(6)}

    assert {"links": len("".join(C3_MAPS)), "readers of each S2 map": readers.pop()} == number
    assert not readers


@guards(
    {"C1": 117_600, "C3": 240_000, "C5": 48_000, "F6": 10_080, "OUTPUT": 840, "total": 416_520},
    "multiply-adds of LeNet-5 for one image",
    item=16,
    heading="416,520 multiply-adds",
    **chapter_8,
)
def test_multiply_adds_of_lenet5(number):
    counts, values = {}, torch.zeros(1, 1, 28, 28)
    for name, layer in lenet5().named_children():
        values = layer(values)
        if hasattr(layer, "weight"):
            counts[name] = values.numel() * layer.weight[0].numel()

    assert counts | {"total": sum(counts.values())} == number


@guards(
    {"C5, parameters": 78.0, "C5, work": 11.5, "C3, parameters": 3.9, "C3, work": 57.6},
    "shares of LeNet-5, in per cent",
    item=16,
    heading="Predict first",
    digits=1,
    **chapter_8,
)
def test_shares_of_parameters_and_work(number):
    shares = {
        "C5, parameters": 48_120 / 61_706,
        "C5, work": 120 * 400 / 416_520,
        "C3, parameters": 2_416 / 61_706,
        "C3, work": 1_600 * 150 / 416_520,
    }

    assert {name: round(100 * share, 1) for name, share in shares.items()} == number


@guards(
    {"dense": 3_692_640, "local, unshared": 122_304, "convolution": 156},
    "parameters of three layers that do the job of C1",
    item=16,
    heading="What sharing saves",
    **chapter_8,
)
def test_what_sharing_saves_in_c1(number):
    outputs = F.conv2d(torch.zeros(1, 1, 28, 28), torch.zeros(6, 1, 5, 5), padding=2).numel()
    shared = sum(parameter.numel() for parameter in nn.Conv2d(1, 6, 5).parameters())
    dense = {"dense": outputs * 784 + outputs, "local, unshared": outputs * 25 + outputs}

    assert dense | {"convolution": shared} == number


@guards(
    {"layers listed": 12, "modules": 11, "parameters": 61_706},
    "LeNet-5 with the name `func2` used twice",
    item=15,
    heading="The name used twice",
    **chapter_8,
)
def test_modules_when_a_name_is_used_twice(number):
    names = ["C1", "func1", "S2", "C3", "func2", "S4", "C5", "func2", "flatten", "F6", "func3"]
    names.append("OUTPUT")
    network = nn.Sequential()
    for name, layer in zip(names, lenet5(), strict=True):
        network.add_module(name, layer)

    parameters = sum(parameter.numel() for parameter in network.parameters())
    counts = {"layers listed": len(names), "modules": len(network), "parameters": parameters}
    assert counts == number
    assert not isinstance(network[network_index(network, "C5") + 1], nn.ReLU)


def network_index(network, name):
    return [child for child, _ in network.named_children()].index(name)


# Chapters 9 and 10


@guards(
    [0.7273, 0.1818, 0.0909],
    "softmax of (1.3863, 0, −0.6931)",
    item=20,
    heading="Odds against a reference class",
    digits=4,
    **chapter_9,
)
def test_softmax_of_the_three_logits(number):
    torch.testing.assert_close(nn.Softmax(dim=-1)(LOGITS), torch.tensor(number), atol=5e-5, rtol=0)


@guards(
    [4.0, 1.0, 0.5],
    "exponentials of the three logits",
    item=19,
    heading="Odds against a reference class",
    digits=4,
    **chapter_9,
)
def test_exponentials_of_the_three_logits(number):
    torch.testing.assert_close(torch.exp(LOGITS), torch.tensor(number), atol=5e-5, rtol=0)


@guards(
    2.6667,
    "odds of class 0 against the other two, 8/3",
    item=19,
    heading="Which odds are in a row of logits",
    digits=4,
    **chapter_9,
)
def test_odds_against_the_rest(number):
    p = torch.softmax(torch.tensor([4.0, 1.0, 0.5]).double().log(), dim=0)

    assert torch.logit(p)[0].exp().item() == pytest.approx(number, abs=5e-5)


@guards(
    88.72,
    "largest logit, to two decimals, whose exponential is finite in float32",
    item=20,
    heading="Overflow",
    digits=2,
    **chapter_9,
)
def test_last_exponential_of_float32(number):
    assert math.isfinite(torch.tensor(number).exp())
    assert math.isinf(torch.tensor(number + 0.01).exp())


@guards(
    [
        [0.7376, 1.9459, -0.6995],
        [-1.3023, -0.5133, -0.2696],
        [0.2462, 0.4839, 0.4504],
        [-0.9568, 1.5012, -0.3136],
        [-0.2343, -1.0713, 0.1648],
    ],
    "logits of `manual_seed(11)`, `randn(5, 3)`",
    item=23,
    heading="Predict first",
    digits=4,
    **chapter_10,
)
def test_logits_of_seed_eleven(number):
    torch.testing.assert_close(lesson_batch()[0], torch.tensor(number), atol=5e-5, rtol=0)


@guards(
    [
        [0.2181, 0.7301, 0.0518],
        [0.1664, 0.3663, 0.4673],
        [0.2861, 0.3629, 0.3510],
        [0.0686, 0.8010, 0.1305],
        [0.3421, 0.1481, 0.5098],
    ],
    "their probabilities",
    item=23,
    heading="The loss by hand",
    digits=4,
    **chapter_10,
)
def test_probabilities_of_seed_eleven(number):
    logits, _ = lesson_batch()

    torch.testing.assert_close(
        torch.softmax(logits, dim=1), torch.tensor(number), atol=5e-5, rtol=0
    )


@guards(
    1.6552671194076538,
    "the loss by hand, labels 0, 0, 1, 2, 1",
    item=24,
    heading="The loss by hand",
    **chapter_10,
)
def test_loss_by_hand(number):
    logits, labels = lesson_batch()
    picked = softmax_as_in_the_lesson(logits)[range(5), labels]

    assert torch.mean(-torch.log(picked)).item() == number


@guards(
    1.6553,
    "the same from `CrossEntropyLoss`",
    item=25,
    heading="The loss by hand",
    digits=4,
    **chapter_10,
)
def test_loss_of_cross_entropy_loss(number):
    assert nn.CrossEntropyLoss()(*lesson_batch()).item() == pytest.approx(number, abs=5e-5)


@guards(
    1.655267357826233,
    "the loss on another correct path, two float32 steps away",
    item=24,
    heading="Two right answers in the last digits",
    **chapter_10,
)
def test_loss_by_log_softmax(number):
    logits, labels = lesson_batch()

    assert -torch.log_softmax(logits, dim=1)[range(5), labels].mean().item() == number
    assert number - 1.6552671194076538 == 2 * np.spacing(np.float32(1.6))


@guards(
    1.0986,
    "the loss of guessing among three classes, ln 3",
    item=24,
    heading="Worse than guessing",
    digits=4,
    **chapter_10,
)
def test_loss_of_guessing(number):
    _, labels = lesson_batch()

    assert F.cross_entropy(torch.zeros(5, 3), labels).item() == pytest.approx(number, abs=5e-5)


@guards(
    0.2,
    "accuracy of the lesson's five rows",
    item=24,
    heading="Worse than guessing",
    digits=1,
    **chapter_10,
)
def test_accuracy_of_the_five_rows(number):
    logits, labels = lesson_batch()

    assert (logits.argmax(dim=1) == labels).double().mean().item() == number


@guards(
    [1.5229, 1.7934, 1.0136, 2.0367, 1.9098],
    "the five losses",
    item=24,
    heading="The loss by hand",
    digits=4,
    **chapter_10,
)
def test_losses_of_the_five_rows(number):
    losses = F.cross_entropy(*lesson_batch(), reduction="none")

    torch.testing.assert_close(losses, torch.tensor(number), atol=5e-5, rtol=0)


@guards(2.388, "the loss in bits", item=24, heading="Surprise", digits=3, **chapter_10)
def test_loss_in_bits(number):
    assert F.cross_entropy(*lesson_batch()).item() / math.log(2) == pytest.approx(number, abs=5e-4)


@guards(
    0.8018,
    "smallest cross-entropy where the truth is (0.7, 0.2, 0.1)",
    item=22,
    heading="Entropy and cross-entropy",
    digits=4,
    **chapter_10,
)
def test_smallest_cross_entropy(number):
    truth = torch.tensor([0.7, 0.2, 0.1])

    entropy = torch.distributions.Categorical(truth).entropy().item()
    assert entropy == pytest.approx(number, abs=5e-5)
    assert F.cross_entropy(truth.log(), truth).item() == pytest.approx(number, abs=5e-5)


@guards(
    1.2509,
    "the loss with softmax before `CrossEntropyLoss`",
    item=25,
    heading='"The loss wants probabilities, so softmax first"',
    digits=4,
    **chapter_10,
)
def test_loss_of_softmax_twice(number):
    logits, labels = lesson_batch()

    twice = F.cross_entropy(torch.softmax(logits, dim=1), labels).item()
    assert twice == pytest.approx(number, abs=5e-5)


@guards(
    -0.2052,
    "`nll_loss` of probabilities, which is no loss",
    item=25,
    heading='"nll_loss is the same loss, for probabilities"',
    digits=4,
    **chapter_10,
)
def test_nll_loss_of_probabilities(number):
    logits, labels = lesson_batch()

    value = F.nll_loss(torch.softmax(logits, dim=1), labels).item()
    assert value == pytest.approx(number, abs=5e-5)


@guards(
    1.7188,
    "the loss with class weights 1, 1, 2",
    item=25,
    heading="Class weights, and what the mean divides by",
    digits=4,
    **chapter_10,
)
def test_weighted_loss(number):
    weighted = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 1, 2]))(*lesson_batch()).item()

    assert weighted == pytest.approx(number, abs=5e-5)
