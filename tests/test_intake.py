"""Answers are found wherever they went: marks, names, likeness, damaged files; nothing raises."""

import ast
import json
import random
from functools import cache

import nbformat
import pytest
from corruptions import PARTLY, READABLE, corrupt, still_there
from good_submissions import content_of, references, submission
from handmade import release_of as new_release
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.checks.registry import ASSIGNMENTS
from course_utils.grading import cells
from course_utils.grading.cells import MAX_CELLS, MAX_SOURCE, read_cells
from course_utils.grading.definitions import Definition, definitions, parse
from course_utils.grading.intake import AnswerSheet, Handed, recover

release_of = cache(new_release)
A1, A6, A7 = "a1_convolution", "a6_hooks", "a7_which_bug"
RIGHT = "def odds(p):\n    return p / (1 - p)"
STUB = 'def odds(p):\n    """Say."""\n    # your code here\n    raise NotImplementedError()'


def sheet_of(content: bytes, assignment: str = A1) -> AnswerSheet:
    return recover(Handed("ana", assignment, content), release_of(assignment))


def sheet(notebook, assignment: str = A1) -> AnswerSheet:
    return sheet_of(json.dumps(notebook).encode(), assignment)


def notebook_of(assignment: str = A1, answers: dict[str, str] | None = None):
    """Return a good submission as JSON's types, each source one string."""
    notebook = json.loads(nbformat.writes(submission(assignment, answers), split_lines=False))
    assert isinstance(notebook["cells"][0]["source"], str)
    return notebook


def cell_of(notebook, grade_id: str):
    return next(
        cell for cell in notebook["cells"] if cell["metadata"]["nbgrader"]["grade_id"] == grade_id
    )


def code(source: str, **metadata):
    return {"cell_type": "code", "metadata": metadata, "outputs": [], "source": source}


def ways(sheet: AnswerSheet) -> dict[str, str]:
    return {grade_id: found.how for grade_id, found in sheet.solutions.items()}


def flags(sheet: AnswerSheet) -> list[tuple[str, str]]:
    return [(flag.code, flag.exercise) for flag in sheet.flags]


def code_answers(assignment: str) -> list[str]:
    """Return the grade ids of the cells that students write in Python."""
    cells = release_of(assignment).cells
    return [
        cell.grade_id
        for cell in cells
        if cell.kind in ("solution", "manual") and cell.cell_type == "code"
    ]


def definition_of(source: str, name: str) -> str:
    """Return the last definition of a name as a syntax tree's text, or ""."""
    tree = parse(source)
    found = [node for node in tree.body if getattr(node, "name", "") == name] if tree else []
    return ast.dump(found[-1]) if found else ""


@cache
def good(assignment: str) -> bytes:
    return content_of(submission(assignment))


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_released_notebook_filled_in_is_read_by_its_marks(assignment):
    result = sheet_of(good(assignment), assignment)

    assert set(ways(result).values()) == {"id"}
    assert {name: found.source for name, found in result.solutions.items()} == references(
        assignment
    )
    assert [name for name, _ in result.order] == code_answers(assignment)
    assert (result.others, result.flags, result.problem) == ((), (), "")


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_stubs_are_found_as_stubs(assignment):
    release = release_of(assignment)

    result = sheet_of(content_of(release.notebook()), assignment)

    stubs = {cell.grade_id: cell.source for cell in release.cells}
    assert result.solutions
    for grade_id, found in result.solutions.items():
        assert (found.source, found.how) == (stubs[grade_id], "id")
    assert result.flags == ()


@pytest.mark.parametrize("kind", sorted(READABLE))
@pytest.mark.parametrize("assignment", [A1, A6, A7])
def test_a_corruption_that_leaves_the_answers_costs_none(assignment, kind):
    for seed in range(2):
        _, content = corrupt(good(assignment), random.Random(seed), kind)

        result = sheet_of(content, assignment)

        assert result.problem == ""
        for grade_id in code_answers(assignment):
            name, found = grade_id.replace("-", "_"), result.solutions[grade_id]
            expected = definition_of(references(assignment)[grade_id], name)
            assert definition_of(found.source, name) == expected != "", (grade_id, found.how)
            assert found.how in ("id", "name")


def test_there_are_many_kinds_of_corruptions_and_each_changes_the_file():
    kinds = {corrupt(good(A1), random.Random(seed))[0] for seed in range(1_000)}

    assert kinds == READABLE.keys() | PARTLY.keys()
    assert len(kinds) >= 60
    for kind in kinds:
        name, content = corrupt(good(A1), random.Random(3), kind)
        assert name == kind
        assert content != good(A1)
        assert still_there(kind) == (kind in READABLE)
        assert corrupt(good(A1), random.Random(3), kind)[1] == content


@pytest.mark.parametrize("seed", range(20))
def test_every_drawn_corruption_ends_with_answers_or_a_reason(seed):
    rng = random.Random(seed)
    for _ in range(50):
        assignment = rng.choice([A1, A6, A7])
        kind, content = corrupt(good(assignment), rng)

        result = sheet_of(content, assignment)

        flagged = {exercise for code, exercise in flags(result) if code in ("missing", "foreign")}
        for cell in release_of(assignment).cells:
            if cell.kind not in ("solution", "manual"):
                continue
            found = result.solutions[cell.grade_id]
            assert (found.how == "missing") == (found.source == "")
            if found.how == "missing" and not result.problem:
                assert flagged & {"", cell.exercise or cell.grade_id}, kind
        json.dumps([*result.order, result.problem], ensure_ascii=False).encode()


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_end_with_answers_or_a_reason(content):
    result = sheet_of(content)

    assert set(ways(result)) == set(code_answers(A1))
    assert result.problem or result.flags or "missing" not in ways(result).values()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    places=st.lists(
        st.tuples(
            st.integers(0, 15),
            st.sampled_from(["cell_type", "source", "metadata", "id", "outputs", "nbgrader"]),
            anything,
        ),
        max_size=6,
    )
)
def test_fields_of_any_type_leave_the_other_answers_alone(places):
    notebook = json.loads(good(A1))
    names = [cell["id"] for cell in notebook["cells"]]
    for index, field, value in places:
        cell = notebook["cells"][index]
        if field == "nbgrader":
            cell["metadata"] = {"nbgrader": value}
        else:
            cell[field] = value

    result = sheet(notebook)

    touched = {names[index] for index, _, _ in places}
    for grade_id in set(code_answers(A1)) - touched:
        assert result.solutions[grade_id].source == references(A1)[grade_id]


def test_the_sheet_tells_whose_it_is_and_what_was_handed_in():
    result = sheet_of(b"abc")

    assert (result.student, result.assignment) == ("ana", A1)
    assert result.source == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert Handed("ana", A1, b"abc").digest == result.source


def test_a_problem_of_the_files_is_kept_and_nothing_else_is_said():
    result = recover(Handed("ana", A1, b"", problem="nothing is there"), release_of(A1))

    assert result.problem == "nothing is there"
    assert set(ways(result).values()) == {"missing"}
    assert result.flags == ()


def without_marks(notebook):
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {}
        cell["id"] = f"other-{number}"
    return notebook


def test_a_forged_mark_does_not_hide_the_answer():
    notebook = notebook_of()
    cell_of(notebook, "conv2d")["metadata"] = {}
    notebook["cells"].append(code("print(1)", nbgrader={"grade_id": "conv2d", "solution": True}))

    result = sheet(notebook)

    assert result.solutions["conv2d"].source == references(A1)["conv2d"]
    assert "print(1)" in result.others
    assert result.flags == ()


def test_an_answer_without_a_name_is_taken_by_its_mark():
    answer = "globals()['conv2d'] = lambda *settings: None"

    result = sheet(notebook_of(answers={"conv2d": answer}))

    assert (result.solutions["conv2d"].source, result.solutions["conv2d"].how) == (answer, "id")


def test_a_cell_id_is_a_mark_too():
    notebook = notebook_of(answers={"conv2d": "globals()['conv2d'] = print"})
    cell_of(notebook, "conv2d")["metadata"] = {}

    assert ways(sheet(notebook))["conv2d"] == "id"


def test_a_filled_in_copy_goes_before_a_stub_wherever_it_stands():
    answers = {"same-padding": "def same_padding(k, d=1):\n    raise NotImplementedError"}
    for place in (0, 8, 16):
        notebook = notebook_of(answers=answers)
        notebook["cells"].insert(place, code(references(A1)["same-padding"]))

        result = sheet(notebook)

        assert result.solutions["same-padding"].source == references(A1)["same-padding"]
        assert result.others == ()  # the stub would undo the answer
        assert result.flags == ()


def test_of_several_filled_in_copies_the_last_in_its_place_is_taken_and_flagged():
    first, last = (
        "def same_padding(k, d=1):\n    return 1",
        "def same_padding(k, d=1):\n    return 2",
    )
    notebook = notebook_of(answers={"same-padding": first})
    marked = cell_of(notebook, "same-padding")
    notebook["cells"].append({**marked, "source": last})
    notebook["cells"].append(code("def same_padding(k, d=1):\n    return 3"))

    result = sheet(notebook)

    assert result.solutions["same-padding"].source == last
    assert flags(result) == [("duplicated", "same_padding")]
    assert "3 different cells answer same_padding" in result.flags[0].sentence
    assert [name for name, _ in result.order].count("same-padding") == 1
    assert first in result.others


def test_equal_copies_are_one_answer():
    notebook = notebook_of()
    notebook["cells"] = [cell for cell in notebook["cells"] for _ in range(2)]

    result = sheet(notebook)

    assert result.others == ()
    assert result.flags == ()


@pytest.mark.parametrize(
    "scratch",
    [
        "same_padding = same_padding(3)",
        "from course_utils.arithmetic import same_padding",
        "same_padding, other = 1, 2",
        "same_padding: int = 3",
        "for same_padding in range(3):\n    print(same_padding)",
        "print(same_padding(3))",
        "def test():\n    def same_padding(k): return 1",
        "check(same_padding)\nprint('done')",
    ],
)
def test_a_result_that_has_the_name_is_not_taken_for_the_answer(scratch):
    notebook = without_marks(notebook_of())
    notebook["cells"].append(code(scratch))

    result = sheet(notebook)

    assert result.solutions["same-padding"].source == references(A1)["same-padding"]
    assert result.others == (scratch,)
    assert result.flags == ()


@pytest.mark.parametrize(
    "answer",
    [
        "same_padding = lambda k, d=1: k // 2",
        "from functools import partial\nsame_padding = partial(max, 2)",
        "def mine(k, d=1):\n    return k // 2\nsame_padding = mine",
        "async def same_padding(k, d=1):\n    return k // 2",
        "class same_padding:\n    def __call__(self): return 1",
        "try:\n    x\nexcept NameError:\n    def same_padding(k, d=1): return 2",
        "if True:\n    with open('x'):\n        same_padding = lambda k, d=1: 2",
        "first, same_padding = 1, lambda k, d=1: 2",
        "%%time\ndef same_padding(k, d=1): return 2",
        "%matplotlib inline\ndef same_padding(k, d=1): return 2\nsame_padding?",
        ">>> def same_padding(k, d=1):\n...     return 2",
        "    def same_padding(k, d=1): return 2",
        "def same_padding(k, d=1) return 2",
        "x = (\nclass same_padding:",
        "same_padding = lambda k, d=1: (k",
        "def same_padding(k, d=1):\n    return " + "(" * 300 + "1" + ")" * 300,
        "def same_padding(k, d=1):\n    return " + "-" * 100_000 + "1",
        "def same_padding(k, d=1):\n    return 1\n" + "# " + "x" * 300_000,
        "def same_padding(k, d=1):\n    return '\ufffd\x0c \\d'",
    ],
    ids=range(19),
)
def test_an_answer_is_found_by_its_name_however_it_is_written(answer):
    notebook = without_marks(notebook_of(answers={"same-padding": answer}))

    result = sheet(notebook)

    assert (result.solutions["same-padding"].source, ways(result)["same-padding"]) == (
        answer,
        "name",
    )


def test_the_last_of_two_unmarked_answers_is_taken_and_flagged():
    notebook = without_marks(notebook_of())
    notebook["cells"].append(code("def same_padding(k, d=1):\n    return 7"))

    result = sheet(notebook)

    assert result.solutions["same-padding"].source == "def same_padding(k, d=1):\n    return 7"
    assert flags(result) == [("duplicated", "same_padding")]


def test_a_working_answer_goes_before_one_that_is_no_python():
    notebook = notebook_of(answers={"same-padding": "def same_padding(k, d=1) return 2"})
    notebook["cells"].append(code("def same_padding(k, d=1): return 2"))

    assert sheet(notebook).solutions["same-padding"].source.endswith(": return 2")


def test_a_renamed_function_is_found_by_its_header_and_flagged():
    answer = references(A1)["transposed-output-size"].replace("def transposed", "def transp")
    notebook = without_marks(notebook_of(answers={"transposed-output-size": answer}))
    random.Random(1).shuffle(notebook["cells"])

    result = sheet(notebook)

    assert result.solutions["transposed-output-size"].source == answer
    assert ways(result)["transposed-output-size"] == "likeness"
    assert flags(result) == [("likeness", "transposed_output_size")]
    assert ("transposed-output-size", answer) in result.order


@pytest.mark.parametrize("gone", ["check", "prompt"])
def test_a_function_of_another_name_is_found_by_its_place(gone):
    answer = "def padding(kernel):\n    return kernel // 2"
    notebook = notebook_of(answers={"same-padding": answer})
    notebook["cells"].remove(cell_of(notebook, f"same-padding-{gone}"))

    result = sheet(without_marks(notebook))

    assert (result.solutions["same-padding"].source, ways(result)["same-padding"]) == (
        answer,
        "likeness",
    )


def test_a_helper_is_not_taken_for_an_answer_that_is_gone():
    helper = "def pair(value):\n    return (value, value)"
    notebook = notebook_of()
    notebook["cells"].remove(cell_of(notebook, "conv2d"))
    notebook["cells"].insert(0, code(helper))

    result = sheet(notebook)

    assert ways(result)["conv2d"] == "missing"
    assert flags(result) == [("missing", "conv2d")]
    assert result.others == (helper,)


def test_an_empty_cell_is_no_answer():
    result = sheet(notebook_of(answers={"conv2d": " \n"}))

    assert ways(result)["conv2d"] == "missing"
    assert flags(result) == [("missing", "conv2d")]


def test_another_assignments_notebook_is_flagged_once():
    result = sheet_of(good(A6))

    assert set(ways(result).values()) == {"missing"}
    assert flags(result) == [("foreign", "")]


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_an_answer_in_a_cell_that_is_no_code_is_read_and_flagged(kind):
    notebook = notebook_of()
    cell_of(notebook, "conv2d")["cell_type"] = kind

    result = sheet(notebook)

    assert result.solutions["conv2d"].source == references(A1)["conv2d"]
    assert flags(result) == [("retyped", "conv2d")]
    assert ("conv2d", references(A1)["conv2d"]) in result.order


def test_own_cells_keep_their_order_and_the_masters_are_left_out():
    notebook = notebook_of()
    notebook["cells"].insert(3, code("import numpy as np"))
    notebook["cells"].insert(9, code("def helper():\n    return 1"))
    notebook["cells"].insert(12, code("check(conv2d)\ncheck(same_padding)"))
    notebook["cells"].append(code("check(conv2d, name='conv2d')"))

    result = sheet(notebook)

    assert result.others == ("import numpy as np", "def helper():\n    return 1")
    names = [name for name, _ in result.order]
    assert [names.index(""), len(names)] == [0, 9]
    assert [name for name in names if name] == code_answers(A1)


def test_what_a_student_adds_to_the_set_up_is_kept():
    notebook = notebook_of()
    cell_of(notebook, "setup")["source"] += "\nimport numpy as np"

    result = sheet(notebook)

    assert len(result.others) == 1
    assert result.others[0].endswith("import numpy as np")


def test_an_answer_written_into_the_check_cell_is_found():
    notebook = notebook_of(answers={"conv2d": references(A1)["conv2d"].replace("conv2d", "mine")})
    answer = references(A1)["conv2d"] + "\ncheck(conv2d)"
    cell_of(notebook, "conv2d-check")["source"] = answer

    assert sheet(notebook).solutions["conv2d"].source == answer


def test_one_cell_may_answer_everything_and_comes_once():
    pasted = "\n\n".join(references(A1).values())
    notebook = {"cells": [code(pasted)], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}

    result = sheet(notebook)

    assert {(found.source, found.how) for found in result.solutions.values()} == {(pasted, "name")}
    assert result.order == (("conv-output-size", pasted),)
    assert result.flags == ()


def test_a_text_is_read_with_what_was_written_below_it():
    notebook = notebook_of(A7, {"analysis": "First page."})
    place = notebook["cells"].index(cell_of(notebook, "analysis"))
    more = {"cell_type": "markdown", "metadata": {}, "source": "Second page."}
    notebook["cells"].insert(place + 1, more)

    result = sheet(notebook, A7)

    assert result.solutions["analysis"].source == "First page.\n\nSecond page."
    assert ways(result)["analysis"] == "id"


def test_an_unmarked_text_is_found_after_its_question_and_flagged():
    notebook = notebook_of(A7, {"analysis": "My page."})
    notebook["cells"].insert(2, {"cell_type": "markdown", "metadata": {}, "source": "A note."})

    result = sheet(without_marks(notebook), A7)

    assert result.solutions["analysis"].source == "My page."
    assert flags(result) == [("likeness", "analysis")]


def test_a_text_beside_the_untouched_stub_counts():
    notebook = notebook_of(A7, {"analysis": "YOUR ANSWER HERE"})
    place = notebook["cells"].index(cell_of(notebook, "analysis"))
    more = {"cell_type": "markdown", "metadata": {}, "source": "My page."}
    notebook["cells"].insert(place + 1, more)

    assert sheet(notebook, A7).solutions["analysis"].source == "My page."


def test_a_text_that_became_code_is_read_and_not_run():
    notebook = notebook_of(A7, {"analysis": "My page: it's the rate."})
    cell_of(notebook, "analysis")["cell_type"] = "code"

    result = sheet(notebook, A7)

    assert result.solutions["analysis"].source == "My page: it's the rate."
    assert result.others == ()


def test_without_its_question_all_own_text_is_taken():
    notebook = without_marks(notebook_of(A7, {"analysis": "My page."}))
    notebook["cells"] = [
        cell
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" or cell["source"] == "My page."
    ]

    result = sheet(notebook, A7)

    assert result.solutions["analysis"].source == "My page."
    assert flags(result) == [("likeness", "analysis")]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf \n", "the file is empty"),
        (b"<!DOCTYPE html>", "the file is a web page"),
        (b"{}", "the file is a notebook without a cell"),
        (b"[1, 2]", "the file is a list without a cell"),
        (b"%PDF-1.7", "the file is neither a notebook nor Python"),
        (b'{"cells": [{"cell_type": "code", "source": ["def conv', "a notebook without a cell"),
        (b"[" * 1_000_000, "a list without a cell"),
    ],
)
def test_what_is_no_notebook_is_told_in_a_sentence(content, problem):
    result = sheet_of(content)

    assert problem in result.problem
    assert ": ask for the" in result.problem
    assert set(ways(result).values()) == {"missing"}


def test_of_a_notebook_cut_short_the_whole_cells_are_graded():
    content = json.dumps(notebook_of(), indent=1).encode()
    cut = content.index(b"def convolve2d") + 40

    result = sheet_of(content[:cut])

    found = {name for name, how in ways(result).items() if how == "id"}
    assert set(code_answers(A1)) - found == {"convolve2d", "conv2d"}
    assert flags(result)[0] == ("truncated", "")
    assert "ask for the file again" in result.flags[0].sentence
    assert ("missing", "conv2d") in flags(result)


def test_one_wrong_byte_in_an_answer_costs_no_more_than_its_line():
    content = good(A1).replace(b"return total // 2\\n", b"return total // 2\\q")

    result = sheet_of(content)

    assert content != good(A1)
    found = result.solutions["same-padding"]
    assert found.source.startswith(references(A1)["same-padding"].partition("return total")[0])
    assert "return total // 2" in found.source
    assert flags(result) == [("truncated", "")]


def test_a_source_whose_end_is_damaged_is_read_to_its_last_line():
    content = good(A1)
    start = content.index(b"return total // 2")
    end = content.index(b"]", start)

    result = sheet_of(content[:end] + b"x" + content[end + 1 :])

    assert {name: found.source for name, found in result.solutions.items()} == references(A1)
    assert flags(result) == [("truncated", "")]


def test_more_brackets_than_a_notebook_has_are_not_read_at_once(monkeypatch):
    monkeypatch.setattr(cells, "MAX_BRACKETS", 5)

    result = sheet_of(good(A1))

    assert set(ways(result).values()) == {"id"}
    assert flags(result) == [("truncated", "")]


def test_reading_a_damaged_file_gives_up_after_a_while(monkeypatch):
    monkeypatch.setattr(cells, "MAX_TRIED", 5_000)

    result = sheet_of(good(A1)[:-10])

    found = [name for name, how in ways(result).items() if how == "id"]
    assert 0 < len(found) < 7
    assert flags(result)[0] == ("truncated", "")


def test_bytes_that_are_no_text_are_flagged_and_the_rest_is_graded():
    content = good(A1).replace(b"# Assignment 1", b"# Assignment \xff1")

    result = sheet_of(content)

    assert set(ways(result).values()) == {"id"}
    assert flags(result) == [("encoding", "")]


def test_the_marks_of_a_script_are_read():
    source = references(A1)["same-padding"].replace("same_padding", "mine")
    mark = '# %% nbgrader={"grade_id": "same-padding", "solution": true}'

    result = sheet_of(f"import torch\n\n{mark}\n{source}\n".encode())

    assert (result.solutions["same-padding"].source, ways(result)["same-padding"]) == (source, "id")
    assert ("script", "") in flags(result)


def test_the_limits_keep_marked_cells_first():
    notebook = notebook_of()
    junk = [code("x = 1\n" * 5_000) for _ in range(100)] + [code("2")] * MAX_CELLS

    read = read_cells(json.dumps({**notebook, "cells": junk + notebook["cells"]}).encode())

    assert sum(len(cell.source) for cell in read.cells) <= MAX_SOURCE
    assert len(read.cells) <= MAX_CELLS
    assert {cell.grade_id for cell in read.cells} >= set(code_answers(A1))
    assert [flag.code for flag in read.flags] == ["large"]


def test_definitions_tell_stubs_from_answers():
    assert definitions(RIGHT) == {"odds": Definition.WHOLE}
    assert definitions(STUB) == {"odds": Definition.STUB}
    assert definitions(f"{RIGHT}\n{STUB}") == {"odds": Definition.STUB}  # the last one counts
    assert definitions(f"{STUB}\n{RIGHT}") == {"odds": Definition.WHOLE}
    assert definitions("odds = 3") == {"odds": Definition.VALUE}
    assert definitions("def odds(p") == {"odds": Definition.BROKEN}
    assert definitions("%%writefile odds.py\ndef odds(p): return 1") == {"odds": Definition.BROKEN}


@settings(deadline=None)
@given(st.text(max_size=200))
def test_definitions_of_any_text_raise_nothing(source):
    assert isinstance(definitions(source), dict)
