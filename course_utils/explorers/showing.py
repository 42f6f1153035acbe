"""How an explorer comes to a page of the book and into a notebook.

A browser loads no module from a file, and a notebook has no folder to load one from. So a module is
turned into a classic script that keeps what it exports in ``courseExplorers``.
"""

import html
import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./([\w-]+)\.js";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async function|function|const) (\w+))", re.MULTILINE)
RECORDS = re.compile(r'^  data: "([\w-]+)",$', re.MULTILINE)
NO_SCRIPTS = "This explorer moves where scripts run. The figure below shows what it is about."


@cache
def names() -> tuple[str, ...]:
    """Return the names of all explorers."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.js") if path.stem != "kit"))


def classic(name: str) -> str:
    """
    Return a module as a classic script.

    Raises
    ------
    ValueError
        If a line imports or exports in a way that is not known here.
    """
    source = (FOLDER / f"{name}.js").read_text("utf-8")
    exported = EXPORT.findall(source)
    body = EXPORT.sub("", IMPORT.sub(r'const { \1 } = courseExplorers["\2"];', source))
    if left := re.search(r"^\s*(?:import|export)\b.*", body, re.MULTILINE):
        raise ValueError(
            f'{name}.js: write `import {{ a, b }} from "./kit.js";` and `export` before function or '
            f"const only, each in a line of its own; this line is something else: {left[0]}"
        )
    return (
        "globalThis.courseExplorers ??= { data: {} };\n"
        f'courseExplorers["{name}"] ??= (() => {{\n{body}\n'
        f"return {{ {', '.join(exported)} }};\n}})();\n"
    )


def recorded(name: str) -> str:
    """Return the script that holds recorded numbers: those of a file, or else made in ``made``."""
    path = FOLDER / "data" / f"{name}.json"
    if path.exists():
        content = json.loads(path.read_text("utf-8"))
    else:
        from course_utils.explorers.made import MAKERS  # needs torch, as few explorers do

        content = MAKERS[name]()
    text = json.dumps(content, separators=(",", ":"))
    return (
        "globalThis.courseExplorers ??= { data: {} };\n"
        f'courseExplorers.data["{name}"] = {text};\n'
    )


def records_of(name: str) -> list[str]:
    """Return the names of the recorded numbers that an explorer shows."""
    return RECORDS.findall((FOLDER / f"{name}.js").read_text("utf-8"))


class Explorer:
    """An interactive figure, as an output of a cell; see ``show``."""

    def __init__(self, name: str, state: dict[str, Any]) -> None:
        if name not in names():
            raise ValueError(f"no explorer is called {name!r}; there are {', '.join(names())}")
        self.name, self.state = name, state

    def __repr__(self) -> str:
        return f"<explorer {self.name}: it moves on the book's page, or when the cell is run>"

    def _repr_html_(self) -> str:
        state = html.escape(json.dumps(self.state), quote=True)
        place = (
            f'<div class="explorer" data-explorer="{self.name}" data-state="{state}">'
            f"<p>{NO_SCRIPTS}</p></div>"
        )
        if os.environ.get("COURSE_EXPLORERS") == "page":  # the page brings styles and scripts
            return place
        scripts = "".join(map(recorded, records_of(self.name)))
        scripts += "".join(classic(name) for name in ("kit", self.name))
        style = (FOLDER / "explorers.css").read_text("utf-8")
        return f"<style>{style}</style>{place}<script>{scripts}courseExplorers.kit.wake();</script>"


def show(name: str, **state: Any) -> Explorer:
    """
    Return an interactive figure, to stand last in a cell.

    Parameters
    ----------
    name : str
        The explorer, such as ``"window-stepper"``.
    **state
        What it starts with, where that is not what it usually starts with.

    Raises
    ------
    ValueError
        If no explorer has the name.
    """
    return Explorer(name, state)
