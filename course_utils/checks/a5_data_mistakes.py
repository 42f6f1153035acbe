"""Assignment 5, first part: wrong data sets, splits and weights, each with a name."""

import numpy as np
import torch

from course_utils.checks.a5_oracles import balanced_weights, make_lines, split_and_scale
from course_utils.checks.a5_rules import LINES, SAMPLER, SPLIT
from course_utils.checks.exercise import Misconception

# --- make_lines -------------------------------------------------------------------------------


def _draws(n, size, seed):
    stream = np.random.RandomState(seed)
    return stream.randint(-(size - 1), size, n), stream.randint(0, 3, n)


def _column_of(start):
    return max(-start, 1)


def _line(image, start, label, *, column_of=_column_of, row_from=0, value=255):
    """Draw one line; the settings say what a wrong generator does differently."""
    size = len(image)
    if label == 0:
        if start > row_from:
            image[start] = value
        else:
            image[:, -start] = value
        return
    steps = range(size)
    is_row = start > row_from
    column = 0 if is_row else column_of(start)
    row = (start if is_row else size - 1) if label == 1 else (start if is_row else 0)
    for step in steps:
        r, c = (row - step if label == 1 else row + step), column + step
        if 0 <= r < size and c < size:
            image[r, c] = value


def _generator(*, draws=_draws, line=_line, dtype=np.uint8, finish=lambda x, y: (x, y)):
    def answer(n=1000, size=10, seed=17):
        starts, labels = draws(n, size, seed)
        images = np.zeros((n, 1, size, size), dtype)
        for image, start, label in zip(images, starts, labels, strict=True):
            line(image[0], int(start), int(label))
        return finish(images, labels.astype(np.int64))

    return answer


def _draws_new(n, size, seed):
    stream = np.random.default_rng(seed)
    return stream.integers(-(size - 1), size, n), stream.integers(0, 3, n)


def _draws_labels_first(n, size, seed):
    stream = np.random.RandomState(seed)
    labels = stream.randint(0, 3, n)
    return stream.randint(-(size - 1), size, n), labels


def _draws_in_turn(n, size, seed):
    stream = np.random.RandomState(seed)
    pairs = [(stream.randint(-(size - 1), size), stream.randint(0, 3)) for _ in range(n)]
    return tuple(np.array(part) for part in zip(*pairs, strict=True))


def _draws_short(n, size, seed):
    stream = np.random.RandomState(seed)
    return stream.randint(-(size - 1), size - 1, n), stream.randint(0, 3, n)


def _draws_two_classes(n, size, seed):
    stream = np.random.RandomState(seed)
    return stream.randint(-(size - 1), size, n), stream.randint(0, 2, n)


def _draws_from_one(n, size, seed):
    stream = np.random.RandomState(seed)
    return stream.randint(-(size - 1), size, n), stream.randint(1, 4, n) - 1


def _draws_two_streams(n, size, seed):
    starts = np.random.RandomState(seed).randint(-(size - 1), size, n)
    return starts, np.random.RandomState(seed).randint(0, 3, n)


def _draws_fixed_size(n, size, seed):
    stream = np.random.RandomState(seed)
    starts = stream.randint(-9, 10, n).clip(-(size - 1), size - 1)
    return starts, stream.randint(0, 3, n)


def _draws_fixed_seed(n, size, seed):
    return _draws(n, size, 17)


def _turned(image, start, label):
    _line(image.T, start, label)


def _other_diagonals(image, start, label):
    _line(image, start, (0, 2, 1)[label])


def _column_zero(image, start, label):
    _line(image, start, label, column_of=lambda start: -start)


def _zero_is_a_row(image, start, label):
    _line(image, start, label, row_from=-1)


def _rising_from_the_top(image, start, label):
    """Let a rising diagonal of a column run down to the left from the first row."""
    if label == 1 and start <= 0:
        for step in range(_column_of(start) + 1):
            image[step, _column_of(start) - step] = 255
    else:
        _line(image, start, label)


def _falling_from_the_bottom(image, start, label):
    if label == 2 and start <= 0:
        size, column = len(image), _column_of(start)
        for step in range(column + 1):
            image[size - 1 - step, column - step] = 255
    else:
        _line(image, start, label)


def _wrapping(image, start, label):
    """Let a diagonal come in again on the other side."""
    if label == 0:
        _line(image, start, label)
        return
    size = len(image)
    row, column = (start, 0) if start > 0 else ((size - 1) * (label == 1), _column_of(start))
    for step in range(size):
        image[(row - step if label == 1 else row + step) % size, (column + step) % size] = 255


def _half_a_line(image, start, label):
    if label == 0:
        part = image[start, : len(image) - 1] if start > 0 else image[: len(image) - 1, -start]
        part[:] = 255
    else:
        _line(image, start, label)


def _diagonal_ends_early(image, start, label):
    _line(image, start, label)
    if label:
        image[:, -1] = 0


def _grey(image, start, label):
    _line(image, start, label, value=1)


def _inverted(x, y):
    return 255 - x, y


def _global_stream(n=1000, size=10, seed=17):
    np.random.seed(seed)
    np.random.randint(0, 3, 2 * n)
    return make_lines(n, size, seed)


LINES_MISCONCEPTIONS = (
    Misconception(
        "new-generator",
        _generator(draws=_draws_new),
        "Your numbers come from NumPy's new generator (default_rng). The images are defined by the "
        "legacy stream, RandomState, which draws other numbers from the same seed.",
        LINES,
    ),
    Misconception(
        "labels-drawn-first",
        _generator(draws=_draws_labels_first),
        "Your labels are drawn before the starts. A stream gives other numbers in another order: "
        "all starts come first, then all labels.",
        LINES,
    ),
    Misconception(
        "drawn-in-turn",
        _generator(draws=_draws_in_turn),
        "Your starts and labels are drawn in turn, image by image. All starts are drawn first, "
        "then all labels.",
        LINES,
    ),
    Misconception(
        "upper-end-missing",
        _generator(draws=_draws_short),
        "In your images the largest start never occurs. `randint` leaves its upper end out, so it "
        "has to be one more than the largest start.",
        LINES,
    ),
    Misconception(
        "third-class-missing",
        _generator(draws=_draws_two_classes),
        "Your labels are 0 and 1 only. `randint` leaves its upper end out, and there are three "
        "kinds of lines.",
        LINES,
    ),
    Misconception(
        "stream-made-twice",
        _generator(draws=_draws_two_streams),
        "Your labels come from a stream that begins again at the seed. Starts and labels are drawn "
        "from one stream, one after the other.",
        LINES,
    ),
    Misconception(
        "size-of-ten-only",
        _generator(draws=_draws_fixed_size),
        "Your starts are drawn from -9 to 9 for every size. The range follows the size of the "
        "image.",
        LINES,
    ),
    Misconception(
        "seed-ignored",
        _generator(draws=_draws_fixed_seed),
        "Your images are those of seed 17, whichever seed is asked for.",
        LINES,
    ),
    Misconception(
        "rows-and-columns-swapped",
        _generator(line=_turned),
        "Your images are turned over their diagonal: a positive start is a row, the others are "
        "columns. The first axis of an image counts rows.",
        LINES,
    ),
    Misconception(
        "diagonals-swapped",
        _generator(line=_other_diagonals),
        "Your rising lines fall and your falling lines rise. Rows are counted from the top, so a "
        "line that rises to the right goes to smaller row numbers.",
        LINES,
    ),
    Misconception(
        "column-zero-kept",
        _generator(line=_column_zero),
        "Your diagonals of start 0 begin in column 0. For diagonals a column of 0 counts as 1.",
        LINES,
    ),
    Misconception(
        "zero-is-a-row",
        _generator(line=_zero_is_a_row),
        "Your images of start 0 begin at row 0. Only a positive start is a row; 0 is a column.",
        LINES,
    ),
    Misconception(
        "rising-from-the-first-row",
        _generator(line=_rising_from_the_top),
        "Your rising lines of a column end in the first row. They begin in the last row and run up "
        "and to the right.",
        LINES,
    ),
    Misconception(
        "falling-to-the-last-row",
        _generator(line=_falling_from_the_bottom),
        "Your falling lines of a column end in the last row at that column. They begin in the "
        "first row, at that column.",
        LINES,
    ),
    Misconception(
        "diagonals-come-in-again",
        _generator(line=_wrapping),
        "Your diagonals come in again on the other side of the image. A line ends at the border, "
        "so some are short.",
        LINES,
    ),
    Misconception(
        "last-pixel-missing",
        _generator(line=_half_a_line),
        "Your rows and columns lack their last pixel. They run through the whole image.",
        LINES,
    ),
    Misconception(
        "diagonals-end-early",
        _generator(line=_diagonal_ends_early),
        "The last column of your diagonals is black. They run until they leave the image.",
        LINES,
    ),
    Misconception(
        "white-is-one",
        _generator(line=_grey),
        "Your lines have the value 1. Pixels are uint8, black is 0 and white is 255.",
        LINES,
    ),
    Misconception(
        "black-on-white",
        _generator(finish=_inverted),
        "Your lines are black on white. They are white, 255, on black, 0.",
        LINES,
    ),
    Misconception(
        "no-channel-axis",
        _generator(finish=lambda x, y: (x[:, 0], y)),
        "Your images have three axes. A convolution wants (batch, channels, height, width), here "
        "with one channel.",
        LINES,
    ),
    Misconception(
        "channel-axis-last",
        _generator(finish=lambda x, y: (x.transpose(0, 2, 3, 1).copy(), y)),
        "Your images have their channel axis last. PyTorch wants (batch, channels, height, width).",
        LINES,
    ),
    Misconception(
        "floats",
        _generator(finish=lambda x, y: (x.astype(np.float32), y)),
        "Your images are floats. They are uint8, as an image file has them; scaling comes later.",
        LINES,
    ),
    Misconception(
        "scaled-too-early",
        _generator(finish=lambda x, y: ((x / 255).astype(np.float32), y)),
        "Your images are scaled to 0 and 1 already. They are uint8, 0 and 255; scaling comes "
        "later.",
        LINES,
    ),
    Misconception(
        "labels-and-images-swapped",
        _generator(finish=lambda x, y: (y, x)),
        "Your result has the labels first. It is (images, labels).",
        LINES,
    ),
    Misconception(
        "global-stream-used",
        _global_stream,
        "Your images are right, but NumPy's global stream goes on elsewhere afterwards: seeding it "
        "changes what everybody else draws. A stream of your own leaves it as it was.",
        LINES,
    ),
)

# --- split_and_scale --------------------------------------------------------------------------


def _split(*, order=None, cut=None, scale=None, finish=lambda *parts: parts):
    """Return a wrong split: another order, number of validation items, scale or result."""

    def answer(images, labels, val_fraction=0.2, seed=13):
        n = len(images)
        if order is None:
            picked = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
        else:
            picked = order(n, seed)
        n_val = int(n * val_fraction) if cut is None else cut(n, val_fraction)
        x = torch.from_numpy(images)
        x = (x.float() / 255 - 0.5) / 0.5 if scale is None else scale(x)
        y = torch.from_numpy(labels)
        train, val = picked[: n - n_val], picked[n - n_val :]
        return finish(x[train], y[train], x[val], y[val])

    return answer


def _validation_first(images, labels, val_fraction=0.2, seed=13):
    x, y, n_val = _whole(images, labels, val_fraction)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    val, train = order[:n_val], order[n_val:]
    return x[train], y[train], x[val], y[val]


def _fraction_is_training(images, labels, val_fraction=0.2, seed=13):
    x, y, n_val = _whole(images, labels, val_fraction)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    return x[order[:n_val]], y[order[:n_val]], x[order[n_val:]], y[order[n_val:]]


def _permuted_separately(images, labels, val_fraction=0.2, seed=13):
    x, y, n_val = _whole(images, labels, val_fraction)
    stream = torch.Generator().manual_seed(seed)
    first, second = (torch.randperm(len(x), generator=stream) for _ in range(2))
    n = len(x) - n_val
    return x[first[:n]], y[second[:n]], x[first[n:]], y[second[n:]]


def _labels_left_in_order(images, labels, val_fraction=0.2, seed=13):
    x_train, _, x_val, _ = split_and_scale(images, labels, val_fraction, seed)
    y = torch.from_numpy(labels)
    return x_train, y[: len(x_train)], x_val, y[len(x_train) :]


def _whole(images, labels, val_fraction):
    x = (torch.from_numpy(images).float() / 255 - 0.5) / 0.5
    return x, torch.from_numpy(labels), int(len(images) * val_fraction)


def _numpy_order(n, seed):
    return torch.from_numpy(np.random.RandomState(seed).permutation(n))


def _two_orders(n, seed):
    stream = torch.Generator().manual_seed(seed)
    torch.randperm(n, generator=stream)
    return torch.randperm(n, generator=stream)


def _sorted_parts(images, labels, val_fraction=0.2, seed=13):
    x, y, n_val = _whole(images, labels, val_fraction)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    train, val = order[: len(x) - n_val].sort().values, order[len(x) - n_val :].sort().values
    return x[train], y[train], x[val], y[val]


def _overlapping(images, labels, val_fraction=0.2, seed=13):
    x, y, n_val = _whole(images, labels, val_fraction)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    val = order[len(x) - n_val :]
    return x[order], y[order], x[val], y[val]


def _standardised(x):
    x = x.float() / 255
    return (x - x.mean()) / x.std()


SPLIT_MISCONCEPTIONS = (
    Misconception(
        "not-permuted",
        _split(order=lambda n, seed: torch.arange(n)),
        "Your items are split in the order in which they came. They are permuted first, so that "
        "both parts are alike.",
        SPLIT,
    ),
    Misconception(
        "permuted-by-numpy",
        _split(order=_numpy_order),
        "Your order comes from NumPy. The split is defined by PyTorch's permutation for the seed.",
        SPLIT,
    ),
    Misconception(
        "second-permutation",
        _split(order=_two_orders),
        "Your order is the second permutation that the seed gives. Something was drawn before it.",
        SPLIT,
    ),
    Misconception(
        "seed-ignored",
        _split(
            order=lambda n, seed: torch.randperm(n, generator=torch.Generator().manual_seed(13))
        ),
        "Your order is that of seed 13, whichever seed is asked for.",
        SPLIT,
    ),
    Misconception(
        "seed-of-the-images",
        _split(
            order=lambda n, seed: torch.randperm(n, generator=torch.Generator().manual_seed(17))
        ),
        "Your order is that of seed 17, which made the images. The split has a seed of its own.",
        SPLIT,
    ),
    Misconception(
        "inverse-permutation",
        _split(
            order=lambda n, seed: torch.randperm(
                n, generator=torch.Generator().manual_seed(seed)
            ).argsort()
        ),
        "Your order is the inverse of the permutation: it says where each item goes, not which "
        "item comes next.",
        SPLIT,
    ),
    Misconception(
        "validation-first",
        _validation_first,
        "Your validation part is the beginning of the permutation. It is its end.",
        SPLIT,
    ),
    Misconception(
        "fraction-is-training",
        _fraction_is_training,
        "In your split the fraction is what is trained on. It is what is kept for validation.",
        SPLIT,
    ),
    Misconception(
        "fraction-ignored",
        _split(cut=lambda n, fraction: int(n * 0.2)),
        "Your validation part is a fifth, whichever fraction is asked for.",
        SPLIT,
    ),
    Misconception(
        "rounded-up",
        _split(cut=lambda n, fraction: int(np.ceil(n * fraction))),
        "Your validation part is rounded up where the fraction gives no whole number. It is cut "
        "to the whole number below.",
        SPLIT,
    ),
    Misconception(
        "rounded-to-nearest",
        _split(cut=lambda n, fraction: round(n * fraction)),
        "Your validation part is rounded to the nearest whole number. It is cut to the whole "
        "number below.",
        SPLIT,
    ),
    Misconception(
        "one-item-lost",
        _split(finish=lambda a, b, c, d: (a[:-1], b[:-1], c, d)),
        "Your training part lacks its last item. Both parts together have all items.",
        SPLIT,
    ),
    Misconception(
        "parts-overlap",
        _overlapping,
        "Your training part holds all the items, those for validation too. What is validated on "
        "must not be trained on.",
        SPLIT,
    ),
    Misconception(
        "permuted-separately",
        _permuted_separately,
        "Your images and labels are permuted separately, so that a label stands beside another "
        "image. One permutation orders both.",
        SPLIT,
    ),
    Misconception(
        "labels-left-in-order",
        _labels_left_in_order,
        "Your labels are split in their old order, while the images are permuted. One permutation "
        "orders both.",
        SPLIT,
    ),
    Misconception(
        "order-sorted",
        _sorted_parts,
        "Your parts hold the right items, but sorted again. They come in the order of the "
        "permutation.",
        SPLIT,
    ),
    Misconception(
        "train-and-validation-swapped",
        _split(finish=lambda a, b, c, d: (c, d, a, b)),
        "Your validation tensors come first. The result is x_train, y_train, x_val, y_val.",
        SPLIT,
    ),
    Misconception(
        "images-then-labels",
        _split(finish=lambda a, b, c, d: (a, c, b, d)),
        "Your result has both image tensors first. It is x_train, y_train, x_val, y_val.",
        SPLIT,
    ),
    Misconception(
        "scaled-to-one",
        _split(scale=lambda x: x.float() / 255),
        "Your pixels lie between 0 and 1. They have to lie between -1 and 1, so that black is -1.",
        SPLIT,
    ),
    Misconception(
        "not-scaled",
        _split(scale=lambda x: x.float()),
        "Your pixels still lie between 0 and 255. They have to lie between -1 and 1.",
        SPLIT,
    ),
    Misconception(
        "divided-by-256",
        _split(scale=lambda x: (x.float() / 256 - 0.5) / 0.5),
        "Your white stays a little below 1. The largest value of a byte is 255; 256 is how many "
        "values there are.",
        SPLIT,
    ),
    Misconception(
        "half-too-far",
        _split(scale=lambda x: x.float() / 255 - 0.5),
        "Your pixels lie between -0.5 and 0.5. They have to lie between -1 and 1.",
        SPLIT,
    ),
    Misconception(
        "shifted-only",
        _split(scale=lambda x: (x.float() - 0.5) / 0.5),
        "Your pixels are shifted and stretched as if they were between 0 and 1; they were between "
        "0 and 255.",
        SPLIT,
    ),
    Misconception(
        "wrapped-around",
        _split(scale=lambda x: ((x * 2 - 255).float()) / 255),
        "Your pixels wrap around: the sum is done in uint8, which has no negative numbers and "
        "nothing above 255. Make them floats first.",
        SPLIT,
    ),
    Misconception(
        "black-or-white",
        _split(scale=lambda x: (x > 127).float() * 2 - 1),
        "Your pixels are -1 or 1 only. The scale keeps what lies between.",
        SPLIT,
    ),
    Misconception(
        "standardised",
        _split(scale=_standardised),
        "Your pixels have mean 0 and standard deviation 1 over all images. The scale is fixed: 0 "
        "becomes -1 and 255 becomes 1, whatever the images are.",
        SPLIT,
    ),
    Misconception(
        "double-precision",
        _split(scale=lambda x: (x.double() / 255 - 0.5) / 0.5),
        "Your images are float64. Networks compute in float32.",
        SPLIT,
    ),
)

# --- balanced_weights -------------------------------------------------------------------------


def _counts(labels):
    return torch.bincount(labels)[labels].float()


def _by_rank(labels):
    """Take the counts of the classes that are there, by the number of the class."""
    counts = labels.unique(return_counts=True)[1]
    return (1 / counts.float())[labels.clamp(max=len(counts) - 1)]


def _normalised(labels):
    weights = balanced_weights(labels)
    return weights / weights.sum()


WEIGHTS_MISCONCEPTIONS = (
    Misconception(
        "one-per-class",
        lambda labels: 1 / torch.bincount(labels).float(),
        "Your result has one weight for each class. The sampler draws samples, so each sample has "
        "its own weight, that of its class.",
        SAMPLER,
    ),
    Misconception(
        "counts",
        _counts,
        "Your weights are the counts themselves, so a frequent class becomes even more frequent. "
        "The weight is 1 / count.",
        SAMPLER,
    ),
    Misconception(
        "shares",
        lambda labels: _counts(labels) / len(labels),
        "Your weights are the shares of the classes. A frequent class needs small weights.",
        SAMPLER,
    ),
    Misconception(
        "samples-over-count",
        lambda labels: len(labels) / _counts(labels),
        "Your weights are n / count. The weight is 1 / count.",
        SAMPLER,
    ),
    Misconception(
        "mean-of-one",
        lambda labels: len(labels) / (_counts(labels) * len(labels.unique())),
        "Your weights are scaled so that their mean is 1. The weight is 1 / count.",
        SAMPLER,
    ),
    Misconception(
        "sum-of-one",
        _normalised,
        "Your weights are scaled so that they add up to 1. The weight is 1 / count, so each class "
        "adds up to 1.",
        SAMPLER,
    ),
    Misconception(
        "one-minus-share",
        lambda labels: 1 - _counts(labels) / len(labels),
        "Your weights are 1 minus the share of the class, which makes no class equal to another. "
        "The weight is 1 / count.",
        SAMPLER,
    ),
    Misconception(
        "one-more-of-each",
        lambda labels: (1 / (torch.bincount(labels).float() + 1))[labels],
        "Your weights are too small: each class is counted once too often. An absent class has no "
        "sample that could be divided by 0.",
        SAMPLER,
    ),
    Misconception(
        "square-root",
        lambda labels: _counts(labels).rsqrt(),
        "Your weights are 1 over the square root of the count, which balances only half. The "
        "weight is 1 / count.",
        SAMPLER,
    ),
    Misconception(
        "double-precision",
        lambda labels: 1 / torch.bincount(labels).double()[labels],
        "Your weights are float64. They have to be float32.",
        SAMPLER,
    ),
    Misconception(
        "sorted",
        lambda labels: balanced_weights(labels.sort().values),
        "Your weights stand in the order of the classes. They have to stand in the order of the "
        "samples.",
        SAMPLER,
    ),
    Misconception(
        "all-equal",
        lambda labels: torch.full((len(labels),), 1 / len(labels)),
        "Your weights are all equal, so the classes stay as unequal as they are.",
        SAMPLER,
    ),
    Misconception(
        "absent-classes-skipped",
        _by_rank,
        "Your counts are those of the classes that are there, taken by the number of the class. "
        "Where a class is absent, the two are out of step.",
        SAMPLER,
    ),
)
