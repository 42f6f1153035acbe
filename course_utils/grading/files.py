"""Files that are there whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path


def write_file(path: Path, content: bytes, mode: int = 0o644, *, on_disk: bool = True) -> None:
    """
    Write a file so that whoever reads it sees the old or the new content, never a part.

    A file that holds this content already is left alone. ``on_disk`` waits until the disk has it,
    so that it outlives a loss of power too.
    """
    try:
        if path.read_bytes() == content:
            return
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            if on_disk:
                os.fsync(file.fileno())
        partial.chmod(mode)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        error.filename = str(path)
        error.filename2 = None
        raise
