"""A zip with a student's notebook and all that it needs to run outside the repository."""

import zipfile
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
LEFT_OUT = {"data", "grading", "explorers", "__pycache__"}
NEEDED = ("torch", "numpy", "matplotlib", "pillow", "safetensors", "tqdm", "executing")
NEEDED_BY_PEOPLE = ("jupyterlab", "ipykernel")

START = """Unpack this folder, open a terminal in it, and type

    python -m venv .venv
    .venv/bin/pip install -r requirements.txt      (Windows: .venv\\Scripts\\pip)
    .venv/bin/jupyter lab {notebook}               (Windows: .venv\\Scripts\\jupyter)

Python 3.11 or newer is needed. Hand in {notebook} alone.
"""


def write_bundle(notebook: Path, requirements: Path) -> Path:
    """
    Write the bundle of a released notebook beside its folder and return its path.

    The same inputs give the same bytes.
    """
    name = notebook.stem
    path = notebook.parents[1] / f"{name}.zip"
    files = {notebook.name: notebook.read_bytes()}
    files["requirements.txt"] = _requirements(requirements).encode()
    files["START.txt"] = START.format(notebook=notebook.name).encode()
    for source in sorted(PACKAGE.rglob("*")):
        inside = source.relative_to(PACKAGE)
        if source.is_file() and not LEFT_OUT & set(inside.parts):
            files[f"course_utils/{inside.as_posix()}"] = source.read_bytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file_name, content in files.items():
            info = zipfile.ZipInfo(f"{name}/{file_name}", date_time=(1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return path


def _requirements(path: Path) -> str:
    """Return the pinned lines that an assignment needs."""
    wanted = {*NEEDED, *NEEDED_BY_PEOPLE}
    lines = path.read_text().splitlines()
    return "".join(f"{line}\n" for line in lines if line.partition("==")[0] in wanted)
