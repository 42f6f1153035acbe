"""The journal of a grading run: every verdict, on disk before anything else is done with it."""

import hashlib
import importlib.metadata
import json
import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from course_utils.grading.files import write_file
from course_utils.grading.stock import CourseError
from course_utils.grading.verdict import Verdict

PACKAGE = Path(__file__).parents[1]
# Modules of grading that show or carry a grade, but decide none.
_SHOWING = {"autograded", "bundle", "by_hand", "cli", "exports", "feedback", "files", "gradebook"}
_SHOWING |= {"journal", "preprocessors", "record", "scale", "stock", "stock_pages"}
_LINE = re.compile(rb'\{"key": "([0-9a-f]{64})", "student": ("(?:[^"\\]|\\.)*"), "verdict": \{')


@dataclass(frozen=True)
class Run:
    """What decides the grades of an assignment beside the submissions, and when it began."""

    seed: int
    release: str
    version: str
    started: str


@cache
def grading_version() -> str:
    """Return a digest of all code that decides a grade, torch's version included."""
    digest = hashlib.sha256(importlib.metadata.version("torch").encode())
    for path in sorted(PACKAGE.rglob("*")):
        name = path.relative_to(PACKAGE)
        decides = name.parts[0] not in ("data", "grading") or path.stem not in _SHOWING
        if path.suffix in (".py", ".json", ".safetensors") and decides:
            digest.update(f"\0{name.as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


class Journal:
    """
    The verdicts of an assignment, one line each, only ever appended to.

    A verdict stands under a key: student, what was handed in, release, seed and version. Who adds
    to it opens it with ``Journal.open``, which one process at a time can; others may read it.
    """

    def __init__(self, root: Path, assignment: str) -> None:
        self.folder = root / "grading" / assignment
        self.path = self.folder / "journal.jsonl"
        self._lines: dict[str, bytes] = {}
        self._latest: dict[str, str] = {}
        self._run: Run | None = None
        self._whole_bytes = self._read()

    @staticmethod
    @contextmanager
    def open(root: Path, assignment: str) -> Iterator["Journal"]:
        """
        Yield the journal of an assignment, for this process alone.

        Raises
        ------
        CourseError
            If another process is grading this assignment.
        """
        folder = root / "grading" / assignment
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / "lock", assignment):
            journal = Journal(root, assignment)
            journal._cut()
            yield journal

    def start(self, release: str, seed: int | None = None) -> Run:
        """
        Return what the grades depend on; the seed is drawn once, and kept.

        Raises
        ------
        CourseError
            If another seed was used before.
        """
        path = self.folder / "run.json"
        kept = _read_run(path)
        if kept and seed not in (None, kept.seed):
            raise CourseError(
                f"{self.folder.name} is being graded with another seed: leave the seed out, or "
                f"remove {path} to grade everything again with this one"
            )
        if kept and (kept.release, kept.version) == (release, grading_version()):
            self._run = kept
            return kept
        if seed is None:
            seed = kept.seed if kept else secrets.randbelow(2**53)  # what JSON keeps exactly
        started = datetime.now(UTC).isoformat(timespec="seconds")
        self._run = Run(seed, release, grading_version(), started)
        write_file(path, f"{json.dumps(asdict(self._run), indent=1)}\n".encode())
        return self._run

    @property
    def run(self) -> Run:
        """What ``start`` returned."""
        if self._run is None:
            raise ValueError("a journal is used after start")
        return self._run

    def find(self, student: str, source: str) -> Verdict | None:
        """Return the verdict of this run on what a student handed in, if there is one."""
        return self._verdict(_key(student, source, *self._decided_by()))

    def latest(self, student: str) -> Verdict | None:
        """Return the last verdict on a student, of whichever run."""
        return self._verdict(self._latest.get(student, ""))

    def verdicts(self) -> dict[str, Verdict]:
        """Return the last verdict on each student."""
        found = ((student, self.latest(student)) for student in sorted(self._latest))
        return {student: verdict for student, verdict in found if verdict is not None}

    def add(self, verdict: Verdict) -> None:
        """
        Append a verdict, unless it is the last one on its student; then it is on disk.

        Raises
        ------
        ValueError
            If the verdict is none of this run.
        """
        if (verdict.release, verdict.seed, verdict.version) != self._decided_by():
            raise ValueError(
                f"the verdict on {verdict.student} has another release, seed or version than this "
                "run: judge with journal.run.seed and grading_version()"
            )
        name, line = key(verdict), _line(verdict)
        if self._latest.get(verdict.student) == name and self._lines[name] == line:
            return
        self._append(line + b"\n")
        self._index(line)

    def _decided_by(self) -> tuple[str, int, str]:
        return self.run.release, self.run.seed, self.run.version

    def _verdict(self, name: str) -> Verdict | None:
        line = self._lines.get(name)
        if line is None:
            return None
        try:
            return Verdict.from_json(json.loads(line)["verdict"])
        except (KeyError, TypeError, ValueError):  # a disk has lost a part of the line
            return None

    def _read(self) -> int:
        """Read every whole line, and return how many bytes they are."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return 0
        whole = content.rfind(b"\n") + 1
        for line in content[:whole].split(b"\n"):
            self._index(line)
        return whole

    def _cut(self) -> None:
        """Take away the line that a killed process or a lost disk has left unfinished."""
        if self.path.exists() and self.path.stat().st_size > self._whole_bytes:
            os.truncate(self.path, self._whole_bytes)

    def _index(self, line: bytes) -> None:
        if found := _LINE.match(line):
            name, student = found[1].decode(), json.loads(found[2])
            self._lines[name] = line
            self._latest[student] = name

    def _append(self, content: bytes) -> None:
        """Write at the end; where that fails, leave the file as it was."""
        with self.path.open("ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                written = 0
                while written < len(content):
                    written += file.write(content[written:])
                os.fsync(file.fileno())
            except OSError as error:
                with suppress(OSError):
                    file.truncate(before)
                error.filename = str(self.path)
                raise


def key(verdict: Verdict) -> str:
    """Return the digest of all that a verdict depends on."""
    return _key(verdict.student, verdict.source, verdict.release, verdict.seed, verdict.version)


def _key(*parts: str | int) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _line(verdict: Verdict) -> bytes:
    entry = {"key": key(verdict), "student": verdict.student, "verdict": verdict.to_json()}
    return json.dumps(entry).encode("ascii")


def _read_run(path: Path) -> Run | None:
    try:
        return Run(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (TypeError, ValueError) as error:
        raise CourseError(
            f"{path} cannot be read ({error}): it holds the seed; remove it to grade everything "
            "again with a new one"
        ) from None


@contextmanager
def _locked(path: Path, assignment: str) -> Iterator[None]:
    """Hold a lock that ends with the process, however it ends."""
    with path.open("a+b") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CourseError(
                f"{assignment} is being graded by another process: wait until it has ended"
            ) from None
        yield
