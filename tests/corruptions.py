"""Ways in which a good notebook arrives damaged, drawn by seed; usable against any grader."""

import copy
import gzip
import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from typing import Any

Notebook = dict[str, Any]
Corruption = Callable[[Notebook, random.Random], Any]

READABLE: dict[str, Corruption] = {}  # every answer is there as it was written
PARTLY: dict[str, Corruption] = {}  # some answers may be gone


def readable(function: Corruption) -> Corruption:
    READABLE[function.__name__] = function
    return function


def partly(function: Corruption) -> Corruption:
    PARTLY[function.__name__] = function
    return function


def corrupt(content: bytes, rng: random.Random, kind: str = "") -> tuple[str, bytes]:
    """Return the name of a corruption, drawn unless it is given, and the damaged notebook."""
    kinds = READABLE | PARTLY
    kind = kind or rng.choice(sorted(kinds))
    damaged = kinds[kind](json.loads(content), rng)
    return kind, damaged if isinstance(damaged, bytes) else written(damaged)


def still_there(kind: str) -> bool:
    """Whether every code answer is surely there after a corruption."""
    return kind in READABLE


def written(notebook: Any) -> bytes:
    return json.dumps(notebook, indent=1).encode()


def source_of(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def is_code(cell: dict[str, Any]) -> bool:
    return cell["cell_type"] == "code"


def settings_of(cell: dict[str, Any]) -> dict[str, Any]:
    return cell["metadata"].get("nbgrader", {})


def solutions_of(notebook: Notebook) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if settings_of(cell).get("solution")]


def fresh(cells: list[dict[str, Any]]) -> Notebook:
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def code_cell(source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
    }


@readable
def without_nbgraders_marks(notebook, rng):
    for cell in notebook["cells"]:
        cell["metadata"].pop("nbgrader", None)
    return notebook


@readable
def without_any_metadata(notebook, rng):
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        del cell["id"]
    notebook["metadata"] = {}
    return notebook


@readable
def metadata_null(notebook, rng):
    for cell in notebook["cells"]:
        cell["metadata"] = None
    notebook["metadata"] = None
    return notebook


@readable
def metadata_of_wrong_types(notebook, rng):
    for cell in notebook["cells"]:
        cell["metadata"] = rng.choice([[], "none", 3, {"nbgrader": [1]}, {"nbgrader": None}])
        cell["id"] = rng.choice([None, 7, ["a"], {"id": "b"}])
    notebook["metadata"] = [1, 2]
    return notebook


@readable
def ids_changed(notebook, rng):
    for cell in notebook["cells"]:
        cell["id"] = f"{rng.getrandbits(32):08x}"
    return notebook


@readable
def ids_all_the_same(notebook, rng):
    for cell in notebook["cells"]:
        cell["id"] = "conv2d"
    return notebook


@readable
def ids_permuted(notebook, rng):
    ids = [cell["id"] for cell in notebook["cells"]]
    rng.shuffle(ids)
    for cell, name in zip(notebook["cells"], ids, strict=True):
        cell["id"] = name
        cell["metadata"] = {}
    return notebook


@readable
def grade_ids_permuted(notebook, rng):
    marks = [settings_of(cell) for cell in notebook["cells"]]
    rng.shuffle(marks)
    for cell, mark in zip(notebook["cells"], marks, strict=True):
        cell["metadata"] = {"nbgrader": mark}
    return notebook


@readable
def grade_ids_all_the_same(notebook, rng):
    name = rng.choice(solutions_of(notebook))["metadata"]["nbgrader"]["grade_id"]
    for cell in notebook["cells"]:
        settings_of(cell)["grade_id"] = name
    return notebook


@readable
def grade_ids_of_another_assignment(notebook, rng):
    for number, cell in enumerate(notebook["cells"]):
        settings_of(cell)["grade_id"] = f"exercise-{number}"
        cell["id"] = f"cell-{number}"
    return notebook


@readable
def marks_inverted(notebook, rng):
    for cell in notebook["cells"]:
        for name in ("solution", "grade", "locked", "task"):
            settings_of(cell)[name] = not settings_of(cell).get(name)
        settings_of(cell)["points"] = -1e308
        cell["metadata"]["tags"] = ["skip-execution", "raises-exception"]
    return notebook


@readable
def kernel_gone(notebook, rng):
    notebook["metadata"] = {}
    return notebook


@readable
def kernel_of_r(notebook, rng):
    notebook["metadata"] = {
        "kernelspec": {"display_name": "R", "language": "R", "name": "ir"},
        "language_info": {"name": "R", "version": "4.3"},
    }
    return notebook


@readable
def cells_shuffled(notebook, rng):
    rng.shuffle(notebook["cells"])
    return notebook


@readable
def cells_backwards_and_unmarked(notebook, rng):
    notebook["cells"].reverse()
    return without_any_metadata(notebook, rng)


@readable
def cells_doubled(notebook, rng):
    for _ in range(5):
        cell = copy.deepcopy(rng.choice(notebook["cells"]))
        notebook["cells"].insert(rng.randrange(len(notebook["cells"])), cell)
    return notebook


@readable
def stubs_beside_the_answers(notebook, rng):
    for cell in solutions_of(notebook):
        if is_code(cell):
            stub = copy.deepcopy(cell)
            header = source_of(cell).split(":\n")[0]
            if header.startswith("def"):
                stub["source"] = f"{header}:\n    # your code here\n    raise NotImplementedError()"
                place = notebook["cells"].index(cell)
                notebook["cells"].insert(place + rng.randrange(2), stub)
    return notebook


@readable
def checks_gone(notebook, rng):
    cells = notebook["cells"]
    notebook["cells"] = [cell for cell in cells if not source_of(cell).startswith("check(")]
    return notebook


@readable
def text_gone_and_unmarked(notebook, rng):
    notebook["cells"] = [cell for cell in notebook["cells"] if is_code(cell)]
    return without_any_metadata(notebook, rng)


@readable
def junk_among_the_cells(notebook, rng):
    junk = [None, 3, "cell", [], [[]], {}, {"cell_type": "code"}, {"source": None}, True]
    for part in junk:
        notebook["cells"].insert(rng.randrange(len(notebook["cells"])), part)
    return notebook


@readable
def empty_cells_everywhere(notebook, rng):
    for _ in range(1_500):
        notebook["cells"].insert(rng.randrange(len(notebook["cells"])), code_cell(" \n"))
    return notebook


@readable
def too_many_cells(notebook, rng):
    return {**notebook, "cells": [code_cell("1 + 1")] * 3_000 + notebook["cells"]}


@readable
def cells_in_lists(notebook, rng):
    notebook["cells"] = [[cell] for cell in notebook["cells"]]
    return notebook


@readable
def cells_in_an_object(notebook, rng):
    notebook["cells"] = {str(number): cell for number, cell in enumerate(notebook["cells"])}
    return notebook


@readable
def cell_types_gone(notebook, rng):
    for cell in notebook["cells"]:
        cell.pop("cell_type")
        cell.pop("outputs", None)
    return notebook


@readable
def cells_retyped(notebook, rng):
    cell = rng.choice([cell for cell in solutions_of(notebook) if is_code(cell)])
    cell["cell_type"] = rng.choice(["raw", "markdown", "heading", "kode", None, 3])
    return notebook


@readable
def sources_in_odd_pieces(notebook, rng):
    for cell in notebook["cells"]:
        text, pieces = source_of(cell), []
        while text:
            size = rng.randrange(1, 40)
            pieces.append(text[:size])
            text = text[size:]
        cell["source"] = pieces
    return notebook


@readable
def sources_in_nested_lists(notebook, rng):
    for cell in notebook["cells"]:
        cell["source"] = [[line] for line in cell["source"]]
    return notebook


@readable
def sources_without_line_ends(notebook, rng):
    for cell in notebook["cells"]:
        cell["source"] = source_of(cell).split("\n")
    return notebook


@readable
def sources_with_windows_line_ends(notebook, rng):
    for cell in notebook["cells"]:
        cell["source"] = source_of(cell).replace("\n", "\r\n")
    return notebook


@readable
def magics_before_the_answers(notebook, rng):
    for cell in solutions_of(notebook):
        if is_code(cell):
            lines = ["%matplotlib inline", "!pip install torch", "files = !ls", "torch.add?"]
            cell["source"] = f"{rng.choice(lines)}\n{source_of(cell)}"
    return without_nbgraders_marks(notebook, rng)


@readable
def byte_order_mark(notebook, rng):
    return b"\xef\xbb\xbf" + written(notebook)


@readable
def utf_16(notebook, rng):
    return json.dumps(notebook, ensure_ascii=False).encode("utf-16")


@readable
def latin_1(notebook, rng):
    notebook["cells"].insert(0, {**code_cell("# é"), "cell_type": "markdown"})
    return json.dumps(notebook, ensure_ascii=False).encode("latin-1", "replace")


@readable
def windows_line_ends(notebook, rng):
    return written(notebook).replace(b"\n", b"\r\n")


@readable
def text_after_the_end(notebook, rng):
    return written(notebook) + rng.choice([b"}", b"\n]]", b"\nEOF", b"\0" * 99, b'{"cells": ['])


@readable
def text_before_the_start(notebook, rng):
    return rng.choice([b"<<<<<<< HEAD\n", b"HTTP/1.1 200 OK\r\n\r\n", b"}{", b",,"]) + written(
        notebook
    )


@readable
def the_end_gone(notebook, rng):
    content = written(notebook)
    return content[: content.rindex(b"]")]


@readable
def huge_numbers(notebook, rng):
    text = json.dumps(notebook).replace("null", "9" * 10_000)
    return text.replace('"nbformat": 4', '"nbformat": 1e999').encode()


@readable
def not_a_number(notebook, rng):
    for cell in notebook["cells"]:
        cell["execution_count"] = float("nan")
    return {**notebook, "nbformat": float("inf")}


@readable
def nested_very_deep(notebook, rng):
    deep = "[" * 100_000 + "]" * 100_000
    return json.dumps(notebook).replace('"outputs": []', f'"outputs": {deep}', 1).encode()


@readable
def lone_surrogates(notebook, rng):
    notebook["cells"].insert(3, code_cell("text = '\ud800 and \udfff'"))
    return notebook


@readable
def raw_control_characters(notebook, rng):
    return re.sub(rb"(?<!\\)\\n", b"\n", written(notebook))


@readable
def huge_outputs(notebook, rng):
    for cell in notebook["cells"]:
        if is_code(cell):
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["x" * 300_000]}]
    return notebook


@readable
def forged_outputs(notebook, rng):
    for cell in notebook["cells"]:
        if is_code(cell):
            data = {"text/plain": "100.0"}
            cell["outputs"] = [{"output_type": "execute_result", "data": data, "metadata": {}}]
            cell["outputs"].append({"source": "def conv2d(): return 1", "cell_type": "code"})
    return notebook


@readable
def keys_given_twice(notebook, rng):
    text = json.dumps(notebook)
    return text.replace(
        '"cell_type": "code"', '"cell_type": 3, "source": 1, "cell_type": "code"'
    ).encode()


@readable
def an_output_torn(notebook, rng):
    cell = rng.choice([cell for cell in solutions_of(notebook) if is_code(cell)])
    cell["outputs"] = ["HERE"]
    return json.dumps(notebook).replace('"HERE"', '"never closed, {[', 1).encode()


@readable
def merge_conflict(notebook, rng):
    lines = written(notebook).split(b"\n")
    place = next(n for n, line in enumerate(lines) if b'"metadata": {' in line)
    conflict = [b"<<<<<<< HEAD", lines[place], b"=======", lines[place], b">>>>>>> theirs"]
    return b"\n".join(lines[:place] + conflict + lines[place + 1 :])


@readable
def nbformat_3(notebook, rng):
    cells = copy.deepcopy(notebook["cells"])
    for cell in cells:
        if is_code(cell):
            cell["input"] = cell.pop("source")
            cell["prompt_number"], cell["language"] = 1, "python"
            del cell["execution_count"]
        cell["metadata"] = {}
        del cell["id"]
    sheets = [{"cells": cells[:5], "metadata": {}}, {"cells": cells[5:]}]
    return {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": sheets}


@readable
def from_colab(notebook, rng):
    for cell in notebook["cells"]:
        keep = {"id": f"{rng.getrandbits(48):x}"}
        kept = {"colab": {"base_uri": "https://localhost:8080/"}, "outputId": "0"}
        nbgrader = {"nbgrader": settings_of(cell)} if rng.random() < 0.5 else {}
        cell["metadata"] = {**keep, **kept, **nbgrader}
        del cell["id"]
    notebook["metadata"] = {"colab": {"provenance": []}, "accelerator": "GPU"}
    return {**notebook, "nbformat_minor": 0}


@readable
def from_vs_code(notebook, rng):
    for cell in notebook["cells"]:
        cell["metadata"] = {"vscode": {"languageId": "python"}}
        cell["id"] = f"{rng.getrandbits(32):08x}"
    notebook["metadata"] = {"language_info": {"name": "python"}}
    return notebook


@readable
def from_kaggle(notebook, rng):
    for cell in notebook["cells"]:
        cell["metadata"] = {"_uuid": "8f2839f25d086af736a60e9eeb907d3b93b6e0e5", "trusted": True}
        del cell["id"]
    notebook["metadata"]["kaggle"] = {
        "accelerator": "none",
        "dataSources": [],
        "isGpuEnabled": False,
    }
    return {**notebook, "nbformat_minor": 4}


@readable
def pasted_into_a_fresh_notebook(notebook, rng):
    return fresh([code_cell(source_of(cell)) for cell in notebook["cells"] if is_code(cell)])


@readable
def pasted_into_one_cell(notebook, rng):
    code = "\n\n".join(source_of(cell) for cell in notebook["cells"] if is_code(cell))
    return fresh([code_cell(code)])


@readable
def pasted_into_the_first_answer(notebook, rng):
    code = [cell for cell in solutions_of(notebook) if is_code(cell)]
    code[0]["source"] = "\n\n".join(source_of(cell) for cell in code)
    for cell in code[1:]:
        cell["source"] = ""
    return notebook


@readable
def jupytext_script(notebook, rng):
    parts = []
    for cell in notebook["cells"]:
        if is_code(cell):
            parts.append(f"# %%\n{source_of(cell)}\n")
        else:
            text = "\n".join(f"# {line}" for line in source_of(cell).split("\n"))
            parts.append(f"# %% [markdown]\n{text}\n")
    return "\n".join(parts).encode()


@readable
def script_of_jupyter(notebook, rng):
    parts = ["#!/usr/bin/env python\n# coding: utf-8\n"]
    for cell in notebook["cells"]:
        mark = "# In[ ]:\n\n\n" if is_code(cell) else "# "
        text = source_of(cell) if is_code(cell) else source_of(cell).replace("\n", "\n# ")
        parts.append(f"{mark}{text}\n\n")
    return "\n".join(parts).encode()


@readable
def script_of_colab(notebook, rng):
    parts = ["# -*- coding: utf-8 -*-\n"]
    for cell in notebook["cells"]:
        quoted = '"""' + source_of(cell).replace('"""', "'''").replace("\\", "/") + '"""'
        parts.append(source_of(cell) if is_code(cell) else quoted)
    return "\n\n".join(parts).encode()


@readable
def wrapped_by_an_interface(notebook, rng):
    return {"name": "a1.ipynb", "type": "notebook", "format": "json", "content": notebook}


@readable
def only_the_list_of_cells(notebook, rng):
    return notebook["cells"]


@partly
def cut_short(notebook, rng):
    content = written(notebook)
    return content[: rng.randrange(len(content))]


@partly
def bytes_changed(notebook, rng):
    content = bytearray(written(notebook))
    for _ in range(rng.choice([1, 10, 100, 1000])):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


@partly
def bits_flipped(notebook, rng):
    content = bytearray(written(notebook))
    for _ in range(rng.randrange(1, 50)):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


@partly
def a_piece_removed(notebook, rng):
    content = written(notebook)
    start = rng.randrange(len(content))
    return content[:start] + content[start + rng.randrange(1, 5_000) :]


@partly
def a_piece_doubled(notebook, rng):
    content = written(notebook)
    start, size = rng.randrange(len(content)), rng.randrange(1, 5_000)
    return content[: start + size] + content[start:]


@partly
def pieces_exchanged(notebook, rng):
    content = written(notebook)
    one, two, three = sorted(rng.randrange(len(content)) for _ in range(3))
    return content[:one] + content[two:three] + content[one:two] + content[three:]


@partly
def nul_bytes_inserted(notebook, rng):
    content = bytearray(written(notebook))
    for _ in range(rng.randrange(1, 30)):
        content.insert(rng.randrange(len(content)), 0)
    return bytes(content)


@partly
def cells_removed(notebook, rng):
    for _ in range(rng.randrange(1, 6)):
        notebook["cells"].pop(rng.randrange(len(notebook["cells"])))
    return notebook


@partly
def fields_retyped(notebook, rng):
    odd = [None, 0, -1.5, "", "x", [], {}, True, [[[]]], {"a": [None]}, 10**30, [1, "a"], "\0"]
    for _ in range(rng.randrange(1, 8)):
        cell = rng.choice(notebook["cells"])
        cell[rng.choice(sorted(cell))] = rng.choice(odd)
    if rng.random() < 0.3:
        notebook[rng.choice(["metadata", "nbformat", "nbformat_minor"])] = rng.choice(odd)
    return notebook


@partly
def functions_renamed(notebook, rng):
    for cell in solutions_of(notebook):
        cell["source"] = source_of(cell).replace("def ", "def my_").replace("class ", "class My")
    return without_nbgraders_marks(notebook, rng) if rng.random() < 0.5 else notebook


@partly
def syntax_errors(notebook, rng):
    for cell in solutions_of(notebook):
        if rng.random() < 0.5:
            cell["source"] = source_of(cell).replace(":\n", "\n", 1)
    return notebook


@partly
def one_line_of_each_answer_gone(notebook, rng):
    for cell in solutions_of(notebook):
        lines = source_of(cell).split("\n")
        lines.pop(rng.randrange(len(lines)))
        cell["source"] = "\n".join(lines)
    return notebook


@partly
def sources_emptied(notebook, rng):
    for cell in solutions_of(notebook):
        if rng.random() < 0.5:
            cell["source"] = []
    return notebook


@partly
def nul_in_the_sources(notebook, rng):
    for cell in notebook["cells"]:
        cell["source"] = source_of(cell).replace(" ", "\0", 1)
    return notebook


@partly
def expressions_nested_too_deep(notebook, rng):
    deep = rng.choice(["(" * 5_000, "-" * 50_000 + "1", "1" + "+1" * 20_000, "lambda:" * 9_000])
    cell = rng.choice(solutions_of(notebook))
    cell["source"] = f"{deep}\n{source_of(cell)}"
    return notebook


@partly
def everything_empty(notebook, rng):
    return rng.choice([b"", b" \n", b"{}", b"[]", b"null", b"0", b'""', b'{"cells": []}'])


@partly
def noise(notebook, rng):
    return rng.randbytes(rng.randrange(1, 20_000))


@partly
def a_web_page(notebook, rng):
    return b"<!DOCTYPE html><html><body>Sign in to continue</body></html>"


@partly
def deep_nesting_alone(notebook, rng):
    return rng.choice([b"[", b'{"cells":', b'{"a":[']) * 200_000


@partly
def packed_by_gzip(notebook, rng):
    return gzip.compress(written(notebook), mtime=0)


@partly
def packed_by_zip(notebook, rng):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("notebook.ipynb", written(notebook))
    return buffer.getvalue()
