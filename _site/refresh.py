"""Run notebooks from top to bottom and store their outputs in normal form.

Usage: python _site/refresh.py chapters/01_filters.ipynb ...

The normal form has one output per stream, no times, no paths and no metadata that an editor left
behind, so running twice on one machine changes nothing.
"""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from tqdm import tqdm

KEPT_CELL_METADATA = {"tags", "mystnb"}
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def normalise(notebook: NotebookNode) -> None:
    """Bring an executed notebook into the form that is committed."""
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: value for key, value in cell.metadata.items() if key in KEPT_CELL_METADATA}
        )
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)
            for output in cell.outputs:
                if "metadata" in output:
                    output.metadata = nbformat.from_dict({})


def merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return the outputs with neighbouring pieces of one stream put together."""
    merged: list[NotebookNode] = []
    for output in outputs:
        last = merged[-1] if merged else None
        if (
            last is not None
            and output.output_type == last.output_type == "stream"
            and output.name == last.name
        ):
            last.text += output.text
        else:
            merged.append(output)
    return merged


def refresh(path: Path) -> None:
    """Run one notebook in a new kernel and write it back; on an error the file stays as it was."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", record_timing=False, allow_errors=False
    )
    client.execute(cwd=str(path.parent))
    normalise(notebook)
    stderr = [
        c.id for c in notebook.cells for o in c.get("outputs", []) if o.get("name") == "stderr"
    ]
    if stderr:
        raise ValueError(f"{path}: cells {', '.join(stderr)} write to stderr; mend the warning")
    nbformat.validate(notebook)
    partial = path.with_suffix(".part")
    nbformat.write(notebook, partial)
    partial.replace(path)


def main(names: list[str]) -> int:
    """Refresh the named notebooks; return 1 if one of them fails."""
    os.environ["TQDM_DISABLE"] = "1"  # a bar would store times
    os.environ["PYTHONHASHSEED"] = "0"
    os.environ["COURSE_EXPLORERS"] = "page"  # the page brings their scripts
    failed = 0
    for name in tqdm(names, "refresh", unit="notebook"):
        try:
            refresh(Path(name))
        except (CellExecutionError, ValueError, OSError) as error:
            failed = 1
            sys.stderr.write(f"\n{name} stays as it was: {error}\n")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
