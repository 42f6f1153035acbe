"""Explorers in a real browser: their numbers are PyTorch's, and everybody can use them."""

import functools
import json
import math
import os
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import CHROMIUM
from explorers import cases

from course_utils.explorers import showing as explorers

NAMES = explorers.names()
ODD = ["999999", "-7", "0.5", "zzz", "null", "[]", "[[1]]", "NaN", '"a"', "true", "1e999", ""]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium"),
]
each_explorer = pytest.mark.parametrize("name", NAMES)


@functools.cache
def document(name, theme="light"):
    """Return a page with an explorer, as a notebook shows it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(os.environ, "COURSE_EXPLORERS", raising=False)
        shown = explorers.show(name)._repr_html_()
    head = f'<meta charset="utf-8"><title>{name}</title>'
    return (
        f'<!doctype html><html lang="en" data-theme="{theme}"><head>{head}</head>'
        f"<body><main><h1>{name}</h1>{shown}</main></body></html>"
    )


@pytest.fixture
def open_explorer(browser, tmp_path):
    """Return a function that opens an explorer; at the end no error may have been logged."""
    contexts, errors = [], []

    def open_explorer(name, *, theme="light", width=900, link=""):
        path = tmp_path / f"{name}-{theme}.html"
        path.write_text(document(name, theme), "utf-8")
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text))
        page.on(
            "request", lambda request: errors.append(request.url) if "//" in request.url[7:] else 0
        )
        page.goto(f"{path.as_uri()}{link}")
        page.wait_for_selector(".explorer.live")
        return page

    yield open_explorer
    for context in contexts:
        context.close()
    assert errors == []


def says(page):
    return page.inner_text(".says")


def shown(page):
    """Return all that an explorer shows: text, values of fields, pictures."""
    return page.evaluate(
        """() => {
          const root = document.querySelector(".explorer");
          const fields = [...root.querySelectorAll("input, select")].map(f => f.type == "checkbox" ? f.checked : f.value);
          const pictures = [...root.querySelectorAll("canvas")].map(c => c.toDataURL());
          const drawings = [...root.querySelectorAll(".view svg")].map(s => s.innerHTML);
          return JSON.stringify([root.innerText, fields, pictures, drawings]);
        }"""
    )


def assert_close(found, expected, tolerance):
    flat = [abs(x) for x in numbers(expected) if math.isfinite(x)]
    largest = max(flat, default=1.0) or 1.0
    left, right = list(numbers(found)), list(numbers(expected))
    assert json.dumps(form(found)) == json.dumps(form(expected))
    for yours, wanted in zip(left, right, strict=True):
        if math.isfinite(wanted):
            assert abs(yours - wanted) <= tolerance * largest, (yours, wanted)
        else:
            assert str(yours) == str(wanted)


def numbers(value):
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, list):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def form(value):
    """Return a value with every number replaced."""
    if isinstance(value, dict):
        return {key: form(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [form(part) for part in value]
    return value if isinstance(value, bool | str | None) else "number"


@each_explorer
def test_its_numbers_are_those_of_pytorch(open_explorer, name):
    page = open_explorer(name)
    found = cases(name)

    assert len(found) >= 10
    for case in found:
        call = "([name, f, args]) => courseExplorers[name][f](...args)"
        result = page.evaluate(call, [name, case.function, case.arguments])

        assert_close(result, case.expected, case.tolerance)


@each_explorer
def test_every_control_is_reached_and_used_by_keyboard(open_explorer, name):
    page = open_explorer(name)
    reachable = page.evaluate(
        """() => [...document.querySelectorAll(".explorer :is(input, select, button, a)")]
          .filter(e => e.tabIndex >= 0 && !e.disabled).map(e => e.dataset.key)"""
    )
    visited, sentences = [], {says(page)}
    for _ in range(len(reachable) + 5):
        page.keyboard.press("Tab")
        key = page.evaluate("document.activeElement.dataset?.key")
        if key is None or key in visited:
            break
        visited.append(key)
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", key
    assert visited == reachable
    for key in visited:
        control = page.locator(f'.explorer [data-key="{key}"]').first
        if not control.count() or control.is_disabled():
            continue
        control.focus()
        kind = control.evaluate("e => e.type || e.tagName")
        page.keyboard.press({"checkbox": "Space", "range": "ArrowLeft"}.get(kind, "ArrowDown"))
        if kind in ("submit", "button"):
            page.keyboard.press("Enter")
        if key not in ("reset", "link"):
            sentences.add(says(page))
    assert len(sentences) > 1


@each_explorer
def test_every_control_is_used_by_pointer_and_reset_brings_it_back(open_explorer, name):
    page = open_explorer(name)
    before = shown(page)
    sentences = {says(page)}
    for select in page.locator(".explorer select").all():
        for option in select.locator("option").all():
            select.select_option(option.get_attribute("value"))
            sentences.add(says(page))
    for box in page.locator(".explorer input[type=checkbox]").all():
        box.click()
        sentences.add(says(page))
    for slider in page.locator(".explorer input[type=range]").all():
        size = slider.bounding_box()
        slider.click(position={"x": size["width"] * 0.3, "y": size["height"] / 2})
        sentences.add(says(page))
    for cell in page.locator(".explorer .view button").all()[:3]:
        cell.click()
        sentences.add(says(page))

    assert len(sentences) > 2
    for sentence in sentences:
        assert sentence.strip()
        assert not re.search(r"undefined|NaN|null|object", sentence), sentence
    page.click(".explorer button[data-key=reset]")
    assert shown(page) == before


@each_explorer
def test_a_link_leads_to_the_same_state(open_explorer, name):
    page = open_explorer(name)
    for control in page.locator(
        ".explorer :is(select, input[type=range], input[type=checkbox])"
    ).all():
        kind = control.evaluate("e => e.type")
        control.click() if kind == "checkbox" else control.focus()
        if kind != "checkbox":
            page.keyboard.press("ArrowDown" if kind == "select-one" else "ArrowLeft")
    there = shown(page)
    link = page.get_attribute(".explorer a[data-key=link]", "href")

    assert shown(open_explorer(name, link=link)) == there


@each_explorer
def test_no_link_breaks_it(open_explorer, name):
    page = open_explorer(name)
    keys = page.evaluate(f"Object.keys(courseExplorers['{name}'].explorer.state)")

    assert keys
    for key in keys:
        for value in ODD:
            page.evaluate(
                "([name, key, value]) => location.hash = `#${name}?${key}=${value}`",
                [name, key, value],
            )
            page.wait_for_timeout(5)
            assert says(page).strip()
            assert not re.search(r"undefined|NaN|null|object", says(page)), (key, value)


@each_explorer
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_phone(open_explorer, name, theme):
    page = open_explorer(name, theme=theme, width=320)

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 900, "height": 900})
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in violations] == []


def test_only_known_forms_of_import_and_export_are_served(tmp_path, monkeypatch):
    monkeypatch.setattr(explorers, "FOLDER", tmp_path)
    for line in ("export default 3;", 'import * as kit from "./kit.js";', "export let x = 1;"):
        (tmp_path / "odd.js").write_text(line)
        with pytest.raises(ValueError, match=r"odd\.js: write `import"):
            explorers.classic("odd")


def test_an_unknown_explorer_is_told_in_a_sentence():
    with pytest.raises(ValueError, match=r"no explorer is called 'stepper'; there are .*window-st"):
        explorers.show("stepper")


@each_explorer
def test_what_is_stored_in_a_chapter_is_small_and_says_what_to_do(monkeypatch, name):
    monkeypatch.setenv("COURSE_EXPLORERS", "page")

    stored = explorers.show(name)._repr_html_()

    assert len(stored) < 400
    assert "<script" not in stored
    assert explorers.NO_SCRIPTS in stored


def test_the_mouse_over_a_column_shows_its_window(open_explorer):
    page = open_explorer("im2col-viewer")
    entries = page.locator(".explorer svg g")
    columns = 9  # windows of 2 × 3 on 4 × 5 pixels

    page.evaluate("document.querySelector('.explorer svg').scrollIntoView({block: 'center'})")
    entries.nth(2 * columns + 7).hover()
    assert says(page).startswith("Column 7 ")
    page.get_by_label("Windows, row 1, column 0: 3").hover()
    assert says(page).startswith("Column 3 ")
