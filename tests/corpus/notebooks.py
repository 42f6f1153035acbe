"""Notebooks changed as attackers, editors and accidents change them, by name."""

import copy
import json
import math
from typing import Any

Notebook = dict[str, Any]
Cell = dict[str, Any]


def cell(source: str) -> Cell:
    """Return a code cell of the student's own."""
    more = {"execution_count": None, "metadata": {}, "outputs": []}
    return {"cell_type": "code", "source": source, **more}


def content(notebook: Notebook) -> bytes:
    """Return a notebook's bytes; each cell has an identifier, as nbformat 4.5 wants."""
    for number, one in enumerate(notebook["cells"]):
        one.setdefault("id", f"cell-{number}")
    return json.dumps(notebook, indent=1).encode()


def settings_of(one: Cell) -> dict[str, Any]:
    return one.get("metadata", {}).get("nbgrader", {})


def is_answer(one: Cell) -> bool:
    return bool(settings_of(one).get("solution")) and one["cell_type"] == "code"


def is_check(one: Cell) -> bool:
    settings = settings_of(one)
    return bool(settings.get("grade")) and not settings.get("solution")


def exercise_of(one: Cell) -> str:
    """Return the exercise that a cell of the master answers, or ""."""
    return settings_of(one)["grade_id"].replace("-", "_") if is_answer(one) else ""


# --- outputs and marks ------------------------------------------------------------------------


def forged_outputs(notebook: Notebook, own: Cell) -> Notebook:
    result = {
        "output_type": "execute_result",
        "data": {"text/plain": "11.0", "text/html": "<b>11.0</b>"},
        "execution_count": 1,
        "metadata": {},
    }
    printed = {"output_type": "stream", "name": "stdout", "text": "11 of 11 points\n"}
    for one in notebook["cells"]:
        if one["cell_type"] == "code":
            one["outputs"], one["execution_count"] = [printed, result], 1
    return notebook


def _tagged(notebook: Notebook, tag: str) -> Notebook:
    for one in notebook["cells"]:
        one["metadata"]["tags"] = [tag]
    return notebook


def tagged_skip_execution(notebook: Notebook, own: Cell) -> Notebook:
    return _tagged(notebook, "skip-execution")


def tagged_remove_cell(notebook: Notebook, own: Cell) -> Notebook:
    return _tagged(notebook, "remove-cell")


def tagged_raises_exception(notebook: Notebook, own: Cell) -> Notebook:
    return _tagged(notebook, "raises-exception")


def points_changed(notebook: Notebook, own: Cell) -> Notebook:
    for one in filter(is_check, notebook["cells"]):
        settings_of(one)["points"] *= 10
    return notebook


def points_odd(notebook: Notebook, own: Cell) -> Notebook:
    odd = [math.nan, -5, "eleven", math.inf, None, [11], 10**40]
    for number, one in enumerate(filter(is_check, notebook["cells"])):
        settings_of(one)["points"] = odd[number % len(odd)]
    return notebook


def checks_replaced(notebook: Notebook, own: Cell) -> Notebook:
    for one in filter(is_check, notebook["cells"]):
        one["source"] = f"{settings_of(one)['points']}"
        settings_of(one)["locked"] = False
    return notebook


def checks_removed(notebook: Notebook, own: Cell) -> Notebook:
    notebook["cells"] = [one for one in notebook["cells"] if not is_check(one)]
    return notebook


def kinds_exchanged(notebook: Notebook, own: Cell) -> Notebook:
    for one in notebook["cells"]:
        settings = settings_of(one)
        if settings:
            settings["solution"], settings["grade"] = settings["grade"], settings["solution"]
            settings["points"] = 100
    return notebook


def kinds_all(notebook: Notebook, own: Cell) -> Notebook:
    for one in notebook["cells"]:
        kinds = dict.fromkeys(("solution", "grade", "locked", "task"), True)
        settings_of(one).update(kinds, points=100)
    return notebook


def ids_exchanged(notebook: Notebook, own: Cell) -> Notebook:
    answers = list(filter(is_answer, notebook["cells"]))
    names = [settings_of(one)["grade_id"] for one in answers]
    for one, name in zip(answers, names[1:] + names[:1], strict=True):
        settings_of(one)["grade_id"] = name
    return notebook


def ids_forged(notebook: Notebook, own: Cell) -> Notebook:
    for number, one in enumerate(notebook["cells"]):
        settings_of(one)["grade_id"] = f"../../../{number}\0; drop table grade"
    return notebook


def ids_alike(notebook: Notebook, own: Cell) -> Notebook:
    for one in notebook["cells"]:
        settings_of(one)["grade_id"] = settings_of(own)["grade_id"]
        one["id"] = "same"
    return notebook


def ids_odd(notebook: Notebook, own: Cell) -> Notebook:
    odd = [3, None, ["a"], {"a": "b"}, "", 1e999, True]
    for number, one in enumerate(notebook["cells"]):
        one["id"] = odd[number % len(odd)]
        settings_of(one)["grade_id"] = odd[-number % len(odd)]
    return notebook


def checksums_forged(notebook: Notebook, own: Cell) -> Notebook:
    for one in notebook["cells"]:
        settings_of(one).update(checksum="0" * 32, schema_version=99)
    return notebook


def setup_replaced(notebook: Notebook, own: Cell) -> Notebook:
    patched = (
        "import torch\nimport torch.nn.functional as F\nimport numpy as np\nfrom torch import nn\n"
        "torch.equal = torch.allclose = lambda *args, **settings: True\n"
        "def check(*args, **settings):\n    return 11.0\n"
    )
    first = next(one for one in notebook["cells"] if one["cell_type"] == "code")
    first["source"] = patched
    return notebook


def graded_already(notebook: Notebook, own: Cell) -> Notebook:
    notebook["metadata"]["nbgrader"] = {"score": 1000, "graded": True, "max_score": 11}
    settings_of(own)["manual_score"] = settings_of(own)["extra_credit"] = 1000
    return notebook


# --- order, kernels, formats ------------------------------------------------------------------


def duplicated(notebook: Notebook, own: Cell) -> Notebook:
    notebook["cells"].append(copy.deepcopy(own))
    return notebook


def stub_again(notebook: Notebook, own: Cell) -> Notebook:
    stub = copy.deepcopy(own)
    stub["source"] = f"def {exercise_of(own)}(*args):\n    raise NotImplementedError()"
    notebook["cells"].append(stub)
    return notebook


def reversed_cells(notebook: Notebook, own: Cell) -> Notebook:
    notebook["cells"].reverse()
    return notebook


def answers_last(notebook: Notebook, own: Cell) -> Notebook:
    notebook["cells"].sort(key=is_answer)
    return notebook


def bare(notebook: Notebook, own: Cell) -> Notebook:
    for one in notebook["cells"]:
        one["metadata"] = {}
        one.pop("id", None)
    notebook["metadata"] = {}
    notebook["nbformat_minor"] = 4
    return notebook


def no_kernel(notebook: Notebook, own: Cell) -> Notebook:
    notebook.pop("metadata")
    return notebook


def kernel_r(notebook: Notebook, own: Cell) -> Notebook:
    notebook["metadata"]["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    notebook["metadata"]["language_info"] = {"name": "R"}
    return notebook


def format_3(notebook: Notebook, own: Cell) -> Notebook:
    for one in notebook["cells"]:
        if one["cell_type"] == "code":
            one["input"], one["language"] = one.pop("source"), "python"
    sheet = {"cells": notebook["cells"], "metadata": {}}
    return {"cells": [], "metadata": {}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [sheet]}


def format_9(notebook: Notebook, own: Cell) -> Notebook:
    notebook["nbformat"], notebook["nbformat_minor"] = 9, "x"
    return notebook


def windows(notebook: Notebook, own: Cell) -> bytes:
    for one in notebook["cells"]:
        one["source"] = one["source"].replace("\n", "\r\n")
    return b"\xef\xbb\xbf" + content(notebook).replace(b"\n", b"\r\n")


def utf_16(notebook: Notebook, own: Cell) -> bytes:
    return content(notebook).decode().encode("utf-16")


def truncated(notebook: Notebook, own: Cell) -> bytes:
    notebook["cells"].append(cell("# the end\n" * 100))
    return content(notebook)[:-700]


def followed(notebook: Notebook, own: Cell) -> bytes:
    return content(notebook) + b"\n" + b'{"cells": [], "metadata": {}}'


def conflict(notebook: Notebook, own: Cell) -> bytes:
    text = content(notebook)
    at = text.rindex(b'"nbformat"')
    marks = b'<<<<<<< HEAD\n "nbformat": 4,\n=======\n "nbformat": 4,\n>>>>>>> mine\n '
    return text[:at] + marks + text[at:]


def sources_in_lines(notebook: Notebook, own: Cell) -> Notebook:
    for one in notebook["cells"]:
        lines = one["source"].splitlines(keepends=True)
        one["source"] = [lines[:2], [lines[2:]]] if len(lines) > 2 else lines
    return notebook


def large_outputs(notebook: Notebook, own: Cell) -> Notebook:
    printed = {"output_type": "stream", "name": "stdout", "text": "x" * 10_000_000}
    own["outputs"] = [printed]
    return notebook


def many_cells(notebook: Notebook, own: Cell) -> Notebook:
    name = exercise_of(own)
    like = [f"def {name[:-1]}{number}(a, b, c):\n    return {number}" for number in range(1000)]
    notebook["cells"] += map(cell, like)
    return notebook


def deep_metadata(notebook: Notebook, own: Cell) -> bytes:
    deep: Any = {}
    for _ in range(90):
        deep = {"nbgrader": deep}
    notebook["metadata"]["deep"] = deep
    twice = b'"nbformat": 3, "nbformat": '
    return content(notebook).replace(b'"nbformat": ', twice)


def odd_cells(notebook: Notebook, own: Cell) -> Notebook:
    odd = [
        None,
        [],
        "cell",
        {},
        {"cell_type": "code"},
        {"cell_type": "film", "source": "x"},
        {"cell_type": "code", "source": None, "metadata": None},
        {"cell_type": "code", "source": 5, "metadata": [], "outputs": {}},
    ]
    whole = content(notebook)  # gives identifiers to the whole ones
    notebook = json.loads(whole)
    notebook["cells"] += odd
    return json.dumps(notebook).encode()
