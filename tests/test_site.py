"""The book in a real browser: over HTTP, from a folder, in light and dark, wide and narrow."""

import functools
import gzip
import importlib.util
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urldefrag

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from filelock import FileLock
from playwright.sync_api import sync_playwright

from course_utils.checks.registry import ASSIGNMENTS

ROOT = Path(__file__).parents[1]
SOURCES = ["_config.yml", "_toc.yml", "index.md", "_site", "_static", "chapters", "release"]
FIRST_VIEW_BYTES = 350_000
AXE_OPTIONS = {"resultTypes": ["violations"]}
OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"
# Axe takes seconds for thousands of boxes that are all alike: keep one token of each kind, and of
# a formula, which has the colour of its text, the room that it takes.
THIN_OUT = """() => {
  const kept = new Set();
  document.querySelectorAll("pre span[class]").forEach(token => {
    const kind = token.className + Boolean(token.closest(".cell_output"));
    kept.has(kind) ? token.replaceWith(token.textContent) : kept.add(kind);
  });
  const formulas = [...document.querySelectorAll(".katex-html")];
  const widths = formulas.map(formula => formula.scrollWidth);
  formulas.forEach((formula, i) => {
    formula.replaceChildren();
    formula.style.cssText = `display: inline-block; width: ${widths[i]}px`;
  });
}"""
COMPRESSED_ALREADY = {".woff2", ".png", ".zip"}
CHROMIUM = next(
    filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium"),
]


def newest(*paths):
    """Return when the newest file at or below these paths was changed, 0 if there is none."""
    files = (file for path in paths for file in [path, *path.rglob("*")] if file.is_file())
    return max((file.stat().st_mtime for file in files), default=0.0)


@pytest.fixture(scope="session")
def book(tmp_path_factory, worker_id):
    """Return the folder of the book as built last, or build it if a source is newer."""
    built = ROOT / "_build/html"
    if newest(built / "search.html") > newest(*(ROOT / source for source in SOURCES)):
        return built
    shared = tmp_path_factory.getbasetemp()
    shared = shared if worker_id == "master" else shared.parent
    with FileLock(shared / "book.lock"):
        built = shared / "book/_build/html"
        if not (built / "search.html").exists():
            jupyter_book = str(Path(sys.executable).with_name("jupyter-book"))
            command = [jupyter_book, "build", "-n", "-W", "--keep-going", str(ROOT)]
            command += ["--path-output", str(shared / "book")]
            build = subprocess.run(command, capture_output=True, text=True, check=False)
            assert build.returncode == 0, build.stdout[-2000:] + build.stderr[-4000:]
    return built


@pytest.fixture(scope="session")
def pages(book):
    return sorted(path.relative_to(book).as_posix() for path in book.rglob("*.html"))


@pytest.fixture(scope="session")
def soups(book, pages):
    return {page: BeautifulSoup((book / page).read_text("utf-8"), "html.parser") for page in pages}


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def addresses(book):
    """Return where the book starts, by scheme."""
    handler = functools.partial(QuietHandler, directory=book)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {"http": f"http://127.0.0.1:{server.server_port}/", "file": f"{book.as_uri()}/"}
        server.shutdown()


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Return a function that opens a page of the browser with these settings."""
    contexts = []

    def open_page(*, width=1440, scheme="light"):
        viewport = {"width": width, "height": 900}
        contexts.append(browser.new_context(viewport=viewport, color_scheme=scheme))
        return contexts[-1].new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_no_page_asks_another_origin_or_logs_an_error(scheme, addresses, pages, open_page):
    base, page, requests, messages = addresses[scheme], open_page(), [], []
    page.on("request", lambda request: requests.append((page.url, request.url)))
    page.on("pageerror", lambda error: messages.append((page.url, "error", str(error))))
    page.on("console", lambda said: messages.append((page.url, said.type, said.text)))

    for name in pages:
        page.goto(base + name)
        page.evaluate("document.fonts.ready")

    assert requests
    assert [(at, url) for at, url in requests if not url.startswith((base, "data:"))] == []
    assert [message for message in messages if message[1] in {"error", "warning"}] == []


def test_every_chapter_is_a_page_of_the_book(pages):
    chapters = {f"chapters/{path.stem}.html" for path in (ROOT / "chapters").glob("*.ipynb")}

    assert chapters - set(pages) == set()


def test_mathematics_is_set_when_the_book_is_built(soups):
    chapters = {page: soup for page, soup in soups.items() if re.match(r"chapters/\d", page)}

    assert chapters
    assert [page for page, soup in soups.items() if soup.select(".katex-error")] == []
    assert [page for page, soup in chapters.items() if not soup.select(".katex .katex-html")] == []


@pytest.mark.parametrize(
    ("scheme", "width", "rules"),
    [
        ("light", 1440, {}),
        ("light", 320, {"rules": {"color-contrast": {"enabled": False}}}),
        ("dark", 1440, {"runOnly": ["color-contrast"]}),
    ],
)
def test_axe_finds_no_fault(scheme, width, rules, addresses, pages, open_page):
    page, axe, faults = open_page(scheme=scheme, width=width), Axe(), {}

    for name in pages:
        page.goto(addresses["http"] + name)
        page.evaluate(OPEN_ALL)
        page.evaluate(THIN_OUT)
        for violation in axe.run(page, options=AXE_OPTIONS | rules).response["violations"]:
            targets = [node["target"] for node in violation["nodes"]]
            faults.setdefault(name, {})[violation["id"]] = targets

    assert faults == {}


@pytest.mark.parametrize("width", [320, 768, 1440])
def test_no_page_scrolls_sideways(width, addresses, pages, open_page):
    page, overflow = open_page(width=width), {}

    for name in pages:
        page.goto(addresses["http"] + name)
        page.evaluate(OPEN_ALL)
        overflow[name] = page.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert {name: pixels for name, pixels in overflow.items() if pixels > 0} == {}


def test_first_view_of_every_page_is_small_without_its_figures(addresses, book, pages, open_page):
    sizes = {}
    page = open_page()
    page.on("request", lambda request: urls.add(request.url.partition("?")[0]))

    for name in pages:
        urls = set()
        page.goto(addresses["http"] + name)
        page.evaluate("document.fonts.ready")
        files = [book / url.removeprefix(addresses["http"]) for url in urls if "_images" not in url]
        content = [(file.suffix in COMPRESSED_ALREADY, file.read_bytes()) for file in files]
        sizes[name] = sum(len(raw if packed else gzip.compress(raw)) for packed, raw in content)

    assert {name: size for name, size in sizes.items() if size > FIRST_VIEW_BYTES} == {}


def test_search_answers_from_a_folder(addresses, open_page):
    page = open_page()

    page.goto(addresses["file"] + "search.html?q=kernel")
    page.wait_for_selector("#search-results .search li a")

    links = page.eval_on_selector_all("#search-results .search li a", "all => all.map(a => a.href)")
    assert any("chapters/" in link for link in links)


def test_an_answer_opens_by_keyboard_and_on_paper(addresses, pages, open_page):
    page = open_page()
    name = next(name for name in pages if name.startswith("chapters/01"))
    page.goto(addresses["http"] + name)
    options = page.locator("details.option")
    first, last = options.first.locator("p").last, options.last.locator("p").last

    page.emulate_media(media="print")
    assert last.is_visible()

    page.emulate_media(media="screen")
    assert not first.is_visible()
    options.first.locator("summary").press("Enter")
    assert first.is_visible()


def test_every_image_says_what_it_shows(soups):
    images = [(page, image) for page, soup in soups.items() for image in soup.select("article img")]
    mute = [
        (page, image["src"])
        for page, image in images
        if len(image.get("alt", "").split()) < 3 or "_images/" in image["alt"]
    ]

    assert mute == []


def test_every_page_has_a_language_a_title_and_its_own_description(soups):
    descriptions = {
        soup.select_one('meta[name="description"]')["content"] for soup in soups.values()
    }

    assert all(soup.html["lang"] == "en" and soup.title.text.strip() for soup in soups.values())
    assert "" not in descriptions
    assert len(descriptions) == len(soups)


def test_every_internal_link_leads_somewhere(book, soups):
    anchors = {
        (book / page).resolve(): {tag["id"] for tag in soup.select("[id]")}
        for page, soup in soups.items()
    }
    broken = []
    for page, soup in soups.items():
        for tag in soup.select("[href], [src]"):
            link = tag.get("href", tag.get("src"))
            if re.match(r"[a-z]+:", link):
                continue
            path, fragment = urldefrag(link.partition("?")[0])
            here = book / page
            target = ((here.parent / unquote(path)) if path else here).resolve()
            known = anchors.get(target)
            if not target.is_file() or (fragment and known is not None and fragment not in known):
                broken.append((page, link))

    assert broken == []


def texts(book):
    """Yield name and text of everything that the book publishes, archives opened."""
    for path in filter(Path.is_file, book.rglob("*")):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield f"{path.name}/{name}", archive.read(name).decode("utf-8", "ignore")
        elif path.suffix in {".html", ".ipynb", ".md", ".txt", ".js", ".json", ".py"}:
            text = path.read_text("utf-8")
            soup = path.suffix == ".html"
            yield path.name, BeautifulSoup(text, "html.parser").get_text() if soup else text


def test_downloads_are_there_and_nothing_published_holds_a_solution(book):
    downloads = {path.name for path in (book / "_downloads").rglob("*.*")}
    sources = [
        cell.source
        for path in (ROOT / "solutions").rglob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
    ]
    solution = re.compile(r"### BEGIN SOLUTION\n(.*?)\s*### END SOLUTION", re.DOTALL)
    bodies = {"".join(body.split()) for source in sources for body in solution.findall(source)}
    leaks = []
    for name, text in texts(book):
        squeezed = "".join(text.replace("\\n", "").replace('",\n', "").split())
        leaks += [(name, body) for body in bodies | {"###BEGINSOLUTION"} if body in squeezed]

    for assignment in ASSIGNMENTS:
        assert {f"{assignment}.ipynb", f"{assignment}.zip"} <= downloads
    assert leaks == []


@pytest.mark.parametrize("url", ["", "https://github.com/owner/name"])
def test_edit_links_and_launch_buttons_follow_the_repository(url):
    spec = importlib.util.spec_from_file_location("course_site", ROOT / "_site/course_site.py")
    course_site = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(course_site)
    config = SimpleNamespace(html_theme_options={"repository_url": url})

    course_site.follow_repository(None, config)

    assert config.html_theme_options["use_edit_page_button"] is bool(url)
    assert bool(config.html_theme_options["launch_buttons"]) is bool(url)
