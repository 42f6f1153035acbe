"""Draw arrays and give back figures.

No function shows its figure, touches pyplot's list of figures or sets a style, so a figure appears
once, where a notebook cell ends with it. Greys are shared by pictures that are to be compared.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from course_utils.arithmetic import check_at_least

Array = npt.NDArray[Any]


class NotebookFigure(Figure):
    """A figure that a notebook shows by itself, with the same bytes on every run."""

    def _repr_png_(self) -> bytes:
        canvas = FigureCanvasAgg(self)
        canvas.draw()
        self.set_layout_engine("none")  # laying out again would move things
        image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])  # white behind it all
        stream = io.BytesIO()
        image.save(stream, format="png", optimize=True)
        return stream.getvalue()


def new_figure(
    n_rows: int = 1, n_columns: int = 1, *, width: float = 7.0, height: float = 3.0
) -> tuple[Figure, Array]:
    """
    Return a figure that pyplot does not know, and its axes, shape (n_rows, n_columns).

    Parameters
    ----------
    n_rows, n_columns : int, default 1
        How many axes.
    width, height : float
        Size of the figure, in inches.
    """
    check_at_least(1, n_rows=n_rows, n_columns=n_columns)
    figure = NotebookFigure(figsize=(width, height), dpi=130, layout="constrained")
    return figure, figure.subplots(n_rows, n_columns, squeeze=False)


def show_image(
    axes: Axes,
    image: Any,
    title: str = "",
    *,
    limits: tuple[float, float] | None = None,
    annotate: bool = False,
    number_format: str = ".4g",
    cmap: str = "gray",
) -> None:
    """
    Draw one channel on ``axes``, without ticks.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    image : array_like, shape (height, width)
        Values to draw; a colour image (height, width, 3) is drawn in its colours.
    title : str
        Text above the image.
    limits : tuple of float, optional
        Values that are black and white; the image's own extremes if left out.
    annotate : bool, default False
        Whether to write each value into its pixel; meant for small images.
    number_format : str, default ".4g"
        How these values are written.
    cmap : str, default "gray"
        A Matplotlib colour map; "RdBu" shows signs.
    """
    values = np.asarray(image)
    low, high = limits if limits is not None else (values.min(), values.max())
    picture = axes.imshow(values, cmap=cmap, vmin=low, vmax=high)
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=9)
    if annotate:
        for (row, column), value in np.ndenumerate(values):
            red, green, blue, _ = picture.to_rgba(value)
            bright = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
            ink = "black" if bright else "white"
            axes.text(
                column,
                row,
                f"{value:{number_format}}",
                ha="center",
                va="center",
                color=ink,
                fontsize=9,
            )


def plot_images(images: Any, labels: Any, n_plot: int = 10) -> Figure:
    """
    Draw the first images of a batch in a row, each with its label.

    Parameters
    ----------
    images : array_like, shape (batch, height, width) or (batch, 1, height, width)
        Images of one channel.
    labels : array_like, shape (batch,)
        What is written above each.
    n_plot : int, default 10
        At most so many images.

    Returns
    -------
    Figure
        One row, up to ten images wide, then another.

    Raises
    ------
    ValueError
        If ``n_plot`` is below 1, the shapes do not fit, or there is no image.
    """
    check_at_least(1, n_plot=n_plot)
    pictures, names = np.asarray(images), np.atleast_1d(np.asarray(labels))
    if pictures.ndim == 4 and pictures.shape[1] == 1:
        pictures = pictures[:, 0]
    if pictures.ndim != 3 or not len(pictures):
        raise ValueError(
            f"images must have shape (batch, height, width), got {np.shape(images)}; "
            "give one channel and at least one image"
        )
    if len(names) != len(pictures):
        raise ValueError(f"got {len(pictures)} images and {len(names)} labels; give one label each")
    pictures, names = pictures[:n_plot], names[:n_plot]
    n_columns = min(len(pictures), 10)
    n_rows = -(-len(pictures) // n_columns)
    figure, axes = new_figure(n_rows, n_columns, width=0.9 * n_columns, height=1.15 * n_rows)
    limits = (pictures.min(), pictures.max())
    for ax in axes.flat[len(pictures) :]:
        ax.set_axis_off()
    for ax, picture, name in zip(axes.flat, pictures, names, strict=False):
        show_image(ax, picture, f"Label: {name}", limits=limits)
    return figure


def plot_filters(weight: Any) -> Figure:
    """
    Draw kernels with their values: a row per filter, a column per input channel.

    Parameters
    ----------
    weight : array_like, shape (out_channels, in_channels, height, width)
        Weights of a convolution. Blue is positive, red negative, on one scale for all.

    Raises
    ------
    ValueError
        If the shape is another.
    """
    kernels = np.asarray(weight)
    if kernels.ndim != 4:
        raise ValueError(
            "weight must have shape (out_channels, in_channels, height, width), "
            f"got {kernels.shape}"
        )
    n_rows, n_columns = kernels.shape[:2]
    figure, axes = new_figure(n_rows, n_columns, width=1.9 * n_columns, height=1.9 * n_rows)
    largest = float(np.abs(kernels).max()) or 1.0
    small = kernels.shape[2] <= 5 and kernels.size <= 150
    for (row, column), ax in np.ndenumerate(axes):
        show_image(
            ax,
            kernels[row, column],
            f"filter {row}, channel {column}",
            limits=(-largest, largest),
            annotate=small,
            number_format=".2f" if largest >= 0.1 else ".1e",
            cmap="RdBu",
        )
    return figure


def plot_outputs(
    outputs: Mapping[str, Any], *, labels: Any = None, predictions: Any = None
) -> Figure:
    """
    Draw what layers give: a row per layer and channel, a column per image.

    Parameters
    ----------
    outputs : mapping of str to array_like
        Outputs by layer name, each of shape (batch, channels, height, width) or (batch, features);
        features are drawn as a column.
    labels, predictions : array_like, shape (batch,), optional
        Written above the columns.

    Returns
    -------
    Figure
        Each row has its own greys.

    Raises
    ------
    ValueError
        If there is nothing to draw or a shape is another.
    """
    if not outputs:
        raise ValueError("no layer to draw; name at least one")
    rows = [row for name, output in outputs.items() for row in _rows(name, np.asarray(output))]
    n_images = len(rows[0][1])
    for name, pictures in rows:
        if len(pictures) != n_images:
            raise ValueError(f"layer {name!r} gives {len(pictures)} images, others {n_images}")
    for what, values in (("labels", labels), ("predictions", predictions)):
        if values is not None and len(values) < n_images:
            raise ValueError(f"got {len(values)} {what} for {n_images} images; give one each")
    heights = [2.2 if row.shape[2] == 1 else 1.0 for _, row in rows]
    figure = NotebookFigure(
        figsize=(0.9 * n_images + 0.6, sum(heights) + 0.5), dpi=110, layout="constrained"
    )
    axes = figure.subplots(
        len(rows), n_images, squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    for row, (name, pictures) in enumerate(rows):
        limits = (pictures.min(), pictures.max())
        for column, picture in enumerate(pictures):
            show_image(axes[row, column], picture, limits=limits)
        axes[row, 0].set_ylabel(name, fontsize=9)
    for column, ax in enumerate(axes[0]):
        lines = []
        if labels is not None:
            lines.append(f"Label: {int(labels[column])}")
        if predictions is not None:
            lines.append(f"Predicted: {int(predictions[column])}")
        ax.set_title("\n".join(lines), fontsize=8)
    return figure


def _rows(name: str, output: Array) -> list[tuple[str, Array]]:
    """Return (label, pictures) for each channel, or one row of columns for a vector."""
    if output.ndim == 2:
        return [(name, output[:, :, None])]
    if output.ndim != 4:
        raise ValueError(
            f"layer {name!r} gives shape {output.shape}; only (batch, channels, height, width) "
            "and (batch, features) can be drawn"
        )
    n_channels = output.shape[1]
    return [
        (name if n_channels == 1 else f"{name} [{channel}]", output[:, channel])
        for channel in range(n_channels)
    ]


def plot_losses(losses: Sequence[float], val_losses: Sequence[float] = ()) -> Figure:
    """Draw the mean loss of each epoch, for training and, if given, for validation."""
    if not len(losses):
        raise ValueError("no losses to draw; train for at least one epoch")
    figure, [[axes]] = new_figure(width=5.5, height=3.2)
    axes.plot(range(1, len(losses) + 1), losses, "o-", markersize=3, label="training")
    if len(val_losses):
        first = len(losses) - len(val_losses) + 1  # validation may have begun later
        epochs = range(first, len(losses) + 1)
        axes.plot(epochs, val_losses, "s--", markersize=3, label="validation")
    axes.set(xlabel="epoch", ylabel="mean loss per sample")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    return figure
