"""One submission from the disk: folders, archives in archives, links, limits; nothing is written."""

import bz2
import gzip
import io
import json
import os
import random
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_utils.grading import archives, collecting
from course_utils.grading.collecting import collect, submissions

A1 = "a1_convolution"
NAME = f"{A1}.ipynb"
MINE = b'{"cells": [], "mine": 1}'
MARKED = b'{"cells": [{"metadata": {"nbgrader": {"solution": true}}}]}'


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "submitted" / "ana" / A1
    folder.mkdir(parents=True)
    return folder


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def taken(folder: Path) -> tuple[bytes, list[str], str]:
    handed = collect(folder, A1)
    assert (handed.student, handed.assignment) == ("ana", A1)
    return handed.content, [flag.code for flag in handed.flags], handed.problem


def sentence(folder: Path, code: str) -> str:
    return next(flag.sentence for flag in collect(folder, A1).flags if flag.code == code)


def test_only_the_file_that_the_assignment_names_is_taken(folder):
    put(folder, {NAME: MINE, "other.ipynb": MARKED, "torch.py": b"1", "x.zip": b"PK\x03\x04broken"})

    assert taken(folder) == (MINE, [], "")


@pytest.mark.parametrize(
    "name",
    [
        "a1.ipynb",
        f"{A1} (1).ipynb",
        f"{A1}-Copy1.ipynb",
        f"{NAME}.txt",
        NAME.upper(),
        "work/a/b/mine.ipynb",
        "minhas respostas é.ipynb",
    ],
)
def test_the_only_notebook_stands_for_a_missing_one_and_is_flagged(folder, name):
    put(folder, {name: MINE, "notes.txt": b"hello", f".ipynb_checkpoints/{NAME}": MARKED})
    put(folder, {f"work/.ipynb_checkpoints/{A1}-checkpoint.ipynb": MARKED, f"._{NAME}": b"\0"})

    assert taken(folder) == (MINE, ["renamed"], "")
    assert f"{NAME} is missing; {name} was taken" in sentence(folder, "renamed")


def test_the_named_file_in_a_folder_of_its_own_needs_no_flag(folder):
    put(folder, {f"{A1}/{NAME}": MINE, f"{A1}/course_utils/checks/check.py": b"1"})

    assert taken(folder) == (MINE, [], "")


def test_of_several_the_likest_with_marks_is_taken_and_flagged(folder):
    put(folder, {"Untitled.ipynb": MARKED, f"{A1}-old.ipynb": MINE, f"{A1} (2).ipynb": MARKED * 2})

    content, codes, problem = taken(folder)

    assert (content, codes, problem) == (MARKED * 2, ["several"], "")
    assert "3 different notebooks" in sentence(folder, "several")


def test_an_empty_file_does_not_stand_for_the_notebook(folder):
    put(folder, {NAME: b"", f"{A1} (1).ipynb": MINE})

    assert taken(folder)[0] == MINE


def test_equal_copies_are_one_notebook(folder):
    put(folder, {f"{A1} (1).ipynb": MINE, f"{A1} (2).ipynb": MINE})

    assert taken(folder) == (MINE, ["renamed"], "")


def test_a_script_alone_is_taken(folder):
    put(folder, {f"{A1}.py": b"def conv2d(): pass"})

    assert taken(folder) == (b"def conv2d(): pass", ["renamed"], "")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, f"{NAME} is missing, nothing is there: ask for the notebook"),
        ({"a.pdf": b"1", "b.docx": b"2"}, f"{NAME} is missing, there is only a.pdf, b.docx: ask"),
        ({"1/2/3/4/a.ipynb": MINE}, f"{NAME} is missing, nothing is there"),
        ({"a.rar": b"Rar!\x1a\x07"}, "a.rar is a rar archive, which is not opened here"),
        ({"a.zip": b"PK\x03\x04 and nothing"}, "a.zip is damaged and cannot be unpacked"),
        ({"a.zip": b"no zip at all"}, "a.zip is no archive that can be opened: ask for it again"),
        ({"a.gz": gzip.compress(MINE)}, f"{NAME} is missing, there is only a.gz/a: ask"),
    ],
)
def test_where_no_notebook_is_one_sentence_says_why(folder, files, problem):
    put(folder, files)

    content, _, told = taken(folder)

    assert content == b""
    assert told.startswith(problem)


def test_a_folder_that_is_not_there_is_told(folder):
    handed = collect(folder.parent / "a2_pooling", "a2_pooling")

    assert handed.problem.startswith("a2_pooling cannot be read (No such file or directory)")


@pytest.mark.parametrize(
    "content",
    [
        zipped({NAME: MINE}),
        zipped({f"Homework/{A1}/{NAME}": MINE, "__MACOSX/._x.ipynb": b"\0", "readme.txt": b"1"}),
        zipped({f"Homework\\{A1}\\{NAME}": MINE}, zipfile.ZIP_STORED),
        zipped({"inner.zip": zipped({"more.zip": zipped({NAME: MINE})})}),
        zipped({"work.tgz": tarred({f"./{A1}/{NAME}": MINE})}),
        tarred({NAME: MINE}),
        tarred({NAME: MINE}, "w"),
        tarred({NAME: MINE}, "w:bz2"),
        tarred({NAME: MINE}, "w:xz"),
    ],
    ids=range(9),
)
def test_archives_are_opened_in_a_folder_and_in_its_place(folder, content):
    put(folder, {"homework.zip": content})
    assert taken(folder) == (MINE, [], "")

    beside = folder.parent / f"{A1}.zip"
    beside.write_bytes(content)
    assert taken(beside) == (MINE, [], "")


def test_a_packed_notebook_under_its_own_name_is_opened(folder):
    put(folder, {NAME: zipped({"a.ipynb": MINE})})
    assert taken(folder) == (MINE, ["renamed"], "")

    put(folder, {NAME: gzip.compress(MINE)})
    assert taken(folder)[0] == MINE


def test_a_notebook_alone_is_a_submission(folder):
    beside, inside = folder.parent / NAME, folder / NAME
    beside.write_bytes(MINE)
    inside.write_bytes(MARKED)

    assert taken(beside) == (MINE, [], "")
    assert taken(inside) == (MARKED, [], "")


@pytest.fixture
def secret(tmp_path) -> Path:
    secret = tmp_path / "secret"
    put(secret, {NAME: b"the secret"})
    return secret


def test_links_to_files_are_not_followed(folder, secret):
    (folder / NAME).symlink_to(secret / NAME)
    assert taken(folder)[:2] == (b"", ["link"])
    assert f"{NAME} is a symbolic link and was not followed" in taken(folder)[2]

    put(folder, {"mine.ipynb": MINE})
    assert taken(folder) == (MINE, ["link", "renamed"], "")


def test_links_to_folders_are_not_followed_on_any_part_of_the_way(folder, secret):
    (folder / "inner").symlink_to(secret)
    assert taken(folder)[:2] == (b"", ["link"])

    (folder.parent / "a9").symlink_to(secret)
    assert collect(folder.parent / "a9", A1).content == b""
    folder.parent.with_name("eva").symlink_to(folder.parent)
    put(folder, {NAME: MINE})
    handed = collect(folder.parent.with_name("eva") / A1, A1)
    assert (handed.student, handed.content) == ("eva", b"")
    assert handed.problem.startswith("eva is a symbolic link")


def test_a_link_that_appears_after_the_look_is_not_followed(folder, secret):
    (folder / NAME).symlink_to(secret / NAME)

    with pytest.raises(OSError, match="symbolic links"):
        collecting.read_plain(folder / NAME, 10)


def test_links_in_archives_are_not_followed(folder):
    link = zipfile.ZipInfo(NAME)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    put(folder, {"a.zip": buffer.getvalue()})
    assert taken(folder)[:2] == (b"", ["archive"])
    assert "is a symbolic link and was not followed" in taken(folder)[2]

    (folder / "a.zip").unlink()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo(NAME)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
    put(folder, {"a.tar": buffer.getvalue()})
    assert taken(folder)[0] == b""
    assert "is a link and was not followed" in taken(folder)[2]


def test_a_pipe_does_not_hang_and_is_not_read(folder):
    os.mkfifo(folder / NAME)
    assert taken(folder)[:2] == (b"", ["special"])

    put(folder, {"mine.ipynb": MINE})
    assert taken(folder) == (MINE, ["special", "renamed"], "")
    with pytest.raises(OSError, match="no plain file"):
        collecting.read_plain(folder / NAME, 10)


def test_a_folder_with_the_notebooks_name_is_looked_into(folder):
    put(folder, {f"{NAME}/{NAME}": MINE})

    assert taken(folder)[0] == MINE


@pytest.mark.parametrize("name", ["../../escape.ipynb", "/tmp/escape.ipynb", "C:\\escape.ipynb"])
def test_paths_that_lead_out_of_an_archive_are_ignored(folder, tmp_path, name):
    put(folder, {"a.zip": zipped({name: MARKED, "mine.ipynb": MINE})})
    before = sorted(tmp_path.rglob("*"))

    assert taken(folder) == (MINE, ["archive", "renamed"], "")
    assert "leads out" in sentence(folder, "archive")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_locked_archive_is_told(folder):
    content = bytearray(zipped({NAME: MINE}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    put(folder, {"a.zip": bytes(content)})

    assert taken(folder)[2] == f"{NAME} in a.zip is locked by a password: ask for it without one"


def test_what_may_not_be_read_is_told(folder, monkeypatch):
    put(folder, {NAME: MINE, "z.ipynb": MARKED})
    read = collecting.read_plain

    def refuse(path, size):
        if path.name == NAME:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, size)

    monkeypatch.setattr(collecting, "read_plain", refuse)

    assert taken(folder) == (MARKED, ["unreadable", "renamed"], "")
    assert f"{NAME} cannot be read (Permission denied)" in sentence(folder, "unreadable")


def test_a_folder_that_may_not_be_read_is_told(folder):
    put(folder, {NAME: MINE, "inner/mine.ipynb": MINE})
    for path in (folder / "inner", folder, folder.parent):
        for mode in (0, 0o400):
            path.chmod(mode)
            if os.access(path, os.X_OK):
                pytest.skip("root may read everything")
            try:
                handed = collect(folder, A1)
            finally:
                path.chmod(0o755)
            assert handed.content == MINE or "Permission denied" in handed.problem


def test_a_notebook_that_is_too_large_is_not_read(folder):
    with (folder / NAME).open("wb") as file:
        file.truncate(collecting.MAX_NOTEBOOK + 1)

    assert taken(folder)[:2] == (b"", ["large"])
    assert "is larger than 20 MB: ask for it without its outputs" in taken(folder)[2]


def test_bombs_are_not_unpacked(folder):
    put(folder, {"a.zip": zipped({NAME: b"\0" * 30_000_000})})
    assert "over 200 times its size" in taken(folder)[2]

    put(folder, {"a.zip": gzip.compress(b"\0" * 110_000_000, 9)})
    assert "unpacks to more than" in taken(folder)[2]

    put(folder, {"a.zip": bz2.compress(b"\0" * 110_000_000)})
    assert "unpacks to more than" in taken(folder)[2]


def test_a_size_that_lies_is_found_out(folder):
    content = bytearray(zipped({NAME: b"\0" * 30_000_000}))
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = (1000).to_bytes(4, "little")
    put(folder, {"a.zip": bytes(content)})

    content, codes, _ = taken(folder)

    assert len(content) <= 1000
    assert content or codes == ["archive"]


def test_all_files_together_have_a_limit(folder, monkeypatch):
    monkeypatch.setattr(collecting, "MAX_UNPACKED", 1_000)
    put(folder, {f"{number}.ipynb": MINE + b" " * 300 for number in range(5)})

    assert "large" in taken(folder)[1]


def test_archives_in_archives_have_a_limit(folder):
    content = MINE
    for _ in range(5):
        content = zipped({"a.zip" if content != MINE else NAME: content}, zipfile.ZIP_STORED)
    put(folder, {"a.zip": content})

    assert "is an archive in too many others" in taken(folder)[2]


def test_many_files_are_not_all_looked_at(folder, monkeypatch):
    put(folder, {f"{number:03}.ipynb": b"%d" % number for number in range(205)})
    content, codes, _ = taken(folder)
    assert (content, codes) == (b"1", ["many", "several"])

    monkeypatch.setattr(archives, "MAX_MEMBERS", 10)
    put(folder, {"0.zip": zipped({f"{number}.txt": b"" for number in range(50)})})
    assert "0.zip holds too many files" in sentence(folder, "archive")


def test_all_entries_together_have_a_limit(folder, monkeypatch):
    monkeypatch.setattr(collecting, "MAX_MEMBERS", 30)
    files = {f"{number:02}.txt": b"" for number in range(20)}
    put(folder, {"0.zip": zipped({**files, "x/": b""}), "1.zip": zipped({**files, NAME: MINE})})

    assert taken(folder)[2] == "1.zip holds too many files: ask for the notebook alone"


def test_what_lies_too_deep_in_an_archive_is_not_taken(folder):
    put(folder, {"a.zip": zipped({"1/2/3/4/a.ipynb": MINE, "1/2/3/b.ipynb": MARKED})})

    assert taken(folder)[0] == MARKED


def test_a_folder_that_refuses_is_told_and_the_others_are_read(folder, monkeypatch):
    put(folder, {"a/x.ipynb": MARKED, "b/y.ipynb": MINE})
    scan = os.scandir

    def refuse(path):
        if path.name == "a":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)

    assert taken(folder) == (MINE, ["unreadable", "renamed"], "")
    assert sentence(folder, "unreadable").startswith("a/ cannot be read (Permission denied)")


def test_names_that_cannot_be_shown_are_shown_in_part(folder):
    name = os.fsdecode(b"bad\xff\n\x1b[31m.ipynb")
    put(folder, {name: MINE})

    text = sentence(folder, "renamed")

    assert "bad???[31m.ipynb was taken" in text
    text.encode()


@pytest.mark.parametrize("seed", range(5))
def test_damaged_archives_end_with_a_notebook_or_a_sentence(folder, seed):
    rng = random.Random(seed)
    packed = [zipped({NAME: MINE * 50, "b.zip": zipped({"x.ipynb": MARKED})}), tarred({NAME: MINE})]
    for _ in range(100):
        content = bytearray(rng.choice(packed))
        for _ in range(rng.randrange(1, 8)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        cut = rng.choice([len(content), rng.randrange(len(content))])
        put(folder, {"a.zip": bytes(content[:cut])})

        handed = collect(folder, A1)

        assert handed.content or handed.problem
        json.dumps(handed.problem, ensure_ascii=False).encode()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(prefix=st.sampled_from([*archives._KINDS, b"", b"0" * 257 + b"ustar"]), rest=st.binary())
def test_any_bytes_as_an_archive_end_with_a_notebook_or_a_sentence(folder, prefix, rest):
    put(folder, {"a.tar.gz": prefix + rest})

    assert collect(folder, A1).problem


def test_nothing_is_written_or_removed(folder, tmp_path, secret):
    put(folder, {"a.zip": zipped({"../x.ipynb": MINE, "b.ipynb": MINE}), "c.ipynb": MARKED})
    (folder / "link").symlink_to(secret)

    def everything():
        return {
            path: (path.lstat().st_mtime_ns, path.is_file() and path.read_bytes())
            for path in tmp_path.rglob("*")
        }

    before = everything()
    collect(folder, A1)

    assert everything() == before


def test_submissions_are_folders_archives_and_notebooks_sorted(tmp_path):
    for student, inside in [("eva", f"{A1}/"), ("bob", f"{A1}.zip"), ("ana", NAME), ("kim", "a2/")]:
        path = tmp_path / "submitted" / student / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if inside.endswith("/") else path.write_bytes(b"")
    (tmp_path / "submitted" / "eva" / f"{A1}.zip").write_bytes(b"")
    (tmp_path / "submitted" / "eva" / f"{A1}.before-1").mkdir()
    (tmp_path / "submitted" / "zoe").mkdir()
    (tmp_path / "submitted" / "zoe" / A1).symlink_to(tmp_path / "nowhere")

    found = submissions(tmp_path, A1)

    assert [(student, path.name) for student, path in found] == [
        ("ana", NAME),
        ("bob", f"{A1}.zip"),
        ("eva", A1),
        ("zoe", A1),
    ]
    assert submissions(tmp_path, A1, "eva") == [found[2]]
    assert submissions(tmp_path, A1, "nobody") == []
    assert submissions(tmp_path / "empty", A1) == []
