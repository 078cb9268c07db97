"""A headless Chromium; what it looks at are the finished runs of `tests.conftest`."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.tab import Open, Reader

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; the test skips where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def reader(browser: Browser) -> Iterator[Open]:
    """Open a tab on an address; at the end nothing may have gone wrong in it."""
    opened = []

    def open_tab(address: str, width: int = 1400, scheme: str = "light") -> Reader:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        opened.append((context, Reader(context.new_page(), address)))
        return opened[-1][1]

    yield open_tab
    for context, tab in opened:
        context.close()
        assert not tab.troubles
