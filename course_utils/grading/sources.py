"""Read what the source notebooks in ``solutions`` define."""

from pathlib import Path
from typing import Any

import nbformat


def reference_answers(assignment: str, solutions: Path = Path("solutions")) -> dict[str, Any]:
    """Return everything that the reference solution of an assignment defines, by name."""
    path = solutions / assignment / f"{assignment}.ipynb"
    namespace: dict[str, Any] = {"__name__": f"solution_{assignment}"}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and not cell.metadata.nbgrader.grade:
            exec(compile(cell.source, cell.id, "exec"), namespace)
    return namespace
