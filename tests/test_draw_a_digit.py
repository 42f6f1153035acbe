"""The canvas of chapter 12: what is drawn by pointer or keyboard is read as torch reads it.

A drawing is prepared as the training digits were: white on black, cut out, scaled so that its longer
side is 20 pixels, its mass at (14, 14). Then it is normalised as ``normalize_digits`` does.
"""

import os
import re

import pytest
import torch
from browsers import CHROMIUM
from explorers.draw_a_digit import LAYERS

from course_utils.datasets import mnist
from course_utils.explorers import showing as explorers
from course_utils.hooks import record_activations
from course_utils.models import normalize_digits, trained_lenet5

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium"),
]
DRAW = """async runs => {
  const pad = document.querySelector(".explorer [data-key=pad]");
  document.querySelector(".explorer [data-key=Clear]").click();
  const box = pad.querySelector("canvas").getBoundingClientRect();
  const send = (type, row, column) => pad.dispatchEvent(new PointerEvent(type, {
    clientX: box.left + (column + 0.5) * box.width / 28, clientY: box.top + (row + 0.5) * box.height / 28,
  }));
  for (const [row, from, to] of runs) {
    send("pointerdown", row, from);
    send("pointermove", row, to);
    send("pointerup", row, to);
  }
  await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  return document.querySelector(".says").textContent;
}"""
STROKES = {  # as a hand draws them: lines through (x, y), in hundredths of the canvas
    0: [[(50, 15), (33, 28), (30, 55), (40, 80), (55, 84), (68, 65), (68, 35), (50, 15)]],
    1: [[(52, 15), (48, 85)]],
    2: [[(30, 30), (45, 17), (63, 22), (64, 40), (30, 82), (72, 80)]],
    3: [[(32, 22), (55, 16), (64, 30), (45, 46), (66, 60), (58, 80), (30, 80)]],
    4: [[(38, 15), (32, 50), (70, 50)], [(64, 15), (62, 85)]],
    5: [[(68, 16), (38, 16), (35, 45), (60, 48), (66, 68), (50, 84), (30, 78)]],
    6: [[(60, 14), (38, 45), (36, 72), (52, 84), (65, 70), (55, 55), (37, 68)]],
    7: [[(30, 18), (70, 18), (48, 85)]],
    8: [[(64, 25), (48, 15), (36, 28), (62, 62), (55, 82), (38, 78), (38, 64), (64, 25)]],
    9: [[(66, 25), (48, 16), (36, 32), (48, 46), (65, 28), (64, 55), (58, 85)]],
}


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(os.environ, "COURSE_EXPLORERS", raising=False)
        shown = explorers.show("draw-a-digit")._repr_html_()
    path = tmp_path_factory.mktemp("draw") / "page.html"
    path.write_text(f'<!doctype html><meta charset="utf-8">{shown}', "utf-8")
    page = browser.new_page(viewport={"width": 800, "height": 1000})
    page.goto(path.as_uri())
    page.wait_for_selector(".explorer.live")
    yield page
    page.close()


@pytest.fixture(autouse=True)
def start_afresh(page):
    page.click("[data-key=reset]")


def answer(says):
    return int(re.search(r"LeNet-5 reads (\d)", says)[1])


def runs(image):
    """Return the runs of ink in an image of shape (28, 28): row, first and last column."""
    found = []
    for row, column in (image > 127).nonzero().tolist():
        if found and found[-1][0] == row and found[-1][2] == column - 1:
            found[-1][2] = column
        else:
            found.append([row, column, column])
    return found


def accuracy(answers, labels):
    return (torch.tensor(answers) == labels).double().mean().item()


def test_every_layer_is_that_of_torch(page):
    images = mnist("test")[0][:20]
    model = trained_lenet5()
    with torch.no_grad(), record_activations(model, *LAYERS) as expected:
        model(normalize_digits(images))
    call = "ink => courseExplorers['draw-a-digit'].layers(ink)"
    for number, image in enumerate(images):
        found = page.evaluate(call, image.flatten().tolist())

        for name, layer in LAYERS.items():
            values = expected[name][number].flatten()
            torch.testing.assert_close(torch.tensor(found[layer]), values, atol=1e-4, rtol=0)


def test_digits_drawn_with_a_fine_pen_are_read(page):
    images, labels = mnist("test")
    page.fill("[data-key=pen]", "1")

    answers = [answer(page.evaluate(DRAW, runs(image[0]))) for image in images[:200]]

    assert accuracy(answers, labels[:200]) >= 0.97


def test_digits_in_sixteen_greys_are_read(page):
    images, labels = mnist("test")
    link = """levels => {
      location.hash = `#draw-a-digit?digit=own&ink=${courseExplorers["draw-a-digit"].encode(levels)}`;
      return new Promise(done => setTimeout(() => done(document.querySelector(".says").textContent)));
    }"""
    levels = (images[:200].float() / 17).round().int().flatten(1).tolist()

    answers = [answer(page.evaluate(link, image)) for image in levels]

    assert accuracy(answers, labels[:200]) >= 0.97


@pytest.mark.parametrize("digit", STROKES)
def test_a_digit_drawn_with_the_mouse_is_read(page, digit):
    page.click("[data-key=Clear]")
    box = page.locator("[data-key=pad] canvas").bounding_box()
    for stroke in STROKES[digit]:
        for number, (x, y) in enumerate(stroke):
            page.mouse.move(box["x"] + x * box["width"] / 100, box["y"] + y * box["height"] / 100)
            if number == 0:
                page.mouse.down()
        page.mouse.up()
    page.wait_for_timeout(100)

    assert answer(page.inner_text(".says")) == digit


def test_a_one_drawn_by_keyboard_is_read(page):
    page.click("[data-key=Clear]")
    page.focus("[data-key=pad]")
    for key in ["ArrowUp"] * 8 + ["Space"] + ["ArrowDown"] * 17 + ["Space"] + ["ArrowLeft"]:
        page.keyboard.press(key)

    assert answer(page.inner_text(".says")) == 1
    assert "Row 23, column 13: ink 136, pen up" in page.inner_text(".explorer")


def test_the_canvas_says_that_it_is_empty_and_answers_all_the_same(page):
    page.click("[data-key=Clear]")

    assert re.match(r"The canvas is empty\. LeNet-5 reads \d", page.inner_text(".says"))


def test_the_digits_that_are_offered_are_those_that_are_recorded(page):
    offered = page.locator("[data-key=digit] option").all()
    recorded = page.evaluate("courseExplorers.data.lenet5.digits")

    values = {option.get_attribute("value"): option.inner_text() for option in offered}
    assert set(values) == {"own", *recorded}
    for name, digit in recorded.items():
        assert re.search(rf": an? {digit['label']}\b", values[name])
