"""What Moodle, Canvas and nbgrader pack is put where grading looks, and nothing is overwritten."""

import random
import stat
import zipfile
from pathlib import Path

import pytest
from test_collecting import A1, MARKED, MINE, NAME, zipped

from course_utils.grading import downloads
from course_utils.grading.archives import ArchiveError
from course_utils.grading.collecting import collect, submissions
from course_utils.grading.downloads import Collected, collect_download

MOODLE = "assignsubmission_file"


@pytest.fixture
def root(tmp_path) -> Path:
    return tmp_path / "Curso de visão"


def collected(root: Path, files: dict[str, bytes]) -> list[Collected]:
    root.mkdir(exist_ok=True)
    download = root / "downloads.zip"
    download.write_bytes(zipped(files))
    return collect_download(download, root, A1)


def handed_in(root: Path) -> dict[str, bytes]:
    """Return what grading would read, by student."""
    return {student: collect(path, A1).content for student, path in submissions(root, A1)}


def test_a_download_of_moodle_is_collected(root):
    found = collected(
        root,
        {
            f"Ana Souza_12345_{MOODLE}_/{NAME}": b"folders",
            f"Zoë O'Neil_7_{MOODLE}_{NAME}": b"no folders",
            f"Group A-李 小龙_8_{MOODLE}_/work/answers.zip": zipped({NAME: MINE}),
            "Ana Souza_12345_assignsubmission_onlinetext_/onlinetext.html": b"<p>hello</p>",
        },
    )

    assert handed_in(root) == {
        "Ana_Souza_12345": b"folders",
        "Group_A-李_小龙_8": MINE,
        "Zoë_O_Neil_7": b"no folders",
    }
    assert [each.sentence for each in found[:3]] == ["collected"] * 3
    assert found[0].path == root / "submitted" / "Ana_Souza_12345" / A1
    assert [each.student for each in found[3:]] == [""]
    assert "onlinetext.html names no student and was left out" in found[3].sentence


def test_a_download_of_canvas_is_collected(root):
    collected(
        root,
        {
            f"souzaana_123_456_{NAME}": b"ana",
            f"silvabob_LATE_124_457_{A1}-2.ipynb": b"bob, again",
            "liming_125_458_my_own_name.ipynb": b"ming",
        },
    )

    assert handed_in(root) == {
        "liming_125": b"ming",
        "silvabob_124": b"bob, again",
        "souzaana_123": b"ana",
    }
    assert (root / "submitted" / "silvabob_124" / A1 / NAME).is_file()


def test_folders_of_students_are_collected(root):
    collected(
        root,
        {
            f"submitted/ana/{A1}/{NAME}": b"ana",
            f"bob/{NAME}": b"bob",
            f"bob!/{NAME}": b"another bob",
            f"{A1}/{NAME}": b"of nobody",
            NAME: b"of nobody either",
        },
    )

    assert handed_in(root) == {"ana": b"ana", "bob": b"bob", "bob-1": b"another bob"}


def test_two_of_the_same_name_stay_apart(root):
    collected(
        root, {f"Ana Souza_1_{MOODLE}_/{NAME}": b"one", f"Ana Souza_2_{MOODLE}_/{NAME}": b"two"}
    )

    assert handed_in(root) == {"Ana_Souza_1": b"one", "Ana_Souza_2": b"two"}


def test_an_older_submission_is_moved_aside_and_an_equal_one_left(root):
    files = {f"ana_1_2_{NAME}": b"first"}

    said = [collected(root, files)[0].sentence for _ in range(2)]
    for content in (b"second", b"third"):
        said.append(collected(root, {f"ana_1_2_{NAME}": content})[0].sentence)

    assert said == [
        "collected",
        "it was here already",
        f"collected; what was there before is now {A1}.before-1",
        f"collected; what was there before is now {A1}.before-2",
    ]
    folder = root / "submitted" / "ana_1"
    assert {path.name: (path / NAME).read_bytes() for path in folder.iterdir()} == {
        A1: b"third",
        f"{A1}.before-1": b"first",
        f"{A1}.before-2": b"second",
    }
    assert handed_in(root) == {"ana_1": b"third"}


@pytest.mark.parametrize(
    "name",
    [
        f"../../etc_1_{MOODLE}_/../../../{NAME}",
        f"/.._1_2_{NAME}",
        f"C:\\windows_1_2_{NAME}",
        f"submitted/../{NAME}",
        f"{'x' * 300}_1_{MOODLE}_/{'y' * 300}/{'z' * 300}.ipynb",
        f"\n\x1b[31m\u202e_1_{MOODLE}_/a\nb.ipynb",
        f"con_1_{MOODLE}_/nul.ipynb",
        f"...._1_{MOODLE}_/...",
        f"李{'龙' * 100}_1_{MOODLE}_/{NAME}",
    ],
)
def test_no_name_leads_out_of_the_students_folder(root, tmp_path, name):
    found = collected(root, {name: MINE})

    outside = [path for path in tmp_path.rglob("*") if path.is_file()]
    for path in outside:
        assert path.name == "downloads.zip" or path.parent.is_relative_to(root / "submitted")
        assert len(path.relative_to(root).parts) <= 7
    assert all(each.sentence.isprintable() for each in found)


def test_links_and_locked_files_in_a_download_are_told(root):
    root.mkdir()
    link = zipfile.ZipInfo(f"ana_1_2_{NAME}")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(root / "d.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("ana_1_2_mine.ipynb", MINE)
        archive.writestr(f"bob_3_4_{NAME}", MARKED)

    ana, bob = collect_download(root / "d.zip", root, A1)

    assert "is a symbolic link and was not followed" in ana.sentence
    assert bob.sentence == "collected"
    assert handed_in(root) == {"ana_1": MINE, "bob_3": MARKED}


def test_a_student_that_is_a_link_is_not_written_into(root, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / "submitted").mkdir(parents=True)
    (root / "submitted" / "ana_1").symlink_to(elsewhere)

    found = collected(root, {f"ana_1_2_{NAME}": MINE, f"bob_3_4_{NAME}": MINE})

    assert list(elsewhere.iterdir()) == []
    assert "ana_1 is a symbolic link: put a folder in its place" in found[0].sentence
    assert handed_in(root)["bob_3"] == MINE


def test_a_file_and_a_folder_of_one_name_stop_only_their_student(root):
    found = collected(
        root,
        {
            f"ana_1_{MOODLE}_/a": b"1",
            f"ana_1_{MOODLE}_/a/{NAME}": MINE,
            f"bob_3_{MOODLE}_/{NAME}": MINE,
        },
    )

    assert found[0].sentence.startswith("nothing was collected: ")
    assert handed_in(root) == {"bob_3": MINE}


def test_files_that_are_too_many_or_too_large_are_left_out_and_told(root, monkeypatch):
    monkeypatch.setattr(downloads, "MAX_FILES", 2)
    monkeypatch.setattr(downloads, "MAX_ARCHIVE", 100)
    files = {NAME: MINE, "large.bin": b"x" * 101, "third.txt": b"3"}
    said = collected(root, {f"ana_1_{MOODLE}_/{name}": files[name] for name in files})[0].sentence

    assert said == (
        "collected; large.bin is too large and was left out; "
        "third.txt is one file too many and was left out"
    )
    assert handed_in(root) == {"ana_1": MINE}


def test_what_is_no_zip_is_told(root):
    root.mkdir()
    (root / "d.zip").write_bytes(b"no zip")

    with pytest.raises(ArchiveError, match=r"d\.zip is damaged and cannot be unpacked"):
        collect_download(root / "d.zip", root, A1)
    assert sorted(path.name for path in root.iterdir()) == ["d.zip"]


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_download_loses_no_other_student(root, seed):
    rng = random.Random(seed)
    root.mkdir()
    files = {f"s{n}_{n}_{n}_{NAME}": rng.randbytes(500) for n in range(20)}
    content = bytearray(zipped(files))
    place = content.index(files[f"s7_7_7_{NAME}"][:50]) + 60
    content[place] ^= 0xFF
    (root / "d.zip").write_bytes(content)

    found = {each.student: each for each in collect_download(root / "d.zip", root, A1)}

    assert "is damaged" in found["s7_7"].sentence
    assert found["s7_7"].path is None
    assert len(handed_in(root)) == 19
