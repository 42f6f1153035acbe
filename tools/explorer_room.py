"""Measure how high explorers are in the book, so that a page can keep room for those still to come.

Usage: python tools/explorer_room.py     after `make book`; needs Chromium

Writes course_utils/explorers/room.css. Room is the least that an explorer takes in windows of a
class of widths: what is missing in some of them is better than a gap in others.
"""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
from _site.paper import BOOK, browser_path
from course_utils.explorers.showing import FOLDER

WIDTHS = {
    "(width < 27.5rem)": (320, 360, 390, 430),
    "(27.5rem <= width < 41rem)": (440, 480, 576, 640),
    "(width >= 41rem)": (660, 768, 960, 1200, 1440, 1920),
}
HEIGHT = "element => Math.floor(element.getBoundingClientRect().height)"
NO_ROOM = ".explorer { min-height: 0 !important }"


def heights(page: Page) -> dict[str, dict[str, int]]:
    """Return the least height of every explorer on the page, by class of widths."""
    page.add_style_tag(content=NO_ROOM)
    found: dict[str, dict[str, int]] = {}
    for explorer in page.locator(".explorer").all():
        explorer.scroll_into_view_if_needed()
        explorer.get_by_text("Link to this state").wait_for()
    for condition, widths in WIDTHS.items():
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            for explorer in page.locator(".explorer").all():
                name, height = explorer.get_attribute("data-explorer"), explorer.evaluate(HEIGHT)
                room = found.setdefault(condition, {})
                room[name] = min(height, room.get(name, height))
    return found


def main() -> None:
    """Measure all, and write the style."""
    rules: dict[str, dict[str, int]] = {condition: {} for condition in WIDTHS}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path())
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        for path in sorted(BOOK.glob("chapters/*.html")):
            if 'class="explorer"' in path.read_text("utf-8"):
                page.goto(path.as_uri())
                for condition, room in heights(page).items():
                    rules[condition] |= room
                page.set_viewport_size({"width": 1440, "height": 900})
        browser.close()
    lines = ["/* Room kept for explorers that are still to come: by tools/explorer_room.py. */"]
    for condition, room in rules.items():
        lines.append(f"@media (scripting: enabled) and {condition} {{")
        for name, height in sorted(room.items()):
            lines.append(f'  [data-explorer="{name}"] {{ min-height: {height}px; }}')
        lines.append("}")
    (FOLDER / "room.css").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
