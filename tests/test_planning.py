"""Which cells run for an exercise is read from their text."""

import pytest

from course_utils.grading.definitions import python_of
from course_utils.grading.planning import (
    PlannedCell,
    definitions_only,
    leaves_out,
    plan_cells,
    without_effects,
)

SETUP = ["import torch\nfrom course_utils.checks import check"]
OWN = "def answer(x):\n    return helper(x) + 1"


def sources(others, own=OWN, setup=SETUP, **more):
    return [cell.source for cell in plan_cells(setup, others, own, **more)]


def test_setup_comes_first_and_the_answer_last():
    assert sources([]) == [SETUP[0], OWN]


def test_only_cells_that_define_what_is_used_run_in_their_order():
    others = [
        "constant = 3",
        "while True: pass",
        "def helper(x):\n    return x * constant",
        "y = 1",
    ]

    assert sources(others) == [SETUP[0], others[0], others[2], OWN]


@pytest.mark.parametrize(
    "definition",
    [
        "helper = lambda x: x",
        "from math import sqrt as helper",
        "class helper: pass",
        "if True:\n    def helper(x): return x",
        "try:\n    import scipy as helper\nexcept ImportError:\n    helper = None",
        "helper: int = 3",
        "(helper, other) = (1, 2)",
        "for helper in range(3): pass",
        "with open('x') as helper: pass",
    ],
)
def test_every_way_of_defining_counts(definition):
    assert definition in sources(["print('no')", definition])


def test_what_is_used_in_methods_defaults_and_decorators_counts():
    own = "@a\nclass answer(b):\n    def method(self, x=c):\n        return d"
    others = [f"{name} = 1" for name in "abcde"]

    assert sources(others, own) == [SETUP[0], *others[:4], own]


def test_a_cell_that_shadows_a_built_in_function_is_no_helper():
    assert sources(["sum = 0"], "def answer(x):\n    return sum(x)") == [
        SETUP[0],
        "def answer(x):\n    return sum(x)",
    ]


def test_the_whole_notebook_runs_where_it_is_asked_for():
    others = ["globals()['helper'] = abs", "x = 1"]

    assert sources(others, whole=True) == [SETUP[0], *others, OWN]
    assert leaves_out(plan_cells(SETUP, others, OWN), others)
    assert not leaves_out(plan_cells(SETUP, others, OWN, whole=True), others)


def test_later_cells_of_the_master_run_only_where_they_are_used():
    setup = [*SETUP, "figure = draw()", "helper = abs"]

    assert sources([], setup=setup) == [SETUP[0], "helper = abs", OWN]


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("%matplotlib inline\nx = 1", "x = 1"),
        ("!pip install torch\nx = 1", "x = 1"),
        ("%%time\nx = 1", "x = 1"),
        ("files = !ls\nx = 1", "x = 1"),
        ("torch?\nx = 1", "x = 1"),
    ],
)
def test_magics_and_shell_lines_do_not_keep_a_cell_from_running(cell, kept):
    text = python_of(cell)

    compile(text, "cell", "exec")
    assert kept in text


def test_python_that_looks_like_a_magic_stays_as_it_is():
    source = "x = (7\n% 4)\ns = '''\n!important\n'''"

    assert python_of(source) == source


def test_of_a_cell_that_never_ends_the_definitions_are_kept():
    source = (
        "import math\nscale = 2\ndef answer(x):\n    return scale * x\n"
        "f = lambda x: g(x)\ny = answer(1)\nwhile True: pass"
    )

    assert definitions_only(source) == (
        "import math\nscale = 2\n\ndef answer(x):\n    return scale * x\nf = lambda x: g(x)"
    )


@pytest.mark.parametrize(
    "line",
    [
        "y = answer(1)",
        "y = 10 ** 10 ** 8",
        "y = 1 << 10 ** 10",
        "torch.equal = lambda *_: True",
        "torch.tables['equal'] = 1",
        "y = " + "+".join(["1"] * 1500),
        "y = " + "-" * 1500 + "1",
        "if True:\n    while True: pass",
    ],
)
def test_what_takes_long_or_changes_others_is_no_definition(line):
    assert definitions_only(f"{OWN}\n{line}") == OWN


@pytest.mark.parametrize("source", ["def (", "\0", "(" * 5000, "x = " + "-" * 50_000 + "1"])
def test_no_text_stops_the_planning(source):
    assert sources([source])[0] == SETUP[0]
    definitions_only(source)
    without_effects([PlannedCell("cell 1", source), PlannedCell("with the answer", OWN)], "answer")


def test_a_name_that_is_local_to_the_answer_calls_for_no_cell():
    own = "def area(k):\n    size = k * k\n    return max(size for k in [k])"

    assert sources(["size = 1 / 0", "k = 2"], own) == [*SETUP, own]


@pytest.mark.parametrize(
    "own",
    [
        "def area(k):\n    return size(k)",
        "def area(k):\n    global size\n    size = k\n    return size",
        "def area(k, default=size):\n    return k",
        "class Area:\n    size = size\n    def __init__(self):\n        self.size = 1",
        "area = lambda k: [size for _ in range(k)]",
        "def area(k):\n    def inner():\n        return size\n    return inner()",
        "@size\ndef area(k):\n    return k",
        "size\ndef area(k):\n    return k",
        "if True:\n    size += 1",
    ],
)
def test_a_name_that_is_looked_up_outside_calls_for_its_cell(own):
    planned = plan_cells([], ["size = 3"], own)

    assert [cell.source for cell in planned] == ["size = 3", own]


ANSWER = "def f(x):\n    return g(x)"
KEPT_WHOLE = [
    "f = partial(f, 1)",
    "f: object = partial(f, 1)",
    "del f",
    "del g",
    "if True:\n    g = other()",
    "for g in (1, 2):\n    pass",
    "with open('x') as g:\n    pass",
    "try:\n    def g(x): return x\nexcept Exception:\n    pass",
    "g, h = both()",
]
CUT = [
    "print(f(3))",
    "torch.Tensor.item = None",
    "thread.start()",
    "for n in range(3):\n    f(n)",
    "lib = load()\nlib.set()",
    "assert f(2) == 4",
    "del x",
]


@pytest.mark.parametrize("beside", KEPT_WHOLE)
def test_a_cell_stays_whole_where_what_it_does_binds_what_is_used(beside):
    cells = [PlannedCell("setup", "import torch\ntorch.rand(1)", True)]
    cells.append(PlannedCell("with the answer", f"{ANSWER}\n{beside}"))

    assert without_effects(cells, "f") == cells


@pytest.mark.parametrize("beside", CUT)
def test_what_a_cell_does_beside_is_left_out(beside):
    helper = PlannedCell("cell 1", f"def g(x):\n    return 2 * x\n{beside}")
    cells = [helper, PlannedCell("with the answer", f"{beside}\n{ANSWER}")]

    found = without_effects(cells, "f")

    assert [cell.source for cell in found] == ["def g(x):\n    return 2 * x", ANSWER]
    assert [cell.label for cell in found] == ["cell 1", "with the answer"]


@pytest.mark.parametrize(
    "source", [ANSWER, f'"""Told."""\nimport math\npass\n\n{ANSWER}  # a remark', "def f(x:"]
)
def test_a_cell_that_only_defines_stays_as_it_is_written(source):
    cells = [PlannedCell("with the answer", source)]

    assert without_effects(cells, "f") == cells
