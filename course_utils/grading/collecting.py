"""The notebook of one submission, from a folder or an archive, whatever lies in it."""

import errno
import os
import re
import stat
from collections.abc import Callable, Iterable
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path, PurePosixPath

from course_utils.grading.archives import MAX_MEMBERS, ArchiveError, Member, archive_kind, members
from course_utils.grading.intake import Handed
from course_utils.grading.verdict import Flag

MAX_NOTEBOOK = 20_000_000  # bytes
MAX_ARCHIVE = 50_000_000  # bytes, packed
MAX_UNPACKED = 100_000_000  # bytes of all files together
MAX_FILES = 200  # files that may be the notebook
MAX_FOLDERS = 3  # folders in folders
MAX_NESTING = 3  # archives in archives

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
_PACKED = {".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar"}
_SKIPPED = {".ipynb_checkpoints", "__MACOSX", "course_utils", ".git", ".venv"}
_COPY = re.compile(r"[ _-]*(?:\(\d+\)|-?copy ?\d*|\bkopie\b|-\d+)$", re.IGNORECASE)
_COPY_IT = "put a copy of the file in its place"
_MARK = re.compile(rb'"solution"\s*:\s*true')


def submissions(root: Path, assignment: str, student: str | None = None) -> list[tuple[str, Path]]:
    """
    Return who has handed in and what, sorted by name.

    A submission is ``submitted/STUDENT/ASSIGNMENT``, a folder, or beside it a zip, a tar or a
    notebook of that name; the folder goes before the others.
    """
    found = []
    for folder in sorted(root.glob("submitted/*")):
        if student not in (None, folder.name):
            continue
        paths = [folder / f"{assignment}{suffix}" for suffix in ("", *ARCHIVES, ".ipynb")]
        there = [path for path in paths if os.path.lexists(path)]
        if there:
            found.append((folder.name, there[0]))
    return found


def collect(path: Path, assignment: str) -> Handed:
    """
    Read the notebook of one submission: a folder, an archive, or the notebook itself.

    Links are not followed, nothing is written, and whatever was not as it should be is a flag.
    """
    inner = path.suffix == ".ipynb" and path.parent.name == assignment
    folder = path.parent.parent if inner else path.parent
    parts = [path, *path.parents]
    pile = _Pile()
    for part in parts[: parts.index(folder) + 1]:
        if _kind(part) == stat.S_IFLNK:
            pile.note("link", f"{part.name} is a symbolic link and was not followed: {_COPY_IT}")
    if not pile.flags:
        _read(path, assignment, pile)
    content, flags, problem = _chosen(pile, assignment)
    return Handed(folder.name, assignment, content, flags, problem)


def _read(path: Path, assignment: str, pile: "_Pile") -> None:
    """Read the file that the assignment names if it is there, else all that may stand for it."""
    named = path / f"{assignment}.ipynb"
    if _kind(path) != stat.S_IFDIR:
        pile.add_file(path, path.name)
        return
    if _kind(named) not in (0, stat.S_IFDIR):
        pile.add_file(named, named.name)
    if not any(pile.notebooks.values()):
        pile.add_folder(path)


class _Pile:
    """The files of one submission that may be its notebook, read within limits."""

    def __init__(self) -> None:
        self.notebooks: dict[str, bytes] = {}
        self.scripts: dict[str, bytes] = {}
        self.names: list[str] = []  # of what else is there
        self.flags: list[Flag] = []
        self._entries = MAX_MEMBERS
        self._files = MAX_FILES
        self._bytes = MAX_UNPACKED

    def note(self, code: str, sentence: str) -> None:
        """Note once what was not read, and what to do about it."""
        flag = Flag(code, "", printable(sentence))
        if flag not in self.flags:
            self.flags.append(flag)

    def _note_error(self, name: str, error: OSError) -> None:
        """Note that the system refuses something."""
        why = error.strerror or type(error).__name__
        self.note("unreadable", f"{name} cannot be read ({why}): mend that, or ask for it again")

    def add_folder(self, folder: Path, inside: str = "") -> None:
        """Add what lies in a folder, and in folders in it."""
        try:
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in islice(entries, self._entries))
        except OSError as error:
            self._note_error(inside or folder.name, error)
            return
        self._entries -= len(names)
        for name in names:
            path, shown = folder / name, f"{inside}{name}"
            if _kind(path) != stat.S_IFDIR:
                self.add_file(path, shown)
            elif shown.count("/") < MAX_FOLDERS and name not in _SKIPPED:
                self.add_folder(path, f"{shown}/")

    def add_file(self, path: Path, name: str) -> None:
        """Add a file on the disk, if it is a plain one."""
        try:
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                self.note("link", f"{name} is a symbolic link and was not followed: {_COPY_IT}")
            elif not stat.S_ISREG(mode):
                self.note("special", f"{name} is no plain file and was not read: {_COPY_IT}")
            else:
                self._add(name, lambda size: read_plain(path, size), nesting=0)
        except OSError as error:
            self._note_error(name, error)

    def _add(self, name: str, read: Callable[[int], bytes], nesting: int) -> None:
        """Add a file, if by its name it may be the notebook or hold it."""
        suffix = PurePosixPath(name).suffix.lower()
        if _is_skipped(name) or not (suffix in {".py", *_PACKED} or _is_notebook(name)):
            self.names.append(name)
            return
        if self._files == 0:
            self.note("many", f"only {MAX_FILES} files were looked at: ask for the notebook alone")
            return
        self._files -= 1
        limit = min(MAX_ARCHIVE if suffix in _PACKED else MAX_NOTEBOOK, self._bytes)
        content = read(limit + 1)
        if len(content) > limit:
            size = f"{limit / 1e6:.0f} MB"
            self.note("large", f"{name} is larger than {size}: ask for it without its outputs")
            return
        self._bytes -= len(content)
        if archive_kind(content):
            self._unpack(name, content, nesting + 1)
        elif suffix in _PACKED:
            self.note("archive", f"{name} is no archive that can be opened: ask for it again")
        else:
            (self.scripts if suffix == ".py" else self.notebooks)[name] = content

    def _unpack(self, name: str, content: bytes, nesting: int) -> None:
        if nesting > MAX_NESTING:
            self.note("nested", f"{name} is an archive in too many others: ask for a plain one")
            return
        try:
            for member in members(name, content, self._bytes):
                self._entries -= 1
                if self._entries < 0:
                    self.note("many", f"{name} holds too many files: ask for the notebook alone")
                    return
                self._add_member(f"{name}/{member.name}", member, nesting)
        except ArchiveError as error:
            self.note("archive", str(error))

    def _add_member(self, name: str, member: Member, nesting: int) -> None:
        if member.name.endswith("/"):
            return
        if member.name.count("/") > MAX_FOLDERS:
            self.names.append(name)
        elif member.refusal:
            self.note("archive", member.refusal)
        else:
            try:
                self._add(name, member.read, nesting)
            except ArchiveError as error:
                self.note("archive", str(error))


def _kind(path: Path) -> int:
    """Return what a path itself is, or 0 where nothing may be asked."""
    try:
        return stat.S_IFMT(path.lstat().st_mode)
    except OSError:
        return 0


def read_plain(path: Path, size: int) -> bytes:
    """Return at most so many bytes of a plain file; raise OSError for a link or anything else."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(path))
        with open(handle, "rb", closefd=False) as file:
            return file.read(size)
    finally:
        os.close(handle)


def _is_notebook(name: str) -> bool:
    return ".ipynb" in name.rpartition("/")[2].lower()  # also NAME.ipynb.txt, as browsers save it


def _is_skipped(name: str) -> bool:
    *folders, last = name.split("/")
    return bool(_SKIPPED & set(folders)) or last.startswith(".") or "-checkpoint." in last


def _chosen(pile: _Pile, assignment: str) -> tuple[bytes, tuple[Flag, ...], str]:
    """Return the notebook's bytes, the flags, and why there is no notebook or ""."""
    wanted = f"{assignment}.ipynb"
    files = pile.notebooks or pile.scripts
    if not files:
        return b"", tuple(pile.flags), _why_nothing(pile, wanted)
    ranked = sorted(files, key=lambda name: _unlikeness(name, files[name], wanted))
    chosen = ranked[0]
    others = [name for name in ranked if files[name] != files[chosen]]
    if others:
        pile.note(
            "several",
            f"{len(others) + 1} different notebooks were handed in ({_some(ranked)}); {chosen} "
            "was taken: look whether it is the one that is meant",
        )
    elif chosen.rpartition("/")[2] != wanted:
        pile.note(
            "renamed", f"{wanted} is missing; {chosen} was taken for it: look whether it is meant"
        )
    return files[chosen], tuple(pile.flags), ""


def _unlikeness(name: str, content: bytes, wanted: str) -> tuple[object, ...]:
    """Return a key that sorts the likeliest notebook to the front."""
    last = name.rpartition("/")[2]
    stem = _COPY.sub("", last[:200].lower().partition(".")[0])
    likeness = SequenceMatcher(None, stem, wanted.partition(".")[0], autojunk=False).ratio()
    marks = len(_MARK.findall(content))
    return (
        not content.strip(),
        last != wanted,
        likeness < 0.8,
        -marks,
        -likeness,
        name.count("/"),
        name,
    )


def _why_nothing(pile: _Pile, wanted: str) -> str:
    if pile.flags:
        return pile.flags[0].sentence
    found = f"there is only {_some(pile.names)}" if pile.names else "nothing is there"
    return printable(f"{wanted} is missing, {found}: ask for the notebook")


def _some(names: Iterable[str]) -> str:
    """Return the first few names."""
    first = list(names)[:4]
    return ", ".join(first[:3]) + (", ..." if len(first) > 3 else "")


def printable(text: str) -> str:
    """Return a text that any file and terminal takes, cut where it gets long."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in text[:400])
    return shown if len(text) <= 400 else f"{shown}..."
