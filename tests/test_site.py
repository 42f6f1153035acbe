"""The book in a real browser: over HTTP, from a folder, in light and dark, wide and narrow."""

import functools
import gzip
import importlib.util
import re
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
from browsers import CHROMIUM
from bs4 import BeautifulSoup
from filelock import FileLock

from course_utils.checks.registry import ASSIGNMENTS

ROOT = Path(__file__).parents[1]
SOURCES = ["_config.yml", "_toc.yml", "index.md", "_site", "_static", "chapters", "release"]
SOURCES += ["course_utils/explorers"]
FIRST_VIEW_BYTES = 350_000
MOST_SHIFT = 0.05  # half of what is called good
# The list of contents beside the text unfolds as one scrolls: that is meant.
WATCH_SHIFTS = """
window.shifts = [];
const listed = source => Boolean(source.node?.parentElement?.closest(".bd-sidebar-secondary"));
new PerformanceObserver(list => {
  const jumps = list.getEntries().filter(one => !one.sources.every(listed));
  shifts.push(...jumps.map(one => one.value));
}).observe({ type: "layout-shift", buffered: true });
"""
SCROLLING_CODE = """[...document.querySelectorAll(".highlight-python pre, .highlight-shell pre")]
  .filter(each => each.scrollWidth > each.clientWidth).map(each => each.textContent.slice(0, 40))"""
GROUNDS = """() => {
  const ground = each => getComputedStyle(each).backgroundColor;
  const all = [...document.querySelectorAll(".explorer")];
  return {
    cells: all.flatMap(one => [...one.querySelectorAll(".grid td:not(:empty)")].map(ground)),
    around: all.map(one => ground(one.closest(".output"))),
  };
}"""
ROOM = """explorer => {
  const kept = parseFloat(getComputedStyle(explorer).minHeight);
  explorer.style.minHeight = 0;
  return { kept, taken: explorer.offsetHeight };
}"""
AXE_OPTIONS = {"resultTypes": ["violations"]}
OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"
# Axe takes seconds for thousands of boxes that are all alike: keep one token of each kind, and of
# a formula, which has the colour of its text, the room that it takes. What explorers draw is looked
# at in test_explorers.py.
THIN_OUT = """() => {
  document.querySelectorAll(".explorer .view").forEach(view => view.replaceChildren());
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
        if width < 576:
            assert page.evaluate(SCROLLING_CODE) == [], name

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


def scroll_through(page):
    """Scroll to the end as a reader does, a part of the window at a time."""
    for _ in range(page.evaluate("Math.ceil(document.documentElement.scrollHeight / 800)")):
        page.mouse.wheel(0, 800)
        page.wait_for_timeout(15)


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_jumps_while_a_chapter_is_read(width, addresses, pages, open_page):
    page = open_page(width=width)
    page.add_init_script(WATCH_SHIFTS)
    slow = {"rate": 4}  # as a phone is, and as this machine is beside other tests
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", slow)
    found = {}

    for name in [one for one in pages if re.match(r"chapters/\d|index", one)]:
        page.goto(addresses["http"] + name)
        scroll_through(page)
        page.wait_for_timeout(100)
        found[name] = page.evaluate("shifts.reduce((sum, one) => sum + one, 0)")

    assert {name: shift for name, shift in found.items() if shift > MOST_SHIFT} == {}
    assert len(found) == 16


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_explorers_have_room_and_their_own_grounds(scheme, addresses, pages, open_page):
    page, clear = open_page(scheme=scheme), "rgba(0, 0, 0, 0)"
    tints = {}

    for name in [one for one in pages if re.match(r"chapters/\d", one)]:
        page.goto(addresses["http"] + name)
        for explorer in page.locator(".explorer").all():
            explorer.scroll_into_view_if_needed()
            explorer.get_by_text("Link to this state").wait_for()
            room = explorer.evaluate(ROOM)
            assert 0.75 * room["taken"] <= room["kept"] <= 1.05 * room["taken"], name
        found = page.evaluate(GROUNDS)
        assert clear not in found["cells"], name
        assert set(found["around"]) <= {clear}, name
        tints[name] = len(set(found["cells"]))

    assert sum(count > 3 for count in tints.values()) >= 5, tints


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
    options = page.locator("section:not(:has(> form.answer)) > details.option")
    first, last = options.first.locator("p").last, options.last.locator("p").last

    page.emulate_media(media="print")
    assert last.is_visible()

    page.emulate_media(media="screen")
    assert not first.is_visible()
    options.first.locator("summary").press("Enter")
    assert first.is_visible()


def asked(page, kind):
    """Return the first question of a kind on a page, and the words of its right option."""
    found = page.locator(f"section:has(> form.answer):has(> details.{kind})").first
    section = page.locator(f"#{found.get_attribute('id')}")
    return section, section.locator("details.option.right summary").text_content().strip()


def test_without_scripts_a_page_is_read_and_answers_open(browser, addresses):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(addresses["http"] + "chapters/06_relu_pooling_receptive_field.html")
    option = page.locator("details.option").first
    reason = option.locator("p").last

    assert "The figure below" in page.locator(".explorer").first.inner_text()
    assert page.locator("figure img").first.is_visible()
    assert not reason.is_visible()
    option.locator("summary").click()
    assert reason.is_visible()
    ground, border = (
        option.evaluate(f"each => getComputedStyle(each).{name}")
        for name in ("backgroundColor", "borderLeftWidth")
    )
    assert (ground != "rgba(0, 0, 0, 0)", border) == (True, "5px")
    page.context.close()


def test_a_number_is_asked_for_and_a_usual_slip_is_explained(addresses, open_page):
    page = open_page()
    page.goto(f"{addresses['http']}chapters/02_correlation_and_convolution.html")
    section, right = asked(page, "number")
    options = section.locator("details.option")
    wrong = section.locator("details.option:not(.right)").first
    field, said = section.locator("form input"), section.locator("form .said")
    assert options.evaluate_all("all => all.every(option => option.hidden)")

    for text in ("", "many", "1/0", "12345678"):
        field.fill(text)
        field.press("Enter")
        assert said.inner_text()
        assert options.evaluate_all("all => all.every(option => option.hidden)")

    field.fill(wrong.locator("summary").text_content())
    field.press("Enter")
    assert wrong.locator("p").last.is_visible()
    field.fill(f" {right}.0 ")
    field.press("Enter")
    assert section.locator("details.option.right p").last.is_visible()
    assert not wrong.is_visible()
    assert section.locator("h3").get_attribute("data-answered") == "later"
    assert "1 right of 8" in page.inner_text("p.answered")

    page.reload()
    assert "1 right of 8 on this page, 0 at the first try" in page.inner_text("p.answered")
    section.locator("form button").last.click()
    assert options.evaluate_all("all => all.every(option => !option.hidden)")

    page.goto(addresses["http"] + "index.html")
    assert "1 right, 0 at the first try" in page.inner_text("p.answered")
    page.click("button.clear")
    page.goto(f"{addresses['http']}chapters/02_correlation_and_convolution.html")
    assert "0 right of 8" in page.inner_text("p.answered")
    assert not page.locator("button.clear").is_visible()


def test_a_shape_and_an_order_are_asked_for(addresses, open_page):
    page = open_page(width=320)
    page.goto(f"{addresses['http']}chapters/03_convolution_arithmetic.html")
    section, right = asked(page, "shape")
    section.locator("form input").fill(right.replace("(", "[").replace(",", " ,"))
    section.locator("form input").press("Enter")
    assert section.locator("h3").get_attribute("data-answered") == "right"

    section, right = asked(page, "order")
    items = section.locator("ol.order li")
    wanted = right.split(", ")
    assert items.locator("span").all_inner_texts() != wanted
    for place, words in enumerate(wanted):
        while (at := items.locator("span").all_inner_texts().index(words)) > place:
            items.nth(at).locator(".up").press("Enter")
    section.locator("form button[type=submit]").press("Enter")
    assert section.locator("h3").get_attribute("data-answered") == "right"
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_code_in_an_option_stands_in_its_line(addresses, open_page):
    page = open_page(width=390)
    page.goto(f"{addresses['http']}chapters/appendix_h_teaching.html")
    option = page.locator("summary:has(code)").first
    lines = "one => new Set([...one.getClientRects()].map(box => box.top)).size"

    assert option.locator("code").evaluate(lines) == 1
    assert option.evaluate("one => getComputedStyle(one).display") == "block"


def test_what_a_browser_keeps_may_be_anything(addresses, open_page):
    page = open_page()
    page.goto(f"{addresses['http']}chapters/03_convolution_arithmetic.html")
    for kept in ("{", "[]", "null", "7", '{"a": {"b": 1}}'):
        page.evaluate("text => localStorage.setItem('convolutions.self-checks', text)", kept)
        page.reload()
        assert "0 right of 8" in page.inner_text("p.answered")


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
