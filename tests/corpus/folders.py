"""Submission folders changed as attackers and accidents change them, by name; each returns its path."""

import io
import os
import shutil
import stat
import zipfile
from pathlib import Path


def _notebook(submitted: Path) -> Path:
    return submitted / f"{submitted.name}.ipynb"


def links_beside(submitted: Path, others: Path) -> Path:
    for name, target in (
        ("solution.ipynb", others / "solution.ipynb"),
        ("another.ipynb", others / "another.ipynb"),
        ("system", Path("/etc")),
        ("self", submitted),
        ("nowhere.ipynb", Path("nowhere")),
    ):
        (submitted / name).symlink_to(target)
    return submitted


def _link_to(submitted: Path, target: Path) -> Path:
    _notebook(submitted).unlink()
    _notebook(submitted).symlink_to(target)
    return submitted


def link_to_another(submitted: Path, others: Path) -> Path:
    return _link_to(submitted, others / "another.ipynb")


def link_to_solution(submitted: Path, others: Path) -> Path:
    return _link_to(submitted, others / "solution.ipynb")


def folder_link(submitted: Path, others: Path) -> Path:
    target = others / "another" / submitted.name
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(others / "another.ipynb", target / f"{submitted.name}.ipynb")
    shutil.rmtree(submitted)
    submitted.symlink_to(target, target_is_directory=True)
    return submitted


def fifo_beside(submitted: Path, others: Path) -> Path:
    os.mkfifo(submitted / "another.ipynb")
    return submitted


def _zip(submitted: Path, members: dict[str | zipfile.ZipInfo, bytes], *, keep: bool) -> Path:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    if not keep:
        _notebook(submitted).unlink()
    (submitted / "all.zip").write_bytes(packed.getvalue())
    return submitted


def _own(submitted: Path) -> dict[str | zipfile.ZipInfo, bytes]:
    return {_notebook(submitted).name: _notebook(submitted).read_bytes()}


def zipped(submitted: Path, others: Path) -> Path:
    return _zip(submitted, _own(submitted), keep=False)


def zip_slip(submitted: Path, others: Path) -> Path:
    climbing = dict.fromkeys(
        ("../../../gradebook.db", "/tmp/climbed", "a/../../climbed.ipynb"), b"x"
    )
    return _zip(submitted, {**_own(submitted), **climbing}, keep=False)


def zip_links(submitted: Path, others: Path) -> Path:
    link = zipfile.ZipInfo("solution.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    target = os.fsencode(others / "solution.ipynb")
    return _zip(submitted, {**_own(submitted), link: target}, keep=False)


def zip_bomb(submitted: Path, others: Path) -> Path:
    return _zip(submitted, {"bomb.ipynb": b"\0" * (1 << 28)}, keep=True)


def copies(submitted: Path, others: Path) -> Path:
    content = _notebook(submitted).read_bytes()
    for name in (
        f"{submitted.name} (1).ipynb",
        ".ipynb_checkpoints/a-checkpoint.ipynb",
        "old/a.txt",
    ):
        path = submitted / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return submitted
