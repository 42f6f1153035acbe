"""What reaches beyond an answer is read from its text, and a right answer is not accused."""

from pathlib import Path

import pytest
from good_submissions import references

from course_utils.checks.registry import ASSIGNMENTS
from course_utils.grading.reaching import reaches

TESTS = Path(__file__).parent
ANSWERS = [*TESTS.glob("answers/*_right.py"), *TESTS.glob("a1_answers/right*.py")]


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("import sys\nx = sys._getframe(1).f_globals", ["f_globals", "_getframe"]),
        ("x = getattr(sys, '_getframe')", ["_getframe"]),
        ("from ctypes import string_at", ["ctypes"]),
        ("import os.path, gc", ["gc"]),
        ("torch.equal = always", ["torch.equal"]),
        ("del np.float64", ["np.float64"]),
        ("x = sys.modules['a']", ["sys.modules"]),
        ("eval('1')", ["eval"]),
        ("from torch._C import _ExcludeDispatchKeyGuard", ["_C"]),
        ("from os import path, _exit", ["_exit"]),
        ("from importlib import import_module", ["import_module", "importlib"]),
        ("torch._C._DisableTorchDispatch()", ["_C"]),
        ("%time x = 1\nimport signal", ["signal"]),
    ],
)
def test_what_reaches_is_named(source, named):
    assert reaches([source]) == named


@pytest.mark.parametrize("source", ["model.eval()", "re.compile('a')", "def (", "x" * 300_000, ""])
def test_what_only_looks_so_is_not(source):
    assert reaches([source]) == []


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_no_right_answer_reaches(path):
    assert reaches([path.read_text()]) == []


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_no_reference_reaches(assignment):
    assert reaches(references(assignment).values()) == []
