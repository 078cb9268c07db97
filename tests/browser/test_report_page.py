"""The report opens offline, at a desk and on a phone, without an error and with every picture."""

import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 390])
def test_the_report_opens_offline_with_every_picture_and_no_sideways_scroll(browser, demo_warehouse, width):
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: troubles.append(request.url) if "http" in request.url[:4] else None)
    page.goto(f"file://{demo_warehouse}/report/index.html")
    assert page.get_by_role("heading", name="Premium Loyalists").first.is_visible()
    pictures = page.locator("img")
    assert pictures.count() >= 14
    assert all(
        pictures.evaluate_all("all => all.map(one => one.complete && one.naturalWidth > 0 && one.alt)")
    )
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not troubles
    context.close()
