"""What an answer would call is read from a notebook's text: the hits, the innocent, the hostile."""

import importlib
import random
from pathlib import Path

import nbformat
import pytest
from answers import package

from course_utils.checks import notebook, reading
from course_utils.checks.exercise import NO_PACKAGE
from course_utils.checks.reading import read_source
from course_utils.checks.registry import ASSIGNMENTS, exercises_by_name, exercises_of

TESTS = Path(__file__).parent
FORBIDDEN = {name: exercise.forbidden for name, (_, exercise) in exercises_by_name().items()}
NO_CONVOLUTION = FORBIDDEN["conv2d"]
SETUP = """
import functools, importlib, operator, sys
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
"""


def read(*cells, name="conv2d", forbidden=NO_CONVOLUTION):
    return read_source([SETUP, *cells], name, forbidden)


# --- hits -------------------------------------------------------------------------------------

HITS = {
    "a call": ("def conv2d(x): return F.conv2d(x)", "F.conv2d"),
    "an alias": ("conv2d = F.conv2d", "F.conv2d"),
    "a lambda": ("conv2d = lambda x: torch.conv2d(x)", "torch.conv2d"),
    "a partial": ("conv2d = functools.partial(F.conv2d, padding=1)", "F.conv2d"),
    "an import": ("from torch.nn.functional import conv2d", "conv2d"),
    "a star": ("from torch.nn.functional import *", "conv2d"),
    "a star behind the answer": (
        "def conv2d(x): return x\nfrom torch.nn.functional import *",
        "conv2d",
    ),
    "a star of a library that is not here": (
        "from scipy.signal import *\ndef conv2d(x): return convolve2d(x)",
        "convolve2d",
    ),
    "another module name": ("import torch as t\ndef conv2d(x): return t.conv2d(x)", "t.conv2d"),
    "an import in the answer": (
        "def conv2d(x):\n    from torch.nn import functional as G\n    return G.conv2d(x)",
        "G.conv2d",
    ),
    "an import that is never used": (
        "def conv2d(x):\n    from torch.nn.functional import conv2d as mine",
        "conv2d",
    ),
    "an import that may fail": (
        "try:\n    from torch.nn.functional import conv2d as c\nexcept ImportError:\n    c = None\n"
        "def conv2d(x): return c(x)",
        "c",
    ),
    "a class": ("class conv2d(nn.Conv2d): pass", "nn.Conv2d"),
    "a method": (
        "class Helper:\n    def go(self, x): return F.conv2d(x)\n"
        "def conv2d(x): return Helper().go(x)",
        "F.conv2d",
    ),
    "a module kept in a class": (
        "class Helper:\n    library = F\n    def go(self, x): return self.library.conv2d(x)\n"
        "def conv2d(x): return Helper().go(x)",
        "self.library.conv2d",
    ),
    "a module kept in a parent": (
        "class Parent:\n    def __init__(self): self.library = F\nclass Child(Parent): pass\n"
        "child = Child()\ndef conv2d(x): return child.library.conv2d(x)",
        "child.library.conv2d",
    ),
    "a module that a function gives": (
        "def library(): return F\ndef conv2d(x): return library().conv2d(x)",
        "library().conv2d",
    ),
    "a default": ("def conv2d(x, library=F): return library.conv2d(x)", "library.conv2d"),
    "a decorator": (
        "def instead(f):\n    return lambda x: torch.conv2d(x)\n@instead\ndef conv2d(x): return x",
        "torch.conv2d",
    ),
    "a wrapper made later": (
        "def conv2d(x): return F.conv2d(x)\nconv2d = functools.cache(conv2d)",
        "F.conv2d",
    ),
    "a table": (
        "table = {}\ntable['it'] = F.conv2d\ndef conv2d(x): return table['it'](x)",
        "F.conv2d",
    ),
    "a list": (
        "ways = []\nways.append(F.conv2d)\ndef conv2d(x): return ways[0](x)",
        "F.conv2d",
    ),
    "a list that grows": (
        "ways = [F.conv2d]\nways += [0]\ndef conv2d(x): return ways[0](x)",
        "F.conv2d",
    ),
    "an attribute of a function": (
        "def conv2d(x): return conv2d.way(x)\nconv2d.way = F.conv2d",
        "F.conv2d",
    ),
    "a global": (
        "way = None\ndef prepare():\n    global way\n    way = F.conv2d\nprepare()\n"
        "def conv2d(x): return way(x)",
        "F.conv2d",
    ),
    "globals()": ("globals()['conv2d'] = F.conv2d", "F.conv2d"),
    "a helper of that time": (
        "def helper(x): return F.conv2d(x)\ngood = helper\ndef helper(x): return x\n"
        "def conv2d(x): return good(x)",
        "F.conv2d",
    ),
    "a name shadowed elsewhere": (
        "def conv2d(x):\n    [0 for F in ()]\n    (lambda F: 0)(1)\n    return F.conv2d(x)",
        "F.conv2d",
    ),
    "getattr": ("def conv2d(x): return getattr(F, 'conv' + '2d')(x)", "getattr(F, 'conv' + '2d')"),
    "a module's dict": ("def conv2d(x): return F.__dict__['conv2d'](x)", "F.__dict__['conv2d']"),
    "vars": ("def conv2d(x): return vars(F)['conv2d'](x)", "vars(F)['conv2d']"),
    "attrgetter": (
        "def conv2d(x): return operator.attrgetter('nn.functional.conv2d')(torch)(x)",
        "operator.attrgetter('nn.functional.conv2d')(torch)",
    ),
    "import_module": (
        "def conv2d(x): return importlib.import_module('torch.nn.functional').conv2d(x)",
        "importlib.import_module('torch.nn.functional').conv2d",
    ),
    "import_module by another name": (
        "from importlib import import_module as load\nG = load('torch.nn.functional')\n"
        "def conv2d(x): return G.conv2d(x)",
        "G.conv2d",
    ),
    "__import__": ("def conv2d(x): return __import__('torch').conv2d(x)", ".conv2d"),
    "sys.modules": ("def conv2d(x): return sys.modules['torch'].conv2d(x)", ".conv2d"),
    "an operator": ("def conv2d(x): return torch.ops.aten.convolution(x)", "aten.convolution"),
    "an overload": ("conv2d = torch.ops.aten.conv2d.default", "aten.conv2d.default"),
    "exec": ("exec('def conv2d(x): return F.conv2d(x)')", "F.conv2d"),
    "eval": ("def conv2d(x): return eval('F.conv2d')(x)", "F.conv2d"),
    "magics around it": ("%matplotlib inline\n!ls\ndef conv2d(x): return F.conv2d(x)", "F.conv2d"),
    "another library": (
        "from scipy import signal\ndef conv2d(x): return signal.fftconvolve(x)",
        "signal.fftconvolve",
    ),
    "NumPy": ("def conv2d(x): return np.convolve(x)", "np.convolve"),
}


@pytest.mark.parametrize(("cell", "found"), HITS.values(), ids=HITS)
def test_a_forbidden_function_is_found_under_any_name(cell, found):
    assert any(found in one for one in read(cell))


def test_a_method_of_tensors_is_found_where_no_object_of_the_student_has_one():
    forbidden = FORBIDDEN["softmax"]
    own = "class Mine:\n    def softmax(self): return 1\n"
    answer = "def softmax(logits, dim=-1): return logits.softmax(dim)"

    assert read(answer, name="softmax", forbidden=forbidden) == ["logits.softmax"]
    assert read(own, answer, name="softmax", forbidden=forbidden) == []


def test_every_name_is_told_once_and_helpers_in_other_cells_are_read():
    found = read(
        "def conv2d(x): return first(x) + first(x)",
        "def first(x): return F.conv2d(x) + F.conv2d(x) + second(x)",
        "second = lambda x: nn.Conv2d(1, 1, 1)(x)",
    )

    assert sorted(found) == ["F.conv2d", "nn.Conv2d"]


PACKAGE = {
    "an alias": ("from course_utils import models as m\nbuild = lambda: m.lenet5()", "m.lenet5"),
    "an import": ("from course_utils.models import lenet5 as build", "build"),
    "a dotted import": (
        "import course_utils.models\nbuild = lambda: course_utils.models.lenet5()",
        "course_utils.models.lenet5",
    ),
    "a star": ("from course_utils.models import *\nbuild = lambda: lenet5()", "lenet5"),
    "an import in the answer": (
        "def build():\n    from course_utils.models import lenet5\n    return lenet5()",
        "lenet5",
    ),
    "import_module": (
        "def build(): return importlib.import_module('course_utils.models').lenet5()",
        "lenet5",
    ),
    "__import__": (
        "def build(): return __import__('course_utils.models').models.lenet5()",
        "lenet5",
    ),
    "a name made while it runs": (
        "import course_utils\ndef build(): return getattr(course_utils, name)()",
        "course_utils",
    ),
    "an object of another cell": (
        "from course_utils.models import lenet5\nready = lenet5()\nbuild = lambda: ready",
        "lenet5",
    ),
    "a table of answers": (
        "from course_utils.checks.a4_lenet import EXERCISES\nbuild = EXERCISES[0].oracle",
        "EXERCISES",
    ),
}


@pytest.mark.parametrize(("cell", "found"), PACKAGE.values(), ids=PACKAGE)
def test_the_package_is_found_under_any_name(cell, found):
    assert found in " ".join(read(cell, name="build", forbidden=NO_PACKAGE))


def test_what_the_notebook_imports_itself_may_be_used():
    cell = (
        "from course_utils import plots\n"
        "from course_utils.checks import broken_runs\n"
        "from course_utils.checks.broken_runs import FAULTS, fill, network, record\n"
        "def diagnose(case):\n"
        "    plots.new_figure(1, 1)\n"
        "    broken_runs.rerun(case, lambda images, seeds: fill(network(), seeds[0]))\n"
        "    return FAULTS[len(record(case))]\n"
    )
    more = cell + "    return broken_runs.NAME_OF[case]\n"
    allowed = FORBIDDEN["diagnose"]

    assert read(cell, name="diagnose", forbidden=allowed) == []
    assert read(more, name="diagnose", forbidden=allowed) == ["broken_runs.NAME_OF"]
    assert read(cell, name="diagnose", forbidden=NO_PACKAGE) != []


@pytest.mark.parametrize(
    "name", [name for name in vars(package) if "_by_" in name and name[0].islower()]
)
def test_answers_that_call_the_package_are_found_in_their_text(name):
    exercise = name.partition("_by_")[0]
    source = (TESTS / "answers" / "package.py").read_text()

    found = read_source(source, name, FORBIDDEN[exercise])

    assert bool(found) == (name != "make_lines_by_dynamic_name")


# --- the innocent -----------------------------------------------------------------------------

INNOCENT = {
    "a comparison beside it": "torch.allclose(conv2d(1), F.conv2d(1))",
    "a comparing function": "def compare(x): return (conv2d(x) - F.conv2d(x)).abs().max()",
    "a layer for fun": "layer = nn.Conv2d(1, 1, 3)\nlayer(torch.zeros(1, 1, 5, 5))",
    "a table of comparisons": "results = {}\nresults['torch'] = F.conv2d(torch.zeros(1, 1, 5, 5))",
    "an older answer that was given up": "",
}
ANSWER = "def conv2d(x):\n    return helper(x)\ndef helper(x):\n    return (x * x).sum()"


@pytest.mark.parametrize("cell", INNOCENT.values(), ids=INNOCENT)
def test_what_stands_beside_the_answer_is_no_part_of_it(cell):
    assert read("def conv2d(x): return F.conv2d(x)", ANSWER, cell) == []


@pytest.mark.parametrize(
    "cell",
    [
        "def conv2d(x):\n    'as F.conv2d(x) does'\n    return 'torch.conv2d'  # F.conv2d",
        "def conv2d(x: nn.Conv2d) -> nn.Conv2d:\n    layer: nn.Conv2d = x\n    return layer",
        "def conv2d(x):\n    conv1d, unfold = 1, []\n    unfold.append(conv1d)\n    return unfold",
        "def conv1d(x): return x\ndef conv2d(x): return conv1d(conv1d(x))",
        "class Fold:\n    def unfold(self, x): return x\n    def go(self, x): return self.unfold(x)\n"
        "def conv2d(x): return Fold().go(x)",
        "def helper(x): return F.conv2d(x)\ndef conv2d(x): return helper(x)\n"
        "def helper(x): return x",
        "def conv2d(F): return F.conv2d",
        "from mine import conv2d as other\ndef conv2d(x): return other(x)",
        "from course_utils.checks import check\ndef conv2d(x): return x\ncheck(conv2d)",
    ],
)
def test_own_names_texts_and_annotations_are_no_calls(cell):
    assert read(cell) == []


def test_a_cell_that_is_no_python_did_not_run_and_hides_no_other():
    broken = "def conv2d(x): return F.conv2d(x"

    assert read("def conv2d(x): return x", broken) == []
    assert read(broken, "def conv2d(x): return F.conv2d(x)") == ["F.conv2d"]
    assert read(broken) == []


def right_answers():
    files = [*sorted((TESTS / "answers").glob("a*_right.py"))]
    files += [TESTS / "a1_answers" / f"{name}.py" for name in ("right_sizes", "right_sliding")]
    for path in files:
        module = importlib.import_module(f"{path.parent.name}.{path.stem}")
        for name, answer in vars(module).items():
            if "_by_" in name and callable(answer) and not name.startswith("_"):
                yield pytest.param(path, name, id=name)


@pytest.mark.parametrize(("path", "name"), list(right_answers()))
def test_right_answers_name_nothing_forbidden(path, name):
    forbidden = FORBIDDEN[name.partition("_by_")[0]]

    assert read_source(path.read_text(), name, forbidden) == []


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_reference_notebooks_name_nothing_forbidden(assignment):
    path = TESTS.parent / "solutions" / assignment / f"{assignment}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]

    for exercise in exercises_of(assignment):
        assert read_source(sources, exercise.name, exercise.forbidden) == []


# --- the hostile ------------------------------------------------------------------------------

HOSTILE = {
    "nothing": "",
    "null bytes": "\0\0",
    "half a character": "x = '\ud800'",
    "brackets": "(" * 100_000,
    "signs": "-" * 100_000 + "1",
    "a sum": "conv2d = x" + "+x" * 50_000,
    "attributes": "conv2d = a" + ".b" * 50_000,
    "attributes that can be read": "conv2d = a" + ".b" * 900,
    "calls": "conv2d = f" + "()" * 50_000,
    "conditions": "conv2d = " + "x if y else " * 50_000 + "z",
    "blocks": "".join(" " * n + "if 1:\n" for n in range(99)) + " " * 99 + "conv2d = 1",
    "a name that is itself": "conv2d = conv2d\nF = F\na = b\nb = a\nconv2d = a.conv2d",
    "a class that is its own parent": "class conv2d(conv2d): pass\nx = conv2d().y",
    "functions of one another": "\n".join(
        f"def f{n}(x): return f{(n + 1) % 50}(x) or f{(n + 7) % 50}(x)" for n in range(50)
    )
    + "\ndef conv2d(x): return f0(x).conv2d",
    "one name a hundred times": "\n".join(f"conv2d = a.b{n} or conv2d" for n in range(100)),
    "texts in texts": "exec(" + repr("exec(" + repr("exec('conv2d = 1')") + ")") + ")",
    "too much": "a = 1\n" * 50_000,
    "no library": "from course_utils.nowhere import *\ndef conv2d(x): return y(x)",
    "a relative import": "from . import conv2d\nfrom .. import *",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_no_text_makes_reading_raise(source):
    assert read_source(source, "conv2d", NO_CONVOLUTION) == []
    assert read_source([SETUP, source], "conv2d", NO_PACKAGE) == []


def test_hostile_cells_hide_no_others():
    cells = [source for name, source in HOSTILE.items() if "brackets" not in name]

    found = [read(cell, "def conv2d(x): return F.conv2d(x)") for cell in cells]

    assert found.count(["F.conv2d"]) == len(cells)


def test_random_changes_of_a_text_make_no_reading_raise(monkeypatch):
    raised = []
    of = reading._Reading.of
    monkeypatch.setattr(
        reading._Reading, "of", lambda self, name: raised.append(1) or of(self, name)
    )
    source = (TESTS / "answers" / "a2_right.py").read_text()
    rng = random.Random(3)

    for _ in range(60):
        start = rng.randrange(len(source) - 2000)
        text = list(source[start : start + 2000])
        for _ in range(rng.randrange(4)):
            text[rng.randrange(len(text))] = rng.choice("()[]:\n '\"=.,\\\t@*")
        found = read_source(["".join(text)], "im2col_by_loops", NO_CONVOLUTION)
        assert isinstance(found, list)

    assert len(raised) == 60


def test_a_long_text_is_read_as_far_as_the_limit_and_an_endless_one_ends(monkeypatch):
    answer = "def conv2d(x): return F.conv2d(x)"
    monkeypatch.setattr(notebook, "MOST_CHARACTERS", 1000)
    assert read("a = 1\n" * 500, answer) == ["F.conv2d"]  # too long itself, and left out

    monkeypatch.setattr(reading, "MOST_STEPS", 20)
    assert read(answer + "".join(f" + x{n}" for n in range(100))) in ([], ["F.conv2d"])


BOUND = {
    "assignment with a type": "g: object = F.conv2d",
    "walrus": "(g := F.conv2d)",
    "loop": "for g in (F.conv2d,):\n    pass",
    "with": "with nullcontext(F.conv2d) as g:\n    pass",
    "coroutine": "async def g(x): return F.conv2d(x)",
    "addition": "g = ()\ng += (F.conv2d,)",
}
HIDDEN = {
    "exception": "try:\n        x()\n    except Exception as conv2d:\n        return conv2d(x)",
    "case": "match x:\n        case conv2d:\n            return conv2d(x)",
    "case of many": "match x:\n        case [*conv2d]:\n            return conv2d(x)",
    "case of a dict": "match x:\n        case {**conv2d}:\n            return conv2d(x)",
}


@pytest.mark.parametrize("statement", BOUND.values(), ids=BOUND)
def test_every_way_of_binding_a_name_leads_to_what_it_is_bound_to(statement):
    source = f"import torch.nn.functional as F\n{statement}\ndef answer(x): return g(x)"

    assert read_source(source, "answer", NO_CONVOLUTION) == ["F.conv2d"]


@pytest.mark.parametrize("body", HIDDEN.values(), ids=HIDDEN)
def test_what_a_function_binds_itself_is_not_what_the_notebook_binds(body):
    source = f"from torch.nn.functional import conv2d\ndef answer(x):\n    {body}"

    assert read_source(source, "answer", NO_CONVOLUTION) == []


def test_an_asynchronous_loop_binds_a_name():
    source = (
        "from torch.nn.functional import conv2d\n"
        "async def answer(x):\n    async for conv2d in x:\n        conv2d(x)"
    )

    assert read_source(source, "answer", NO_CONVOLUTION) == []
