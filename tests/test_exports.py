"""Grades go to a spreadsheet, Moodle or Canvas as they are, and no cell is run."""

import csv
from datetime import datetime

import pytest
from handmade import A1, A7, new_course, release_of, verdict_of
from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin

from course_utils.grading.exports import export_grades
from course_utils.grading.record import write
from course_utils.grading.stock import CourseError

FORMULAS = ["=cmd|' /C calc'!A1", "+1+1", "-1+1", "@SUM(A1)", "\t=1"]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Two assignments, two students who handed in one or both, and a late one."""
    course = new_course(tmp_path_factory.mktemp("exports"))
    a1, a7 = release_of(A1), release_of(A7)
    for student in ("ana", "bia, the second"):
        write(course, a1, verdict_of(a1, student, content=student.encode()))
    write(course, a7, verdict_of(a7, "ana"))
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        book.update_or_create_student(
            "ana", first_name="Ana", last_name="Sá", email="ana@example.org", lms_user_id="4711"
        )
        book.add_student("caio")
        book.find_assignment(A1).duedate = datetime(2026, 3, 1)
        book.find_submission(A1, "ana").timestamp = datetime(2026, 3, 2)
        book.find_submission_notebook(A1, A1, "ana").late_submission_penalty = 1.5
        book.db.commit()
    return course


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def points(student, assignment=A1, content=None):
    verdict = verdict_of(release_of(assignment), student, content=content or student.encode())
    return verdict.points


def test_nbgraders_table_is_the_one_that_nbgrader_writes(course, tmp_path):
    path = tmp_path / "ours.csv"

    n_waiting = export_grades(course, path)

    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        CsvExportPlugin(to=str(tmp_path / "theirs.csv")).export(book)
    theirs = (tmp_path / "theirs.csv").read_text().splitlines()  # in which nothing is quoted
    assert sorted(",".join(row) for row in read(path)) == sorted(theirs)
    ours = read(path)
    assert len(ours) == 1 + 2 * 3
    assert n_waiting == 1


def test_moodles_table_has_a_row_for_each_student(course, tmp_path):
    export_grades(course, tmp_path / "grades.csv", "moodle")

    rows = read(tmp_path / "grades.csv")
    assert rows == [
        ["Username", "Email address", "First name", "Last name", A1, A7],
        [
            "ana",
            "ana@example.org",
            "Ana",
            "Sá",
            f"{points('ana') - 1.5:g}",
            f"{points('ana', A7, b'1'):g}",
        ],
        ["bia, the second", "", "", "", f"{points('bia, the second'):g}", ""],
        ["caio", "", "", "", "", ""],
    ]


def test_canvass_table_has_the_points_to_be_had_and_the_assignments_numbers(course, tmp_path):
    export_grades(course, tmp_path / "grades.csv", "canvas", [A1], {A1: "815"})

    rows = read(tmp_path / "grades.csv")
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", f"{A1} (815)"],
        ["    Points Possible", "", "", "", "", "40"],
        ["Sá, Ana", "4711", "", "ana", "", f"{points('ana') - 1.5:g}"],
        ["bia, the second", "", "", "bia, the second", "", f"{points('bia, the second'):g}"],
        ["caio", "", "", "caio", "", ""],
    ]


@pytest.mark.parametrize("kind", ["nbgrader", "moodle", "canvas"])
def test_no_cell_is_a_formula(kind, tmp_path):
    course, release = new_course(tmp_path), release_of(A1)
    for formula in FORMULAS:
        write(course, release, verdict_of(release, formula.replace("/", "")))
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        book.find_student("+1+1").first_name = "=1+1"
        book.find_student("+1+1").email = "@x.example\r\n=2"
        book.db.commit()

    export_grades(course, tmp_path / "grades.csv", kind)

    cells = [cell for row in read(tmp_path / "grades.csv") for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "'-1+1" in cells
    assert not [cell for cell in cells if "\n" in cell or "\r" in cell]


def test_a_kind_that_does_not_exist_is_told(course, tmp_path):
    with pytest.raises(CourseError, match="as nbgrader, moodle, canvas, not as 'excel'"):
        export_grades(course, tmp_path / "grades.csv", "excel")


def test_an_empty_gradebook_is_told(tmp_path):
    with pytest.raises(CourseError, match="nothing is graded yet"):
        export_grades(new_course(tmp_path), tmp_path / "grades.csv")

    assert not (tmp_path / "grades.csv").exists()
