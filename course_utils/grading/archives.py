"""Zip and tar archives from strangers: read into memory within limits, never onto the disk."""

import bz2
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import IO, Any

MAX_MEMBERS = 10_000
MAX_RATIO = 200  # unpacked to packed size, of files over a megabyte

_CHUNK = 1_000_000
_KINDS = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
}
_DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}


class ArchiveError(Exception):
    """An archive, or a file in one, that is not read; its text says why and what to do."""


@dataclass(frozen=True)
class Member:
    """
    A file in an archive, or a folder, whose name ends in a slash.

    ``refusal`` says why it must not be read, or is ""; ``read`` gives at most so many bytes.
    """

    name: str
    read: Callable[[int], bytes]
    refusal: str = ""


def archive_kind(content: bytes) -> str:
    """Return what kind of archive some bytes are, or "" if they are none."""
    for magic, kind in _KINDS.items():
        if content.startswith(magic):
            return kind
    return "tar" if content[257:262] == b"ustar" else ""


def members(name: str, content: bytes, limit: int) -> Iterator[Member]:
    """
    Yield the files and folders of an archive; raise ArchiveError if it cannot be opened.

    ``limit`` is how many bytes a compressed tar may unpack to.
    """
    kind = archive_kind(content)
    if kind in ("7z", "rar"):
        raise ArchiveError(f"{name} is a {kind} archive, which is not opened here: ask for a zip")
    if kind == "zip":
        if content.count(b"PK\x01\x02") > 2 * MAX_MEMBERS:
            raise ArchiveError(f"{name} holds too many files: ask for the notebook alone")
        yield from islice(zip_members(name, io.BytesIO(content)), MAX_MEMBERS)
        return
    if kind in _DECOMPRESSORS:
        content = _decompressed(name, kind, content, limit)
    if archive_kind(content) == "tar":
        yield from _tar_members(name, content)
    else:
        last = name.rpartition("/")[2]
        plain = last if ".ipynb" in PurePosixPath(last).suffix else PurePosixPath(last).stem
        yield Member(plain, lambda size: content[:size])


def zip_members(name: str, file: IO[bytes]) -> Iterator[Member]:
    """Yield the files and folders of a zip archive; raise ArchiveError if it cannot be opened."""
    with _told(name):
        archive = zipfile.ZipFile(file)
        infos = archive.infolist()
    for info in infos:
        yield Member(
            info.filename.replace("\\", "/"),
            _zip_reader(archive, info, name),
            _zip_refusal(info, name),
        )


def _zip_refusal(info: zipfile.ZipInfo, name: str) -> str:
    inside = f"{info.filename} in {name}"
    if _leads_out(info.filename):
        return f"{inside} has a path that leads out of it and was not read: ask for a plain zip"
    if stat.S_ISLNK(info.external_attr >> 16):
        return f"{inside} is a symbolic link and was not followed: ask for the file itself"
    if info.flag_bits & 1:
        return f"{inside} is locked by a password: ask for it without one"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"{inside} is packed in a way that is not read here: ask for a plain zip"
    if info.file_size > max(_CHUNK, MAX_RATIO * info.compress_size):
        return f"{inside} unpacks to over {MAX_RATIO} times its size and was not read: ask again"
    return ""


def _zip_reader(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str
) -> Callable[[int], bytes]:
    def read(size: int) -> bytes:
        with _told(f"{info.filename} in {name}"), archive.open(info) as file:
            return file.read(size)

    return read


def _tar_members(name: str, content: bytes) -> Iterator[Member]:
    with _told(name):
        archive = tarfile.open(fileobj=io.BytesIO(content), mode="r:")  # noqa: SIM115
    for _ in range(MAX_MEMBERS):
        with _told(name):
            info = archive.next()
        if info is None:
            return
        if not info.isdir():
            yield Member(info.name, _tar_reader(archive, info, name), _tar_refusal(info, name))


def _tar_refusal(info: tarfile.TarInfo, name: str) -> str:
    inside = f"{info.name} in {name}"
    if _leads_out(info.name):
        return f"{inside} has a path that leads out of it and was not read: ask for a plain zip"
    if info.issym() or info.islnk():
        return f"{inside} is a link and was not followed: ask for the file itself"
    if not info.isreg() or info.issparse():
        return f"{inside} is no plain file and was not read: ask for the file itself"
    return ""


def _tar_reader(
    archive: tarfile.TarFile, info: tarfile.TarInfo, name: str
) -> Callable[[int], bytes]:
    def read(size: int) -> bytes:
        with _told(f"{info.name} in {name}"):
            file = archive.extractfile(info)
            return file.read(size) if file else b""

    return read


def _leads_out(path: str) -> bool:
    """Whether a path is absolute, has a drive, or climbs out of its folder."""
    plain = path.replace("\\", "/")
    return plain.startswith("/") or plain[1:2] == ":" or ".." in plain.split("/")


def _decompressed(name: str, kind: str, content: bytes, limit: int) -> bytes:
    """Return the unpacked bytes; raise ArchiveError above the limit."""
    with _told(name):
        unpacked: bytes = _DECOMPRESSORS[kind]().decompress(content, limit + 1)
    if len(unpacked) > limit:
        raise ArchiveError(
            f"{name} unpacks to more than {limit:,} bytes: ask for the notebook alone"
        )
    return unpacked


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turn whatever a damaged archive raises into an ArchiveError."""
    try:
        yield
    except Exception as error:  # zipfile and tarfile raise nearly anything
        raise ArchiveError(f"{name} is damaged and cannot be unpacked: ask for it again") from error
