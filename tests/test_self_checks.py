"""Every page that teaches something asks something, and gives a reason for every option."""

import re

import pytest
from sections import CHAPTERS, cells

CONTENTS = (CHAPTERS.parent / "_toc.yml").read_text("utf-8")
PAGES = re.findall(r"file: chapters/(\w+)", CONTENTS)
LISTS = {"bibliography"}  # asks nothing


def self_checks(page):
    """Return the self-checks of a page, the text of each."""
    text = "\n\n".join(text for _, kind, text in cells(page) if kind == "markdown")
    _, _, section = text.partition("\n## Self-checks\n")
    section = re.split(r"^## ", section, maxsplit=1, flags=re.MULTILINE)[0]
    return [f"### Self-check {one}" for one in section.split("### Self-check ")[1:]]


def test_all_pages_are_known():
    assert len(PAGES) == len(set(PAGES)) == 15 + 7 + 10 + 1
    assert set(PAGES) == {path.stem for path in CHAPTERS.glob("*.*") if path.suffix != ".bib"}


@pytest.mark.parametrize("page", sorted(set(PAGES) - LISTS))
def test_self_checks_give_a_reason_for_every_option(page):
    checks = self_checks(page)

    assert len(checks) >= (4 if page[0].isdigit() else 2)
    for number, source in enumerate(checks, start=1):
        assert source.startswith(f"### Self-check {number}\n"), source
        options = re.findall(
            r'<details class="option( right)?(?: number| shape| order)?">(.*?)</details>',
            source,
            re.DOTALL,
        )
        assert len(options) >= 3, source
        assert len(options) == source.count("<details"), source
        assert [bool(right) for right, _ in options].count(True) == 1, source
        for right, text in options:
            summary, _, reason = text.partition("</summary>")
            assert summary.strip().startswith("<summary>")
            assert not re.search(r"[`$]", summary), source  # no Markdown is read there
            assert reason.startswith("\n\n"), source  # a blank line, so that Markdown is read
            verdict = "Right." if right else "Not this one."
            assert reason.strip().startswith(verdict), source
            assert len(reason.split()) >= 8, source
