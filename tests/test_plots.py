"""Figures show what they are given, and drawing changes nothing else."""

import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from course_utils import plots


def draw_image():
    figure, axes = plots.new_figure()
    plots.show_image(axes[0, 0], np.eye(3), "unit", annotate=True)
    return figure


def ramp(*shape):
    """Return an array of 0, 1, 2, ... in this shape."""
    return np.arange(np.prod(shape), dtype=float).reshape(shape)


def limits_of(figure):
    """Return the values that are black and white, of every picture."""
    return [image.get_clim() for ax in figure.axes for image in ax.images]


def drawn(figure):
    """Return the arrays that a figure shows."""
    return [np.asarray(image.get_array()) for ax in figure.axes for image in ax.images]


def titles_of(figure):
    return [ax.get_title() for ax in figure.axes]


DRAWINGS = {
    "new_figure": lambda: plots.new_figure(1, 2)[0],
    "show_image": draw_image,
    "plot_images": lambda: plots.plot_images(ramp(2, 3, 3), [0, 1]),
    "plot_filters": lambda: plots.plot_filters(ramp(1, 2, 2, 2)),
    "plot_outputs": lambda: plots.plot_outputs({"fc": ramp(2, 3)}, labels=[0, 1]),
    "plot_losses": lambda: plots.plot_losses([2.0, 1.0], [1.5]),
}
every_drawing = pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)


@every_drawing
def test_no_figure_is_known_to_pyplot(draw):
    draw()

    assert plt.get_fignums() == []


@every_drawing
def test_no_drawing_changes_a_setting_of_matplotlib(draw):
    plt.get_backend()  # settles the backend, which is a setting too
    with mpl.rc_context():
        mpl.rcdefaults()  # an earlier drawing may have made the same change
        before = mpl.rcParams.copy()

        draw()._repr_png_()

        assert mpl.rcParams == before


@every_drawing
def test_every_figure_shows_itself_with_the_same_bytes_on_every_run(draw):
    png = draw()._repr_png_()

    assert png.startswith(b"\x89PNG")
    assert png == draw()._repr_png_()
    assert b"Software" not in png  # another Matplotlib would write another version


def test_new_figure_has_a_grid_of_axes_and_a_size():
    figure, axes = plots.new_figure(2, 3, width=4, height=5)

    assert axes.shape == (2, 3)
    assert figure.axes == list(axes.flat)
    assert figure.get_size_inches().tolist() == [4, 5]


@pytest.mark.parametrize(("n_rows", "n_columns", "name"), [(0, 1, "n_rows"), (1, 0, "n_columns")])
def test_new_figure_refuses_an_empty_grid(n_rows, n_columns, name):
    with pytest.raises(ValueError, match=f"^{name} must be at least 1, got 0$"):
        plots.new_figure(n_rows, n_columns)


@pytest.mark.parametrize(("limits", "expected"), [(None, (0, 5)), ((-9, 9), (-9, 9))])
def test_show_image_takes_its_own_extremes_or_the_limits_that_are_given(limits, expected):
    figure, axes = plots.new_figure()

    plots.show_image(axes[0, 0], torch.from_numpy(ramp(2, 3)), "a title", limits=limits)

    assert limits_of(figure) == [expected]
    np.testing.assert_array_equal(drawn(figure), [ramp(2, 3)])
    assert titles_of(figure) == ["a title"]
    assert len(axes[0, 0].get_xticks()) == len(axes[0, 0].get_yticks()) == 0


def test_show_image_writes_each_value_readably_into_its_pixel():
    figure, axes = plots.new_figure()

    plots.show_image(axes[0, 0], [[0, 100.123456], [255, -1]], annotate=True)

    (texts,) = [ax.texts for ax in figure.axes]
    written = {text.get_position(): (text.get_text(), text.get_color()) for text in texts}
    assert written == {  # by (column, row)
        (0, 0): ("0", "white"),
        (1, 0): ("100.1", "white"),  # a dark grey
        (0, 1): ("255", "black"),
        (1, 1): ("-1", "white"),
    }


def test_show_image_draws_a_colour_image_in_its_colours():
    figure, axes = plots.new_figure()
    image = np.zeros((2, 2, 3), dtype=np.uint8)
    image[0, 1] = (255, 0, 0)

    plots.show_image(axes[0, 0], image)

    np.testing.assert_array_equal(drawn(figure), [image])


def test_plot_images_titles_each_image_with_its_label():
    figure = plots.plot_images(torch.rand(3, 1, 4, 4), torch.tensor([2, 0, 1]))

    assert titles_of(figure) == ["Label: 2", "Label: 0", "Label: 1"]


@pytest.mark.parametrize("shape", [(4, 2, 3), (4, 1, 2, 3)])
def test_plot_images_draws_the_first_images_on_one_scale(shape):
    figure = plots.plot_images(ramp(*shape), range(4), n_plot=3)

    np.testing.assert_array_equal(drawn(figure), ramp(4, 2, 3)[:3])
    assert limits_of(figure) == [(0, 17)] * 3


def test_plot_images_begins_another_row_after_ten():
    figure = plots.plot_images(ramp(12, 2, 2), range(12), n_plot=12)

    grid = figure.axes[0].get_gridspec()
    assert (grid.nrows, grid.ncols) == (2, 10)
    assert [ax.axison for ax in figure.axes] == [True] * 12 + [False] * 8


@pytest.mark.parametrize(
    ("shape", "n_labels", "n_plot", "message"),
    [
        ((2, 3, 3), 2, 0, "n_plot must be at least 1, got 0"),
        ((3, 3), 3, 1, "images must have shape (batch, height, width), got (3, 3); give one"),
        ((2, 3, 4, 4), 2, 1, "got (2, 3, 4, 4); give one channel and at least one image"),
        ((0, 3, 3), 0, 1, "got (0, 3, 3); give one channel and at least one image"),
        ((2, 3, 3), 5, 1, "got 2 images and 5 labels; give one label each"),
    ],
)
def test_plot_images_refuses_what_it_cannot_draw(shape, n_labels, n_plot, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        plots.plot_images(np.zeros(shape), np.zeros(n_labels), n_plot)


def test_plot_filters_draws_a_row_per_filter_and_a_column_per_channel():
    weight = ramp(2, 3, 2, 2) - 20

    figure = plots.plot_filters(weight)

    grid = figure.axes[0].get_gridspec()
    assert (grid.nrows, grid.ncols) == (2, 3)
    assert titles_of(figure)[:4] == [
        *(f"filter 0, channel {channel}" for channel in range(3)),
        "filter 1, channel 0",
    ]
    np.testing.assert_array_equal(drawn(figure), weight.reshape(6, 2, 2))


def test_plot_filters_shows_signs_on_one_scale_around_zero():
    figure = plots.plot_filters([[[[-3.0, 0.0], [0.0, 1.0]]], [[[0.0, 0.0], [0.0, 2.0]]]])

    assert limits_of(figure) == [(-3, 3)] * 2
    (negative, zero), (_, positive) = (
        figure.axes[0].images[0].to_rgba(row)[:, :3] for row in ([-3.0, 0.0], [0.0, 3.0])
    )
    assert negative[0] > negative[2]  # red
    assert positive[2] > positive[0]  # blue
    np.testing.assert_allclose(zero, to_rgb("white"), atol=0.05)


def test_plot_filters_draws_filters_that_are_all_zero():
    figure = plots.plot_filters(np.zeros((1, 1, 3, 3)))

    assert limits_of(figure) == [(-1, 1)]


@pytest.mark.parametrize(("shape", "n_texts"), [((1, 1, 5, 5), 25), ((1, 1, 7, 7), 0)])
def test_plot_filters_writes_values_into_small_kernels_only(shape, n_texts):
    figure = plots.plot_filters(np.full(shape, 0.456))

    texts = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert texts == ["0.46"] * n_texts


def test_plot_filters_refuses_another_shape():
    with pytest.raises(ValueError, match=r"height, width\), got \(3, 3\)$"):
        plots.plot_filters(np.zeros((3, 3)))


def test_plot_outputs_draws_a_row_per_layer_and_channel():
    maps, vectors = ramp(2, 2, 3, 3), ramp(2, 4)

    figure = plots.plot_outputs({"conv": maps, "pool": maps[:, :1], "fc": vectors})

    rows = [ax.get_ylabel() for ax in figure.axes[::2]]
    assert rows == ["conv [0]", "conv [1]", "pool", "fc"]
    expected = [*maps.swapaxes(0, 1).reshape(4, 3, 3), *maps[:, 0], *vectors[:, :, None]]
    for picture, array in zip(drawn(figure), expected, strict=True):
        np.testing.assert_array_equal(picture, array)


def test_plot_outputs_shares_greys_along_a_row_only():
    figure = plots.plot_outputs({"conv": ramp(2, 2, 3, 3), "fc": ramp(2, 4)})

    expected = [(0, 26), (9, 35), (0, 7)]  # the extremes of each row
    assert limits_of(figure) == [limits for limits in expected for _ in range(2)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, ["", ""]),
        ({"labels": torch.tensor([2, 0])}, ["Label: 2", "Label: 0"]),
        ({"predictions": [1, 0]}, ["Predicted: 1", "Predicted: 0"]),
        (
            {"labels": [2, 0], "predictions": torch.tensor([1, 0])},
            ["Label: 2\nPredicted: 1", "Label: 0\nPredicted: 0"],
        ),
    ],
)
def test_plot_outputs_writes_labels_and_predictions_above_the_columns_once(words, expected):
    figure = plots.plot_outputs({"fc1": ramp(2, 4), "fc2": ramp(2, 3)}, **words)

    assert titles_of(figure) == [*expected, "", ""]


def test_plot_outputs_refuses_to_draw_no_layer():
    with pytest.raises(ValueError, match=r"^no layer to draw; name at least one$"):
        plots.plot_outputs({})


def test_plot_outputs_names_the_layer_that_it_cannot_draw():
    with pytest.raises(ValueError, match=r"^layer 'conv' gives shape \(2, 3, 4\); only \(batch"):
        plots.plot_outputs({"fc": ramp(2, 4), "conv": ramp(2, 3, 4)})


@pytest.mark.parametrize(
    ("val_losses", "epochs"), [([], None), ([2.0, 1.0, 0.5], [1, 2, 3]), ([0.5], [3])]
)
def test_plot_losses_counts_epochs_from_one_and_ends_both_lines_together(val_losses, epochs):
    figure = plots.plot_losses([3.0, 2.0, 1.0], val_losses)

    (ax,) = figure.axes
    training, *validation = ax.lines
    assert [*training.get_xdata()] == [1, 2, 3]
    assert [*training.get_ydata()] == [3.0, 2.0, 1.0]
    assert [[*line.get_xdata()] for line in validation] == ([epochs] if epochs else [])
    assert [[*line.get_ydata()] for line in validation] == ([val_losses] if epochs else [])
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["training", "validation"][: 1 + len(validation)]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "mean loss per sample")


def test_plot_losses_refuses_to_draw_nothing():
    with pytest.raises(ValueError, match=r"^no losses to draw; train for at least one epoch$"):
        plots.plot_losses([])
