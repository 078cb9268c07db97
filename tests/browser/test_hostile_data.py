"""Report and dashboard of data that somebody wrote to be run: it is shown, and nothing of it runs."""

from datetime import UTC, datetime

import pytest

from benchmarks.published_set import write_published_set
from published.sets import open_set
from report.build import build_report_context, write_report
from report.context import RunFacts
from report.render import render_report
from tests.browser.tab import served
from tests.hostile import HOSTILE, make_hostile

pytestmark = [pytest.mark.browser, pytest.mark.long]
PAGES = (
    "", "segments", "changes", "members", "choose_k", "titles", "recommend", "customers", "viewing", "data_health",
)  # fmt: skip
_COUNT = """() => [document.title === 'ran', document.querySelectorAll(
    'img[src="x"], svg[onload], [onerror], [onload], a[href^="javascript:"], a[href^="http://x"], script:not([src])'
).length]"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    made = tmp_path_factory.mktemp("made")
    write_published_set(made, users=600, titles=400)
    return make_hostile(made, tmp_path_factory.mktemp("hostile"))


def _watch(page) -> list[str]:
    seen: list[str] = []

    def dismissed(dialog) -> None:
        seen.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismissed)
    return seen


def test_the_report_of_hostile_data_runs_nothing(hostile, browser, tmp_path):
    run = RunFacts(run_id="0f3c9a1e", source=HOSTILE[0], finished_at=datetime(2025, 11, 21, tzinfo=UTC))
    page_file = write_report(
        render_report(build_report_context(open_set(hostile / "published"), tmp_path, run=run)), tmp_path
    )
    page = browser.new_page()
    dialogs = _watch(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"file://{page_file}")
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert page.evaluate(_COUNT) == [False, 0]
    assert "<script>" in page.inner_text("main")
    assert (dialogs, [url for url in asked if not url.startswith(("file:", "data:"))]) == ([], [])
    page.close()


@pytest.fixture(scope="module")
def dashboard(hostile):
    with served(hostile) as address:
        yield address


def test_the_dashboard_of_hostile_data_runs_nothing(dashboard, reader):
    tab = reader(dashboard)
    dialogs = _watch(tab.page)
    tab.open()
    own = tab.page.evaluate("document.querySelectorAll('script:not([src])').length")
    for place in PAGES:
        tab.open(place)
        assert tab.page.evaluate(_COUNT) == [False, own], place
    assert dialogs == []
