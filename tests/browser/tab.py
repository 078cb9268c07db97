"""A dashboard that is served and a tab that reads it."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.conftest import PROJECT_ROOT

LONG = 60_000
"""Milliseconds: a loaded machine must not fail a test."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def served(warehouse: Path) -> Iterator[str]:
    """Start `matinee dashboard` on a warehouse and give its address."""
    port = free_port()
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "orchestration",
            "dashboard",
            "--port",
            str(port),
            "--warehouse",
            str(warehouse),
        ],
        cwd=PROJECT_ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health")
                break
            except OSError:
                assert server.poll() is None, "the dashboard ended at once"
                time.sleep(0.25)
        yield address
    finally:
        server.terminate()
        server.wait()


@dataclass
class Reader:
    """A browser tab that remembers everything that went wrong in it."""

    page: Page
    address: str
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.troubles.append(f"exception: {error}"))
        self.page.on("console", self._listen)
        self.page.on("request", self._watch)

    def _listen(self, message) -> None:
        where = message.location.get("url", "")
        if message.type == "error":
            self.troubles.append(f"console: {message.text} {where}")

    def _watch(self, request) -> None:
        if request.url.startswith("http") and not request.url.startswith(self.address):
            self.troubles.append(f"asks the outside world: {request.url}")

    def open(self, place: str = "") -> None:
        self.page.goto(f"{self.address}/{place}")
        self.settle()

    def settle(self) -> None:
        """Wait until the page is there in full and nothing runs any more."""
        self.page.locator("h1").first.wait_for(timeout=LONG)
        self.page.wait_for_function(
            """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
                && !document.querySelector('[data-testid=stSkeleton]')""",
            timeout=LONG,
        )
        assert not self.page.locator("[data-testid=stException]").count(), self.page.inner_text("body")

    def turn_to(self, title: str) -> None:
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
        expect(self.page.locator("h1").first).to_have_text(title, timeout=LONG)
        self.settle()

    def choose(self, label: str, option: str) -> None:
        """Choose an option of a select box."""
        labelled = self.page.get_by_text(label, exact=True)
        self.page.get_by_test_id("stSelectbox").filter(has=labelled).get_by_role("combobox").click(
            timeout=LONG
        )
        self.page.get_by_role("option", name=option, exact=True).click(timeout=LONG)
        self.settle()

    def switch(self, option: str) -> None:
        """Switch to another view."""
        self.page.get_by_role("radio", name=option, exact=True).or_(
            self.page.get_by_role("button", name=option, exact=True)
        ).first.click(timeout=LONG)
        self.settle()

    def download(self, key: str) -> bytes:
        self.settle()  # a click while the page is being written may meet the button of the page before
        with self.page.expect_download(timeout=LONG) as caught:
            self.page.locator(f".st-key-{key} button:visible").first.click(timeout=LONG)
        return Path(caught.value.path()).read_bytes()


Open = Callable[..., Reader]
