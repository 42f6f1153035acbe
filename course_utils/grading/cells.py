"""The cells of whatever was handed in as a notebook: read strictly, salvaged where it is damaged."""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from course_utils.grading.verdict import Flag

MAX_CELLS = 2_000
MAX_SOURCE = 2_000_000  # characters of all cells together
MAX_BRACKETS = 1_000_000  # a file with more takes gigabytes to read at once
MAX_DEPTH = 5  # lists and objects around a cell
MAX_TRIED = 50_000_000  # characters that are read, again and again, in a damaged file

_KEY = r'"(?:attachments|cell_type|collapsed|execution_count|id|input|metadata|outputs|source)"\s*:'
_OBJECT = re.compile(r"\{\s*" + _KEY)
_SOURCE = re.compile(r'"(?:source|input)"\s*:\s*')
_KIND = re.compile(r'"cell_type"\s*:\s*"(\w+)"')
_GRADE_ID = re.compile(r'"grade_id"\s*:\s*"([^"\\]*)"')
_CELL_ID = re.compile(r'"id"\s*:\s*"([^"\\]*)"')
_PYTHON = re.compile(r"^(?:def|class|import|from|# %%|# In\[)", re.MULTILINE)
_LAST_LINE = re.compile(r"^[ \t]*[]}],?[ \t\r]*$", re.MULTILINE)
_MARKER = re.compile(r"^# (?:%%|In\[[\d ]*\]:)(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """
    One cell as it was handed in.

    ``kind`` is "code", "markdown" or "raw"; ``picture`` is the first one that the cell has shown,
    as it stands in the file.
    """

    kind: str
    source: str
    grade_id: str = ""
    cell_id: str = ""
    picture: Any = None


@dataclass(frozen=True)
class Cells:
    """The cells of a file, what a person should know about them, or why there are none."""

    cells: tuple[Cell, ...]
    flags: tuple[Flag, ...] = ()
    problem: str = ""


def read_cells(content: bytes) -> Cells:
    """Return the cells of a notebook, of a damaged one, or of a script made from one."""
    flags: list[Flag] = []
    text = _text(content, flags)
    if not text.strip():
        return Cells((), tuple(flags), "the file is empty: ask for the notebook again")
    cells = _cells(text, flags)
    if not cells:
        return Cells((), tuple(flags), _no_notebook(text))
    return Cells(_limited(cells, flags), tuple(flags))


def _text(content: bytes, flags: list[Flag]) -> str:
    """Decode a file; what is no text becomes a question mark, NUL nothing."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    wide = wide or content.count(b"\0") > len(content) // 4
    encoding = json.detect_encoding(content) if wide else "utf-8"
    text = content.decode(encoding, "replace").removeprefix("\ufeff")
    if "\ufffd" in text or "\0" in text:
        sentence = (
            "the file holds bytes that are no text; they were left out or replaced: "
            "look whether an answer is damaged"
        )
        flags.append(Flag("encoding", "", sentence))
    return text.replace("\0", "")


def _cells(text: str, flags: list[Flag]) -> list[Cell]:
    try:
        if text.count("[") + text.count("{") > MAX_BRACKETS:
            raise ValueError("more brackets than a notebook has")
        notebook, end = _DECODER.raw_decode(text, len(text) - len(text.lstrip()))
        cells = list(map(_cell, _listed(notebook)))
        damage = "more text follows the notebook's end" if text[end:].strip() else ""
    except (ValueError, RecursionError):
        cells = _script(text) if _is_script(text) else []
        if cells:
            sentence = "a script was handed in; its parts were read as cells: nothing to do"
            flags.append(Flag("script", "", sentence))
            return cells
        cells, damage = list(_salvaged(text)), "the file is damaged"
    if damage and cells:
        sentence = (
            f"{damage}; {len(cells)} whole cells were read and are graded: ask for the file again"
        )
        flags.append(Flag("truncated", "", sentence))
    return cells


def _no_notebook(text: str) -> str:
    """Say why a file has no cells."""
    start = text.lstrip()[:1]
    what = {"<": "a web page", "{": "a notebook without a cell", "[": "a list without a cell"}
    found = what.get(start, "neither a notebook nor Python")
    return f"the file is {found}: ask for the .ipynb file itself"


def _limited(cells: list[Cell], flags: list[Flag]) -> tuple[Cell, ...]:
    """Keep as many cells as the limits allow, those with nbgrader's marks first."""
    kept: set[int] = set()
    length = 0
    for index in sorted(range(len(cells)), key=lambda index: not cells[index].grade_id):
        size = len(cells[index].source)
        if len(kept) < MAX_CELLS and length + size <= MAX_SOURCE:
            kept.add(index)
            length += size
    if len(kept) < len(cells):
        sentence = (
            f"the notebook is too large; {len(kept)} of its {len(cells)} cells were read: "
            "look whether an answer is among the others"
        )
        flags.append(Flag("large", "", sentence))
    return tuple(cell for index, cell in enumerate(cells) if index in kept)


def _whole_number(digits: str) -> int:
    return int(digits) if len(digits) < 20 else 0  # Python refuses to read thousands of digits


_DECODER = json.JSONDecoder(parse_int=_whole_number, strict=False)


def _listed(part: Any, depth: int = 0) -> list[dict[str, Any]]:
    """Return the cells as objects: of nbformat 3 and 4, bare, or wrapped in something else."""
    if isinstance(part, dict):
        if "source" in part or ("input" in part and "cell_type" in part):
            return [part]
        part = [value for key, value in part.items() if key not in ("metadata", "outputs")]
    if not isinstance(part, list) or depth > MAX_DEPTH:
        return []
    return [cell for each in part for cell in _listed(each, depth + 1)]


def _cell(cell: dict[str, Any]) -> Cell:
    held = cell.get("metadata")
    metadata = held if isinstance(held, dict) else {}
    held = metadata.get("nbgrader")
    settings = held if isinstance(held, dict) else {}
    kind = str(cell.get("cell_type"))
    return Cell(
        {"markdown": "markdown", "heading": "markdown", "raw": "raw"}.get(kind, "code"),
        _clean(_joined(cell.get("source", cell.get("input")))),
        _word(settings.get("grade_id")),
        _word(cell.get("id")) or _word(metadata.get("id")),  # Colab keeps it in the metadata
        _picture(cell.get("outputs")),
    )


def _picture(outputs: Any) -> Any:
    for output in outputs if isinstance(outputs, list) else ():
        data = output.get("data") if isinstance(output, dict) else None
        if isinstance(data, dict) and "image/png" in data:
            return data["image/png"]
    return None


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _joined(source: Any, depth: int = 0) -> str:
    """Return a source that may be text, lines, or lists of them."""
    if isinstance(source, str):
        return source
    if isinstance(source, list) and depth < 10:
        lines = [_joined(part, depth + 1) for part in source]
        return ("" if any("\n" in line for line in lines) else "\n").join(lines)
    return str(source) if isinstance(source, int | float) else ""


def _clean(source: str) -> str:
    """Return a source with plain line ends and no halves of characters."""
    whole = source.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _salvaged(text: str) -> Iterator[Cell]:
    """Yield the cells of a damaged notebook that are whole, and whole sources from other places."""
    decoder, position = _Salvager(text), 0
    for match in _OBJECT.finditer(text):
        if decoder.gives_up:
            break
        if match.start() < position:
            continue
        cells = _listed(decoder.value_at(match.start()))
        if cells:
            end = decoder.end
            yield from _loose_sources(decoder, position, match.start())
            yield from map(_cell, cells)
            position = end
    yield from _loose_sources(decoder, position, len(text))


def _loose_sources(decoder: "_Salvager", position: int, end: int) -> Iterator[Cell]:
    """Yield the sources of cells whose other parts are damaged."""
    for match in _SOURCE.finditer(decoder.text, position, end):
        if decoder.gives_up:
            return
        if match.start() < position:
            continue
        source = decoder.value_at(match.end())
        if source is None:
            source = decoder.lines_at(match.end())
        if not isinstance(source, str | list):
            continue
        before = decoder.text[position : match.start()]
        kinds, marks, names = (
            pattern.findall(before) or [""] for pattern in (_KIND, _GRADE_ID, _CELL_ID)
        )
        yield Cell(kinds[-1] or "code", _clean(_joined(source)), marks[-1], names[-1])
        position = decoder.end


class _Salvager:
    """Reads JSON values out of the middle of a text, and gives up after a while."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.end = 0
        self._left = MAX_TRIED

    @property
    def gives_up(self) -> bool:
        """Whether the limit is reached."""
        return self._left <= 0

    def value_at(self, start: int) -> Any:
        """Return the value that begins somewhere, or None; ``end`` is where reading stopped."""
        try:
            value, self.end = _DECODER.raw_decode(self.text, start)
        except json.JSONDecodeError as error:
            value, self.end = None, error.pos
        except RecursionError:  # where is not told: count it for much
            value, self.end = None, start + MAX_TRIED // 20
        self._left -= max(self.end - start, MAX_TRIED // 5_000)
        return value

    def lines_at(self, start: int) -> list[str] | None:
        """Return the lines of a source, one a line of the file, of which some are damaged."""
        first = self.text.find("\n", start, start + 10)
        if first < 0 or self.text[start:first].strip() != "[":
            return None
        last = _LAST_LINE.search(self.text, first)
        self.end = last.start() if last else len(self.text)
        self._left -= self.end - start
        lines = self.text[first + 1 : self.end]
        if last is None or '"cell_type"' in lines:  # it ends in another cell
            return None
        return [_line(line) for line in lines.split("\n") if '"' in line]


def _line(text: str) -> str:
    """Return a line of a source; where it is damaged, as much of it as can be read."""
    text = text.strip().removesuffix(",")
    try:
        return _word(_DECODER.decode(text))
    except (ValueError, RecursionError):
        plain = text.removeprefix('"').removesuffix('"').removesuffix("\\n")
        return plain.replace('\\"', '"').replace("\\\\", "\\") + "\n"


def _is_script(text: str) -> bool:
    return text.lstrip()[:1] not in ("{", "[", "<") and bool(_PYTHON.search(text))


def _script(text: str) -> list[Cell]:
    """Return the cells of a script, by the marks of Jupytext and of Jupyter's own export."""
    parts = _MARKER.split(text.replace("\r\n", "\n"), MAX_CELLS)
    cells = [_clean_script_cell("", parts[0])]
    cells += [_clean_script_cell(*pair) for pair in zip(parts[1::2], parts[2::2], strict=True)]
    return [cell for cell in cells if cell.source.strip()]


def _clean_script_cell(mark: str, source: str) -> Cell:
    if "[markdown]" in mark or "[md]" in mark:
        lines = [re.sub(r"^# ?", "", line) for line in source.strip("\n").split("\n")]
        return Cell("markdown", _clean("\n".join(lines)), _mark(mark))
    return Cell("code", _clean(source.strip("\n")), _mark(mark))


def _mark(mark: str) -> str:
    found = _GRADE_ID.findall(mark)
    return found[-1] if found else ""
