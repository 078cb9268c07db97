"""The Dagster UI shows a finished run: the graph, green checks and the thumbnails of plots."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import PROJECT_ROOT

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.fixture(scope="module")
def ui(demo_home, demo_warehouse):
    """The address of a webserver on the instance that recorded the demo run."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [str(Path(sys.executable).with_name("dagster-webserver")), "-p", str(port), "-w", "workspace.yaml"],
        cwd=PROJECT_ROOT,
        env={**os.environ, "DAGSTER_HOME": str(demo_home), "MATINEE_WAREHOUSE": str(demo_warehouse)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(480):  # a loaded machine must not fail a test
        try:
            urllib.request.urlopen(f"{address}/server_info")
            break
        except OSError:
            assert server.poll() is None, "the webserver ended at once"
            time.sleep(0.5)
    yield address
    server.terminate()
    server.wait()


@pytest.fixture
def open_page(browser, ui):
    """Open a page of the UI in a window of this size; one left open would keep the server from ending."""
    pages = []

    def opened(path: str, width: int, height: int):
        pages.append(browser.new_page(viewport={"width": width, "height": height}))
        pages[-1].goto(f"{ui}/{path}")
        return pages[-1]

    yield opened
    for page in pages:
        page.close()


def test_the_graph_of_a_segmentation_is_shown_materialised(open_page):
    # Large, because assets outside the window are not drawn.
    page = open_page("locations/matinee/asset-groups/user_ratings", 2600, 4200)
    page.get_by_text(re.compile(r"^(\d+) / \1 Passed$")).nth(1).wait_for(timeout=60_000)
    page.get_by_text("Materialized").nth(4).wait_for(timeout=30_000)
    assert page.get_by_text("Scikit Learn").first.is_visible()
    assert not page.get_by_text("Failed", exact=True).count()


def test_a_plot_is_shown_as_a_picture_without_a_click_and_as_a_whole(open_page):
    page = open_page("assets/user_ratings/plots", 1700, 1000)
    picture = page.locator("img[alt='pca_map_k5']")
    picture.wait_for(timeout=60_000)
    assert picture.evaluate("one => one.naturalWidth") > 200
    assert not page.get_by_text("Show more").count()


def test_a_run_of_the_command_line_is_in_the_timeline_and_under_its_job(open_page):
    page = open_page("timeline/jobs", 1700, 1000)
    page.get_by_role("link", name="refresh").wait_for(timeout=60_000)
    page = open_page("locations/matinee/jobs/refresh/runs", 1700, 1000)
    page.get_by_text("matinee/source").wait_for(timeout=60_000)


def test_a_column_links_to_the_table_that_it_comes_from(open_page):
    page = open_page("assets/marts/recommendations", 1700, 1400)
    page.get_by_role("link", name="ml/recommendations").first.click(timeout=60_000)
    page.wait_for_url("**/assets/ml/recommendations**")
