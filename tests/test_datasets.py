"""The course's images are the ones that the case study and the chapters count on."""

import gzip
import hashlib
import shutil
import socket
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from course_utils import datasets
from course_utils.datasets import LINE_CLASSES, line_images, line_loaders, mnist, photo

MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
DIGITS = {  # how many of each, as the literature counts them
    "train": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    "test": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
}


def is_on_line(row, column, start, label, size):
    """Say by the equation of its line whether a pixel is white."""
    if label == 0:
        return row == start if start > 0 else column == -start
    corner = max(-start, 1)
    if label == 1:
        return row + column == (start if start > 0 else size - 1 + corner)
    return row - column == (start if start > 0 else -corner)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(n_images=st.integers(1, 30), size=st.integers(2, 12), seed=st.integers(0, 1000))
def test_line_images_are_lines_drawn_from_the_legacy_stream(n_images, size, seed):
    stream = np.random.RandomState(seed)
    starts = stream.randint(-(size - 1), size, size=n_images)
    expected_labels = stream.randint(0, 3, size=n_images)

    images, labels = line_images(n_images, size, seed)

    np.testing.assert_array_equal(labels, expected_labels)
    for image, start, label in zip(images[:, 0], starts, labels, strict=True):
        for row, column in product(range(size), repeat=2):
            white = is_on_line(row, column, start, label, size)
            assert image[row, column] == 255 * white, (start, label, row, column)


def test_line_images_have_one_channel_and_the_types_of_images_and_labels():
    images, labels = line_images(7, size=5)

    assert (images.shape, images.dtype) == ((7, 1, 5, 5), np.uint8)
    assert (labels.shape, labels.dtype) == ((7,), np.int64)
    assert len(LINE_CLASSES) == 3


@pytest.mark.number(
    55,
    "distinct images among the 1000 of the case study",
    item=26,
    chapter="11_case_study",
    heading="Fifty-five images",
)
def test_line_images_are_only_55_distinct_ones(number):
    images, _ = line_images()

    assert len(images) == 1000
    assert len({image.tobytes() for image in images}) == number


def test_line_images_leave_the_global_streams_alone():
    np.random.seed(1)
    torch.manual_seed(1)
    expected = np.random.random(), torch.rand(()).item()
    np.random.seed(1)
    torch.manual_seed(1)

    line_images()
    line_loaders(n_images=50)

    assert (np.random.random(), torch.rand(()).item()) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_images": 0}, "^n_images must be at least 1, got 0$"),
        ({"size": 1}, "^size must be at least 2, got 1$"),
    ],
)
def test_line_images_refuse_what_has_no_line(settings, message):
    with pytest.raises(ValueError, match=message):
        line_images(**settings)


@pytest.fixture
def loaders():
    """Return the case study's loaders."""
    return line_loaders()


def test_line_loaders_cut_the_permutation_of_the_split_seed(loaders):
    images, labels = (torch.from_numpy(array) for array in line_images())
    torch.manual_seed(13)
    order = torch.randperm(1000)

    parts = [loader.dataset.tensors for loader in loaders]

    for (scaled, targets), chosen in zip(parts, [order[:800], order[800:]], strict=True):
        torch.testing.assert_close((scaled + 1) * 127.5, images[chosen].float())
        torch.testing.assert_close(targets, labels[chosen])


def test_line_loaders_scale_pixels_to_minus_one_and_one(loaders):
    for loader in loaders:
        images, labels = next(iter(loader))

        assert (images.shape, images.dtype) == ((16, 1, 10, 10), torch.float32)
        assert images.unique().tolist() == [-1, 1]
        assert (labels.shape, labels.dtype) == ((16,), torch.int64)


@pytest.mark.number(
    [264, 290, 246],
    "training images of each class",
    item=26,
    chapter="11_case_study",
    heading="The split",
)
def test_training_part_has_the_class_counts_of_the_case_study(loaders, number):
    _, labels = loaders[0].dataset.tensors

    assert labels.bincount().tolist() == number


@pytest.mark.number(
    200,
    "validation images, of 200, that are copies of training images",
    item=26,
    chapter="11_case_study",
    heading="Fifty-five images",
)
def test_every_validation_image_is_a_copy_of_a_training_image(loaders, number):
    training, validation = (
        [image.numpy().tobytes() for image in loader.dataset.tensors[0]] for loader in loaders
    )

    assert len(validation) == 200
    assert sum(image in set(training) for image in validation) == number


def test_validation_samples_come_in_order_in_13_batches(loaders):
    batches = list(loaders[1])

    assert [len(labels) for _, labels in batches] == [16] * 12 + [8]
    assert batches[0][1][:10].tolist() == [2, 2, 2, 0, 0, 0, 0, 2, 0, 1]
    for part, expected in zip(zip(*batches, strict=True), loaders[1].dataset.tensors, strict=True):
        torch.testing.assert_close(torch.cat(part), expected)


def test_training_samples_are_drawn_with_replacement_each_class_as_often(loaders):
    train_loader, _ = loaders
    train_loader.sampler.generator.manual_seed(0)

    drawn = torch.tensor([index for _ in range(50) for index in train_loader.sampler])

    one_epoch = drawn[:800]
    assert len(drawn) == 50 * 800
    assert len(one_epoch.unique()) < 800
    shares = train_loader.dataset.tensors[1][drawn].bincount() / len(drawn)
    torch.testing.assert_close(shares, torch.full((3,), 1 / 3), atol=0.01, rtol=0)


def test_training_samples_depend_on_the_samplers_own_generator_only(loaders):
    sampler = loaders[0].sampler
    runs = []
    for global_seed, own_seed in [(0, 1), (2, 1), (0, 2)]:
        torch.manual_seed(global_seed)
        sampler.generator.manual_seed(own_seed)
        runs.append(list(sampler))

    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize(("n_images", "n_train"), [(5, 4), (9, 8), (10, 8), (101, 81)])
def test_line_loaders_train_on_four_fifths(n_images, n_train):
    train_loader, val_loader = line_loaders(n_images, size=4, batch_size=3)

    assert (len(train_loader.dataset), len(val_loader.dataset)) == (n_train, n_images - n_train)
    assert sum(len(labels) for _, labels in train_loader) == n_train
    assert next(iter(train_loader))[0].shape == (3, 1, 4, 4)


def test_line_loaders_split_another_way_for_another_split_seed():
    labels = [line_loaders(split_seed=seed)[1].dataset.tensors[1].tolist() for seed in (13, 13, 14)]

    assert labels[0] == labels[1] != labels[2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_images": 4}, "^n_images must be at least 5, got 4$"),
        ({"batch_size": 0}, "^batch_size must be at least 1, got 0$"),
        ({"size": 1}, "^size must be at least 2, got 1$"),
    ],
)
def test_line_loaders_refuse_a_setting_that_leaves_nothing(settings, message):
    with pytest.raises(ValueError, match=message):
        line_loaders(**settings)


@pytest.mark.parametrize("name", MNIST_SHA256)
def test_shipped_mnist_files_unpack_to_the_originals(name):
    content = gzip.decompress((datasets._DATA / "mnist" / f"{name}.gz").read_bytes())

    assert hashlib.sha256(content).hexdigest() == MNIST_SHA256[name]


@pytest.mark.parametrize("split", DIGITS)
def test_mnist_has_its_shapes_its_range_and_its_label_counts(split):
    images, labels = mnist(split)

    n_images = sum(DIGITS[split])
    assert (images.shape, images.dtype) == ((n_images, 1, 28, 28), torch.uint8)
    assert (labels.shape, labels.dtype) == ((n_images,), torch.int64)
    assert (images.min(), images.max()) == (0, 255)
    assert labels.bincount().tolist() == DIGITS[split]


def test_mnist_pixels_have_the_mean_and_deviation_that_everyone_normalises_by():
    images, labels = mnist("train")

    pixels = images.float() / 255
    assert round(pixels.mean(dtype=torch.float64).item(), 4) == 0.1307
    assert round(pixels.std().item(), 4) == 0.3081
    assert labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_mnist_refuses_another_split():
    with pytest.raises(ValueError, match=r"""^split must be "train" or "test", got 'val'$"""):
        mnist("val")


@pytest.fixture
def shipped_labels(tmp_path, monkeypatch):
    """Return the path of the test labels in a copy of the test split that may be damaged."""
    (tmp_path / "mnist").mkdir()
    for file in (datasets._DATA / "mnist").glob("t10k-*"):
        shutil.copy(file, tmp_path / "mnist")
    monkeypatch.setattr(datasets, "_DATA", tmp_path)
    return tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz"


def with_another_label(packed):
    content = bytearray(gzip.decompress(packed))
    content[-1] ^= 1
    return gzip.compress(content)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (with_another_label, "is damaged: wrong SHA-256"),
        (lambda packed: packed[: len(packed) // 2], "cannot be read: "),
        (lambda packed: b"\0" + packed[1:], "cannot be read: "),
        (lambda packed: packed[:-8] + bytes(8), "cannot be read: "),
        (lambda packed: b"", "is damaged: wrong SHA-256"),
    ],
    ids=["another label", "cut short", "no gzip file", "wrong check sum", "empty"],
)
def test_mnist_says_in_one_sentence_that_a_file_is_damaged(shipped_labels, damage, message):
    assert len(mnist("test")[1]) == 10_000
    shipped_labels.write_bytes(damage(shipped_labels.read_bytes()))

    sentence = rf"\At10k-labels-idx1-ubyte\.gz {message}[^\n]*; install the course again\Z"
    with pytest.raises(ValueError, match=sentence):
        mnist("test")


def test_mnist_says_in_one_sentence_that_a_file_is_missing(shipped_labels):
    shipped_labels.unlink()

    sentence = r"\At10k-labels-idx1-ubyte\.gz cannot be read: [^\n]*; install the course again\Z"
    with pytest.raises(ValueError, match=sentence):
        mnist("test")


def test_photo_has_its_colours_first():
    image = photo()

    assert (image.shape, image.dtype) == ((3, 300, 451), torch.uint8)
    assert image.is_contiguous()
    with Image.open(datasets._DATA / "chelsea.png") as original:
        for row, column in [(0, 0), (299, 450), (120, 200)]:
            expected = original.convert("RGB").getpixel((column, row))
            assert tuple(image[:, row, column].tolist()) == expected


def test_datasets_open_no_connection(monkeypatch):
    def refuse(*address):
        raise AssertionError(f"a connection to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    line_loaders(n_images=5)
    mnist("test")
    photo()
