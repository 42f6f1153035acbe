"""What an LMS gives when all submissions are downloaded at once, put where grading looks for it."""

import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath

from course_utils.grading.archives import ArchiveError, Member, zip_members
from course_utils.grading.collecting import MAX_ARCHIVE, MAX_FILES, MAX_UNPACKED, printable

# "Ana Souza_12345_assignsubmission_file_/a1.ipynb", or without the slash
_MOODLE = re.compile(r"(?:.*/)?([^/]+)_(\d+)_assignsubmission_file_/?(.+)", re.DOTALL)
# "souzaana_123_456_a1.ipynb", or "souzaana_LATE_123_456_a1-1.ipynb"
_CANVAS = re.compile(r"(?:.*/)?([^/_]+)_(?:LATE_)?(\d+)_\d+_([^/]+)", re.DOTALL)
# "ana/a1.ipynb", as nbgrader has it: "submitted/ana/a1_convolution/a1_convolution.ipynb"
_FOLDERS = re.compile(r"(?:submitted/)?([^/]+)()/(.+)", re.DOTALL)
_MAX_PARTS = 4  # of a path in a submission
_MAX_NAME = 50  # characters of a folder's or a file's name
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)  # on Windows


@dataclass(frozen=True)
class Collected:
    """What became of one student's files; ``path`` is where they lie, or None."""

    student: str
    path: Path | None
    sentence: str


def collect_download(download: Path, root: Path, assignment: str) -> list[Collected]:
    """
    Put what Moodle, Canvas or nbgrader packed into ``submitted/STUDENT/ASSIGNMENT``.

    A student's folder is named after the student and the number that the LMS gives, so that two
    of the same name stay apart. Nothing is overwritten: an older submission that differs is moved
    to ``ASSIGNMENT.before-1`` beside it, the next to ``ASSIGNMENT.before-2``.

    Raises
    ------
    ArchiveError
        If the download is no zip.
    """
    with download.open("rb") as file:
        found, unknown = _by_student(zip_members(download.name, file), assignment)
        collected = [_store(student, found[student], root, assignment) for student in sorted(found)]
    for name in unknown:
        sentence = printable(f"{name} names no student and was left out: put it in place by hand")
        collected.append(Collected("", None, sentence))
    return collected


def _by_student(
    packed: Iterable[Member], assignment: str
) -> tuple[dict[str, dict[str, Member]], list[str]]:
    """Return each student's files by the path they get, and the names that tell no student."""
    found: dict[tuple[str, str], dict[str, Member]] = {}
    unknown = []
    for member in packed:
        if member.name.endswith("/") or "__MACOSX" in member.name:
            continue
        matches = (
            pattern.fullmatch(member.name[:1000]) for pattern in (_MOODLE, _CANVAS, _FOLDERS)
        )
        match = next((match for match in matches if match), None)
        typed = "_assignsubmission_" in member.name and not _MOODLE.fullmatch(member.name)
        if match is None or typed or match[1] == assignment:
            unknown.append(member.name)
            continue
        files = found.setdefault((match[1], match[2]), {})
        files[_apart(_inside(match[3], assignment), files)] = member
    students: dict[str, dict[str, Member]] = {}
    for name, number in sorted(found):
        student = f"{_safe(name)}_{number}" if number else _safe(name)
        students[_apart(student, students)] = found[name, number]
    return students, unknown


def _safe(name: str) -> str:
    """Return a name that every system takes for a folder or a file."""
    plain = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", name))
    plain = plain.strip("._")[-_MAX_NAME:] or "unnamed"
    return f"_{plain}" if _RESERVED.match(plain) else plain


def _inside(path: str, assignment: str) -> str:
    """Return the path of a file in the student's folder of the assignment."""
    parts = [_safe(part) for part in path.split("/") if part not in ("", ".", "..")]
    if parts[:1] == [assignment] and len(parts) > 1:
        del parts[0]
    again = re.fullmatch(rf"{re.escape(assignment)}-\d+\.ipynb", parts[-1]) if parts else None
    if again:  # Canvas counts what is handed in again
        parts[-1] = f"{assignment}.ipynb"
    return "/".join(parts[-_MAX_PARTS:]) or "unnamed"


def _apart(path: str, taken: Iterable[str]) -> str:
    """Return a path that no other has, capitals aside."""
    lower = {other.lower() for other in taken}
    pure = PurePosixPath(path)
    tries = (str(pure.with_stem(f"{pure.stem}-{n}")) if n else path for n in count())
    return next(each for each in tries if each.lower() not in lower)


def _store(student: str, members: dict[str, Member], root: Path, assignment: str) -> Collected:
    folder = root / "submitted" / student
    contents, refusals = _contents(members)
    target = folder / assignment
    if not contents:
        return Collected(student, None, "; ".join(refusals))
    if folder.is_symlink():
        sentence = f"{folder.name} is a symbolic link: put a folder in its place and collect again"
        return Collected(student, None, sentence)
    if _holds(target, contents):
        return Collected(student, target, "; ".join(["it was here already", *refusals]))
    try:
        said = _put(contents, target)
    except OSError as error:
        return Collected(student, None, f"nothing was collected: {error.strerror or error}")
    return Collected(student, target, "; ".join([said, *refusals]))


def _put(contents: dict[str, bytes], target: Path) -> str:
    """Write a folder whole, move aside what was there, and say what was done."""
    new = _free(target.parent, f".{target.name}.new-")
    for name, content in contents.items():
        path = new / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    said = "collected"
    if os.path.lexists(target):
        older = _free(target.parent, f"{target.name}.before-")
        target.rename(older)
        said = f"collected; what was there before is now {older.name}"
    new.rename(target)
    return said


def _contents(members: dict[str, Member]) -> tuple[dict[str, bytes], list[str]]:
    """Return the bytes of a student's files, and why some are left out."""
    contents: dict[str, bytes] = {}
    refusals = []
    left = MAX_UNPACKED
    for number, (name, member) in enumerate(members.items()):
        limit = min(MAX_ARCHIVE, left)
        try:
            if member.refusal:
                raise ArchiveError(member.refusal)
            if number >= MAX_FILES:
                raise ArchiveError(f"{name} is one file too many and was left out")
            content = member.read(limit + 1)
            if len(content) > limit:
                raise ArchiveError(f"{name} is too large and was left out")
        except ArchiveError as error:
            refusals.append(printable(str(error)))
            continue
        contents[name] = content
        left -= len(content)
    return contents, refusals


def _holds(folder: Path, contents: dict[str, bytes]) -> bool:
    """Whether a folder holds just these files."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    files = {name: path for name, path in paths.items() if not path.is_dir()}
    return set(files) == set(contents) and all(
        path.is_file() and not path.is_symlink() and path.read_bytes() == contents[name]
        for name, path in files.items()
    )


def _free(folder: Path, name: str) -> Path:
    """Return a path that is not taken: the name with the first free number."""
    return next(path for n in count(1) if not os.path.lexists(path := folder / f"{name}{n}"))
