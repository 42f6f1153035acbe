"""The appendices say what holds: links lead somewhere, commands exist, numbers are computed."""

import re
import subprocess
import sys

import nbformat
import pytest
from sections import CHAPTERS, anchor, cells, is_written, sections

from course_utils.grading import judging, limits

ROOT = CHAPTERS.parent
PAGES = sorted(path.stem for path in CHAPTERS.glob("appendix_*.*"))
NOTEBOOKS = sorted(CHAPTERS.glob("appendix_*.ipynb"))
MARKDOWN = sorted(CHAPTERS.glob("appendix_*.md"))
NUMBER = re.compile(r"(?<![\w.:/-])\d+\.\d+(?![\w/:]|\.\d)")
GENERATED = "appendix_c_numbers"

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_page = pytest.mark.parametrize("page", PAGES)


def prose(page):
    """Return the Markdown of a page without code and without what links point to."""
    text = "\n\n".join(text for _, kind, text in cells(page) if kind == "markdown")
    text = re.sub(r"```.*?```", " ", text, flags=re.DOTALL)
    return re.sub(r"`[^`]*`|\]\([^)]*\)|\$[^$]*\$", " ", text)


def test_the_appendices_are_those_that_the_course_promises():
    assert [page.split("_")[1] for page in PAGES] == list("abcdefghij")
    for page in PAGES:
        title = next(iter(sections(page)))
        assert title.startswith(f"{page.split('_')[1].upper()}. "), title


@each_page
def test_every_link_of_an_appendix_leads_to_a_heading(page):
    text = "\n".join(text for _, kind, text in cells(page) if kind == "markdown")
    links = re.findall(r"\]\(([^)#\s]+)(?:#([^)\s]+))?\)", text)
    for target, fragment in links:
        name = target.rpartition(".")[0]
        assert is_written(name), target
        if fragment:
            anchors = {anchor(name, heading).partition("#")[2] for heading in sections(name)}
            assert fragment in anchors, f"{target}#{fragment}"


@each_notebook
def test_decimals_of_a_notebook_are_computed_in_it(path):
    computed = "\n".join(text for _, kind, text in cells(path.stem) if kind == "code")
    for number in NUMBER.findall(prose(path.stem)):
        assert re.search(rf"(?<![\d.]){re.escape(number)}", computed), number


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: path.stem)
def test_decimals_of_a_page_stand_in_a_test(path):
    if path.stem == GENERATED:
        return  # test_numbers.py holds it to the tests
    tests = "\n".join(test.read_text() for test in (ROOT / "tests").glob("test_*.py"))
    for number in NUMBER.findall(prose(path.stem)):
        if number not in {"3.6", "3.8", "3.11"}:  # releases of Matplotlib and of Python
            assert re.search(rf"(?<![\d.]){re.escape(number)}", tests), number


@each_notebook
def test_notebook_is_run_once_light_and_in_normal_form(path):
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert path.stat().st_size < 200_000
    assert not re.search(r"/home/|/root/|/tmp/|/usr/|/work/", path.read_text())
    for cell in code:
        assert len(cell.source.splitlines()) <= 15, cell.source
        assert max(map(len, cell.source.splitlines())) <= 76, cell.source
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", cell.source


def test_error_dictionary_raises_each_message_with_cause_and_cure():
    page = "appendix_b_errors"
    entries = {
        heading: text
        for heading, text in sections(page).items()
        if f"### {heading}\n" in text[: len(heading) + 6] and "Self-check" not in heading
    }

    assert len(entries) >= 35
    for heading, text in entries.items():
        assert "show(" in text or "check(" in text, heading
        assert re.search(r"\n\w+(Error|Exception)\n    \S|Not started yet", text), heading
        assert "**Cause.** " in text, heading
        assert "**Cure.** " in text, heading


def test_error_dictionary_quotes_messages_as_they_are_raised():
    page = "appendix_b_errors"
    for heading, text in sections(page).items():
        if not text.startswith("### "):
            continue
        printed = " ".join(text.partition("**Cause.**")[0].split())
        cause = text.partition("**Cause.** ")[2].partition("\n")[0]
        for quoted in re.findall(r"^`([^`]+)`", cause):
            words = " ".join(quoted.split())
            assert words.replace("(s)", "") in printed.replace("(s)", ""), (heading, quoted)


def test_glossary_is_in_order_and_names_nothing_twice():
    rows = re.findall(
        r"^\| (.+?) \| (.+?) \| (.+?) \|$", (CHAPTERS / "appendix_e_glossary.md").read_text(), re.M
    )[1:]
    words = [english.lower() for english, _, _ in rows]

    assert len(words) >= 100
    assert words == sorted(words)
    assert len(set(words)) == len(words)
    assert f"{len(words)} terms" in (CHAPTERS / "appendix_e_glossary.md").read_text()


def shell_lines():
    """Return every command that an appendix shows."""
    found = set()
    for path in MARKDOWN:
        for block in re.findall(r"```shell\n(.*?)```", path.read_text(), re.DOTALL):
            found |= set(block.strip().splitlines())
        found |= set(re.findall(r"`((?:make|\.venv/bin/\w+) [^`]+)`", path.read_text()))
    return sorted(found)


@pytest.mark.parametrize("line", shell_lines())
def test_every_command_that_an_appendix_shows_exists(line):
    words = line.split()
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    if words[0] == "make":
        assert words[1] in targets
    elif words[0].endswith("course"):
        command = [sys.executable, "-m", "course_utils.grading.cli", words[1], "--help"]
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        for option in re.findall(r"--\w+", line):
            assert option in result.stdout, option
    elif words[0].endswith("dask"):
        module = f"distributed.cli.dask_{words[1]}"
        command = [sys.executable, "-m", module, "--help"]
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        for option in re.findall(r"--\w+", line):
            assert option in result.stdout, option
    else:
        assert words[0] == ".venv/bin/python", line
        assert (ROOT / words[1]).is_file(), line


def test_teaching_page_shows_every_command_of_the_course():
    text = (CHAPTERS / "appendix_h_teaching.md").read_text()

    for command in ("release", "collect", "grade", "feedback", "export", "doctor"):
        assert f"course {command}" in text, command


def test_grading_page_gives_the_limits_that_hold():
    text = (CHAPTERS / "appendix_f_grading.md").read_text()

    assert f"{limits.CPU_SECONDS} seconds of processor time" in text
    assert f"{limits.MEMORY >> 30} GiB of memory" in text
    assert "$10^{-5}$" in text
    assert "$10^{-9}$" in text


def test_the_threat_model_names_every_flag():
    text = (CHAPTERS / "appendix_j_threat_model.md").read_text()
    codes = {"forbidden", *judging.ENDS}
    for path in (ROOT / "course_utils" / "grading").glob("*.py"):
        codes |= set(re.findall(r"\b(?:Flag|note|_flag)\(\s*\"(\w+)\"", path.read_text()))

    assert len(codes) > 20
    for code in codes - {"text"}:  # told as likeness
        assert f"`{code}`" in text, code
