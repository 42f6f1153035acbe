"""Sizes, counts and receptive fields agree with PyTorch, or with a count made another way."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from course_utils.arithmetic import (
    check_at_least,
    conv2d_mac_count,
    conv2d_parameter_count,
    conv_output_size,
    effective_kernel_size,
    linear_mac_count,
    linear_parameter_count,
    receptive_fields,
    same_padding,
    transposed_conv_output_size,
)

# No deadline: the first call of an operation in PyTorch is slow. The same examples every time.
against_pytorch = settings(deadline=None, derandomize=True, max_examples=150)

small = st.integers(min_value=1, max_value=6)
few = st.integers(min_value=1, max_value=3)
kernel_sizes = small | st.tuples(small, small)
conv_settings = st.fixed_dictionaries(
    {"stride": small, "padding": st.integers(0, 4), "dilation": small}
)


def pytorch_size(layer_class, size, kernel_size, **settings):
    """Return the output size of a one-dimensional layer, None if PyTorch refuses."""
    try:
        layer = layer_class(1, 1, kernel_size, **settings)
        return layer(torch.zeros(1, 1, size)).shape[-1]
    except (RuntimeError, ValueError):
        return None


def our_size(function, *sizes, **settings):
    """Return what our function says, None if it refuses."""
    try:
        return function(*sizes, **settings)
    except ValueError:
        return None


@against_pytorch
@given(size=st.integers(1, 40), kernel_size=small, settings=conv_settings)
def test_conv_output_size_agrees_with_pytorch_and_refuses_what_it_refuses(
    size, kernel_size, settings
):
    expected = pytorch_size(nn.Conv1d, size, kernel_size, **settings)

    assert our_size(conv_output_size, size, kernel_size, **settings) == expected


@against_pytorch
@given(size=st.integers(1, 40), kernel_size=small, settings=conv_settings)
def test_conv_output_size_holds_for_pooling(size, kernel_size, settings):
    assume(settings["padding"] <= kernel_size // 2)  # PyTorch pools no window of padding only
    assume(settings["dilation"] * (kernel_size - 1) + 1 <= size + 2 * settings["padding"])

    expected = F.max_pool1d(torch.zeros(1, 1, size), kernel_size, **settings).shape[-1]

    assert conv_output_size(size, kernel_size, **settings) == expected


@against_pytorch
@given(
    size=st.integers(1, 12),
    kernel_size=small,
    settings=conv_settings,
    output_padding=st.integers(0, 6),
)
def test_transposed_conv_output_size_agrees_with_pytorch_and_refuses_what_it_refuses(
    size, kernel_size, settings, output_padding
):
    settings = settings | {"output_padding": output_padding}

    expected = pytorch_size(nn.ConvTranspose1d, size, kernel_size, **settings)

    assert our_size(transposed_conv_output_size, size, kernel_size, **settings) == expected


@against_pytorch
@given(size=st.integers(1, 40), kernel_size=small, settings=conv_settings)
def test_transposed_conv_gives_back_the_size_that_a_convolution_took(size, kernel_size, settings):
    smaller = our_size(conv_output_size, size, kernel_size, **settings)
    assume(smaller is not None)

    span = settings["dilation"] * (kernel_size - 1) + 1
    lost = (size + 2 * settings["padding"] - span) % settings["stride"]

    assert size == transposed_conv_output_size(
        smaller, kernel_size, **settings, output_padding=lost
    )


@against_pytorch
@given(kernel_size=small, dilation=small)
def test_effective_kernel_size_is_the_smallest_input_that_the_kernel_fits(kernel_size, dilation):
    span = effective_kernel_size(kernel_size, dilation=dilation)

    assert pytorch_size(nn.Conv1d, span, kernel_size, dilation=dilation) == 1
    assert pytorch_size(nn.Conv1d, span - 1, kernel_size, dilation=dilation) is None


@against_pytorch
@given(size=st.integers(1, 40), kernel_size=small, dilation=small)
def test_same_padding_is_the_one_symmetric_padding_that_keeps_the_size(size, kernel_size, dilation):
    padding = our_size(same_padding, kernel_size, dilation=dilation)

    sizes = {
        p: pytorch_size(nn.Conv1d, size, kernel_size, dilation=dilation, padding=p)
        for p in range(20)
    }

    assert [p for p in sizes if sizes[p] == size] == ([] if padding is None else [padding])


@against_pytorch
@given(
    channels_of_a_group=st.tuples(few, few),
    groups=few,
    kernel_size=kernel_sizes,
    bias=st.booleans(),
)
def test_conv2d_parameter_count_is_the_number_of_numbers_in_the_layer(
    channels_of_a_group, groups, kernel_size, bias
):
    in_channels, out_channels = (groups * channels for channels in channels_of_a_group)
    layer = nn.Conv2d(in_channels, out_channels, kernel_size, groups=groups, bias=bias)

    count = conv2d_parameter_count(in_channels, out_channels, kernel_size, groups=groups, bias=bias)

    assert count == sum(parameter.numel() for parameter in layer.parameters())


@against_pytorch
@given(in_features=small, out_features=small, bias=st.booleans())
def test_linear_parameter_count_is_the_number_of_numbers_in_the_layer(
    in_features, out_features, bias
):
    layer = nn.Linear(in_features, out_features, bias=bias)

    count = linear_parameter_count(in_features, out_features, bias=bias)

    assert count == sum(parameter.numel() for parameter in layer.parameters())


@against_pytorch
@given(
    channels_of_a_group=st.tuples(few, few),
    groups=few,
    kernel_size=kernel_sizes,
    height=st.integers(6, 9),
    width=st.integers(6, 9),
    stride=few,
)
def test_conv2d_mac_count_is_the_sum_of_products_that_are_all_one(
    channels_of_a_group, groups, kernel_size, height, width, stride
):
    in_channels, out_channels = (groups * channels for channels in channels_of_a_group)
    layer = nn.Conv2d(in_channels, out_channels, kernel_size, stride, groups=groups, bias=False)
    nn.init.ones_(layer.weight)

    feature_maps = layer(torch.ones(1, in_channels, height, width))

    shape = tuple(feature_maps.shape[1:])
    macs = conv2d_mac_count(shape, in_channels, kernel_size, groups=groups)
    assert macs == feature_maps.sum().item()


@given(in_features=small, out_features=small)
def test_linear_mac_count_is_the_sum_of_products_that_are_all_one(in_features, out_features):
    products_summed = torch.ones(1, in_features) @ torch.ones(in_features, out_features)

    assert linear_mac_count(in_features, out_features) == products_summed.sum().item()


@against_pytorch
@given(layers=st.lists(st.tuples(few, few, st.integers(0, 2), few), min_size=1, max_size=3))
def test_receptive_fields_are_where_the_input_gradients_of_inner_units_are(layers):
    signal = torch.zeros(1, 1, 400, dtype=torch.float64, requires_grad=True)
    output = signal
    for (kernel_size, stride, padding, dilation), field in zip(
        layers, receptive_fields(layers), strict=True
    ):
        weight = torch.ones(1, 1, kernel_size, dtype=torch.float64)
        output = F.conv1d(output, weight, None, stride, padding, dilation)
        unit = output.shape[-1] // 2
        first, last = (field_of(unit + step, output, signal) for step in (0, 1))

        assert field.size == first[-1] - first[0] + 1
        assert field.jump == last[0] - first[0]
        assert field.first_center + unit * field.jump == (first[0] + first[-1]) / 2


def field_of(unit, output, signal):
    """Return the input pixels that a unit depends on."""
    (gradient,) = torch.autograd.grad(output[0, 0, unit], signal, retain_graph=True)
    return gradient[0, 0].nonzero().flatten().tolist()


def test_receptive_fields_of_no_layers_are_none():
    assert receptive_fields([]) == []


def test_check_at_least_names_the_first_setting_that_is_too_small():
    check_at_least(2, stride=2, padding=3)

    with pytest.raises(ValueError, match=r"^padding must be at least 2, got -1$"):
        check_at_least(2, stride=2, padding=-1, dilation=0)


@pytest.mark.parametrize("name", ["size", "kernel_size", "stride", "dilation"])
@pytest.mark.parametrize("function", [conv_output_size, transposed_conv_output_size])
def test_output_sizes_refuse_a_setting_of_zero(function, name):
    settings = {"size": 8, "kernel_size": 3} | {name: 0}

    with pytest.raises(ValueError, match=f"^{name} must be at least 1, got 0$"):
        function(**settings)


@pytest.mark.parametrize("function", [conv_output_size, transposed_conv_output_size])
def test_output_sizes_refuse_a_negative_padding(function):
    with pytest.raises(ValueError, match=r"^padding must be at least 0, got -1$"):
        function(8, 3, padding=-1)


def test_conv_output_size_says_by_how_much_the_kernel_does_not_fit():
    with pytest.raises(ValueError, match=r"effective kernel size 9 > padded input size 8; raise"):
        conv_output_size(6, 3, padding=1, dilation=4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"output_padding": -1}, "^output_padding must be at least 0, got -1$"),
        ({"output_padding": 2, "stride": 2}, "got 2 with stride 2 and dilation 1$"),
        ({"padding": 3}, "^nothing is left: output size -2; lower padding$"),
    ],
)
def test_transposed_conv_output_size_refuses_what_leaves_no_output(settings, message):
    with pytest.raises(ValueError, match=message):
        transposed_conv_output_size(2, 3, **settings)


@pytest.mark.parametrize("function", [effective_kernel_size, same_padding])
def test_spans_refuse_a_setting_of_zero(function):
    with pytest.raises(ValueError, match=r"^kernel_size must be at least 1, got 0$"):
        function(0)
    with pytest.raises(ValueError, match=r"^dilation must be at least 1, got -2$"):
        function(3, dilation=-2)


def test_same_padding_refuses_a_kernel_that_spans_an_even_number():
    with pytest.raises(ValueError, match=r"the kernel spans 4 pixels, an even number; use"):
        same_padding(4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"in_channels": 0}, "^in_channels must be at least 1, got 0$"),
        ({"out_channels": -3}, "^out_channels must be at least 1, got -3$"),
        ({"groups": 0}, "^groups must be at least 1, got 0$"),
        ({"kernel_size": (0, 3)}, "^kernel_height must be at least 1, got 0$"),
        ({"kernel_size": (3, -1)}, "^kernel_width must be at least 1, got -1$"),
        ({"groups": 3}, r"^in_channels \(4\) must be divisible by groups \(3\)$"),
        ({"groups": 4}, r"^out_channels \(6\) must be divisible by groups \(4\)$"),
    ],
)
def test_conv2d_parameter_count_refuses_what_no_layer_can_have(settings, message):
    with pytest.raises(ValueError, match=message):
        conv2d_parameter_count(**{"in_channels": 4, "out_channels": 6, "kernel_size": 3} | settings)


@pytest.mark.parametrize(
    ("output_shape", "message"),
    [
        ((0, 5, 5), "^out_channels must be at least 1, got 0$"),
        ((2, 0, 5), "^height must be at least 1, got 0$"),
        ((2, 5, -1), "^width must be at least 1, got -1$"),
    ],
)
def test_conv2d_mac_count_refuses_an_empty_output(output_shape, message):
    with pytest.raises(ValueError, match=message):
        conv2d_mac_count(output_shape, 1, 3)


@pytest.mark.parametrize("function", [linear_parameter_count, linear_mac_count])
def test_linear_counts_refuse_a_layer_without_features(function):
    with pytest.raises(ValueError, match=r"^in_features must be at least 1, got 0$"):
        function(0, 3)
    with pytest.raises(ValueError, match=r"^out_features must be at least 1, got -1$"):
        function(3, -1)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ((0, 1, 0, 1), "^kernel_size must be at least 1, got 0$"),
        ((3, 0, 0, 1), "^stride must be at least 1, got 0$"),
        ((3, 1, -1, 1), "^padding must be at least 0, got -1$"),
        ((3, 1, 0, 0), "^dilation must be at least 1, got 0$"),
    ],
)
def test_receptive_fields_refuse_a_setting_that_is_too_small(layer, message):
    with pytest.raises(ValueError, match=message):
        receptive_fields([(3, 1, 0, 1), layer])
