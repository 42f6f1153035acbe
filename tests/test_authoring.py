"""The authoring page's exercise is complete, and its command finds what is wrong with an exercise."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import exercises
import pytest

from course_utils.checks import references, registry
from course_utils.checks.drawing import DTYPES
from course_utils.checks.exercise import REFUSALS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "chapters" / "appendix_i_authoring.md").read_text()
TEMPLATE = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]


def solution(x, slope=0.01):
    if slope < 0:
        raise ValueError(f"slope must be at least 0, got {slope}")
    return x.clamp(min=0) + slope * x.clamp(max=0)


@pytest.fixture
def install(monkeypatch, tmp_path):
    """Put a module of exercises into the registry, with its references, for one test."""

    def put(change=lambda exercise: exercise):
        module = ModuleType("course_utils.checks.a8_activation")
        exec(compile(TEMPLATE, "a8_activation.py", "exec"), vars(module))
        module.EXERCISES = tuple(map(change, module.EXERCISES))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(registry, "ASSIGNMENTS", {"a8_activation": ("a8_activation",)})
        monkeypatch.setattr(references, "FOLDER", tmp_path)
        monkeypatch.setattr(exercises, "reference_answers", lambda *_: {"leaky_relu": solution})
        forget()
        references.store_references("a8_activation", tmp_path)

    yield put
    monkeypatch.undo()
    forget()


def forget():
    for function in (registry.exercises_of, registry.exercises_by_name, references._load):
        function.cache_clear()


def test_the_pages_template_is_an_exercise_with_which_nothing_is_wrong(install, capsys):
    install()

    assert exercises.main(["leaky_relu"]) == 0
    assert "| leaky_relu | 4 | 7 | 5 | 5 | 5/5 | 5/5 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            lambda e: replace(
                e,
                cases=tuple(case for case in e.cases if case.group != REFUSALS),
                groups={"slope": 2, "default": 1, DTYPES: 1},
                draw=lambda rng: [case for case in e.draw(rng) if case.group != REFUSALS],
            ),
            "negative-slope-accepted loses nothing",
        ),
        (
            lambda e: replace(e, misconceptions=(*e.misconceptions, replace(e.misconceptions[0], name="twin"))),
            "not-leaky and twin do the same",
        ),
        (
            lambda e: replace(e, misconceptions=(replace(e.misconceptions[0], answer=solution),)),
            "not-leaky loses nothing",
        ),
        (
            lambda e: replace(e, oracle=lambda x, slope=0.01: e.oracle(x, slope) + 1),
            "the reference, seed None",
        ),
    ],
    ids=["a case is missing", "two are the same", "a right answer", "another oracle"],
)  # fmt: skip
def test_the_command_says_what_is_wrong_with_an_exercise(change, fault, install, capsys):
    install(change)

    assert exercises.main(["leaky_relu"]) == 1
    assert f"leaky_relu: {fault}" in capsys.readouterr().out


def test_an_unknown_exercise_is_told_with_those_there_are():
    command = [sys.executable, "tools/exercises.py", "magic"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert result.returncode == 2
    assert result.stderr.startswith("no exercise is called 'magic'; there are conv_output_size")
