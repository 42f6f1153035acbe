"""Assignment 4: wrong counts of parameters, each with a name and what it shows."""

from course_utils.checks.a4_rules import COUNTING, DIVIDE, GROUPS, PARAMETERS, SUMS
from course_utils.checks.exercise import Misconception


def _both(kernel_size):
    return kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)


def _does_not_divide(n_in, n_out, groups):
    return n_in % groups or n_out % groups


def _area(height, width):
    return height * width


def _conv(
    *,
    weights=lambda n_in, n_out, area, groups: n_out * (n_in // groups) * area,
    biases=lambda n_in, n_out, area, groups: n_out,
    with_bias=lambda bias: bias,
    area=_area,
    groups_as=lambda groups: groups,
    refuses=_does_not_divide,
):
    """Return a wrong count: other weights, other biases, other refusals."""

    def answer(in_channels, out_channels, kernel_size, bias=True, groups=1):
        if refuses(in_channels, out_channels, groups):
            raise ValueError("groups does not divide")
        sizes = in_channels, out_channels, area(*_both(kernel_size)), groups_as(groups)
        return weights(*sizes) + (biases(*sizes) if with_bias(bias) else 0)

    return answer


CONV_MISCONCEPTIONS = (
    Misconception(
        "bias-forgotten",
        _conv(with_bias=lambda bias: False),
        "Your count has no biases. Each output channel has one.",
        PARAMETERS,
    ),
    Misconception(
        "bias-always-counted",
        _conv(with_bias=lambda bias: True),
        "Your count has biases even with bias=False.",
        PARAMETERS,
    ),
    Misconception(
        "bias-reversed",
        _conv(with_bias=lambda bias: not bias),
        "Your count has biases with bias=False, and none with bias=True.",
        PARAMETERS,
    ),
    Misconception(
        "bias-per-kernel",
        _conv(biases=lambda n_in, n_out, area, groups: n_out * (n_in // groups)),
        "You count one bias for each two-dimensional kernel. An output channel adds its kernels "
        "up, and has one bias for the sum.",
        COUNTING,
    ),
    Misconception(
        "bias-per-weight",
        _conv(biases=lambda n_in, n_out, area, groups: n_out * (n_in // groups) * area),
        "You count as many biases as weights. Each output channel has one.",
        COUNTING,
    ),
    Misconception(
        "bias-per-input-channel",
        _conv(biases=lambda n_in, n_out, area, groups: n_in),
        "You count one bias for each input channel. It belongs to the output channel.",
        COUNTING,
    ),
    Misconception(
        "one-bias",
        _conv(biases=lambda n_in, n_out, area, groups: 1),
        "You count one bias in all. Each output channel has its own.",
        COUNTING,
    ),
    Misconception(
        "bias-per-channel-of-a-group",
        _conv(biases=lambda n_in, n_out, area, groups: n_out // groups),
        "You count the biases of one group. Each output channel of every group has one.",
        GROUPS,
    ),
    Misconception(
        "input-channels-forgotten",
        _conv(weights=lambda n_in, n_out, area, groups: n_out * area),
        "Your count does not depend on the input channels. A filter has a kernel for each channel "
        "that it reads.",
        SUMS,
    ),
    Misconception(
        "output-channels-forgotten",
        _conv(weights=lambda n_in, n_out, area, groups: (n_in // groups) * area),
        "Your weights are those of one output channel. Each has a filter of its own.",
        COUNTING,
    ),
    Misconception(
        "channels-added",
        _conv(weights=lambda n_in, n_out, area, groups: (n_in // groups + n_out) * area),
        "You add the channel numbers up. Each output channel has a kernel for each input channel, "
        "so they multiply.",
        COUNTING,
    ),
    Misconception(
        "one-axis-of-the-kernel",
        _conv(area=lambda height, width: height),
        "You count one axis of the kernel only. A kernel has height times width weights.",
        COUNTING,
    ),
    Misconception(
        "square-of-the-height",
        _conv(area=lambda height, width: height * height),
        "You take every kernel for a square of its height. A pair is (height, width).",
        COUNTING,
    ),
    Misconception(
        "square-of-the-width",
        _conv(area=lambda height, width: width * width),
        "You take every kernel for a square of its width. A pair is (height, width).",
        COUNTING,
    ),
    Misconception(
        "sides-added",
        _conv(area=lambda height, width: height + width),
        "You add the sides of the kernel up. A kernel has height times width weights.",
        COUNTING,
    ),
    Misconception(
        "groups-ignored",
        _conv(weights=lambda n_in, n_out, area, groups: n_out * n_in * area),
        "Your count does not depend on groups. With groups, a filter reads its own block of the "
        "input channels only.",
        GROUPS,
    ),
    Misconception(
        "divided-by-groups-twice",
        _conv(weights=lambda n_in, n_out, area, groups: n_out * n_in * area // groups**2),
        "You divide both channel numbers by groups: those are the weights of one group, and there "
        "are several.",
        GROUPS,
    ),
    Misconception(
        "multiplied-by-groups",
        _conv(weights=lambda n_in, n_out, area, groups: n_out * n_in * area * groups),
        "Your weights grow with groups. A filter of a group reads fewer channels, so they shrink.",
        GROUPS,
    ),
    Misconception(
        "always-depthwise",
        _conv(
            weights=lambda n_in, n_out, area, groups: n_out * (n_in if groups == 1 else 1) * area
        ),
        "With groups you count one kernel a filter, whatever groups is. A filter reads all "
        "channels of its block.",
        GROUPS,
    ),
    Misconception(
        "nothing-refused",
        _conv(refuses=lambda n_in, n_out, groups: False),
        "You count a layer that cannot be built: groups has to divide both channel numbers.",
        DIVIDE,
    ),
    Misconception(
        "only-input-channels-checked",
        _conv(refuses=lambda n_in, n_out, groups: n_in % groups),
        "You check the input channels only. groups has to divide the output channels as well.",
        DIVIDE,
    ),
    Misconception(
        "only-output-channels-checked",
        _conv(refuses=lambda n_in, n_out, groups: n_out % groups),
        "You check the output channels only. groups has to divide the input channels as well.",
        DIVIDE,
    ),
    Misconception(
        "refused-only-if-neither-divides",
        _conv(refuses=lambda n_in, n_out, groups: n_in % groups and n_out % groups),
        "You refuse only if groups divides neither channel number. It has to divide both.",
        DIVIDE,
    ),
    Misconception(
        "sum-of-channels-checked",
        _conv(refuses=lambda n_in, n_out, groups: (n_in + n_out) % groups),
        "You check the sum of the channel numbers. groups has to divide each of them.",
        DIVIDE,
    ),
)


def _linear(count):
    return lambda in_features, out_features, bias=True: count(in_features, out_features, bias)


LINEAR_MISCONCEPTIONS = (
    Misconception(
        "bias-forgotten",
        _linear(lambda n_in, n_out, bias: n_in * n_out),
        "Your count has no biases. Each output has one.",
        PARAMETERS,
    ),
    Misconception(
        "bias-always-counted",
        _linear(lambda n_in, n_out, bias: n_in * n_out + n_out),
        "Your count has biases even with bias=False.",
        PARAMETERS,
    ),
    Misconception(
        "bias-reversed",
        _linear(lambda n_in, n_out, bias: n_in * n_out + n_out * (not bias)),
        "Your count has biases with bias=False, and none with bias=True.",
        PARAMETERS,
    ),
    Misconception(
        "bias-per-input",
        _linear(lambda n_in, n_out, bias: n_in * n_out + n_in * bias),
        "You count one bias for each input. It belongs to the output.",
        PARAMETERS,
    ),
    Misconception(
        "one-bias",
        _linear(lambda n_in, n_out, bias: n_in * n_out + bias),
        "You count one bias in all. Each output has its own.",
        PARAMETERS,
    ),
    Misconception(
        "bias-at-both-ends",
        _linear(lambda n_in, n_out, bias: n_in * n_out + (n_in + n_out) * bias),
        "You count a bias for each input and for each output. Inputs have none.",
        PARAMETERS,
    ),
    Misconception(
        "features-added",
        _linear(lambda n_in, n_out, bias: n_in + n_out + n_out * bias),
        "You add the numbers of inputs and outputs. Each output has a weight for each input, so "
        "they multiply.",
        PARAMETERS,
    ),
)
