"""The report opens offline, at a desk and on a phone, without an error, with every picture, chart and link."""

import base64
import io
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from PIL import Image, ImageStat
from playwright.sync_api import Page

from published.sets import open_set
from report.build import build_report_context
from report.context import RunFacts
from report.render import render_report
from tests.conftest import PROJECT_ROOT

pytestmark = pytest.mark.browser


@pytest.fixture
def report(browser, demo_warehouse: Path) -> Iterator[Callable[..., Page]]:
    """Open the report at a width, offline; whatever goes wrong on the page fails the test."""
    troubles: list[str] = []
    contexts = []

    def opened(width: int, **settings) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "request", lambda request: troubles.append(request.url) if "http" in request.url[:4] else None
        )
        page.goto(f"file://{demo_warehouse}/report/index.html")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not troubles


@pytest.mark.parametrize("width", [1280, 390])
def test_the_report_shows_every_picture_in_words_too_and_never_scrolls_sideways(report, width):
    page = report(width)
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert page.get_by_role("heading", name="Premium Loyalists").first.is_visible()
    pictures = page.locator("img")
    assert pictures.count() >= 14
    assert all(
        pictures.evaluate_all("all => all.map(one => one.complete && one.naturalWidth > 0 && one.alt)")
    )
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_first_screen_answers_what_a_head_of_marketing_asks(report):
    page = report(1280)
    for question in ("Segments: ", "Three things to do", "What changed", "Can it be trusted?"):
        answer = page.locator(".summary section", has=page.get_by_role("heading", name=question))
        box = answer.bounding_box()
        assert box["y"] + box["height"] <= 800, question
        assert len(answer.inner_text()) > len(question) + 20
    assert page.locator(".todo li").count() == 3
    assert page.locator(".summary tbody tr").count() == 5


def test_closed_the_report_is_a_few_screens_high(report):
    assert report(1280).evaluate("document.documentElement.scrollHeight") <= 6_000


def test_a_link_of_the_first_screen_unfolds_its_section_without_a_script(report):
    page = report(1280, reduced_motion="reduce")
    links = page.locator(".summary a")
    assert links.count() >= 5
    for i in range(links.count()):
        links.nth(i).click()
        section = page.locator(links.nth(i).get_attribute("href"))
        assert section.is_visible()
        assert section.evaluate(
            "section => Math.abs(section.getBoundingClientRect().top) < window.innerHeight"
        )


def test_what_unfolds_is_never_empty(report):
    page = report(1280)
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    bodies = page.locator(".part > .body").evaluate_all(
        "all => all.map(one => [one.id, one.innerText.trim().length, "
        "one.querySelectorAll('tr, li, img, svg, p').length])"
    )
    assert len(bodies) >= 10
    assert all(letters > 40 and parts for _, letters, parts in bodies), bodies
    assert page.locator("table").evaluate_all("all => all.every(one => one.querySelector('tbody tr td'))")


def test_every_chart_reads_out_its_finding_and_its_values(report):
    charts = report(1280).locator("svg")
    assert charts.count() >= 18
    names = charts.evaluate_all(
        """all => all.map(one => one.getAttribute('aria-labelledby').split(' ')
            .map(id => document.getElementById(id)?.textContent ?? ''))"""
    )
    assert all(len(finding) > 5 and any(digit.isdigit() for digit in values) for finding, values in names)


def test_a_keyboard_comes_past_the_contents_and_opens_what_is_folded(report):
    page = report(1280)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.evaluate("part => part.open")


def test_text_stands_out_from_its_ground_in_the_dark_too(report):
    page = report(1280, color_scheme="dark")
    ground, ink = (
        page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color")
    )
    assert _luminance(ground) < 0.05
    assert (_luminance(ink) + 0.05) / (_luminance(ground) + 0.05) > 7  # WCAG 2.2, level AAA


def test_plates_are_dark_in_the_dark(report):
    page = report(1280, color_scheme="dark")
    page.evaluate("location.hash = 'catalogue'")
    plate = page.locator("#catalogue img").first
    plate.scroll_into_view_if_needed()
    pixels = Image.open(io.BytesIO(plate.screenshot())).convert("L")
    assert ImageStat.Stat(pixels).median[0] < 60


def test_on_paper_an_index_leads_through_twelve_pages_at_most(report):
    page = report(1280)
    folded = page.locator("details .genres").first
    contents = page.get_by_role("navigation", name="Contents")
    assert not contents.is_visible()
    printed = page.pdf(prefer_css_page_size=True)
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 12
    page.emulate_media(media="print")
    assert contents.is_visible()
    listed = contents.get_by_role("link").evaluate_all("all => all.map(one => one.hash.slice(1))")
    assert listed == page.locator(".part > .body").evaluate_all("all => all.map(one => one.id)")
    assert all(
        page.locator(f"[id='{section}']").evaluate("one => one.checkVisibility()") for section in listed
    )
    assert folded.evaluate("table => !table.checkVisibility()")


def test_the_report_tells_neither_where_it_was_made_nor_who_is_who(demo_warehouse, tmp_path):
    published = tmp_path / "published"
    shutil.copytree(demo_warehouse / "published", published)
    people = 0
    for file in published.glob("*.parquet"):
        rows = pl.read_parquet(file)
        ids = [name for name in ("user_id", "customer_id", "entity_id") if name in rows.columns]
        people += len(ids)
        rows.with_columns(pl.format("who-{}-is", name).alias(name) for name in ids).write_parquet(file)
    assert people >= 5
    run = RunFacts(run_id="0f3c9a1e", source="the demo world", finished_at=datetime(2025, 11, 21, tzinfo=UTC))
    plots = demo_warehouse / "plots"
    drawn = sorted((plots / "audience").glob("*.png"))
    page = render_report(build_report_context(open_set(published), plots, run=run, audience_plots=drawn))
    assert "Somebody of" in page
    assert "who-" not in page
    pictures = re.findall("base64,([A-Za-z0-9+/=]+)", (demo_warehouse / "report" / "index.html").read_text())
    made = (demo_warehouse / "report" / "index.html").read_text() + page
    inside = b"".join(map(base64.b64decode, pictures)) + made.encode()
    for path in (demo_warehouse, demo_warehouse.resolve(), tmp_path, Path.home(), PROJECT_ROOT):
        assert str(path).encode() not in inside


def _luminance(color: str) -> float:
    channels = [int(part) / 255 for part in color.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
