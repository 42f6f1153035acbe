"""Chapter 7: batch normalisation and dropout give the numbers that the page prints."""

import math

import pytest
import torch
from torch import nn

NORMS = "07_batch_norm_and_dropout"
BATCH = torch.tensor(
    [
        [[[1.0, 3], [5, 7]], [[0, 0], [0, 8]]],
        [[[9, 11], [13, 15]], [[0, 0], [0, 8]]],
    ]
)


@pytest.mark.number(
    [8.0, 2.0],
    "means of the two channels of the example batch",
    item=12,
    chapter=NORMS,
    heading="One mean per channel",
    digits=1,
)
def test_means_of_the_example(number):
    channels = zip(*BATCH.flatten(2).tolist(), strict=True)

    assert [sum(first + second) / 8 for first, second in channels] == number


@pytest.mark.number(
    [24.0, 13.7143],
    "variances that the buffer of the example batch collects, unbiased",
    item=12,
    chapter=NORMS,
    heading="Biased in the output, unbiased in the buffer",
    digits=4,
)
def test_the_buffer_collects_the_unbiased_variance(number):
    layer = nn.BatchNorm2d(2, momentum=1.0)

    output = layer(BATCH)

    assert [round(value, 4) for value in layer.running_var.tolist()] == number
    biased = output.var(dim=(0, 2, 3), unbiased=False)
    torch.testing.assert_close(biased, torch.ones(2), atol=1e-5, rtol=0)


@pytest.mark.number(
    [3.3, 2.2714],
    "running variances after one batch, with momentum 0.1",
    item=12,
    chapter=NORMS,
    heading="Running statistics",
    digits=4,
)
def test_running_variance_after_one_batch(number):
    layer = nn.BatchNorm2d(2)

    layer(BATCH)

    assert [round(value, 4) for value in layer.running_var.tolist()] == number


@pytest.mark.number(
    [459, 44],
    "batches until less than 1 % of the starting value is left, momentum 0.01 and 0.1",
    item=12,
    chapter=NORMS,
    heading="Momentum is the weight of the new batch",
)
def test_batches_until_the_start_is_forgotten(number):
    def batches(momentum):
        layer, count = nn.BatchNorm1d(1, momentum=momentum, dtype=torch.float64), 0
        layer.running_mean.fill_(1.0)
        while layer.running_mean >= 0.01:
            layer(torch.tensor([[-1.0], [1.0]], dtype=torch.float64))  # a batch of mean 0
            count += 1
        return count

    assert [batches(0.01), batches(0.1)] == number


def test_one_value_per_channel_is_refused_in_training_only():
    layer, one = nn.BatchNorm2d(3), torch.zeros(1, 3, 1, 1)

    with pytest.raises(ValueError, match="more than 1 value per channel"):
        layer(one)

    assert layer.eval()(one).shape == one.shape


def test_a_bias_before_batch_norm_changes_nothing():
    conv, layer = nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3)
    images = torch.rand(4, 1, 6, 6, generator=torch.Generator().manual_seed(0))

    first = layer(conv(images))
    with torch.no_grad():
        conv.bias += 1

    torch.testing.assert_close(layer(conv(images)), first, atol=1e-4, rtol=0)


@pytest.mark.number(
    [0.73, 0.41],
    "variance behind dropout and batch norm in evaluation, p = 0.2 and 0.5",
    item=14,
    chapter=NORMS,
    heading="Dropout before batch norm: the variance shift",
    digits=2,
)
def test_variance_shift(number):
    def ratio(p):
        normal = torch.distributions.Normal(torch.tensor(0.0, dtype=torch.float64), 1.0)
        grid = torch.linspace(0.0, 12, 100_001, dtype=torch.float64)
        density = normal.log_prob(grid).exp()
        mean, square = (torch.trapezoid(grid**power * density, grid).item() for power in (1, 2))
        return (square - mean**2) / (square / (1 - p) - mean**2)

    assert [round(ratio(0.2), 2), round(ratio(0.5), 2)] == number


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_inverted_dropout_keeps_the_mean_and_raises_the_variance(p):
    torch.manual_seed(0)

    dropped = nn.Dropout(p)(torch.full((400_000,), 3.0, dtype=torch.float64))

    spread = math.sqrt(9 * p / (1 - p))
    assert dropped.mean().item() == pytest.approx(3, abs=6 * spread / math.sqrt(400_000))
    assert dropped.std().item() == pytest.approx(spread, rel=0.01)
