"""Chapter 5 claims: the table of windows, the matrix of a map and the gradients, made another way."""

import pytest
import torch
import torch.nn.functional as F


def whole(*shape, seed=0):
    """Draw whole numbers, so that every sum is exact."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-4, 5, shape, generator=generator).float()


@pytest.mark.parametrize(
    ("kernel_size", "stride", "padding", "dilation"),
    [((2, 3), (1, 1), (0, 0), (1, 1)), ((3, 2), (2, 3), (1, 2), (2, 1)), ((1, 4), 2, 1, 1)],
)
def test_rows_are_channel_kernel_row_kernel_column_and_columns_read_the_map(
    kernel_size, stride, padding, dilation
):
    settings = {"stride": stride, "padding": padding, "dilation": dilation}
    image = whole(2, 3, 8, 9)
    maps = F.conv2d(image, torch.zeros(1, 3, *kernel_size), **settings)
    table = F.unfold(image, kernel_size, **settings)

    for row in range(table.shape[1]):
        channel, u, v = (int(i) for i in torch.unravel_index(torch.tensor(row), (3, *kernel_size)))
        one_place = torch.zeros(1, 3, *kernel_size)
        one_place[0, channel, u, v] = 1
        shifted = F.conv2d(image, one_place, **settings)
        assert torch.equal(table[:, row], shifted.reshape(2, -1))
    assert table.shape[2] == maps[0, 0].numel()


def test_c1_as_a_matrix_has_107736_numbers_that_are_not_zero():
    per_axis = sum(0 <= i + u - 2 < 28 for i in range(28) for u in range(5))

    assert 6 * per_axis**2 == 107_736
    assert (6 * 28 * 28) * (28 * 28) == 3_687_936


def test_two_unpadded_3_by_3_layers_are_one_5_by_5_layer_and_padded_ones_only_inside():
    first, second, image = whole(1, 1, 3, 3), whole(1, 1, 3, 3, seed=1), whole(1, 1, 9, 9, seed=2)
    turned = second.flip(2, 3)
    joined = F.conv2d(first, turned, padding=2)

    stacked = F.conv2d(F.conv2d(image, first), second)
    padded = F.conv2d(F.conv2d(image, first, padding=1), second, padding=1)
    large = F.conv2d(image, joined, padding=2)

    assert joined.shape == (1, 1, 5, 5)
    assert torch.equal(stacked, F.conv2d(image, joined))
    assert torch.equal(padded[..., 1:-1, 1:-1], large[..., 1:-1, 1:-1])
    assert not torch.equal(padded, large)


@pytest.mark.parametrize(
    ("size", "padding", "unread"), [(8, 0, 1), (7, 0, 0), (6, 1, 0), (9, 0, 0)]
)
def test_rows_that_a_stride_leaves_over_have_gradient_zero(size, padding, unread):
    image = torch.ones(1, 1, size, size, requires_grad=True)
    F.conv2d(image, torch.ones(1, 1, 3, 3), stride=2, padding=padding).sum().backward()

    rows = (image.grad[0, 0] != 0).any(1)
    assert rows.tolist() == [True] * (size - unread) + [False] * unread


def test_the_matrix_product_agrees_with_the_layer_within_rounding_only():
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(8, 16, 32, 32, generator=generator)
    weight = torch.randn(32, 16, 3, 3, generator=generator)

    for dtype, bound in [(torch.float32, 1e-6), (torch.float64, 1e-14)]:
        x, w = images.to(dtype), weight.to(dtype)
        expected = F.conv2d(x, w)
        product = (w.flatten(1) @ F.unfold(x, 3)).reshape_as(expected)
        assert (product - expected).abs().max() < bound * expected.abs().max()
