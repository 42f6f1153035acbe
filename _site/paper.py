"""Print the built book as one PDF, page after page in the order of the table of contents.

Usage: python _site/paper.py [PAGE ...]     such as chapters/01_filters; all pages if none is named

Chromium prints each page with the book's print style: every answer open, static figures in place of
explorers, links to other pages as text. The result is _build/convolutional_networks.pdf.
"""

import io
import shutil
import sys
from pathlib import Path

import yaml
from playwright.sync_api import sync_playwright
from pypdf import PdfWriter
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "_build" / "html"
PAPER = ROOT / "_build" / "convolutional_networks.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FOOTER = (
    '<p style="font: 8px sans-serif; width: 100%; margin: 0 18mm; color: #555">'
    '<span class="title"></span> &nbsp; '
    '<span class="pageNumber"></span> / <span class="totalPages"></span></p>'
)
# A link to another page would lead to a folder of the machine that printed.
LEAVE_LINKS_OUT = """() => {
  for (const link of document.querySelectorAll("a[href]"))
    if (link.protocol === "file:" && link.pathname !== location.pathname) link.removeAttribute("href");
}"""


def pages_of(contents: dict[str, object]) -> list[str]:
    """Return the pages that a table of contents names, in its order."""
    pages: list[str] = []

    def visit(entry: object) -> None:
        if isinstance(entry, dict):
            pages.extend(value for key, value in entry.items() if key in ("root", "file"))
            for value in entry.values():
                visit(value)
        elif isinstance(entry, list):
            for one in entry:
                visit(one)

    visit(contents)
    return pages


def browser_path() -> str:
    """Return where Chromium is."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit("No Chromium is found: install it (Debian: chromium).")
    return path


def print_book(pages: list[str], paper: Path) -> int:
    """Print pages of the built book into one file; return how many sheets it has."""
    missing = [page for page in pages if not (BOOK / f"{page}.html").is_file()]
    if missing:
        raise SystemExit(f"{', '.join(missing)} is not built: run make book first.")
    writer = PdfWriter()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path())
        view = browser.new_page(color_scheme="light")
        for page in tqdm(pages, "printing", unit="page"):
            view.goto((BOOK / f"{page}.html").as_uri())
            view.emulate_media(media="print", color_scheme="light")
            view.evaluate("document.fonts.ready")
            view.evaluate(LEAVE_LINKS_OUT)
            margin = {"top": "16mm", "bottom": "18mm", "left": "16mm", "right": "16mm"}
            sheet = view.pdf(
                format="A4",
                scale=0.8,  # text of ten points
                margin=margin,
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=FOOTER,
                print_background=True,
            )
            title = view.title().partition(" — ")[0]
            writer.append(io.BytesIO(sheet), outline_item=title)
        browser.close()
    writer.add_metadata({"/Title": "Convolutional networks"})
    partial = paper.with_suffix(".part")
    with partial.open("wb") as file:
        writer.write(file)
    partial.replace(paper)
    return len(writer.pages)


def main(pages: list[str]) -> None:
    """Print, and say where it is."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    count = print_book(pages or pages_of(contents), PAPER)
    sys.stdout.write(f"{PAPER}: {count} sheets\n")


if __name__ == "__main__":
    main(sys.argv[1:])
