"""Assignment 1: the places of the book that explain its rules, and what both halves share."""

from course_utils.checks.exercise import Place

Pair = int | tuple[int, int]

FORMULA = Place("03_convolution_arithmetic", "The formula")
STRIDE = Place("03_convolution_arithmetic", "What the stride leaves over")
DILATION = Place("03_convolution_arithmetic", "Dilation")
PADDING = Place("03_convolution_arithmetic", "Padding, dilation, stride")
SAME = Place("03_convolution_arithmetic", "Same size")
TRANSPOSED = Place("03_convolution_arithmetic", "The way back")
PAIRS = Place("03_convolution_arithmetic", "Two axes")
WINDOW = Place("02_correlation_and_convolution", "The window slides")
FLIP = Place("02_correlation_and_convolution", "The kernel turned")
MODES = Place("03_convolution_arithmetic", "Four kinds of padding")
CHANNELS = Place("04_channels_and_groups", "Sums over channels")
GROUPS = Place("04_channels_and_groups", "Groups")


def both(value: Pair) -> tuple[int, int]:
    """Return a setting for (vertical, horizontal)."""
    return (value, value) if isinstance(value, int) else value


def span(k: int, d: int) -> int:
    """Return how many pixels a kernel of k weights with dilation d spans."""
    return d * (k - 1) + 1


def without_defaults(settings: dict[str, int], **defaults: int) -> dict[str, int]:
    """Leave out settings at their default: who has not got to them yet earns the plain part."""
    return {name: value for name, value in settings.items() if value != defaults[name]}
