"""What grading found is in the gradebook and in the notebook, once, and stays what people gave."""

import math
import resource
import unicodedata
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import nbformat
import pytest
from bs4 import BeautifulSoup
from handmade import A1, A7, new_course, release_of, verdict_of
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.filters import markdown2html
from nbgrader import api
from nbgrader.api import Gradebook
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import SaveAutoGrades
from nbgrader.utils import determine_grade, is_grade
from sqlalchemy import text

from course_utils.grading.autograded import (
    autograded_notebook,
    literal,
    notebook_bytes,
    printable,
    writable,
)
from course_utils.grading.files import write_file
from course_utils.grading.record import notebook_path, open_recorder, write
from course_utils.grading.stock import CourseError

TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
HOSTILE = "\ud800 <script>alert(1)</script> \x00\x1b[31m ü ‮ \u2028 ]]> {{7*7}} `x`"


@pytest.fixture(scope="module")
def release():
    return release_of(A1)


@pytest.fixture(scope="module")
def release7():
    return release_of(A7)


@pytest.fixture
def course(tmp_path):
    return new_course(tmp_path)


def gradebook(course):
    return Gradebook(f"sqlite:///{course}/gradebook.db")


def rows(course, assignment=A1):
    """Return grades and comments by student and cell."""
    with gradebook(course) as book:
        return {
            submission.student.id: {
                **{
                    grade.name: (
                        grade.auto_score,
                        grade.manual_score,
                        grade.needs_manual_grade,
                    )
                    for notebook in submission.notebooks
                    for grade in notebook.grades
                },
                **{
                    f"comment {comment.name}": (comment.auto_comment, comment.manual_comment)
                    for notebook in submission.notebooks
                    for comment in notebook.comments
                },
            }
            for submission in book.assignment_submissions(assignment)
        }


def give(course, name, score, comment=None, student="ana"):
    """Grade an answer by hand, as formgrader does."""
    with gradebook(course) as book:
        grade = book.find_grade(name, A7, A7, student)
        grade.manual_score, grade.needs_manual_grade = score, False
        book.find_comment(name, A7, A7, student).manual_comment = comment
        book.db.commit()


def test_every_cell_is_the_masters_but_for_answers_and_outputs(release):
    notebook = autograded_notebook(release, verdict_of(release, content=b"mine"))

    for cell, master in zip(notebook.cells, release.notebook().cells, strict=True):
        assert (cell.id, cell.cell_type, cell.metadata) == (
            master.id,
            master.cell_type,
            master.metadata,
        )
        if cell.metadata.nbgrader.solution:
            assert cell.source == "# mine"
        else:
            assert cell.source == master.source
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)


@pytest.mark.parametrize("length", range(1, 8))
def test_nbgrader_reads_the_points_of_the_verdict_from_the_outputs(release7, length):
    verdict = verdict_of(release7, content=b"x" * length)

    notebook = autograded_notebook(release7, verdict)

    earned = {exercise.grade_id: exercise.points for exercise in verdict.exercises}
    for cell in notebook.cells:
        if is_grade(cell):
            points, _ = determine_grade(cell)
            assert points == earned.get(cell.metadata.nbgrader.grade_id)


@pytest.mark.parametrize("points", [-1.0, math.nan, 5.5, math.inf])
def test_points_that_nbgrader_would_read_as_others_are_refused(release, points):
    verdict = verdict_of(release)
    wrong = replace(verdict.exercises[0], points=points)

    with pytest.raises(ValueError, match=rf"points must be 0 to \d+, got {points}"):
        autograded_notebook(release, replace(verdict, exercises=(wrong,)))


def test_a_notebook_is_written_as_nbgrader_writes_it(release7):
    notebook = autograded_notebook(release7, verdict_of(release7, problem="no file"))

    assert notebook_bytes(notebook) == f"{nbformat.writes(notebook)}\n".encode()


def test_what_could_not_be_read_is_told_and_nothing_in_it_is_obeyed(release):
    verdict = verdict_of(release, problem=f"no notebook in {HOSTILE}\n# a heading")

    notebook = autograded_notebook(release, replace(verdict, exercises=()))

    nbformat.validate(notebook)
    lines = notebook.cells[0].source.splitlines()
    assert lines[0] == "**What was handed in could not be read:**"
    assert all(line.startswith("    ") for line in lines[2:])
    checks = [cell for cell in notebook.cells[1:] if cell.metadata.nbgrader.grade]
    assert {determine_grade(cell)[0] for cell in checks} == {0}
    assert all("no notebook in" in cell.outputs[0].text for cell in checks)


@settings(deadline=None)
@given(st.text(st.characters()))
def test_any_text_can_be_written_and_no_terminal_obeys_what_is_printed(text):
    writable(text).encode()

    assert "\0" not in writable(text)
    for character in set(printable(text)) - set("\n\t"):
        assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        assert unicodedata.bidirectional(character) not in TURNING
        assert character.encode()


@settings(deadline=None)
@given(st.text(st.characters()))
def test_literal_text_is_one_block_of_code_in_markdown(text):
    html = markdown2html(f"Said:\n\n{literal('x' + text)}")
    tags = [tag.name for tag in BeautifulSoup(html, "html.parser").find_all()]

    assert {*tags} <= {"p", "pre", "code", "div", "span"}
    assert tags.count("pre") == 1


def test_a_submission_is_in_the_gradebook_as_nbgrader_would_put_it(release7, course):
    verdict = verdict_of(release7, content=b"abc", analysis="Because.")

    write(course, release7, verdict)
    ours = rows(course, A7)
    resources = {"nbgrader": {"notebook": A7, "assignment": A7, "student": "ana"}}
    resources["nbgrader"]["db_url"] = f"sqlite:///{course}/gradebook.db"
    SaveAutoGrades().preprocess(autograded_notebook(release7, verdict), resources)

    grades = {name: row for name, row in ours["ana"].items() if not name.startswith("comment")}
    assert grades == {
        "diagnose-check": (verdict.exercises[0].points, None, False),
        "repair-check": (verdict.exercises[1].points, None, False),
        "analysis": (None, None, True),
        "hook-plot": (None, None, True),
    }
    assert {name: rows(course, A7)["ana"][name] for name in grades} == grades
    with gradebook(course) as book:
        submission = book.find_submission(A7, "ana")
        assert (submission.score, submission.max_score) == (verdict.points, 40)
        assert submission.needs_manual_grade
        cells = {cell.name: cell.source for cell in submission.notebooks[0].notebook.source_cells}
    assert cells == {cell.grade_id: cell.source for cell in release7.cells}


def test_the_reason_and_what_was_flagged_are_the_comment_on_the_answer(release, course):
    verdict = verdict_of(release, flags=["found by its *name*"])
    part = replace(verdict.exercises[0], code="shape", misconception="padding-once")
    verdict = replace(verdict, exercises=(part, *verdict.exercises[1:]))

    write(course, release, verdict)

    comment, _ = rows(course)["ana"]["comment conv-output-size"]
    told, _, noted = comment.partition("\n\n")
    assert told == f"{part.points:g} of {part.max_points:g} points: shape, padding-once"
    assert noted == "    found by its *name*"
    with gradebook(course) as book:
        assert book.find_submission_notebook(A1, A1, "ana").flagged


def test_writing_twice_changes_nothing(release7, course):
    verdict = verdict_of(release7, flags=["odd"])
    write(course, release7, verdict)
    give(course, "analysis", 7.0, "fine")
    with gradebook(course) as book:
        book.find_submission_notebook(A7, A7, "ana").flagged = False  # a person has looked
        book.db.commit()
    path = notebook_path(course, "ana", A7)
    before = rows(course, A7), path.read_bytes(), path.stat().st_mtime_ns

    write(course, release7, verdict)

    assert (rows(course, A7), path.read_bytes(), path.stat().st_mtime_ns) == before
    with gradebook(course) as book:
        assert not book.find_submission_notebook(A7, A7, "ana").flagged


def test_points_by_hand_stay_when_another_part_was_handed_in_anew(release7, course):
    first = verdict_of(release7, content=b"1", analysis="Because.")
    write(course, release7, first)
    give(course, "analysis", 7.0, "fine")
    second = verdict_of(release7, content=b"22", analysis="Because.")

    write(course, release7, second)

    assert second.exercises[0].points != first.exercises[0].points
    found = rows(course, A7)["ana"]
    assert found["diagnose-check"] == (second.exercises[0].points, None, False)
    assert found["analysis"] == (None, 7.0, False)
    assert found["comment analysis"] == (None, "fine")
    assert found["hook-plot"] == (None, None, True)


def test_points_by_hand_for_another_answer_are_kept_as_a_comment_only(release7, course):
    write(course, release7, verdict_of(release7, analysis="Because."))
    give(course, "analysis", 7.0, "**fine**")

    for _ in range(2):
        write(course, release7, verdict_of(release7, analysis="Because of the step."))

    found = rows(course, A7)["ana"]
    assert found["analysis"] == (None, None, True)
    assert found["comment analysis"] == (
        "The answer has changed since it was graded by hand. Then a person gave 7 points. "
        "It was said:\n\n    **fine**",
        None,
    )


def test_without_the_old_notebook_the_verdict_before_tells_what_a_person_saw(release7, course):
    first = verdict_of(release7, analysis="Because.")
    write(course, release7, first)
    give(course, "analysis", 7.0)
    notebook_path(course, "ana", A7).unlink()

    write(course, release7, first, before=first)
    same = rows(course, A7)["ana"]["analysis"]
    notebook_path(course, "ana", A7).unlink()
    write(course, release7, verdict_of(release7, analysis="No."), before=first)

    assert same == (None, 7.0, False)
    assert rows(course, A7)["ana"]["analysis"] == (None, None, True)


def test_if_nobody_knows_what_a_person_saw_the_points_stay_and_are_looked_at(release7, course):
    write(course, release7, verdict_of(release7, analysis="Because."))
    give(course, "analysis", 7.0, "fine")
    notebook_path(course, "ana", A7).unlink()

    write(course, release7, verdict_of(release7, analysis="Because."))

    assert rows(course, A7)["ana"]["analysis"] == (None, 7.0, True)
    assert rows(course, A7)["ana"]["comment analysis"] == (None, "fine")


def test_an_answer_by_hand_that_is_still_the_stub_earns_nothing_at_once(release7, course):
    stubs = {cell.grade_id.replace("-", "_"): cell.source for cell in release7.cells}

    write(course, release7, verdict_of(release7, analysis=stubs["analysis"]))
    nothing = rows(course, A7)["ana"]
    write(course, release7, verdict_of(release7, analysis="Because."))

    assert nothing["analysis"] == (0.0, None, False)
    assert nothing["comment analysis"] == ("No response.", None)
    assert rows(course, A7)["ana"]["analysis"] == (None, None, True)
    assert rows(course, A7)["ana"]["comment analysis"] == (None, None)


def test_points_that_a_person_overruled_stay_and_are_looked_at_when_the_machines_change(
    release7, course
):
    first = verdict_of(release7, content=b"1")
    write(course, release7, first)
    with gradebook(course) as book:
        grade = book.find_grade("diagnose-check", A7, A7, "ana")
        grade.manual_score, grade.needs_manual_grade = 9.0, False
        book.db.commit()

    write(course, release7, first)
    same = rows(course, A7)["ana"]["diagnose-check"]
    second = verdict_of(release7, content=b"22")
    write(course, release7, second)

    assert same == (first.exercises[0].points, 9.0, False)
    assert rows(course, A7)["ana"]["diagnose-check"] == (second.exercises[0].points, 9.0, True)


def test_any_text_of_a_student_can_be_recorded(release, course):
    verdict = verdict_of(release, "zoë \udcff", flags=[HOSTILE], convolve2d=HOSTILE)
    part = replace(verdict.exercises[0], text=HOSTILE)

    write(course, release, replace(verdict, exercises=(part, *verdict.exercises[1:])))

    path = notebook_path(course, "zoë \udcff", A1)
    cells = {cell.id: cell for cell in nbformat.read(path, 4).cells}
    assert "<script>alert(1)</script> \\x00\x1b[31m" in cells["convolve2d"].source
    assert "\x1b" not in cells["conv-output-size-check"].outputs[0].text
    assert list(rows(course)) == ["zoë \\udcff"]


@pytest.mark.parametrize("student", ["", ".", "..", "../ana", "a/b"])
def test_a_student_who_is_no_folder_is_refused(student, release, course):
    with pytest.raises(ValueError, match="student must be the name of a folder"):
        write(course, release, verdict_of(release, student))


LATE = datetime(2026, 3, 1, 12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01 12:00:00.000 UTC\n", LATE),
        ("2026-03-01 13:00:00 Europe/Berlin", LATE),
        ("soon", None),
        ("", None),
        ("9" * 99, None),
        ("2026-03-01 12:00:00" + " " * 100, None),
    ],
)
def test_the_time_of_handing_in_is_read_as_nbgrader_reads_it(text, expected, release, course):
    folder = course / "submitted" / "ana" / A1
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text(text)

    write(course, release, verdict_of(release))

    with gradebook(course) as book:
        assert book.find_submission(A1, "ana").timestamp == expected


def test_a_timestamp_that_leads_elsewhere_is_not_followed(release, course, tmp_path):
    folder = course / "submitted" / "ana" / A1
    folder.mkdir(parents=True)
    (tmp_path / "elsewhere").write_text("2026-03-01 12:00:00")
    (folder / "timestamp.txt").symlink_to(tmp_path / "elsewhere")

    write(course, release, verdict_of(release))

    with gradebook(course) as book:
        assert book.find_submission(A1, "ana").timestamp is None
    assert not notebook_path(course, "ana", A1).with_name("timestamp.txt").exists()


@pytest.mark.parametrize(("method", "kept"), [("none", 1.0), ("zero", 0.0)])
def test_handing_in_late_costs_what_nbgraders_settings_say(method, kept, release, course):
    with (course / "nbgrader_config.py").open("a") as file:
        file.write(f"\nc.LateSubmissionPlugin.penalty_method = {method!r}\n")
    folder = course / "submitted" / "ana" / A1
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text("2026-03-01 12:00:00")
    verdict = verdict_of(release)
    write(course, release, verdict)
    for due, expected in [(LATE - timedelta(hours=1), kept), (LATE, 1.0), (None, 1.0)]:
        with gradebook(course) as book:
            book.find_assignment(A1).duedate = due
            book.db.commit()

        write(course, release, verdict)

        with gradebook(course) as book:
            submission = book.find_submission(A1, "ana")
            left = submission.score - submission.late_submission_penalty
            assert left == pytest.approx(verdict.points * expected)


def test_many_submissions_are_written_at_once_or_not_at_all(release, course):
    verdicts = [verdict_of(release, f"s{n}", content=b"x" * n) for n in range(30)]
    bad = replace(verdicts[-1], exercises=(replace(verdicts[-1].exercises[0], points=99.0),))

    with open_recorder(course, release) as recorder:
        recorder.write([recorder.submission(verdict, None) for verdict in verdicts[:20]])
        with pytest.raises(ValueError, match="points must be"):
            recorder.write([recorder.submission(verdict, None) for verdict in [*verdicts, bad]])

    assert set(rows(course)) == {f"s{n}" for n in range(20)}
    with gradebook(course) as book:
        scores = {row["student"]: row["score"] for row in book.submission_dicts(A1)}
    assert scores == {verdict.student: verdict.points for verdict in verdicts[:20]}


def test_a_gradebook_with_submissions_of_another_release_is_left_alone(release, course):
    write(course, release, verdict_of(release))
    before = rows(course)
    notebook = release.notebook()
    del notebook.cells[-1]
    other = type(release)(A1, notebook)

    with pytest.raises(CourseError, match="with other cells than the release has"):
        write(course, other, verdict_of(other))

    assert rows(course) == before


def test_a_prompt_that_was_worded_anew_is_kept_in_the_gradebook(release, course):
    write(course, release, verdict_of(release))
    notebook = release.notebook()
    notebook.cells[0].source = "# A better title"

    write(course, type(release)(A1, notebook), verdict_of(release))

    with gradebook(course) as book:
        assert book.find_source_cell("title", A1, A1).source == "# A better title"
        assert book.find_submission(A1, "ana").score == verdict_of(release).points


@contextmanager
def no_file_over(size):
    """Let every write fail that makes a file longer, as a full disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_is_told_in_a_sentence_and_loses_nothing(course, release):
    write(course, release, verdict_of(release))
    before = rows(course)
    large = verdict_of(release, "bia", flags=["x" * 200_000])

    with no_file_over(300_000), pytest.raises(CourseError, match="cannot be used") as caught:
        write(course, release, large)

    assert "\n" not in str(caught.value)
    assert rows(course) == before
    write(course, release, large)
    assert set(rows(course)) == {"ana", "bia"}


@pytest.mark.parametrize("lost", ["DROP TABLE alembic_version", "DELETE FROM alembic_version"])
def test_a_gradebook_whose_making_was_interrupted_is_finished(lost, course, release, monkeypatch):
    monkeypatch.setattr(api, "get_alembic_version", lambda: "newest")  # which takes seconds
    with gradebook(course) as book, book.engine.begin() as connection:
        connection.execute(text(lost))

    write(course, release, verdict_of(release))

    with gradebook(course) as book, book.engine.begin() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).all() == [
            ("newest",)
        ]


def test_a_gradebook_that_may_not_be_written_is_told_in_a_sentence(course, release):
    write(course, release, verdict_of(release))
    before = rows(course)
    with (course / "nbgrader_config.py").open("a") as file:
        name = f"sqlite:///file:{course}/gradebook.db?mode=ro&uri=true".replace(" ", "%20")
        file.write(f"\nc.CourseDirectory.db_url = {name!r}\n")

    with pytest.raises(CourseError, match=r"cannot be used .*readonly database"):
        write(course, release, verdict_of(release, "bia"))

    assert rows(course) == before


def test_a_database_that_this_python_cannot_speak_with_is_named(course, release):
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("\nc.CourseDirectory.db_url = 'postgresql+pg8000://me:secret@host/grades'\n")

    with pytest.raises(CourseError, match=r'run pip install "psycopg\[binary\]"') as caught:
        write(course, release, verdict_of(release))

    assert "secret" not in str(caught.value)


def test_a_file_is_whole_or_as_it_was(tmp_path):
    path = tmp_path / "folder" / "file"
    write_file(path, b"first", 0o444)

    with no_file_over(100_000), pytest.raises(OSError, match="File too large") as caught:
        write_file(path, b"x" * 200_000)

    assert caught.value.filename == str(path)
    assert [file.name for file in path.parent.iterdir()] == ["file"]
    assert path.read_bytes() == b"first"
    assert path.stat().st_mode & 0o777 == 0o444
    write_file(path, b"second")
    assert path.read_bytes() == b"second"
