"""``Architecture``: train a classifier, evaluate it, predict, look inside."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader
from tqdm import tqdm

from course_utils import plots
from course_utils.arithmetic import check_at_least
from course_utils.hooks import eval_mode, named_layer, record_activations

Loader = DataLoader[Any]
LossFunction = Callable[[Tensor, Tensor], Tensor]


class Architecture:
    """
    A model with its loss function and its optimizer, and what one does with the three.

    Parameters
    ----------
    model : nn.Module
        Maps a batch of images to logits, shape (batch, classes).
    loss_fn : callable
        Maps logits and labels to the mean loss of the batch.
    optimizer : Optimizer
        Holds the model's parameters.

    Attributes
    ----------
    losses, val_losses : list of float
        Mean loss per sample of each epoch so far; the training loss is summed up while the weights
        move, the validation loss is measured at the end of the epoch.
    train_loader, val_loader : DataLoader or None
        As given to ``set_loaders``.
    """

    def __init__(self, model: nn.Module, loss_fn: LossFunction, optimizer: Optimizer) -> None:
        self.model = model
        self.loss_fn = loss_fn
        self.optimizer = optimizer
        self.losses: list[float] = []
        self.val_losses: list[float] = []
        self.train_loader: Loader | None = None
        self.val_loader: Loader | None = None
        self._last_images: Tensor | None = None

    def set_loaders(self, train_loader: Loader, val_loader: Loader | None = None) -> None:
        """Set what ``train`` reads: batches of (images, labels)."""
        self.train_loader = train_loader
        self.val_loader = val_loader

    def train(self, n_epochs: int, seed: int = 42) -> None:
        """
        Train for some epochs and append to ``losses`` and ``val_losses``.

        Parameters
        ----------
        n_epochs : int
            Passes over the training loader.
        seed : int, default 42
            Seeds PyTorch, NumPy and the training sampler's own generator before the first epoch.

        Raises
        ------
        ValueError
            If ``n_epochs`` is below 1 or no training loader is set.
        """
        check_at_least(1, n_epochs=n_epochs)
        if self.train_loader is None:
            raise ValueError("no training loader is set; call set_loaders(train_loader) first")
        _seed_everything(self.train_loader, seed)
        for _ in tqdm(range(n_epochs), "training", unit="epoch", leave=False, file=sys.stdout):
            self.losses.append(self._train_epoch(self.train_loader))
            if self.val_loader is not None:
                self.val_losses.append(self._mean_loss(self.val_loader))

    def _train_epoch(self, loader: Loader) -> float:
        """Run one epoch and return its mean loss per sample."""
        self.model.train()
        total_loss, n_samples = 0.0, 0
        for images, labels in loader:
            self.optimizer.zero_grad()
            loss = self.loss_fn(self.model(images), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            total_loss += loss.item() * len(labels)  # the last batch may be short
            n_samples += len(labels)
        if not n_samples:
            raise ValueError("the training loader has no batch; give it at least one sample")
        return total_loss / n_samples

    @torch.no_grad()
    def _mean_loss(self, loader: Loader) -> float:
        """Return the mean loss per sample, in evaluation mode."""
        total_loss, n_samples = 0.0, 0
        with eval_mode(self.model):
            for images, labels in loader:
                total_loss += self.loss_fn(self.model(images), labels).item() * len(labels)
                n_samples += len(labels)
        if not n_samples:
            raise ValueError("the validation loader has no batch; give it at least one sample")
        return total_loss / n_samples

    @torch.no_grad()
    def predict(self, x: Tensor | np.ndarray[Any, Any]) -> Tensor:
        """
        Return the logits of a batch, in evaluation mode; each module gets its own mode back.

        Parameters
        ----------
        x : Tensor or ndarray, shape (batch, channels, height, width)
            Images. They are remembered, so that ``visualize_outputs`` needs no other call.

        Returns
        -------
        Tensor, shape (batch, classes)
            Logits, detached.
        """
        images = torch.as_tensor(x, dtype=next(self.model.parameters()).dtype)
        self._last_images = images.clone()  # the caller may change its own
        with eval_mode(self.model):
            logits: Tensor = self.model(images)
        return logits

    @torch.no_grad()
    def correct(self, x: Tensor, y: Tensor) -> Tensor:
        """
        Count the right predictions of a batch, class by class.

        Parameters
        ----------
        x : Tensor, shape (batch, channels, height, width)
            Images.
        y : Tensor of int64, shape (batch,)
            Labels.

        Returns
        -------
        Tensor of int64, shape (classes, 2)
            Images of each class that are predicted right, and images of each class.
        """
        with eval_mode(self.model):
            logits: Tensor = self.model(x)
        n_classes = logits.shape[1]
        right = logits.argmax(dim=1) == y
        counts = [torch.bincount(labels, minlength=n_classes) for labels in (y[right], y)]
        return torch.stack(counts, dim=1)

    @staticmethod
    def loader_apply(
        loader: Loader,
        func: Callable[[Tensor, Tensor], Tensor],
        reduce: Literal["sum", "mean"] = "sum",
    ) -> Tensor:
        """
        Apply a function to every batch and reduce the results over the batches.

        Parameters
        ----------
        loader : DataLoader
            Batches of (images, labels).
        func : callable
            Maps a batch to a tensor, of the same shape for every batch.
        reduce : {"sum", "mean"}, default "sum"
            The mean counts each batch once, so a short last batch weighs as much as a full one.

        Returns
        -------
        Tensor
            Of the shape that ``func`` gives; the mean of whole numbers is float32.

        Raises
        ------
        ValueError
            If ``reduce`` is neither or the loader is empty.
        """
        if reduce not in ("sum", "mean"):
            raise ValueError(f'reduce must be "sum" or "mean", got {reduce!r}')
        results = [func(x, y) for x, y in loader]
        if not results:
            raise ValueError("the loader has no batch; give it at least one sample")
        stacked = torch.stack(results)
        if reduce == "sum":
            return stacked.sum(dim=0)
        return (stacked if stacked.is_floating_point() else stacked.float()).mean(dim=0)

    def visualize_filters(self, layer_name: str) -> Figure:
        """
        Draw the kernels of a convolution: a row per filter, a column per input channel.

        Raises
        ------
        KeyError
            If the model has no layer of that name.
        ValueError
            If the layer is no two-dimensional convolution.
        """
        layer = named_layer(self.model, layer_name)
        if not isinstance(layer, nn.Conv2d):
            raise ValueError(
                f"layer {layer_name!r} is {type(layer).__name__}, which has no filters to draw; "
                "name an nn.Conv2d"
            )
        return plots.plot_filters(layer.weight.detach().numpy())

    def visualize_outputs(
        self,
        layers: Sequence[str],
        n_images: int = 10,
        y: Tensor | None = None,
        yhat: Tensor | None = None,
    ) -> Figure:
        """
        Draw what the named layers give for the images of the latest ``predict``.

        Parameters
        ----------
        layers : sequence of str
            Names of layers, a row of pictures each.
        n_images : int, default 10
            At most so many images, a column each.
        y, yhat : Tensor, shape (batch,), optional
            Labels and predicted classes, written above the columns.

        Returns
        -------
        Figure
            One row per layer, one column per image.

        Raises
        ------
        ValueError
            If ``predict`` has not been called.
        KeyError
            If the model has no layer of one of the names.
        """
        check_at_least(1, n_images=n_images)
        if self._last_images is None:
            raise ValueError("nothing to draw yet; call predict(images) first")
        images = self._last_images[:n_images]
        with (
            torch.no_grad(),
            eval_mode(self.model),
            record_activations(self.model, *layers) as activations,
        ):
            self.model(images)
        outputs = {name: activations[name].numpy() for name in layers}
        return plots.plot_outputs(outputs, labels=y, predictions=yhat)

    def plot_losses(self) -> Figure:
        """Draw the losses of every epoch so far; raise ValueError before training."""
        if not self.losses:
            raise ValueError("no losses to draw yet; call train(n_epochs) first")
        return plots.plot_losses(self.losses, self.val_losses)

    def save_checkpoint(self, path: str | Path) -> None:
        """Save weights, optimizer state and losses to ``path``."""
        checkpoint = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "optimizer_class": type(self.optimizer).__name__,
            "losses": self.losses,
            "val_losses": self.val_losses,
        }
        path = Path(path)
        partial = path.with_name(path.name + ".part")  # a full disk must not cost the old file
        try:
            torch.save(checkpoint, partial)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def load_checkpoint(self, path: str | Path) -> None:
        """
        Load what ``save_checkpoint`` saved; on an error everything stays as it was.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is no checkpoint, or one of another model or optimizer.
        """
        try:
            checkpoint = torch.load(path, weights_only=True)
            state, optimizer_state = checkpoint["model"], checkpoint["optimizer"]
            losses = [float(loss) for loss in checkpoint["losses"]]
            val_losses = [float(loss) for loss in checkpoint["val_losses"]]
            found = {name: value.shape for name, value in state.items()}
            kind = checkpoint["optimizer_class"], _group_sizes(optimizer_state)
        except FileNotFoundError:
            raise FileNotFoundError(f"there is no checkpoint at {path}") from None
        except Exception as error:  # a damaged file may raise anything
            raise ValueError(
                f"{path} is no checkpoint of this course; give a file made by save_checkpoint"
            ) from error
        expected = {name: value.shape for name, value in self.model.state_dict().items()}
        if expected != found:
            raise ValueError(f"{path} belongs to another model: shapes {found}, needed {expected}")
        own_kind = type(self.optimizer).__name__, _group_sizes(self.optimizer.state_dict())
        if kind != own_kind:
            raise ValueError(
                f"{path} belongs to another optimizer: {kind[0]} with parameter groups of {kind[1]}, "
                f"needed {own_kind[0]} with {own_kind[1]}"
            )
        self.optimizer.load_state_dict(optimizer_state)
        self.model.load_state_dict(state)
        self.losses, self.val_losses = losses, val_losses


def _group_sizes(optimizer_state: dict[str, Any]) -> list[int]:
    """Return how many parameters each group of an optimizer holds."""
    return [len(group["params"]) for group in optimizer_state["param_groups"]]


def _seed_everything(loader: Loader, seed: int) -> None:
    """Seed PyTorch, NumPy and the generators of the loader and its sampler."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    for owner in (loader, loader.sampler):
        generator = getattr(owner, "generator", None)
        if generator is not None:
            generator.manual_seed(seed)
