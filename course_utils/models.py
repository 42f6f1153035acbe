"""The two networks of the course, as named ``nn.Sequential`` models, and the shipped weights."""

import hashlib
import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from course_utils.arithmetic import check_at_least

MNIST_MEAN = 0.1307  # of all pixels of the 60,000 training digits, where ink goes from 0 to 1
MNIST_STD = 0.3081

WEIGHTS = Path(__file__).parent / "data" / "lenet5.safetensors"


def lenet5(num_classes: int = 10) -> nn.Sequential:
    """
    Return a modern LeNet-5 for images of shape (batch, 1, 28, 28).

    The layers bear the names of the 1998 paper; rectifiers, max pooling, a dense C3 and a linear
    output stand where the paper has scaled tanh, trained subsampling, a sparse C3 and RBF units.

    Parameters
    ----------
    num_classes : int, default 10
        Number of logits.

    Returns
    -------
    nn.Sequential
        Twelve modules, C1 to OUTPUT, 61,706 parameters for ten classes; it maps images of shape
        (batch, 1, 28, 28) to logits of shape (batch, num_classes).

    Raises
    ------
    ValueError
        If ``num_classes`` is below 1.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to
       document recognition", 1998, doi:10.1109/5.726791.
    """
    check_at_least(1, num_classes=num_classes)
    layers: list[tuple[str, nn.Module]] = [
        ("C1", nn.Conv2d(1, 6, kernel_size=5, padding=2)),  # (6, 28, 28)
        ("relu1", nn.ReLU()),
        ("S2", nn.MaxPool2d(kernel_size=2)),  # (6, 14, 14)
        ("C3", nn.Conv2d(6, 16, kernel_size=5)),  # (16, 10, 10)
        ("relu2", nn.ReLU()),
        ("S4", nn.MaxPool2d(kernel_size=2)),  # (16, 5, 5)
        ("C5", nn.Conv2d(16, 120, kernel_size=5)),  # (120, 1, 1)
        ("relu3", nn.ReLU()),
        ("flatten", nn.Flatten()),  # (120,)
        ("F6", nn.Linear(120, 84)),
        ("relu4", nn.ReLU()),
        ("OUTPUT", nn.Linear(84, num_classes)),
    ]
    return nn.Sequential(OrderedDict(layers))


def line_classifier(n_channels: int = 1) -> nn.Sequential:
    """
    Return the case study's network for line images of shape (batch, 1, 10, 10).

    Parameters
    ----------
    n_channels : int, default 1
        Filters of the convolution.

    Returns
    -------
    nn.Sequential
        Modules conv1, relu1, maxp1, flatten, fc1, relu2, fc2; 213 parameters for one channel; it
        maps images to logits of shape (batch, 3).

    Raises
    ------
    ValueError
        If ``n_channels`` is below 1.
    """
    check_at_least(1, n_channels=n_channels)
    layers: list[tuple[str, nn.Module]] = [
        ("conv1", nn.Conv2d(1, n_channels, kernel_size=3)),  # (n_channels, 8, 8)
        ("relu1", nn.ReLU()),
        ("maxp1", nn.MaxPool2d(kernel_size=2)),  # (n_channels, 4, 4)
        ("flatten", nn.Flatten()),
        ("fc1", nn.Linear(n_channels * 4 * 4, 10)),
        ("relu2", nn.ReLU()),
        ("fc2", nn.Linear(10, 3)),
    ]
    return nn.Sequential(OrderedDict(layers))


def normalize_digits(images: Tensor) -> Tensor:
    """
    Return MNIST's bytes as ``trained_lenet5`` wants them: mean 0, standard deviation 1.

    Parameters
    ----------
    images : Tensor, shape (batch, 1, 28, 28)
        Ink from 0 to 255, white on black.

    Returns
    -------
    Tensor of float32, shape (batch, 1, 28, 28)
        Ink of 0 becomes -0.4242, ink of 255 becomes 2.8215.
    """
    return (images.float() / 255 - MNIST_MEAN) / MNIST_STD


def trained_lenet5(path: str | Path = WEIGHTS) -> nn.Sequential:
    """
    Return LeNet-5 as it has learnt MNIST, in evaluation mode.

    Parameters
    ----------
    path : str or Path, optional
        Weights written by ``tools/train_lenet5.py``; those that are shipped if left out.

    Returns
    -------
    nn.Sequential
        ``lenet5()`` with trained weights, for images that ``normalize_digits`` has prepared.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged or holds another model.
    """
    state, _ = _unpack(Path(path))
    model = lenet5()
    needed = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items()}
    for name in needed | found:
        if needed.get(name) != found.get(name):
            raise ValueError(
                f"{path} holds no LeNet-5: {name} has shape {found.get(name)}, "
                f"needed {needed.get(name)}; give a file made by tools/train_lenet5.py"
            )
    model.load_state_dict(state)
    return model.eval()


def about_weights(path: str | Path = WEIGHTS) -> dict[str, Any]:
    """Return how the weights of ``trained_lenet5`` were made: epochs, seed, recipe, candidates."""
    _, about = _unpack(Path(path))
    return about


def pack_weights(model: nn.Module, about: dict[str, Any]) -> bytes:
    """
    Return a model's weights as the content of a safetensors file that carries its own checksum.

    Parameters
    ----------
    model : nn.Module
        The model on the CPU.
    about : dict
        How the weights were made; anything that JSON can hold.
    """
    state = {name: value.detach().contiguous() for name, value in model.state_dict().items()}
    note = json.dumps(about | {"sha256": _checksum(state, about)})
    return save(state, metadata={"about": note})


def _checksum(state: dict[str, Tensor], about: dict[str, Any]) -> str:
    """Return the SHA-256 of weights, in the order of their names, and of what is said of them."""
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(state):
        digest.update(f"{name} {tuple(state[name].shape)}".encode())
        digest.update(state[name].numpy().tobytes())
    return digest.hexdigest()


def _unpack(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return weights and note of a file made by ``pack_weights``, or say what is wrong with it."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"there are no weights at {path}") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    try:
        state = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        about = json.loads(header["__metadata__"]["about"])
        expected = about.pop("sha256")
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} holds no weights of this course; give a file made by tools/train_lenet5.py"
        ) from error
    if _checksum(state, about) != expected:
        raise ValueError(f"{path} is damaged: wrong SHA-256; install the course again")
    return state, about
