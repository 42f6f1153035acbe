"""The commands that the texts show exist, and what goes wrong is told in a sentence."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils.checks.registry import ASSIGNMENTS

ROOT = Path(__file__).parents[1]
TEXTS = ["README.md", "CONTRIBUTING.md", "index.md", "chapters/a1_convolution.md"]
TEXTS += [f"chapters/appendix_{letter}" for letter in ("h_teaching.md", "i_authoring.md")]
TEXTS += [f"chapters/{name}.md" for name in ASSIGNMENTS if name != "a1_convolution"]
TARGETS = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def commands(kind):
    """Every command of a kind that a text shows, in a block or in back-ticks."""
    found = set()
    for name in TEXTS:
        text = (ROOT / name).read_text()
        code = re.findall(r"```shell\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text)
        for line in "\n".join(code).splitlines():
            if re.match(kind, line.strip()):
                found.add(line.strip())
    return sorted(found)


@pytest.mark.parametrize("command", commands(r"make "))
def test_every_make_command_that_a_text_shows_exists(command):
    assert command.split()[1] in TARGETS


@pytest.mark.parametrize("command", commands(r"(\.venv/bin/)?course "))
def test_every_course_command_that_a_text_shows_exists(command):
    name = command.partition("course ")[2].split()[0]
    result = subprocess.run(
        [sys.executable, "-m", "course_utils.grading.cli", name, "--help"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr


def test_make_help_lists_every_target():
    command = ["make", "--no-print-directory", "help"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert {line.split()[1] for line in result.stdout.splitlines()} == set(TARGETS)


def test_readme_is_short_and_its_links_lead_somewhere():
    text = (ROOT / "README.md").read_text()

    assert len(text.splitlines()) < 80
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (ROOT / target).exists(), target


def test_ci_runs_the_same_command_as_people():
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make test"
    assert "bash .ci/run" in (ROOT / ".github/workflows/test.yml").read_text()
    assert "make book" in (ROOT / ".github/workflows/book.yml").read_text()


def test_what_is_installed_is_what_is_pinned():
    result = subprocess.run(
        [sys.executable, "-m", "course_utils.grading.cli", "doctor"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout


def test_every_dependency_of_the_package_is_pinned():
    pinned = {
        line.partition("==")[0]
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if "==" in line
    }
    declared = re.findall(
        r'^  "([a-z0-9-]+)[^"]*",\s*#', (ROOT / "pyproject.toml").read_text(), re.M
    )

    assert len(declared) >= 15
    assert set(declared) <= pinned


@pytest.mark.parametrize("target", ["book", "release"])
def test_make_in_a_read_only_folder_says_what_to_do(target):
    if not shutil.which("bwrap"):
        pytest.skip("needs bubblewrap: apt-get install bubblewrap")
    result = subprocess.run(
        ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "make", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "MAKEFLAGS": ""},
    )

    assert result.returncode != 0
    assert "This folder cannot be written to: copy the course to one that can" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


def test_make_without_a_python_that_is_new_enough_says_so(tmp_path):
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)

    result = subprocess.run(
        ["make", "book", "PYTHON="], cwd=tmp_path, capture_output=True, text=True
    )

    assert result.returncode != 0
    assert "No Python 3.11 or newer is found" in result.stdout
