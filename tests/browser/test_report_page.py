"""The report opens offline, at a desk and on a phone, without an error, with every picture, chart and link."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

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
    assert page.get_by_role("heading", name="Premium Loyalists").first.is_visible()
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    pictures = page.locator("img")
    assert pictures.count() >= 14
    assert all(
        pictures.evaluate_all("all => all.map(one => one.complete && one.naturalWidth > 0 && one.alt)")
    )
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_every_chart_reads_out_its_finding_and_its_values(report):
    charts = report(1280).locator("svg")
    assert charts.count() >= 18
    names = charts.evaluate_all(
        """all => all.map(one => one.getAttribute('aria-labelledby').split(' ')
            .map(id => document.getElementById(id)?.textContent ?? ''))"""
    )
    assert all(len(finding) > 5 and any(digit.isdigit() for digit in values) for finding, values in names)


def test_every_link_of_the_contents_leads_to_its_section(report):
    page = report(390, reduced_motion="reduce")
    links = page.get_by_role("navigation", name="Contents").get_by_role("link")
    assert links.count() >= 8
    for i in range(links.count()):
        links.nth(i).click()
        target = page.locator(links.nth(i).get_attribute("href"))
        assert target.get_by_role("heading", level=2).count() == 1
        assert target.evaluate(
            "section => Math.abs(section.getBoundingClientRect().top) < window.innerHeight"
        )


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


def test_on_paper_nothing_stays_folded(report):
    page = report(1280)
    folded = page.locator("details .genres").first
    assert folded.evaluate("table => !table.checkVisibility()")
    page.emulate_media(media="print")
    assert folded.evaluate("table => table.checkVisibility()")


def _luminance(color: str) -> float:
    channels = [int(part) / 255 for part in color.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
