"""The shipped weights do what the book says, and the command that makes them can be run again."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from course_utils.datasets import mnist
from course_utils.models import (
    MNIST_MEAN,
    MNIST_STD,
    WEIGHTS,
    about_weights,
    lenet5,
    line_classifier,
    normalize_digits,
    pack_weights,
    trained_lenet5,
)

SCRIPT = Path(__file__).parents[1] / "tools" / "train_lenet5.py"


@pytest.fixture(scope="module")
def command():
    """The training command, as a module."""
    spec = importlib.util.spec_from_file_location("train_lenet5", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, "train_lenet5", module)  # dataclass looks there
        spec.loader.exec_module(module)
        yield module


@torch.no_grad()
def n_right(model, images, labels):
    logits = torch.cat([model(batch) for batch in normalize_digits(images).split(1000)])
    return (logits.argmax(dim=1) == labels).sum().item()


@pytest.fixture
def packed(tmp_path):
    """A sound file of weights, made here."""
    torch.manual_seed(0)
    path = tmp_path / "lenet5.safetensors"
    path.write_bytes(pack_weights(lenet5(), {"epochs": 1}))
    return path


def test_shipped_weights_read_at_least_995_of_1000_test_digits():
    assert n_right(trained_lenet5(), *mnist("test")) >= 9_950  # of 10,000


def test_shipped_weights_are_small_and_say_how_they_were_made(command):
    about = about_weights()

    assert WEIGHTS.stat().st_size < 300_000
    assert about["images"] == 60_000
    assert about["recipe"] == command.CHOSEN
    assert about["candidates"] == json.loads(command.RECORD.read_text())


def test_the_chosen_recipe_has_the_lowest_validation_loss_of_the_long_races(command):
    rows = about_weights()["candidates"]
    longest = max(len(row["curve"]) for row in rows)
    final_loss = {
        row["recipe"]: row["curve"][-1][0] for row in rows if len(row["curve"]) == longest
    }

    assert {row["recipe"] for row in rows} == set(command.CANDIDATES)
    assert len(final_loss) >= 3
    assert min(final_loss, key=final_loss.get) == command.CHOSEN


def test_digits_are_normalised_with_the_training_digits():
    ink = mnist("train")[0].double() / 255

    assert ink.mean().item() == pytest.approx(MNIST_MEAN, abs=5e-5)
    assert ink.std().item() == pytest.approx(MNIST_STD, abs=5e-5)
    normal = normalize_digits(mnist("train")[0])
    assert normal.dtype == torch.float32
    assert normal.mean().item() == pytest.approx(0, abs=1e-3)
    assert normal.std().item() == pytest.approx(1, abs=1e-3)


def test_trained_lenet5_is_lenet5_in_evaluation_mode():
    model = trained_lenet5()

    assert str(model) == str(lenet5())
    assert not any(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_weights_come_back_as_they_were_packed(packed):
    torch.manual_seed(0)
    original = lenet5().state_dict()

    state = trained_lenet5(packed).state_dict()

    for name, value in original.items():
        torch.testing.assert_close(state[name], value, rtol=0, atol=0)
    assert about_weights(packed) == {"epochs": 1}


def test_no_file_gets_a_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^there are no weights at .*none\.safetensors$"):
        trained_lenet5(tmp_path / "none.safetensors")


def test_a_folder_gets_a_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"cannot be read: "):
        trained_lenet5(tmp_path)


@pytest.mark.parametrize("place", [-1, -100_000])
def test_a_changed_weight_is_noticed(packed, place):
    content = bytearray(packed.read_bytes())
    content[place] ^= 1
    packed.write_bytes(content)

    with pytest.raises(ValueError, match=r"is damaged: wrong SHA-256; install the course again$"):
        trained_lenet5(packed)


def test_a_changed_note_is_noticed(packed):
    content = packed.read_bytes()
    packed.write_bytes(content.replace(b'epochs\\": 1', b'epochs\\": 9'))

    assert packed.read_bytes() != content
    with pytest.raises(ValueError, match=r"is damaged: wrong SHA-256"):
        about_weights(packed)


@pytest.mark.parametrize("size", [0, 5, 100, 5000, -1])
def test_a_file_cut_off_is_noticed(packed, size):
    packed.write_bytes(packed.read_bytes()[:size])

    with pytest.raises(ValueError, match=r"holds no weights of this course; give a file made by "):
        trained_lenet5(packed)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "other"
    for content in (b"no weights at all", b"\xff" * 1000, bytes(1000)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"other holds no weights of this course"):
            trained_lenet5(path)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (line_classifier(), r"holds no LeNet-5: C1\.weight has shape None, needed \(6, 1, 5, 5\)"),
        (lenet5(7), r"OUTPUT\.weight has shape \(7, 84\), needed \(10, 84\)"),
    ],
)
def test_weights_of_another_shape_are_refused(tmp_path, model, message):
    path = tmp_path / "other.safetensors"
    path.write_bytes(pack_weights(model, {}))

    with pytest.raises(ValueError, match=message):
        trained_lenet5(path)


def test_the_training_command_learns_on_a_small_budget(command, tmp_path, capsys):
    output = tmp_path / "small.safetensors"
    options = ["--limit", "3000", "--epochs", "2", "--device", "cpu", "--output", str(output)]

    assert command.main(options) == 0

    out = capsys.readouterr().out
    images, labels = mnist("test")
    assert n_right(trained_lenet5(output), images[:2000], labels[:2000]) > 1_700  # 85 %
    assert "test accuracy 9" in out or "test accuracy 8" in out
    assert about_weights(output)["images"] == 3000
    assert list(tmp_path.iterdir()) == [output]


def test_the_training_command_repeats_itself(command, tmp_path):
    states = []
    for number, seed in enumerate((1, 1, 2)):
        output = tmp_path / f"{number}.safetensors"
        arguments = ["--limit", "300", "--epochs", "1", "--device", "cpu"]
        assert command.main([*arguments, "--seed", str(seed), "--output", str(output)]) == 0
        states.append(torch.cat([p.flatten() for p in trained_lenet5(output).parameters()]))

    torch.testing.assert_close(states[0], states[1], rtol=0, atol=0)
    assert not torch.equal(states[0], states[2])


def test_validation_digits_are_kept_out_and_no_weights_are_written(command, monkeypatch, capsys):
    (learn, _), (check, _) = command.split(None)
    assert (len(learn), len(check)) == (50_000, 10_000)
    kept = {image.numpy().tobytes() for image in learn}
    original = (check * MNIST_STD + MNIST_MEAN).mul(255).round().byte()
    assert not kept & {image.numpy().tobytes() for image in original}

    monkeypatch.setattr(command, "write", lambda path, content: pytest.fail("a file is written"))
    arguments = ["--validate", "--recipe", "gentle", "--limit", "300", "--epochs", "2"]
    assert command.main(arguments) == 0
    assert "epoch   2: validation loss" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["--limit", "-5"], "--limit must be at least 1, got -5"),
        (["--seed", "-1"], "--seed must be a whole number from 0"),
        (["--recipe", "secret"], "invalid choice: 'secret'"),
        (["--device", "tpu"], "invalid choice: 'tpu'"),
        (["--output", "no/such/folder/file"], "no file can be written there"),
        (["--output", "."], "no file can be written there"),
    ],
)
def test_what_cannot_work_is_refused_before_training(
    command, monkeypatch, capsys, arguments, message
):
    monkeypatch.setattr(command, "train", lambda *_, **__: pytest.fail("training has begun"))

    with pytest.raises(SystemExit, match="2"):
        command.main(arguments)

    assert message in capsys.readouterr().err


def test_an_interrupted_training_leaves_the_old_file(command, monkeypatch, packed, capsys):
    old = packed.read_bytes()

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "train", interrupt)
    assert command.main(["--output", str(packed)]) == 130

    assert packed.read_bytes() == old
    assert "no file was changed" in capsys.readouterr().out


def test_distortions_keep_the_digit_and_move_it_as_far_as_the_recipe_says(command):
    ink = mnist("train")[0][:200].float() / 255
    generator = torch.Generator().manual_seed(0)

    same = command.distort(ink, command.CANDIDATES["undistorted"], generator)
    torch.testing.assert_close(same, ink, rtol=0, atol=1e-5)
    shift = command.Recipe(rotation=0, stretch=0, shear=0, shift=2)
    moved = command.distort(F.pad(ink, (2, 2, 2, 2)), shift, generator)

    places = torch.arange(32.0)
    columns = [
        (x.sum(dim=(1, 2)) * places).sum(dim=1) / x.sum(dim=(1, 2, 3))
        for x in (F.pad(ink, (2, 2, 2, 2)), moved)
    ]
    distance = (columns[1] - columns[0]).abs()
    assert 1.5 < distance.max() < 2.05
    torch.testing.assert_close(moved.sum(dim=(1, 2, 3)), ink.sum(dim=(1, 2, 3)), rtol=0.02, atol=0)
