"""Each slip of the lesson that has code: the lesson's version and the right one, run side by side."""

import math
import re
from fractions import Fraction

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from sections import CHAPTERS
from torch import nn
from torch.nn import functional as F

from course_utils.architecture import Architecture
from course_utils.models import lenet5, line_classifier

ERRATA = (CHAPTERS / "appendix_d_errata.md").read_text()
ENTRY = re.compile(r"^### (D\d+)\. (.+)$", re.MULTILINE)
PATCH = torch.arange(1, 10).view(1, 1, 3, 3)
SOBEL_X = torch.tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
LOGITS = torch.tensor([1.3863, 0, -0.6931])


def entries():
    """Return (number, text) of each erratum of the appendix."""
    starts = [*ENTRY.finditer(ERRATA)]
    ends = [match.start() for match in starts[1:]] + [len(ERRATA)]
    return [(m[1], ERRATA[m.start() : end]) for m, end in zip(starts, ends, strict=True)]


def parameter_count(model):
    return sum(parameter.numel() for parameter in model.parameters())


def lesson_batch():
    generator = torch.Generator().manual_seed(11)
    return torch.randn(5, 3, generator=generator), torch.tensor([0, 0, 1, 2, 1])


def small_architecture():
    """Return an Architecture of the case study's kind, with two images and their labels."""
    torch.manual_seed(13)
    model = line_classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    images = torch.rand(2, 1, 10, 10) * 2 - 1
    return Architecture(model, nn.CrossEntropyLoss(), optimizer), images, torch.tensor([0, 1])


# Convolution


def test_what_the_lesson_calls_convolution_is_correlation():
    correlation = F.conv2d(PATCH, SOBEL_X[None, None]).item()
    convolution = F.conv2d(PATCH, SOBEL_X.flip(0, 1)[None, None]).item()

    assert (correlation, convolution) == (8, -8)


def test_the_kernel_of_the_example_is_not_the_one_of_the_gallery():
    from_top_to_bottom = torch.arange(3).view(3, 1).expand(1, 1, 3, 3)
    sobel_y = SOBEL_X.T

    def answer(kernel):
        return F.conv2d(from_top_to_bottom, kernel[None, None]).item()

    assert answer(SOBEL_X) == 0
    assert answer(sobel_y) == 8


def test_the_layer_refuses_the_array_that_the_lesson_gives_it():
    conv = nn.Conv2d(1, 1, 3)
    image = np.zeros((7, 7))

    with pytest.raises(TypeError, match="invalid combination of arguments"):
        conv(image)

    assert conv(torch.from_numpy(image).float()[None, None]).shape == (1, 1, 5, 5)


def test_weights_without_a_seed_cannot_be_had_again_and_with_one_they_can():
    def weights(seed=None):
        if seed is not None:
            torch.manual_seed(seed)
        return nn.Conv2d(1, 1, 3).weight

    torch.manual_seed(0)
    assert not torch.equal(weights(), weights())
    assert torch.equal(weights(5), weights(5))


def test_the_lessons_weights_obey_the_law_that_conv2d_draws_from():
    lesson = torch.tensor(
        [0.1872, 0.1167, 0.1626, -0.2925, 0.1007, -0.0899, -0.0626, -0.0032, 0.2826]
    )

    assert lesson.abs().max() <= 1 / 3
    assert nn.Conv2d(1, 1000, 3).weight.abs().max() <= 1 / 3


# Shrinking and pooling


def test_an_unpadded_convolution_shrinks_too():
    images = torch.zeros(1, 1, 7, 7)

    assert nn.Conv2d(1, 1, 3)(images).shape[-1] == 5
    assert nn.Conv2d(1, 1, 3, padding=1)(images).shape[-1] == 7


def test_pooling_takes_any_stride_and_shrinks_by_two_at_stride_two():
    images = torch.zeros(1, 1, 4, 4)

    sizes = {stride: F.max_pool2d(images, 2, stride).shape[-1] for stride in (1, 2, 3)}
    assert sizes == {1: 3, 2: 2, 3: 1}  # the lesson says S > 2 and uses 1


def test_the_default_stride_of_pooling_is_its_kernel_size():
    images = torch.arange(16.0).view(1, 1, 4, 4)

    assert nn.MaxPool2d(2).stride == 2
    assert nn.MaxPool2d(2)(images).shape[-1] == 2
    assert nn.MaxPool2d(2, stride=1)(images).shape[-1] == 3


def test_flatten_is_no_fully_connected_layer():
    maps = torch.zeros(1, 1, 3, 3)

    assert parameter_count(nn.Flatten()) == 0
    assert nn.Flatten()(maps).shape == (1, 9)
    assert parameter_count(nn.Linear(9, 4)) == 40


def test_nn_flatten_does_not_exist():
    maps = torch.zeros(2, 1, 4, 4)

    with pytest.raises(AttributeError, match="no attribute 'flatten'"):
        nn.flatten()  # type: ignore[operator]

    assert nn.Flatten()(maps).shape == torch.flatten(maps, 1).shape == (2, 16)


# Batch normalisation and dropout


def three_lines(z):
    """Return what the lesson's three lines make of an array."""
    return (z - z.mean()) / (z.std(unbiased=False) + 1e-7)


def test_batch_norm_has_one_mean_per_channel_and_not_one_for_all():
    maps = torch.randn(8, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    maps[:, 1] += 10

    lesson = three_lines(maps).mean(dim=(0, 2, 3))
    right = nn.BatchNorm2d(2)(maps).mean(dim=(0, 2, 3))

    torch.testing.assert_close(right, torch.zeros(2), atol=1e-5, rtol=0)
    assert (lesson.abs() > 0.9).all()


def test_epsilon_stands_inside_the_root():
    z = torch.from_numpy(np.random.RandomState(0).rand(1, 1, 3, 3))
    centred, variance = z - z.mean(), z.var(unbiased=False)

    by_torch = nn.BatchNorm2d(1).double()(z)

    torch.testing.assert_close(by_torch, centred / torch.sqrt(variance + 1e-5))
    assert (by_torch - three_lines(z)).abs().max() > 1e-4


def test_batch_norm_scales_shifts_and_remembers():
    layer = nn.BatchNorm2d(1)
    z = torch.rand(4, 1, 3, 3, generator=torch.Generator().manual_seed(0))

    layer(z)
    layer.eval()

    assert {name for name, _ in layer.named_parameters()} == {"weight", "bias"}
    torch.testing.assert_close(layer.running_mean, 0.1 * z.mean().view(1))
    assert (layer(z) - three_lines(z)).abs().max() > 0.1  # evaluation reads what is remembered


def test_the_two_orders_of_batch_norm_and_relu_are_different_layers():
    z = torch.randn(16, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    norm = nn.BatchNorm2d(1)

    assert norm(z).relu().min() == 0
    assert norm(z.relu()).min() < 0
    torch.testing.assert_close(norm(z.relu()).mean(), torch.tensor(0.0), atol=1e-6, rtol=0)


def test_dropout_zeroes_activations_and_no_connection():
    torch.manual_seed(0)
    linear, dropout = nn.Linear(8, 5), nn.Dropout(0.5)
    weights = linear.weight.clone()

    dropped = dropout(torch.ones(1, 8))
    linear(dropped).sum().backward()

    assert torch.equal(linear.weight, weights)
    zeros = dropped[0] == 0
    assert 0 < zeros.sum() < 8
    assert (linear.weight.grad[:, zeros] == 0).all()  # all connections of a dropped unit at once
    assert (linear.weight.grad[:, ~zeros] != 0).all()


# LeNet-5


def test_func2_used_twice_loses_a_relu_and_no_parameter():
    names = [name.replace("relu", "func") for name, _ in lenet5().named_children()]
    twice = ["func2" if name == "func3" else name for name in names]
    networks = {}
    for key, given in {"lesson": twice, "right": names}.items():
        networks[key] = nn.Sequential()
        for name, layer in zip(given, lenet5(), strict=True):
            networks[key].add_module(name, layer)

    assert {key: len(network) for key, network in networks.items()} == {"lesson": 11, "right": 12}
    assert {parameter_count(network) for network in networks.values()} == {61_706}
    for key, n_relus in {"lesson": 3, "right": 4}.items():
        assert sum(isinstance(layer, nn.ReLU) for layer in networks[key]) == n_relus


def test_without_the_third_relu_c5_and_f6_are_one_affine_map():
    torch.manual_seed(0)
    network = lenet5().double()
    maps = torch.rand(3, 16, 5, 5).double()
    c5, f6 = network.C5, network.F6
    matrix = f6.weight @ c5.weight.flatten(1)
    offset = f6.weight @ c5.bias + f6.bias

    one_map = maps.flatten(1) @ matrix.T + offset

    torch.testing.assert_close(f6(c5(maps).flatten(1)), one_map)
    assert (f6(c5(maps).flatten(1).relu()) - one_map).abs().max() > 1e-3


def test_the_run_on_equality_of_c1_is_false():
    assert 6 * (1 * 5 * 5) == 150 != 156
    assert 6 * (1 * 5 * 5) + 6 == parameter_count(lenet5().C1) == 156


def test_a_decimal_point_is_no_thousands_separator():
    assert float("48.120") != 48_120
    assert f"{parameter_count(lenet5().C5):,}" == "48,120"


def test_the_size_formula_has_no_place_on_a_linear_layer():
    linear = nn.Linear(120, 84)

    assert linear(torch.zeros(1, 120)).shape == (1, 84)
    assert not {"kernel_size", "stride", "padding"} & set(vars(linear))


def test_the_lessons_lenet5_is_not_the_network_of_1998():
    kinds = {type(layer) for layer in lenet5()}
    links = lenet5().C3.weight[:, :, 0, 0].numel()

    assert parameter_count(lenet5()) == 61_706 != 60_000
    assert links == 96 != 60
    assert nn.MaxPool2d in kinds  # 1998: trained subsampling
    assert nn.ReLU in kinds  # 1998: a scaled tanh
    assert nn.Tanh not in kinds


# Softmax and the loss


def test_exp_of_a_logit_is_no_odds_ratio():
    weights = LOGITS.double().exp()
    p = weights / weights.sum()
    odds = (p / (1 - p)).tolist()

    assert weights[0].item() == pytest.approx(4, abs=1e-4)
    assert (p[0] / p[1]).item() == pytest.approx(4, abs=1e-4)  # odds relative to class 1
    assert odds[0] == pytest.approx(8 / 3, abs=1e-4)  # odds against the rest
    assert odds[0] / odds[1] == pytest.approx(Fraction(8, 3) / Fraction(2, 9), abs=1e-3)


def test_logits_are_used_before_they_are_defined():
    lesson = "nn.Softmax(dim=-1)(logits)\nlogits = torch.tensor([1.3863, 0.0, -0.6931])"
    right = "\n".join(reversed(lesson.splitlines()))

    with pytest.raises(NameError, match="logits"):
        exec(lesson, {"nn": nn, "torch": torch})
    exec(right, {"nn": nn, "torch": torch})


def test_the_lessons_softmax_overflows_and_ours_does_not():
    def lesson_softmax(logits):
        exp_logits = torch.exp(logits)
        return exp_logits / torch.sum(exp_logits, dim=1, keepdim=True)

    far = torch.tensor([[1000.0, 0, -1000]])

    assert lesson_softmax(far).isnan().any()
    torch.testing.assert_close(
        lesson_softmax(far - far.max(dim=1, keepdim=True).values), torch.tensor([[1.0, 0, 0]])
    )


def test_one_letter_for_two_indices_gives_another_formula():
    z = LOGITS.double().tolist()

    # read literally, with i bound by the sum, the quotient is the same for every class
    literal = [sum(math.exp(z[i]) for i in range(3)) / sum(math.exp(z[i]) for i in range(3))] * 3
    right = [math.exp(z[i]) / sum(math.exp(z[k]) for k in range(3)) for i in range(3)]

    assert literal == [1, 1, 1]
    torch.testing.assert_close(torch.tensor(right), torch.softmax(LOGITS, dim=0), atol=1e-4, rtol=0)


def test_the_logarithm_of_the_loss_is_natural():
    logits, labels = lesson_batch()
    p = torch.softmax(logits.double(), dim=1)[range(5), labels]
    loss = F.cross_entropy(logits, labels).item()

    assert -p.log().mean().item() == pytest.approx(loss, abs=1e-6)
    assert -p.log2().mean().item() == pytest.approx(2.388, abs=5e-4)


def test_cross_entropy_of_a_perfect_prediction_is_the_entropy():
    p = torch.tensor([0.7, 0.2, 0.1])

    at_the_truth = F.cross_entropy(p.log(), p).item()

    assert at_the_truth == pytest.approx(0.8018, abs=5e-5)
    assert F.cross_entropy(torch.tensor([0.6, 0.3, 0.1]).log(), p).item() > at_the_truth
    assert F.cross_entropy(torch.tensor([60.0, 0, 0]), torch.tensor(0)).item() == 0  # one-hot


# Hooks


def test_hooks_also_come_before_forward_and_on_tensors():
    linear, order = nn.Linear(1, 1), []
    linear.register_forward_pre_hook(lambda *_: order.append("before"))
    linear.register_forward_hook(lambda *_: order.append("after"))
    output = linear(torch.ones(1, 1))
    output.register_hook(lambda gradient: order.append("gradient of a tensor"))

    output.sum().backward()

    assert order == ["before", "after", "gradient of a tensor"]


def test_forward_called_by_hand_fires_no_hook():
    linear, fired = nn.Linear(1, 1), []
    linear.register_forward_hook(lambda *_: fired.append(1))

    linear.forward(torch.ones(1))
    assert fired == []
    linear(torch.ones(1))
    assert fired == [1]


def test_inputs_of_a_hook_are_the_positional_arguments():
    linear, seen = nn.Linear(1, 1), []
    linear.register_forward_hook(lambda layer, inputs, outputs: seen.append(len(inputs)))

    linear(torch.ones(1))
    linear(input=torch.ones(1))

    assert seen == [1, 0]


def test_a_stored_output_keeps_its_graph():
    linear, kept = nn.Linear(1, 1), []
    linear.register_forward_hook(lambda layer, inputs, outputs: kept.append(outputs))
    linear.register_forward_hook(lambda layer, inputs, outputs: kept.append(outputs.detach()))

    linear(torch.ones(1))

    assert kept[0].grad_fn is not None
    assert kept[1].grad_fn is None


def test_the_lessons_hook_output_needs_weights_that_it_does_not_show():
    x = torch.tensor([0.3])

    outputs = []
    for weight, bias in [(-0.65, -0.05), (0.35, -0.35)]:
        linear = nn.Linear(1, 1)
        nn.init.constant_(linear.weight, weight)
        nn.init.constant_(linear.bias, bias)
        outputs.append(linear(x).item())

    assert outputs == pytest.approx([-0.2450, -0.2450], abs=1e-6)  # one number, many layers


# The case study


def test_the_lessons_plot_style_is_gone():
    with pytest.raises(OSError, match="seaborn-white"), plt.style.context("seaborn-white"):
        pass
    with plt.style.context("seaborn-v0_8-white"):
        assert matplotlib.rcParams["axes.facecolor"] == "white"


def test_visualize_outputs_after_predict_needs_no_hooks_of_yours():
    arch, images, _ = small_architecture()
    arch.predict(images)

    figure = arch.visualize_outputs(["conv1", "relu1"], n_images=2)

    assert len(figure.axes) == 4


def test_labels_are_shown_when_they_are_passed():
    arch, images, labels = small_architecture()
    predicted = arch.predict(images).argmax(dim=1)

    silent = arch.visualize_outputs(["fc2"], n_images=2)
    told = arch.visualize_outputs(["fc2"], n_images=2, y=labels, yhat=predicted)

    assert "Label" not in silent.axes[0].get_title()
    assert "Label: 0" in told.axes[0].get_title()


def test_correct_counts_and_a_quotient_is_the_accuracy():
    arch, images, labels = small_architecture()

    counts = arch.correct(images, labels)
    hits = (arch.predict(images).argmax(dim=1) == labels).float().mean()

    assert counts.dtype == torch.int64
    assert counts[:, 1].sum() == len(labels)
    right, present = counts.sum(dim=0).tolist()
    assert right / present == hits


def test_a_mean_of_batch_means_over_weights_a_short_batch():
    batches = [torch.tensor([1.0, 1, 1, 1]), torch.tensor([6.0])]

    of_means = torch.stack([batch.mean() for batch in batches]).mean().item()
    over_samples = torch.cat(batches).mean().item()

    assert (of_means, over_samples) == (3.5, 2.0)


def test_the_names_that_the_lesson_uses_undefined_are_defined_here():
    for name in ("train_loader", "val_loader", "Architecture", "optim"):
        with pytest.raises(NameError, match=name):
            exec(f"print({name})", {})

    assert callable(Architecture)


# The page


def test_errata_are_numbered_and_say_lines_where_and_test():
    assert [number for number, _ in entries()] == [f"D{n}" for n in range(1, len(entries()) + 1)]
    for number, text in entries():
        assert re.search(r"\*\*Lines? \d", text), number
        assert re.search(r"\*\*Read:\*\* \[", text), number
        assert re.search(r"\*\*Test:\*\* (`test_|nothing to run)", text), number


def test_every_erratum_names_a_test_that_exists():
    named = {name for _, text in entries() for name in re.findall(r"`(test_\w+)`", text)}
    defined = {
        name
        for path in CHAPTERS.parent.glob("tests/test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }
    here = {name for name in globals() if name.startswith("test_")}
    of_the_page = {name for name in here if "errat" in name}

    assert named <= defined, named - defined
    assert here - of_the_page <= named, here - of_the_page - named
