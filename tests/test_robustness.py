"""Damaged files and odd inputs: one sentence each, and everything stays as it was."""

import re

import numpy as np
import pytest
import torch
from test_architecture import (
    arch,
    is_no_checkpoint,
    small_architecture,
    unchanged,
)
from test_datasets import shipped_labels
from test_plots import DRAWINGS, drawn
from torch.optim import SGD, Adam
from torch.utils.data import DataLoader, TensorDataset

from course_utils import plots
from course_utils.datasets import mnist
from course_utils.models import line_classifier


def test_a_damaged_mnist_file_is_told_in_a_sentence(shipped_labels):
    packed = bytearray(shipped_labels.read_bytes())
    packed[100] ^= 0xFF
    shipped_labels.write_bytes(packed)
    with pytest.raises(ValueError, match=r"cannot be read: .*; install the course again$"):
        mnist("test")


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_shown_twice_gives_the_same_bytes(name):
    figure = DRAWINGS[name]()
    assert figure._repr_png_() == figure._repr_png_()


def test_small_weights_are_drawn_as_they_are():
    weight = np.array([[[[0.004, -0.002], [0.001, 0.003]]]])
    np.testing.assert_array_equal(drawn(plots.plot_filters(weight)), weight[0])


def state():
    return line_classifier().state_dict()


EMPTY = {"losses": [], "val_losses": []}


@pytest.mark.parametrize(
    "foreign",
    [
        torch.zeros(3),
        {"model": [1], "optimizer": {}, **EMPTY},
        {"model": dict.fromkeys(state(), 1), "optimizer": {}, **EMPTY},
        {"model": state(), "optimizer": {}, **EMPTY},
        {"model": state(), "optimizer": {"state": {}, "param_groups": 7}, **EMPTY},
    ],
    ids=[
        "tensor",
        "list of weights",
        "weights that are numbers",
        "no param_groups",
        "param_groups 7",
    ],
)
def test_a_file_with_other_contents_is_no_checkpoint(unchanged, foreign):
    arch, path = unchanged
    torch.save(foreign, path)
    with pytest.raises(ValueError, match=re.escape(str(path))):
        arch.load_checkpoint(path)


def test_a_checkpoint_of_another_kind_of_optimizer_is_refused(unchanged):
    arch, path = unchanged
    other = small_architecture()
    other.optimizer = Adam(other.model.parameters())
    other.train(1)
    other.save_checkpoint(path)
    with pytest.raises(ValueError, match=re.escape(str(path))):
        arch.load_checkpoint(path)


def test_a_checkpoint_cut_anywhere_is_refused_and_changes_nothing(unchanged):
    arch, path = unchanged
    arch.save_checkpoint(path)
    whole = path.read_bytes()
    bad = {}
    for n in range(0, len(whole), 7):
        path.write_bytes(whole[:n])
        try:
            arch.load_checkpoint(path)
            bad[n] = "loaded"
        except ValueError as e:
            if "no checkpoint" not in str(e):
                bad[n] = repr(e)[:60]
        except Exception as e:
            bad[n] = repr(e)[:60]
    assert not bad, (len(whole), len(bad), list(bad.items())[:5])


def test_training_on_an_empty_loader_is_told(arch):
    images, labels = arch.val_loader.dataset.tensors
    arch.set_loaders(DataLoader(TensorDataset(images, labels), batch_size=99, drop_last=True))
    with pytest.raises(ValueError, match="no batch"):
        arch.train(1)


def test_predict_remembers_the_images_and_not_their_memory(arch):
    images = arch.val_loader.dataset.tensors[0].clone()
    expected = images.clone()
    arch.predict(images)
    images.zero_()
    shown = arch.visualize_outputs(["conv1"])
    np.testing.assert_allclose(
        drawn(shown)[0], arch.model.conv1(expected)[0, 0].detach(), rtol=1e-5
    )


def test_too_few_labels_are_told():
    with pytest.raises(ValueError, match="label"):
        plots.plot_outputs({"a": np.ones((3, 2))}, labels=[1])


def test_layers_of_different_batches_are_told():
    with pytest.raises(ValueError, match="b"):
        plots.plot_outputs({"a": np.ones((3, 2)), "b": np.ones((4, 2))})


def test_losses_may_be_an_array():
    plots.plot_losses(np.array([1.0, 2.0]))
