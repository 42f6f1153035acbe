"""A page of feedback says what was found, obeys nothing that a student wrote, and is readable."""

import html
import re
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import CHROMIUM
from bs4 import BeautifulSoup
from handmade import A1, A7, new_course, release_of, verdict_of
from hypothesis import given, settings
from hypothesis import strategies as st
from nbgrader.api import Gradebook

from course_utils.checks.registry import ASSIGNMENTS
from course_utils.grading.by_hand import ByHand
from course_utils.grading.feedback import MOST_SHOWN, feedback_page, with_code, write_feedback
from course_utils.grading.record import write

ATTACKS = [
    "<script>document.title='owned'</script>",
    "</pre></section><img src=x onerror=\"document.title='owned'\">",
    "<style>body{display:none}</style><meta http-equiv=refresh content='0;url=https://e.example/'>",
    "{{ 7*7 }} {% raw %} ${7*7} <!-- --> ]]> &lt;b&gt; </textarea></title><svg onload=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "\ud800 \x00 \x1b[31m \u202e gnitrow",
    "`<b>`` `x`",
]
KNOWN_TAGS = {"html", "head", "meta", "title", "style", "body", "header", "main", "nav", "section"}
KNOWN_TAGS |= {"footer", "h1", "h2", "h3", "p", "strong", "span", "ul", "li", "a", "pre", "code"}
KNOWN_TAGS |= {"details", "summary", "table", "thead", "tbody", "tr", "th", "td", "div"}


@pytest.fixture(scope="module")
def release():
    return release_of(A1)


@pytest.fixture(scope="module")
def release7():
    return release_of(A7)


def hostile(release, attack):
    """Return a verdict with an attack wherever something comes from a student."""
    verdict = verdict_of(release, attack.replace("/", "_"), flags=[attack], problem=attack)
    sources = {cell.grade_id: attack for cell in release.cells if cell.kind != "check"}
    exercises = tuple(replace(part, text=attack) for part in verdict.exercises)
    return replace(verdict, exercises=exercises, sources=sources)


def soup_of(page):
    return BeautifulSoup(page, "html.parser")


def text_of(page):
    return " ".join(soup_of(page).body.get_text().split())


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_a_student_wrote_becomes_markup(release7, attack):
    page = feedback_page(release7, hostile(release7, attack))

    soup = soup_of(page)
    assert {tag.name for tag in soup.find_all()} <= KNOWN_TAGS
    attributes = {name for tag in soup.find_all() for name in tag.attrs}
    assert not {name for name in attributes if name.startswith("on")} | {"src"} & attributes
    assert all(tag["href"].startswith("#") for tag in soup.find_all("a"))
    page.encode()
    assert "\0" not in page


@settings(deadline=None)
@given(st.text(st.characters()))
def test_text_between_back_ticks_is_code_and_everything_is_escaped(text):
    markup = re.sub("</?code>", "", with_code(text))

    assert "<" not in markup
    assert html.unescape(markup).replace("`", "") == text.replace("`", "")


def test_the_page_may_load_and_run_nothing(release):
    page = feedback_page(release, verdict_of(release))

    policy = soup_of(page).find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_each_exercise_tells_its_points_groups_report_and_answer(release):
    verdict = verdict_of(release, conv_output_size="def conv_output_size(n, k):\n    return n - k")
    groups = {"stride": (0.0, 2.0), "padding": (3.0, 3.0)}
    text = (
        "conv_output_size: 3 of 5 points\n  ✗ stride: 0/2\n  ✓ padding: 3/3\n"
        "conv_output_size(7, 3): 4 is wrong.\nRead chapter 3, “Stride”, on `s`."
    )
    part = replace(verdict.exercises[0], points=3.0, code="value", text=text, groups=groups)
    verdict = replace(verdict, exercises=(part, *verdict.exercises[1:]))

    soup = soup_of(feedback_page(release, verdict))

    section = soup.find("section", id="conv-output-size")
    assert section.h2.text == "1. The size of an output"
    assert section.find(class_="points").text == "3 of 5 points"
    rows = [[cell.text for cell in row.find_all(["th", "td"])] for row in section.find_all("tr")]
    assert rows[1:] == [["stride", "✗ 0 of 2"], ["padding", "✓ 3 of 3"]]
    report, answer = section.find_all("pre")
    assert report.text == "conv_output_size(7, 3): 4 is wrong.\nRead chapter 3, “Stride”, on s."
    assert report.code.text == "s"
    assert answer.text == "def conv_output_size(n, k):\n    return n - k"
    assert len(soup.find_all("section")) == 7


def test_points_and_comments_by_hand_take_the_place_of_the_machines(release7):
    given = ByHand(
        scores={"analysis": 6.5, "diagnose-check": 16.0},
        extra={"analysis": 1.0},
        comments={"analysis": "Well <i>said</i>", "diagnose": "I looked again"},
        waiting=frozenset({"hook-plot"}),
        penalty=2.0,
    )
    verdict = verdict_of(release7)

    page = feedback_page(release7, verdict, given)

    points = {section["id"]: section.find(class_="points").text for section in sections(page)}
    assert points["analysis"] == "7.5 of 8 points"
    assert points["diagnose"] == "✓ 16 of 16 points (given by a person)"
    assert points["hook-plot"] == "not graded yet, of 4 points"
    assert "Well <i>said</i>" in soup_of(page).find(id="analysis").text
    assert "I looked again" in soup_of(page).find(id="diagnose").text
    total = 16 + verdict.exercises[1].points + 7.5 - 2
    assert f"{total:g} of 40 points, and 1 answer waits for a person to grade" in text_of(page)
    assert "2 points are taken off for handing in late" in text_of(page)


def sections(page):
    return soup_of(page).find_all("section")


def test_an_untouched_answer_is_not_shown_as_the_students(release7):
    stubs = {cell.grade_id: cell.source for cell in release7.cells}

    page = feedback_page(release7, replace(verdict_of(release7), sources=stubs))

    assert "raise NotImplementedError" not in page
    assert "YOUR ANSWER HERE" not in page
    analysis = soup_of(page).find(id="analysis")
    assert analysis.find(class_="points").text == "✗ 0 of 8 points"
    assert analysis.pre.text == "Not started yet."


def test_what_could_not_be_read_is_told_first(release):
    verdict = verdict_of(release, problem="a1_convolution.ipynb is not JSON (line 3)")

    page = feedback_page(release, replace(verdict, exercises=()))

    assert "a1_convolution.ipynb is not JSON (line 3)" in text_of(page)
    assert "0 of 40 points" in text_of(page)
    assert text_of(page).count("This exercise was not judged.") == 7


def test_a_huge_answer_is_cut_off(release):
    page = feedback_page(release, verdict_of(release, convolve2d="<" * 5_000_000))

    assert len(page) < 10 * MOST_SHOWN
    assert "(the rest is cut off here)" in text_of(page)


def test_no_seed_and_no_master_source_is_on_the_page(release7):
    page = feedback_page(release7, verdict_of(release7, seed=918273645))

    assert "918273645" not in page
    assert "import torch" not in page


def test_pages_are_written_from_the_record_and_the_gradebook(release7, tmp_path):
    course = new_course(tmp_path)
    verdicts = [verdict_of(release7, student) for student in ("ana", "bia \udcff")]
    for verdict in verdicts:
        write(course, release7, verdict)
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        grade = book.find_grade("analysis", A7, A7, "bia \\udcff")
        grade.manual_score, grade.extra_credit = 5.0, 0.5
        book.find_comment("analysis", A7, A7, "bia \\udcff").manual_comment = "good"
        book.db.commit()

    paths = list(write_feedback(course, release7, verdicts))

    assert paths == [
        course / "feedback" / verdict.student / A7 / f"{A7}.html" for verdict in verdicts
    ]
    assert paths[0].read_text("utf-8") == feedback_page(release7, verdicts[0])
    given = ByHand({"analysis": 5.0}, {"analysis": 0.5}, {"analysis": "good"})
    assert paths[1].read_text("utf-8") == feedback_page(release7, verdicts[1], given)
    before = paths[0].stat().st_mtime_ns
    list(write_feedback(course, release7, verdicts))
    assert paths[0].stat().st_mtime_ns == before


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_assignment_has_titles_on_its_page(assignment):
    release = release_of(assignment)

    soup = soup_of(feedback_page(release, verdict_of(release)))

    assert soup.h1.text.startswith("Assignment ")
    titles = [section.h2.text for section in soup.find_all("section")]
    assert [title.split(".")[0] for title in titles] == [str(n + 1) for n in range(len(titles))]
    assert not [title for title in titles if "point" in title]
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(set(ids)) == len(ids)


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1000), ("dark", 320)])
def test_the_page_is_accessible_and_runs_nothing(scheme, width, browser, release7, tmp_path):
    for number, attack in enumerate(ATTACKS):
        verdict = replace(
            hostile(release7, attack), problem="" if number else "no notebook", sandbox="no sandbox"
        )
        groups = {"one": (1.0, 1.0), "two": (0.0, 1.0)}
        part = replace(verdict.exercises[0], groups=groups)
        verdict = replace(verdict, exercises=(part, *verdict.exercises[1:]))
        given = ByHand({"analysis": 5.0}, {}, {"analysis": attack}, penalty=1.0)
        path = tmp_path / f"{number}.html"
        path.write_bytes(feedback_page(release7, verdict, given).encode())
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
        page, asked, said = context.new_page(), [], []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on("console", lambda message, said=said: said.append(message.text))

        page.goto(path.as_uri())

        assert page.title() != "owned"
        assert asked == [path.as_uri()]
        assert said == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert page.evaluate("getComputedStyle(document.body).maxWidth") == "736px"
        violations = Axe().run(page).response["violations"]
        assert [violation["id"] for violation in violations] == []
        context.close()
