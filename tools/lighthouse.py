"""Lighthouse on five pages of the book, and on a stock Jupyter Book page in the same run.

Usage: python tools/lighthouse.py [--runs N]     after `make book`; needs npm and Chromium

Pages are served compressed, as hosts serve them. The stock page is chapter 1 in a book without any
settings of ours. Printed is the median of the runs for each page, then the median over the pages.
"""

import argparse
import functools
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from tqdm import tqdm

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from _site.paper import BOOK, browser_path  # noqa: E402

LIGHTHOUSE = "lighthouse@12.8.2"
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-background-networking"
PAGES = {
    "index.html": "no explorer",
    "chapters/01_filters.html": "an explorer",
    "chapters/12_lenet5_on_mnist.html": "an explorer",
    "chapters/a4_lenet5.html": "no explorer",
    "chapters/appendix_f_grading.html": "no explorer",
}
STOCK = "c/01_filters.html"
COMPRESSED = (".html", ".css", ".js", ".svg", ".json")


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder as a host does: text is compressed."""

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Send a file."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if path.suffix in COMPRESSED:
            content = gzip.compress(content)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Yield the address at which a folder is served."""
    handler = functools.partial(Handler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def build_stock(folder: Path) -> Path:
    """Build a book of chapter 1 without any settings, and return where its pages are."""
    (folder / "c").mkdir()
    shutil.copy(ROOT / "chapters/01_filters.ipynb", folder / "c")
    (folder / "intro.md").write_text("# Stock\n")
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: intro\nchapters:\n- file: c/01_filters\n"
    )
    (folder / "_config.yml").write_text('title: Stock\nexecute:\n  execute_notebooks: "off"\n')
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    subprocess.run([jupyter_book, "build", "-q", str(folder)], capture_output=True, check=True)
    return folder / "_build/html"


def scores(address: str, *settings: str) -> dict[str, float]:
    """Return what Lighthouse gives a page in its four categories, out of 100."""
    command = ["npx", "--yes", LIGHTHOUSE, address, "--quiet", "--output=json", *settings]
    environment = {**os.environ, "CHROME_PATH": browser_path()}
    command.append(f"--chrome-flags={FLAGS}")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"Lighthouse did not run: {done.stderr.strip().splitlines()[-1]}")
    categories = json.loads(done.stdout)["categories"]
    return {name: 100 * one["score"] for name, one in categories.items()}


def main() -> None:
    """Print a table: page, device, and the four scores."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=1, help="runs of each page")
    runs = parser.parse_args().runs
    if not shutil.which("npx"):
        raise SystemExit("Lighthouse needs npm and Chromium: install both (Debian: npm, chromium).")
    if not (BOOK / "index.html").is_file():
        raise SystemExit("The book is not built: run make book first.")
    found: dict[tuple[str, str], dict[str, float]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        served(BOOK) as ours,
        served(build_stock(Path(folder))) as stock,
    ):
        addresses = {**{page: ours + page for page in PAGES}, "stock page": stock + STOCK}
        for page, address in tqdm(addresses.items(), unit="page"):
            for device, settings in {"desktop": ["--preset=desktop"], "mobile": []}.items():
                all_runs = [scores(address, *settings) for _ in range(runs)]
                found[page, device] = {
                    name: median(one[name] for one in all_runs) for name in all_runs[0]
                }
    names = list(next(iter(found.values())))
    lines = [f"| page | device | {' | '.join(names)} |", f"|---|---|{'---|' * len(names)}"]
    for (page, device), one in found.items():
        kind = f" ({PAGES[page]})" if page in PAGES else ""
        lines.append(f"| {page}{kind} | {device} | {' | '.join(f'{one[n]:.0f}' for n in names)} |")
    for device in ("desktop", "mobile"):
        middle = [median(found[page, device][name] for page in PAGES) for name in names]
        lines.append(
            f"| **median of five** | {device} | {' | '.join(f'{n:.0f}' for n in middle)} |"
        )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
