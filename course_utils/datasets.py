"""The course's images: three kinds of lines, MNIST and a photo. Nothing is ever downloaded."""

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset, WeightedRandomSampler

from course_utils.arithmetic import check_at_least

LINE_CLASSES = ("horizontal or vertical", "rising diagonal", "falling diagonal")

_DATA = Path(__file__).parent / "data"
_MNIST_FILES = {  # name of the file and SHA-256 of its unpacked content
    "train": (
        (
            "train-images-idx3-ubyte",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        (
            "train-labels-idx1-ubyte",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
    ),
    "test": (
        (
            "t10k-images-idx3-ubyte",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        (
            "t10k-labels-idx1-ubyte",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
}


def line_images(
    n_images: int = 1000, size: int = 10, seed: int = 17
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """
    Return white lines on black: along an axis, rising or falling, and which of these each is.

    Parameters
    ----------
    n_images : int, default 1000
        Number of images.
    size : int, default 10
        Height and width, in pixels; at least 2.
    seed : int, default 17
        Seed of NumPy's legacy generator; the global stream is left alone.

    Returns
    -------
    images : ndarray of uint8, shape (n_images, 1, size, size)
        Pixels of 0 and 255.
    labels : ndarray of int64, shape (n_images,)
        0 for a row or a column, 1 for a rising diagonal, 2 for a falling one.

    Raises
    ------
    ValueError
        If there are no images or they are smaller than 2 x 2.
    """
    check_at_least(1, n_images=n_images)
    check_at_least(2, size=size)
    stream = np.random.RandomState(seed)
    starts = stream.randint(-(size - 1), size, size=n_images)
    labels = stream.randint(0, 3, size=n_images).astype(np.int64)
    images = np.zeros((n_images, 1, size, size), dtype=np.uint8)
    for image, start, label in zip(images[:, 0], starts, labels, strict=True):
        _draw_line(image, int(start), int(label))
    return images, labels


def _draw_line(image: npt.NDArray[np.uint8], start: int, label: int) -> None:
    """Draw the line of class ``label`` that starts at row ``start`` or at column ``-start``."""
    size = len(image)
    if label == 0:
        if start > 0:
            image[start, :] = 255
        else:
            image[:, -start] = 255
        return
    steps = np.arange(size)
    column = (0 if start > 0 else max(-start, 1)) + steps  # the lesson's column 0 counts as 1
    bottom = start if start > 0 else size - 1
    row = bottom - steps if label == 1 else max(start, 0) + steps
    inside = (row >= 0) & (row < size) & (column < size)
    image[row[inside], column[inside]] = 255


def line_loaders(
    n_images: int = 1000,
    size: int = 10,
    seed: int = 17,
    *,
    split_seed: int = 13,
    batch_size: int = 16,
) -> tuple[DataLoader[tuple[Tensor, ...]], DataLoader[tuple[Tensor, ...]]]:
    """
    Return the case study's loaders: 80 % of the line images to train on, the rest to validate.

    Pixels are scaled to [-1, 1]. Training samples are drawn with replacement, each class as often
    as the others, by a generator of the sampler's own; validation samples come in order.

    Parameters
    ----------
    n_images, size, seed : int
        As in ``line_images``; at least 5 images.
    split_seed : int, default 13
        Seed of the permutation that is cut into training and validation.
    batch_size : int, default 16
        Samples in a batch; the last one may be short.

    Returns
    -------
    train_loader, val_loader : DataLoader
        Batches of images, shape (batch, 1, size, size), float32, and labels, shape (batch,), int64.

    Raises
    ------
    ValueError
        If there are fewer than 5 images, so that one of the two would be empty.
    """
    check_at_least(5, n_images=n_images)
    check_at_least(1, batch_size=batch_size)
    images, labels = line_images(n_images, size, seed)
    scaled = (torch.from_numpy(images).float() / 255 - 0.5) / 0.5
    targets = torch.from_numpy(labels)
    order = torch.randperm(n_images, generator=torch.Generator().manual_seed(split_seed))
    n_train = n_images - n_images // 5
    train, val = order[:n_train], order[n_train:]

    train_targets = targets[train]
    weights = 1 / torch.bincount(train_targets, minlength=3)[train_targets].float()
    sampler = WeightedRandomSampler(
        weights.tolist(), num_samples=n_train, generator=torch.Generator()
    )
    train_set: Dataset[tuple[Tensor, ...]] = TensorDataset(scaled[train], train_targets)
    val_set: Dataset[tuple[Tensor, ...]] = TensorDataset(scaled[val], targets[val])
    return (
        DataLoader(train_set, batch_size=batch_size, sampler=sampler),
        DataLoader(val_set, batch_size=batch_size),
    )


def mnist(split: str) -> tuple[Tensor, Tensor]:
    """
    Return the handwritten digits of MNIST, as shipped with the course.

    Parameters
    ----------
    split : str
        ``"train"`` for 60,000 digits or ``"test"`` for 10,000.

    Returns
    -------
    images : Tensor of uint8, shape (n, 1, 28, 28)
        Ink from 0 to 255.
    labels : Tensor of int64, shape (n,)
        The digits, 0 to 9.

    Raises
    ------
    ValueError
        If ``split`` is neither, or a shipped file is damaged.

    References
    ----------
    .. [1] Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits".
    """
    if split not in _MNIST_FILES:
        raise ValueError(f'split must be "train" or "test", got {split!r}')
    images, labels = (_read_idx(name, sha256) for name, sha256 in _MNIST_FILES[split])
    return images.unsqueeze(1), labels.long()


def _read_idx(name: str, sha256: str) -> Tensor:
    """Return an IDX file of bytes as a tensor: two zeros, type 8, rank, then sizes as uint32."""
    path = _DATA / "mnist" / f"{name}.gz"
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(
            f"{path.name} cannot be read: {error}; install the course again"
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{path.name} is damaged: wrong SHA-256; install the course again")
    rank = content[3]
    start = 4 + 4 * rank
    shape = np.frombuffer(content, dtype=">u4", count=rank, offset=4).tolist()
    return torch.from_numpy(np.frombuffer(content, dtype=np.uint8, offset=start).copy()).view(shape)


def photo() -> Tensor:
    """
    Return a colour photo of a cat, dedicated to the public domain.

    Returns
    -------
    Tensor of uint8, shape (3, 300, 451)
        Red, green and blue, 0 to 255.

    References
    ----------
    .. [1] "Chelsea", photographed by Stéfan van der Walt, CC0 1.0, from scikit-image.
    """
    with Image.open(_DATA / "chelsea.png") as image:
        pixels = np.array(image.convert("RGB"))  # (height, width, channels)
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
