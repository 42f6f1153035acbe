"""``Architecture`` gives the case study's numbers, and does what it says on small models."""

import os
import re
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import SGD
from torch.utils.data import DataLoader, Dataset, TensorDataset
from tqdm import tqdm

from course_utils import architecture
from course_utils.architecture import Architecture
from course_utils.datasets import line_loaders
from course_utils.models import line_classifier
from course_utils.plots import plot_images


@pytest.fixture(scope="module")
def case_study():
    """Return the case study, trained for its 20 epochs; read it, do not train it further."""
    torch.manual_seed(13)
    model = line_classifier()
    arch = Architecture(model, nn.CrossEntropyLoss(reduction="mean"), SGD(model.parameters(), 0.1))
    arch.set_loaders(*line_loaders())
    arch.train(20)
    return arch


@pytest.fixture
def first_batch(case_study):
    """Return the images and labels of the first validation batch."""
    return next(iter(case_study.val_loader))


def small_architecture(learning_rate=0.1, *, n_images=30, n_channels=1):
    """Return an untrained line classifier with loaders; momentum gives the optimizer a state."""
    torch.manual_seed(0)
    model = line_classifier(n_channels)
    optimizer = SGD(model.parameters(), lr=learning_rate, momentum=0.9)
    arch = Architecture(model, nn.CrossEntropyLoss(), optimizer)
    arch.set_loaders(*line_loaders(n_images, batch_size=7))
    return arch


@pytest.fixture
def arch():
    return small_architecture()


def mixed_modes():
    """Return a model of dropout and batch norm, the first training, the second not, and images."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.BatchNorm1d(4), nn.Linear(4, 3))
    model.train()
    model[2].eval()
    return model, torch.randn(6, 1, 2, 2)


def modes_of(model):
    return [module.training for module in model.modules()]


def weights_of(arch):
    return {name: value.clone() for name, value in arch.model.state_dict().items()}


def hook_count(model):
    return sum(len(module._forward_hooks) for module in model.modules())


@pytest.mark.number(
    {"labels": [2, 2, 2, 0, 0, 0, 0, 2, 0, 1], "predictions": [2, 2, 2, 0, 0, 0, 2, 2, 2, 1]},
    "the first ten of the first validation batch",
    item=34,
    chapter="11_case_study",
    heading="One batch, looked at closely",
)
def test_case_study_predicts_the_first_batch_as_the_lesson_shows(case_study, first_batch, number):
    images, labels = first_batch

    logits = case_study.predict(images)

    predictions = logits.argmax(dim=1)
    assert {"labels": labels[:10].tolist(), "predictions": predictions[:10].tolist()} == number


@pytest.mark.number(
    [[5, 7], [3, 3], [6, 6]],
    "right and present, class by class, in the first validation batch",
    item=35,
    chapter="11_case_study",
    heading="Counting what is right",
)
def test_case_study_counts_what_is_right_in_the_first_batch(case_study, first_batch, number):
    images_batch, labels_batch = first_batch

    counts = case_study.correct(images_batch, labels_batch)

    assert counts.tolist() == number


@pytest.mark.number(
    [[59, 67], [55, 62], [71, 71]],
    "the same in the whole validation set, 185 of 200",
    item=36,
    chapter="11_case_study",
    heading="Counting what is right",
)
def test_case_study_counts_what_is_right_in_the_whole_validation_set(case_study, number):
    counts = Architecture.loader_apply(case_study.val_loader, case_study.correct)

    assert counts.tolist() == number
    assert counts.sum(dim=0).tolist() == [185, 200]
    assert counts.dtype == torch.int64


@pytest.mark.number(
    {"over samples": 0.2530, "of batch means": 0.2476},
    "two mean validation losses",
    item=30,
    chapter="11_case_study",
    heading="Two validation losses",
    digits=4,
)
def test_case_study_weighs_its_validation_loss_by_samples(case_study, number):
    images, labels = case_study.val_loader.dataset.tensors
    of_all_samples = case_study.loss_fn(case_study.predict(images), labels)
    of_batches = Architecture.loader_apply(
        case_study.val_loader, lambda x, y: case_study.loss_fn(case_study.predict(x), y), "mean"
    )

    assert case_study.val_losses[-1] == pytest.approx(of_all_samples.item(), abs=1e-6)
    assert case_study.val_losses[-1] == pytest.approx(number["over samples"], abs=5e-5)
    assert of_batches.item() == pytest.approx(number["of batch means"], abs=5e-5)
    assert len(case_study.losses) == len(case_study.val_losses) == 20


def test_the_calls_of_the_lesson_draw_what_they_say(case_study, first_batch):
    images_batch, labels_batch = first_batch
    case_study.predict(images_batch)

    pictures = plot_images(images_batch.squeeze(), labels_batch.squeeze(), n_plot=10)
    with plt.style.context("seaborn-v0_8-white"):
        featurizer = case_study.visualize_outputs(["conv1", "relu1", "maxp1", "flatten"])
        classifier = case_study.visualize_outputs(["fc1", "relu2", "fc2"])

    assert [ax.get_title() for ax in pictures.axes][:4] == ["Label: 2"] * 3 + ["Label: 0"]
    assert [ax.get_ylabel() for ax in featurizer.axes[::10]] == [
        "conv1",
        "relu1",
        "maxp1",
        "flatten",
    ]
    assert [ax.get_ylabel() for ax in classifier.axes[::10]] == ["fc1", "relu2", "fc2"]
    assert len(case_study.visualize_filters("conv1").axes) == 1
    assert len(case_study.plot_losses().axes[0].lines) == 2
    assert plt.get_fignums() == []


def test_train_weighs_its_loss_by_samples_when_the_last_batch_is_short():
    arch = small_architecture(learning_rate=0.0)
    images, labels = arch.val_loader.dataset.tensors
    arch.set_loaders(DataLoader(TensorDataset(images[:5], labels[:5]), batch_size=4))

    arch.train(1)

    expected = arch.loss_fn(arch.model(images[:5]), labels[:5]).item()
    assert arch.losses == [pytest.approx(expected, rel=1e-5)]
    assert arch.val_losses == []


def test_train_measures_training_loss_in_training_mode_and_validation_loss_in_evaluation_mode():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(p=1.0), nn.Linear(100, 3, bias=False))
    loader = small_architecture().val_loader
    arch = Architecture(model.eval(), nn.CrossEntropyLoss(), SGD(model.parameters(), lr=0.0))
    arch.set_loaders(loader, loader)

    arch.train(1)

    logits = model[2](loader.dataset.tensors[0].flatten(1))
    expected = arch.loss_fn(logits, loader.dataset.tensors[1]).item()
    assert arch.losses == [pytest.approx(np.log(3), rel=1e-6)]  # all logits are dropped to 0
    assert arch.val_losses == [pytest.approx(expected, rel=1e-5)]
    assert all(modes_of(model))


def test_train_takes_a_step_down_the_gradient_of_each_batch():
    arch = small_architecture()
    images, labels = (part[:6] for part in arch.train_loader.dataset.tensors)
    arch.set_loaders(DataLoader(TensorDataset(images, labels), batch_size=3))
    expected = small_architecture()
    for batch in (slice(0, 3), slice(3, 6)):
        expected.optimizer.zero_grad()
        expected.loss_fn(expected.model(images[batch]), labels[batch]).backward()
        expected.optimizer.step()

    arch.train(1)

    torch.testing.assert_close(weights_of(arch), weights_of(expected))


def test_train_goes_on_where_it_stopped(arch):
    arch.train(2)
    before = list(arch.losses)

    arch.train(1)

    assert (len(arch.losses), len(arch.val_losses)) == (3, 3)
    assert arch.losses[:2] == before


def test_train_needs_a_training_loader():
    arch = small_architecture()
    arch.set_loaders(None)

    with pytest.raises(
        ValueError, match=r"^no training loader is set; call set_loaders\(train_loader\) first$"
    ):
        arch.train(1)


def test_train_refuses_to_train_for_no_epoch(arch):
    before = weights_of(arch)

    with pytest.raises(ValueError, match=r"^n_epochs must be at least 1, got 0$"):
        arch.train(0)

    torch.testing.assert_close(weights_of(arch), before, rtol=0, atol=0)
    assert arch.losses == []


def test_train_gives_the_same_run_for_the_same_seed():
    runs = []
    for seed in (42, 42, 43):
        arch = small_architecture()
        next(iter(arch.train_loader))  # moves the sampler's generator on
        arch.train(2, seed=seed)
        runs.append(arch)

    assert runs[0].losses == runs[1].losses != runs[2].losses
    torch.testing.assert_close(weights_of(runs[0]), weights_of(runs[1]), rtol=0, atol=0)


def test_train_seeds_with_42_if_not_told():
    arch, expected = small_architecture(), small_architecture()

    arch.train(1)
    expected.train(1, seed=42)

    assert arch.losses == expected.losses


class Noise(Dataset):
    """Images drawn anew each time, by the global generators of NumPy and PyTorch."""

    def __len__(self):
        return 6

    def __getitem__(self, index):
        noise = torch.from_numpy(np.random.random((1, 10, 10))).float() * torch.rand(1)
        return noise, index % 3


@pytest.mark.parametrize("generator", [None, torch.Generator()], ids=["global", "own"])
def test_train_seeds_every_generator_that_a_loader_draws_from(generator):
    losses = []
    for run, seed in enumerate((1, 1, 2)):
        arch = small_architecture()
        arch.set_loaders(DataLoader(Noise(), batch_size=4, shuffle=True, generator=generator))
        torch.manual_seed(run)  # the streams stand elsewhere each time
        np.random.seed(run)
        arch.train(2, seed=seed)
        losses.append(arch.losses)

    assert losses[0] == losses[1] != losses[2]


def test_train_shows_its_progress_on_stdout_only(arch, monkeypatch, capsys):
    monkeypatch.setattr(architecture, "tqdm", partial(tqdm, disable=False))

    arch.train(2)

    out, err = capsys.readouterr()
    assert "training" in out
    assert "2" in out
    assert err == ""


@pytest.mark.parametrize("call", ["predict", "correct"])
def test_each_module_gets_its_own_mode_back_after(call):
    model, images = mixed_modes()
    arch = Architecture(model, nn.CrossEntropyLoss(), SGD(model.parameters(), lr=0.1))
    modes, running_mean = modes_of(model), model[2].running_mean.clone()

    arguments = (images,) if call == "predict" else (images, torch.zeros(6, dtype=torch.int64))
    results = [getattr(arch, call)(*arguments) for _ in range(2)]

    torch.testing.assert_close(results[0], results[1], rtol=0, atol=0)  # nothing was dropped
    torch.testing.assert_close(model[2].running_mean, running_mean, rtol=0, atol=0)
    assert modes_of(model) == modes == [True, True, True, False, True]


def test_predict_gives_the_modes_back_after_an_error():
    model, _ = mixed_modes()
    arch = Architecture(model, nn.CrossEntropyLoss(), SGD(model.parameters(), lr=0.1))

    with pytest.raises(RuntimeError, match="running_mean should contain 9 elements"):
        arch.predict(torch.zeros(2, 1, 3, 3))

    assert modes_of(model) == [True, True, True, False, True]


def test_predict_gives_logits_without_a_gradient(arch):
    images = arch.val_loader.dataset.tensors[0]

    logits = arch.predict(images)

    assert logits.shape == (6, 3)
    assert not logits.requires_grad
    torch.testing.assert_close(logits, arch.model(images).detach())


@pytest.mark.parametrize("to", [np.asarray, lambda images: images.to(torch.uint8)])
def test_predict_takes_arrays_and_whole_numbers(arch, to):
    images = torch.arange(200.0).view(2, 1, 10, 10)

    torch.testing.assert_close(arch.predict(to(images)), arch.predict(images))


def test_correct_counts_each_class_that_the_model_knows(arch):
    images, _ = arch.train_loader.dataset.tensors
    labels = torch.tensor([0, 1] * 12)  # no image of class 2
    predictions = arch.model(images).argmax(dim=1).tolist()

    counts = arch.correct(images, labels)

    pairs = list(zip(labels.tolist(), predictions, strict=True))
    assert counts.tolist() == [
        [pairs.count((label, label)), 12 * (label != 2)] for label in range(3)
    ]
    assert counts.dtype == torch.int64


def test_loader_apply_adds_up_the_batches_or_counts_each_once():
    numbers = torch.tensor([1, 2, 3, 4, 20])
    loader = DataLoader(TensorDataset(numbers, 10 * numbers), batch_size=2)

    def sums(x, y):
        return torch.stack([x.sum(), y.sum()])

    total = Architecture.loader_apply(loader, sums)
    mean = Architecture.loader_apply(loader, sums, reduce="mean")

    torch.testing.assert_close(total, torch.tensor([30, 300]))
    torch.testing.assert_close(mean, torch.tensor([10.0, 100.0]))


def test_loader_apply_keeps_the_type_of_a_mean_of_floats():
    loader = DataLoader(TensorDataset(torch.tensor([1.0, 2.0]), torch.zeros(2)))

    mean = Architecture.loader_apply(loader, lambda x, y: x.double().sum(), "mean")

    torch.testing.assert_close(mean, torch.tensor(1.5, dtype=torch.float64))


def test_loader_apply_refuses_another_reduction_before_it_reads():
    with pytest.raises(ValueError, match=r"""^reduce must be "sum" or "mean", got 'max'$"""):
        Architecture.loader_apply(None, None, "max")


def test_loader_apply_refuses_a_loader_without_a_batch():
    with pytest.raises(ValueError, match=r"^the loader has no batch; give it at least one sample$"):
        Architecture.loader_apply([], lambda x, y: x)


def test_visualize_outputs_draws_what_the_layers_give_for_the_latest_prediction(arch):
    images = arch.val_loader.dataset.tensors[0]
    arch.predict(images[:1])
    arch.predict(images)

    figure = arch.visualize_outputs(["conv1", "fc2"], n_images=4)

    pictures = [np.asarray(ax.images[0].get_array()) for ax in figure.axes]
    convolved = arch.model.conv1(images[:4]).detach()
    np.testing.assert_allclose(pictures[:4], convolved[:, 0], rtol=1e-5, atol=1e-6)
    logits = arch.predict(images[:4])
    np.testing.assert_allclose(pictures[4:], logits[:, :, None], rtol=1e-5, atol=1e-6)


def test_visualize_outputs_writes_labels_and_predictions_above_its_columns(arch):
    images, labels = arch.val_loader.dataset.tensors
    yhat = arch.predict(images).argmax(dim=1)

    figure = arch.visualize_outputs(["fc2"], n_images=2, y=labels, yhat=yhat)

    assert [ax.get_title() for ax in figure.axes] == [
        f"Label: {labels[column]}\nPredicted: {yhat[column]}" for column in range(2)
    ]


def test_visualize_outputs_draws_in_evaluation_mode_and_leaves_modes_and_hooks_as_they_were():
    model, images = mixed_modes()
    arch = Architecture(model, nn.CrossEntropyLoss(), SGD(model.parameters(), lr=0.1))
    arch.predict(images)

    figure = arch.visualize_outputs(["1"])

    pictures = [np.asarray(ax.images[0].get_array()) for ax in figure.axes]
    np.testing.assert_array_equal(pictures, images.view(6, 4, 1))  # nothing was dropped
    assert modes_of(model) == [True, True, True, False, True]
    assert hook_count(model) == 0


def test_visualize_outputs_needs_a_prediction_first(arch):
    with pytest.raises(ValueError, match=r"^nothing to draw yet; call predict\(images\) first$"):
        arch.visualize_outputs(["conv1"])


def test_visualize_outputs_refuses_to_draw_no_image(arch):
    with pytest.raises(ValueError, match=r"^n_images must be at least 1, got 0$"):
        arch.visualize_outputs(["conv1"], n_images=0)


def test_visualize_outputs_names_a_layer_that_is_not_there(arch):
    arch.predict(arch.val_loader.dataset.tensors[0])

    with pytest.raises(KeyError, match=r"no layer is called 'conv2'; the model has \['conv1', "):
        arch.visualize_outputs(["conv1", "conv2"])

    assert hook_count(arch.model) == 0


def test_visualize_filters_draws_the_kernels_of_a_convolution():
    arch = small_architecture(n_channels=2)

    figure = arch.visualize_filters("conv1")

    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["filter 0, channel 0", "filter 1, channel 0"]


def test_visualize_filters_names_what_has_no_filters(arch):
    with pytest.raises(
        ValueError, match=r"^layer 'fc1' is Linear, which has no filters to draw; name an nn"
    ):
        arch.visualize_filters("fc1")
    with pytest.raises(KeyError, match="no layer is called 'conv9'"):
        arch.visualize_filters("conv9")


def test_plot_losses_draws_both_lists_and_needs_some_training(arch):
    with pytest.raises(ValueError, match=r"^no losses to draw yet; call train\(n_epochs\) first$"):
        arch.plot_losses()
    arch.train(2)

    lines = arch.plot_losses().axes[0].lines

    assert [[*line.get_ydata()] for line in lines] == [arch.losses, arch.val_losses]


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_loaded_checkpoint_goes_on_as_if_training_had_not_stopped(tmp_path, kind):
    path = kind(tmp_path / "arch.pt")
    expected, arch = small_architecture(), small_architecture()
    expected.train(2, seed=1)
    expected.save_checkpoint(path)

    arch.load_checkpoint(path)

    for each in (expected, arch):
        each.train(1, seed=2)
    torch.testing.assert_close(weights_of(arch), weights_of(expected), rtol=0, atol=0)
    assert arch.losses == expected.losses
    assert arch.val_losses == expected.val_losses
    assert len(arch.losses) == 3


@pytest.fixture
def unchanged(arch, tmp_path):
    """Yield a trained architecture and a path; then find the architecture as it was."""
    arch.train(1)
    weights, losses = weights_of(arch), (list(arch.losses), list(arch.val_losses))
    momentum = [state["momentum_buffer"].clone() for state in arch.optimizer.state.values()]

    yield arch, tmp_path / "arch.pt"

    torch.testing.assert_close(weights_of(arch), weights, rtol=0, atol=0)
    assert (arch.losses, arch.val_losses) == losses
    kept = [state["momentum_buffer"] for state in arch.optimizer.state.values()]
    torch.testing.assert_close(kept, momentum, rtol=0, atol=0)


def is_no_checkpoint(path):
    return f"^{re.escape(str(path))} is no checkpoint of this course; give a file made by"


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04" + bytes(99)])
def test_load_checkpoint_refuses_a_file_of_another_kind(unchanged, content):
    arch, path = unchanged
    path.write_bytes(content)

    with pytest.raises(ValueError, match=is_no_checkpoint(path)):
        arch.load_checkpoint(path)


def test_load_checkpoint_refuses_a_file_that_was_cut_short(unchanged):
    arch, path = unchanged
    arch.save_checkpoint(path)
    path.write_bytes(path.read_bytes()[:2000])

    with pytest.raises(ValueError, match=is_no_checkpoint(path)):
        arch.load_checkpoint(path)


@pytest.mark.parametrize("foreign", [[1, 2], {"model": {}}, line_classifier().state_dict()])
def test_load_checkpoint_refuses_what_it_did_not_save(unchanged, foreign):
    arch, path = unchanged
    torch.save(foreign, path)

    with pytest.raises(ValueError, match=is_no_checkpoint(path)):
        arch.load_checkpoint(path)


class MakesFolder:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_load_checkpoint_runs_no_code_of_the_file(unchanged, tmp_path):
    arch, path = unchanged
    torch.save({"model": MakesFolder(tmp_path / "made")}, path)

    with pytest.raises(ValueError, match=is_no_checkpoint(path)):
        arch.load_checkpoint(path)

    assert not (tmp_path / "made").exists()


def test_load_checkpoint_refuses_one_of_another_model(unchanged):
    arch, path = unchanged
    small_architecture(n_channels=2).save_checkpoint(path)

    shapes = r"'conv1.weight': torch.Size\(\[2, 1, 3, 3\]\).*needed.*torch.Size\(\[1, 1, 3, 3\]\)"
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))} belongs to another.*{shapes}"):
        arch.load_checkpoint(path)


def test_load_checkpoint_refuses_an_optimizer_with_other_groups(unchanged):
    arch, path = unchanged
    other = small_architecture()
    other.optimizer = SGD([{"params": [weight]} for weight in other.model.parameters()], lr=0.1)
    other.save_checkpoint(path)

    with pytest.raises(ValueError, match=r"another optimizer: SGD with parameter groups of \[1, 1"):
        arch.load_checkpoint(path)


def test_load_checkpoint_says_that_there_is_none(unchanged):
    arch, path = unchanged

    message = f"^there is no checkpoint at {re.escape(str(path))}$"
    with pytest.raises(FileNotFoundError, match=message):
        arch.load_checkpoint(path)


@pytest.mark.parametrize("error", [OSError("disk is full"), KeyboardInterrupt("disk is full")])
def test_save_checkpoint_keeps_the_old_file_when_writing_stops(arch, tmp_path, monkeypatch, error):
    path = tmp_path / "arch.pt"
    arch.save_checkpoint(path)
    old = path.read_bytes()

    def write_half(checkpoint, file):
        file.write_bytes(old[: len(old) // 2])
        raise error

    monkeypatch.setattr(torch, "save", write_half)
    with pytest.raises(type(error), match="disk is full"):
        arch.save_checkpoint(path)

    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_save_checkpoint_replaces_the_old_file(arch, tmp_path):
    path = tmp_path / "arch.pt"
    arch.save_checkpoint(path)
    arch.train(1)
    expected = weights_of(arch)
    arch.save_checkpoint(path)

    loaded = small_architecture()
    loaded.load_checkpoint(path)

    torch.testing.assert_close(weights_of(loaded), expected, rtol=0, atol=0)
    assert list(tmp_path.iterdir()) == [path]
