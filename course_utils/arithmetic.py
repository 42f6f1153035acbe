"""Sizes, parameters, multiply-adds and receptive fields, in whole numbers.

Everything here is counted for one axis, one layer or one image, by hand arithmetic that the tests
compare with PyTorch.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple


class ReceptiveField(NamedTuple):
    """What one unit of a layer sees of the input along one axis, in input pixels."""

    size: int
    jump: int
    first_center: float


def check_at_least(minimum: int, **settings: int) -> None:
    """Raise ValueError naming the first setting below ``minimum``."""
    for name, value in settings.items():
        if value < minimum:
            raise ValueError(f"{name} must be at least {minimum}, got {value}")


def effective_kernel_size(kernel_size: int, *, dilation: int = 1) -> int:
    """
    Return how many pixels a dilated kernel spans along one axis.

    Parameters
    ----------
    kernel_size : int
        Weights of the kernel along the axis.
    dilation : int, default 1
        Pixels between two neighbouring weights; 1 means touching.

    Returns
    -------
    int
        Span from the first weight to the last, in pixels.

    Raises
    ------
    ValueError
        If a setting is below 1.

    Examples
    --------
    >>> effective_kernel_size(3, dilation=4)
    9
    """
    check_at_least(1, kernel_size=kernel_size, dilation=dilation)
    return dilation * (kernel_size - 1) + 1


def conv_output_size(
    size: int, kernel_size: int, *, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """
    Return the output size of a convolution or a pooling along one spatial axis.

    Call it once for the height and once for the width.

    Parameters
    ----------
    size : int
        Input size along the axis, in pixels.
    kernel_size : int
        Kernel size along the axis, in pixels.
    stride : int, default 1
        Pixels that the kernel moves between two outputs.
    padding : int, default 0
        Zeros added at each end of the axis, in pixels.
    dilation : int, default 1
        Pixels between two neighbouring kernel weights; 1 means touching.

    Returns
    -------
    int
        Output size along the axis, in pixels.

    Raises
    ------
    ValueError
        If a setting is too small or the kernel does not fit in the padded input.

    References
    ----------
    .. [1] V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep
       learning", arXiv:1603.07285, relationship 15.

    Examples
    --------
    >>> conv_output_size(28, kernel_size=5)
    24
    >>> conv_output_size(224, kernel_size=11, stride=4)
    54
    """
    check_at_least(1, size=size, stride=stride)
    check_at_least(0, padding=padding)
    span = effective_kernel_size(kernel_size, dilation=dilation)
    padded = size + 2 * padding
    if span > padded:
        raise ValueError(
            f"kernel does not fit: effective kernel size {span} > padded input size {padded}; "
            "raise padding or lower dilation"
        )
    return (padded - span) // stride + 1


def transposed_conv_output_size(
    size: int,
    kernel_size: int,
    *,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    output_padding: int = 0,
) -> int:
    """
    Return the output size of a transposed convolution along one spatial axis.

    It is the input size that a convolution with the same settings turns into ``size``; where
    several are, ``output_padding`` chooses among them.

    Parameters
    ----------
    size : int
        Input size of the transposed convolution along the axis, in pixels.
    kernel_size, stride, padding, dilation : int
        The settings of the convolution that is inverted, in pixels.
    output_padding : int, default 0
        Pixels added at the far end of the output.

    Returns
    -------
    int
        Output size along the axis, in pixels.

    Raises
    ------
    ValueError
        If a setting is too small, ``output_padding`` too large, or nothing is left.

    References
    ----------
    .. [1] V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep
       learning", arXiv:1603.07285, chapter 4.

    Examples
    --------
    >>> transposed_conv_output_size(4, 3, stride=2, padding=1)
    7
    >>> transposed_conv_output_size(4, 3, stride=2, padding=1, output_padding=1)
    8
    """
    check_at_least(1, size=size, stride=stride)
    check_at_least(0, padding=padding, output_padding=output_padding)
    span = effective_kernel_size(kernel_size, dilation=dilation)
    if output_padding >= max(stride, dilation):
        raise ValueError(
            f"output_padding must be smaller than stride or dilation, got {output_padding} "
            f"with stride {stride} and dilation {dilation}"
        )
    output = (size - 1) * stride - 2 * padding + span + output_padding
    if output < 1:
        raise ValueError(f"nothing is left: output size {output}; lower padding")
    return output


def same_padding(kernel_size: int, *, dilation: int = 1) -> int:
    """
    Return the symmetric padding that keeps the size of a convolution at stride 1.

    Parameters
    ----------
    kernel_size : int
        Kernel size along the axis, in pixels.
    dilation : int, default 1
        Pixels between two neighbouring kernel weights.

    Returns
    -------
    int
        Zeros to add at each end of the axis, in pixels.

    Raises
    ------
    ValueError
        If a setting is below 1, or the kernel spans an even number of pixels.

    Examples
    --------
    >>> same_padding(5)
    2
    """
    span = effective_kernel_size(kernel_size, dilation=dilation)
    if span % 2 == 0:
        raise ValueError(
            f"no symmetric padding keeps the size: the kernel spans {span} pixels, "
            "an even number; use an odd kernel_size or an even dilation"
        )
    return span // 2


def conv2d_parameter_count(
    in_channels: int,
    out_channels: int,
    kernel_size: int | tuple[int, int],
    *,
    groups: int = 1,
    bias: bool = True,
) -> int:
    """
    Return how many numbers ``nn.Conv2d`` learns with these settings.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and of the output.
    kernel_size : int or pair of int
        Height and width of a kernel, in pixels.
    groups : int, default 1
        Groups that the channels are split into.
    bias : bool, default True
        Whether each output channel has a bias.

    Returns
    -------
    int
        Weights and biases.

    Raises
    ------
    ValueError
        If a setting is below 1 or ``groups`` does not divide both channel numbers.

    Examples
    --------
    >>> conv2d_parameter_count(1, 6, 5)
    156
    """
    height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    check_at_least(1, in_channels=in_channels, out_channels=out_channels, groups=groups)
    check_at_least(1, kernel_height=height, kernel_width=width)
    for name, channels in [("in_channels", in_channels), ("out_channels", out_channels)]:
        if channels % groups:
            raise ValueError(f"{name} ({channels}) must be divisible by groups ({groups})")
    weights_per_filter = (in_channels // groups) * height * width
    return out_channels * (weights_per_filter + bias)


def linear_parameter_count(in_features: int, out_features: int, *, bias: bool = True) -> int:
    """
    Return how many numbers ``nn.Linear`` learns.

    Examples
    --------
    >>> linear_parameter_count(120, 84)
    10164
    """
    check_at_least(1, in_features=in_features, out_features=out_features)
    return out_features * (in_features + bias)


def conv2d_mac_count(
    output_shape: tuple[int, int, int],
    in_channels: int,
    kernel_size: int | tuple[int, int],
    *,
    groups: int = 1,
) -> int:
    """
    Return the multiply-adds of a convolution for one image, bias not counted.

    Parameters
    ----------
    output_shape : tuple of int
        Shape of the output, (channels, height, width).
    in_channels : int
        Channels of the input.
    kernel_size : int or pair of int
        Height and width of a kernel, in pixels.
    groups : int, default 1
        Groups that the channels are split into.

    Returns
    -------
    int
        Multiplications, each with its addition.

    Examples
    --------
    >>> conv2d_mac_count((6, 28, 28), 1, 5)
    117600
    """
    out_channels, height, width = output_shape
    weights = conv2d_parameter_count(
        in_channels, out_channels, kernel_size, groups=groups, bias=False
    )
    check_at_least(1, height=height, width=width)
    return weights * height * width


def linear_mac_count(in_features: int, out_features: int) -> int:
    """
    Return the multiply-adds of a linear layer for one sample, bias not counted.

    Examples
    --------
    >>> linear_mac_count(84, 10)
    840
    """
    return linear_parameter_count(in_features, out_features, bias=False)


def receptive_fields(layers: Sequence[tuple[int, int, int, int]]) -> list[ReceptiveField]:
    """
    Return what a unit of each layer sees of the input, along one axis.

    Borders are ignored: the field of an outer unit may reach into the padding.

    Parameters
    ----------
    layers : sequence of tuple
        (kernel size, stride, padding, dilation) of each layer, from the input to the output.

    Returns
    -------
    list of ReceptiveField
        For each layer the size of the field, the distance of two neighbouring fields, and the
        centre of the first one; pixel 0 has its centre at 0.0.

    Raises
    ------
    ValueError
        If a setting is too small.

    References
    ----------
    .. [1] A. Araujo, W. Norris and J. Sim, "Computing receptive fields of convolutional neural
       networks", doi:10.23915/distill.00021.

    Examples
    --------
    >>> receptive_fields([(3, 1, 0, 1), (3, 1, 0, 1)])[-1]
    ReceptiveField(size=5, jump=1, first_center=2.0)
    """
    size, jump, center = 1, 1, Fraction(0)
    fields = []
    for kernel_size, stride, padding, dilation in layers:
        check_at_least(1, stride=stride)
        check_at_least(0, padding=padding)
        span = effective_kernel_size(kernel_size, dilation=dilation)
        size += (span - 1) * jump
        center += (Fraction(span - 1, 2) - padding) * jump
        jump *= stride
        fields.append(ReceptiveField(size, jump, float(center)))
    return fields
