"""The picture of a cell that a person grades comes through, and nothing that hides in its file."""

import base64
import io

import nbformat
import numpy as np
import pytest
from handmade import A7, SEED, release_of
from PIL import Image, PngImagePlugin

from course_utils.grading import pictures
from course_utils.grading.autograded import AS_HANDED_IN, autograded_notebook, notebook_bytes
from course_utils.grading.intake import Handed, recover
from course_utils.grading.judging import judge_sheet
from course_utils.grading.pictures import plain_png
from course_utils.grading.sandbox import Sent
from course_utils.grading.verdict import Verdict


class NoSandbox:
    """Runs nothing: no picture comes from a run."""

    kind, modules = "no sandbox", ()

    def run(self, paper, cells):
        return Sent(b"", "killed")


def png(size=(3, 2), mode="RGB", **texts):
    """Return a PNG as a notebook holds it."""
    info = PngImagePlugin.PngInfo()
    for key, value in texts.items():
        info.add_text(key, value)
    file = io.BytesIO()
    Image.new(mode, size, 200).save(file, "PNG", pnginfo=info)
    return base64.b64encode(file.getvalue()).decode()


def opened(text):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGBA"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1"])
def test_the_pixels_are_those_that_were_handed_in(mode):
    given = png(mode=mode)

    assert (opened(plain_png(given)) == opened(given)).all()
    assert plain_png([given[:40] + "\n", given[40:]]) == plain_png(given)


def test_texts_and_what_follows_the_end_are_left_out():
    given = base64.b64decode(png(comment="SECRET <script>"))
    assert b"SECRET" in given

    kept = base64.b64decode(plain_png(base64.b64encode(given + b"SECRET").decode()))
    assert b"SECRET" not in kept
    assert kept.endswith(given[-12:])


def broken(change):
    content = bytearray(base64.b64decode(png()))
    change(content)
    return base64.b64encode(bytes(content)).decode()


@pytest.mark.parametrize(
    "text",
    [
        *(None, 7, {}, [], [None], "", "no base64!", "aGVsbG8=", b"x"),
        broken(lambda content: content.__setitem__(1, 0)),  # the signature
        broken(lambda content: content.__setitem__(20, 9)),  # a width without its checksum
        broken(lambda content: content.__setitem__(8, 255)),  # a chunk of 4 GB
        broken(lambda content: content.__delitem__(slice(-12, None))),  # no end
        broken(lambda content: content.__delitem__(slice(8, 33))),  # no header
        broken(lambda content: content.__delitem__(slice(40, None))),
        png((pictures.MOST_PIXELS + 1, 1)),
        "A" * (pictures.MOST_SIGNS + 1),
    ],
    ids=lambda text: str(text)[:12],
)
def test_what_is_no_picture_or_too_large_is_left_out(text):
    assert plain_png(text) == ""


def handed_in(picture, cell_id="hook-plot"):
    """Return the verdict on a notebook whose plot was handed in with a picture."""
    release = release_of(A7)
    notebook = release.notebook()
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == cell_id:
            data = {"image/png": picture, "text/html": "<script>SECRET</script>"}
            cell.outputs = [nbformat.v4.new_output("display_data", data)]
    content = nbformat.writes(notebook).encode()
    sheet = recover(Handed("ada", A7, content), release)
    return release, judge_sheet(sheet, release, SEED, NoSandbox(), "1")


def test_a_person_sees_the_picture_as_it_was_handed_in():
    release, verdict = handed_in(png(comment="SECRET"))
    notebook = autograded_notebook(release, Verdict.from_json(verdict.to_json()))
    [cell] = [one for one in notebook.cells if one.get("id") == "hook-plot" and one.outputs]

    assert [output.output_type for output in cell.outputs] == ["stream", "display_data"]
    assert cell.outputs[0].text == AS_HANDED_IN
    assert opened(cell.outputs[1].data["image/png"]).shape == (2, 3, 4)
    assert b"SECRET" not in notebook_bytes(notebook)
    nbformat.validate(nbformat.reads(notebook_bytes(notebook).decode(), as_version=4))


def test_no_other_cell_keeps_a_picture():
    _, verdict = handed_in(png(), cell_id="diagnose")

    assert verdict.pictures == {}
