"""nbgrader's own pages, for students and for graders, obey nothing that a student wrote."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from handmade import A1, A7, new_course, release_of, verdict_of
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from nbgrader.preprocessors import GetGrades
from nbgrader.server_extensions.formgrader import handlers

from course_utils.grading.by_hand import ByHand
from course_utils.grading.feedback import feedback_page
from course_utils.grading.gradebook import course_config
from course_utils.grading.journal import Journal
from course_utils.grading.record import notebook_path, write
from course_utils.grading.stock_pages import FeedbackExporter, safe_markdown

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)> <svg/onload=alert(1)> <iframe src=//e.example></iframe>",
    "[a](javascript:alert(1)) <a href='jAvAsCrIpT:alert(1)'>b</a> <a href=\"data:text/html,x\">c</a>",
    "![pixel](https://e.example/pixel.png) ![](attachment:missing.png)",
    "```mermaid\n</pre><script>alert(1)</script>\n```",
    r"$\href{javascript:alert(1)}{x}$ $$\unicode{x}\style{position:fixed}{y}$$",
    "<form action=//e.example><input class=score><button class='btn mark-graded'>x</button></form>",
    "<style>*{display:none}</style><base href=//e.example><meta http-equiv=refresh content=0>",
    "</div></div></body> <div class='full-credit' id='analysis' style='position:fixed'>x</div>",
    "<math><mtext></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "\x00 \ud800 ‮",
]
LOADING = ["script", "img", "svg", "iframe", "style", "link", "base", "meta", "form", "input"]


def dangers(soup):
    """Return what a browser would run or load."""
    tags = [tag.name for tag in soup.find_all([*LOADING, "button", "object", "embed", "video"])]
    attributes = [
        f"{tag.name} {name}={value}"
        for tag in soup.find_all(True)
        for name, value in tag.attrs.items()
        if name.startswith("on")
        or name in ("src", "style", "id", "srcset", "formaction")
        or (name == "href" and not str(value).startswith(("#", "http:", "https:", "mailto:")))
    ]
    return tags + attributes


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_hostile_markdown_runs_or_loads(attack):
    html = safe_markdown(attack)

    assert dangers(BeautifulSoup(html, "html.parser")) == []
    assert "\\href" not in html
    assert "\\unicode" not in html
    assert "\\style" not in html


@settings(deadline=None)
@given(st.text(st.sampled_from("<>/='\" \n`*[]()!$\\#|:abjscrimgonhref"), max_size=60))
def test_nothing_of_any_markdown_runs_or_loads(text):
    assert dangers(BeautifulSoup(safe_markdown(text), "html.parser")) == []


def test_what_a_student_formats_is_formatted():
    html = safe_markdown(
        "## A step\n\nIt is *long*: $a < b$, `x`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        "```python\nfor x in y: pass\n```\n\n[book](https://book.example)"
    )

    soup = BeautifulSoup(html, "html.parser")
    assert soup.h2.text == "A step¶"
    assert soup.em.text == "long"
    assert "$a < b$" in soup.p.text
    assert [cell.text for cell in soup.find_all("td")] == ["1", "2"]
    assert soup.find("span", class_="k").text == "for"
    assert soup.find("a", href="https://book.example")


@pytest.fixture
def course(tmp_path, monkeypatch):
    course = new_course(tmp_path, A1, A7)
    monkeypatch.chdir(course)
    return course


def settings_for(course, template):
    """Return the course's settings with one of nbgrader's templates, as nbgrader sets it."""
    config = course_config(course)
    config.HTMLExporter.template_name = template
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    bootstrap = "static/node_modules/bootstrap/dist/css"
    config.HTMLExporter.extra_template_paths = [str(Path(handlers.__file__).parent / bootstrap)]
    return config


@pytest.mark.parametrize("attack", ATTACKS)
def test_formgraders_page_obeys_nothing_of_an_answer(attack, course):
    release = release_of(A7)
    pages = {}
    for who, text in (("harmless", "An answer."), ("hostile", attack)):
        write(
            course, release, verdict_of(release, who, analysis=text, hook_plot=text, diagnose=text)
        )
        html, _ = HTMLExporter(config=settings_for(course, "formgrade")).from_filename(
            str(notebook_path(course, who, A7)),
            resources={"base_url": "", "index": 0, "total": 1, "student": who, "notebook_id": A7},
        )
        pages[who] = BeautifulSoup(html, "html.parser")

    assert sorted(dangers(pages["hostile"])) == sorted(dangers(pages["harmless"]))
    assert pages["hostile"].find("input", id="analysis")


def page_of(course, student, assignment):
    """Return what nbgrader's feedback step writes for a student."""
    resources = {
        "nbgrader": {
            "assignment": assignment,
            "student": student,
            "notebook": assignment,
            "db_url": f"sqlite:///{course}/gradebook.db",
        }
    }
    exporter = FeedbackExporter(config=settings_for(course, "feedback"))
    exporter.register_preprocessor(GetGrades, enabled=True)
    return exporter.from_filename(str(notebook_path(course, student, assignment)), resources)


def test_nbgraders_feedback_is_the_page_of_course_feedback(course):
    release, verdict = release_of(A7), verdict_of(release_of(A7), analysis="Because.")
    with Journal.open(course, A7) as journal:
        journal.start(release.digest, verdict.seed)
        journal.add(verdict)
    write(course, release, verdict)

    page, resources = page_of(course, "ana", A7)

    waiting = frozenset({"analysis", "hook-plot"})
    assert page == feedback_page(release, verdict, ByHand(waiting=waiting))
    assert resources["output_extension"] == ".html"


def test_without_a_verdict_nbgraders_own_page_is_made_and_is_safe_too(course):
    release = release_of(A7)
    write(course, release, verdict_of(release, analysis=ATTACKS[0] + ATTACKS[1]))

    page, _ = page_of(course, "ana", A7)

    cells = BeautifulSoup(page, "html.parser").find_all(class_="text_cell")
    assert len(cells) > 3
    assert [danger for cell in cells for danger in dangers(cell) if " id=" not in danger] == []
