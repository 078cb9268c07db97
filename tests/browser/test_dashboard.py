"""The dashboard in a browser: every page, the main paths, at a desk and on a phone, and while a run refreshes it."""

import csv
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import expect

from tests.browser.earlier import CAME, a_week_later
from tests.browser.tab import LONG, served
from tests.conftest import PROJECT_ROOT

pytestmark = [pytest.mark.browser, pytest.mark.long]

PAGES = (
    "Overview",
    "Segments",
    "What changed",
    "Members",
    "Choose k",
    "Titles",
    "Recommend",
    "Customers",
    "Viewing",
    "Data health",
)
ALWAYS = ("Segments", "What changed", "Members", "Choose k", "Customers", "Data health")
"""Those that a set of customers alone has too."""


@pytest.fixture(scope="module")
def demo(demo_warehouse: Path) -> Iterator[str]:
    with served(demo_warehouse) as address:
        yield address


@pytest.fixture(scope="module")
def real(real_warehouse: Path) -> Iterator[str]:
    with served(real_warehouse) as address:
        yield address


@pytest.fixture(scope="module")
def later(demo_warehouse: Path, tmp_path_factory) -> Iterator[str]:
    with served(a_week_later(demo_warehouse, tmp_path_factory.mktemp("later"))) as address:
        yield address


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
def test_every_page_opens_on_the_demo_world_without_an_error_and_without_sideways_scroll(
    demo, reader, width, scheme
):
    tab = reader(demo, width, scheme)
    for title in PAGES:
        tab.open(
            ""
            if title == "Overview"
            else {"What changed": "changes"}.get(title, title.lower().replace(" ", "_"))
        )
        expect(tab.page.locator("h1").first).to_have_text(title)
        assert tab.page.evaluate(
            "(main => main.scrollWidth <= main.clientWidth)(document.querySelector('[data-testid=stMain]'))"
        ), f"{title} scrolls sideways at {width} pixels"


@pytest.mark.real_data
def test_every_page_opens_on_the_real_files(real, reader):
    tab = reader(real)
    tab.open()
    for listed in tab.page.get_by_test_id("stSidebarNav").get_by_role("link").all_inner_texts():
        tab.turn_to(listed.splitlines()[-1])
        assert (
            tab.page.get_by_test_id("stPlotlyChart")
            .or_(tab.page.get_by_test_id("stAlert"))
            .or_(tab.page.get_by_test_id("stDataFrame"))
            .filter(visible=True)
            .count()
        ), listed


def test_a_segment_is_picked_and_its_members_are_taken_away_as_a_list(demo, demo_warehouse, reader):
    tab = reader(demo)
    tab.open()
    tab.turn_to("Segments")
    tab.switch("One segment")
    tab.choose("Segment", "Loyalists")
    expect(tab.page.get_by_role("heading", name="Loyalists", exact=True)).to_be_visible()
    members = pl.read_parquet(demo_warehouse / "published" / "segment_members.parquet").filter(
        segmentation="user_ratings", segment_name="Loyalists"
    )
    content = tab.download(f"members_user_ratings_{members['segment_id'][0]}-csv")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert sorted(row["user_id"] for row in rows) == sorted(members["entity_id"])


def test_one_segment_tells_how_and_when_it_watches_and_what_to_recommend_to_it(demo, reader):
    tab = reader(demo)
    tab.open("segments?segmentation=User+taste&view=One+segment")
    for said in ("Favourite genres", "Watches on", "Watches most", "Subscriptions", "How much:"):
        expect(tab.page.get_by_text(said, exact=False).first).to_be_visible()
    for head in ("What to recommend to it", "Titles they rate more often than how much they rate explains"):
        expect(tab.page.get_by_role("heading", name=head)).to_be_visible()


def test_a_list_of_two_segments_of_heavy_users_is_taken_away_as_a_file_for_each(demo, demo_warehouse, reader):
    members = pl.read_parquet(demo_warehouse / "published" / "segment_members.parquet")
    heavy = members.filter(segmentation="user_taste", level="heavy")["entity_id"]
    rated = members.filter(segmentation="user_ratings").filter(pl.col("entity_id").is_in(heavy.implode()))
    sizes = rated.group_by("segment_name").len().sort("len", descending=True).head(2)
    tab = reader(demo)
    tab.open("members")
    for segment in sizes["segment_name"]:
        field = tab.page.get_by_test_id("stMultiSelect").filter(
            has=tab.page.get_by_text("User ratings", exact=True)
        )
        field.first.get_by_role("combobox").click(timeout=LONG)
        tab.page.get_by_role("option", name=segment).first.click(timeout=LONG)
        tab.page.keyboard.press("Escape")
        tab.settle()
    tab.switch("Heavy")
    expect(tab.page.get_by_test_id("stMetricValue")).to_have_text(f"{sizes['len'].sum():,}")
    tab.switch("One file per segment")
    tab.choose("One file per segment of", "User ratings")
    written = zipfile.ZipFile(io.BytesIO(tab.download("members-zip")))
    assert {name: len(written.read(name).splitlines()) - 1 for name in written.namelist()} == {
        f"{segment.lower().replace(' ', '-').replace('(', '').replace(')', '')}.csv": size
        for segment, size in sizes.iter_rows()
    }


def test_what_changed_since_last_week_is_told_by_figures_flow_and_list(later, reader):
    tab = reader(later)
    tab.open()
    tab.turn_to("What changed")
    tab.switch("Last week")
    users = tab.page.get_by_test_id("stMetric").filter(has=tab.page.get_by_text("Users", exact=True))
    expect(users.get_by_test_id("stMetricDelta")).to_have_text(f"+{CAME}")
    expect(tab.page.get_by_text(f"{CAME} came, 0 left", exact=False).first).to_be_visible()
    expect(tab.page.get_by_role("heading", name="Sizes over all runs")).to_be_visible()


def test_pages_without_data_are_left_out_of_the_menu_and_say_so_to_who_has_their_address(
    demo_warehouse, reader, tmp_path_factory
):
    warehouse = tmp_path_factory.mktemp("without_customers")
    shutil.copytree(demo_warehouse / "published", warehouse / "published")
    for table in ("customer_discovery", "customer_channels"):
        file = warehouse / "published" / f"{table}.parquet"
        pl.read_parquet(file).clear().write_parquet(file)
    with served(warehouse) as address:
        tab = reader(address)
        tab.open("customers")
        listed = tab.page.get_by_test_id("stSidebarNav").get_by_role("link").all_inner_texts()
        assert [title for title in PAGES if title not in "\n".join(listed)] == ["Customers"]
        expect(tab.page.get_by_text("The source has nothing that this page shows.")).to_be_visible()
        tab.page.close()


def test_the_choice_of_a_segmentation_stays_from_page_to_page(demo, reader):
    tab = reader(demo)
    tab.open()
    tab.turn_to("Segments")
    tab.choose("Segmentation", "Customer acquisition")
    tab.turn_to("Choose k")
    expect(tab.page.get_by_text("8 segments are published", exact=False).first).to_be_visible()


def test_a_title_is_searched_and_its_markup_stays_text(demo, reader):
    tab = reader(demo)
    tab.open("titles")
    search = tab.page.get_by_role("textbox", name="Search", exact=True)
    search.fill("script alert")
    search.press("Enter")
    heading = tab.page.get_by_role("heading", name="<script>alert(1)</script>", exact=False)
    heading.wait_for(timeout=LONG)
    tab.settle()
    expect(tab.page.get_by_role("heading", name="Similar titles")).to_be_visible()
    for typed in (
        "'; drop table titles; --",
        '"quoted"',
        "<img src=x onerror=alert(1)>",
        "no such title at all",
    ):
        search.fill(typed)
        search.press("Enter")
        tab.page.get_by_text("No title has all of these words", exact=False).wait_for(timeout=LONG)
        tab.settle()


def test_liked_titles_give_recommendations_with_reasons(demo, reader):
    tab = reader(demo)
    tab.open("recommend")
    tab.switch("For liked titles")
    for _ in range(2):
        tab.page.get_by_test_id("stMultiSelect").get_by_role("combobox").click(timeout=LONG)
        tab.page.get_by_role("option").first.click(timeout=LONG)
        tab.page.keyboard.press("Escape")
        tab.settle()
    expect(tab.page.get_by_text("because you like", exact=False).first).to_be_visible(timeout=LONG)
    tab.choose("Genre", "Comedy")
    assert tab.page.get_by_text("Comedy", exact=False).count() >= 3


def test_a_known_user_gets_a_list_and_an_unknown_one_an_answer(demo, reader):
    tab = reader(demo)
    tab.open("recommend")
    expect(tab.page.get_by_text("because you rated", exact=False).first).to_be_visible(timeout=LONG)
    user = tab.page.get_by_role("textbox", name="User", exact=True)
    user.fill("987654321")
    user.press("Enter")
    expect(tab.page.get_by_text("There is no user 987654321", exact=False)).to_be_visible(timeout=LONG)
    tab.settle()


def test_charts_and_tables_have_a_name_for_screen_readers(demo, reader):
    tab = reader(demo)
    tab.open()
    named = tab.page.locator(
        "[data-testid=stPlotlyChart][aria-label], [data-testid=stPlotlyChart] [aria-label]"
    )
    assert named.count() >= tab.page.get_by_test_id("stPlotlyChart").count() > 0


def test_a_page_is_reached_by_keyboard_alone(demo, reader):
    tab = reader(demo)
    tab.open()
    link = tab.page.get_by_test_id("stSidebarNav").get_by_role("link", name="Customers", exact=True)
    for _ in range(30):
        tab.page.keyboard.press("Tab")
        if link.evaluate("one => one === document.activeElement"):
            break
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("h1").first).to_have_text("Customers", timeout=LONG)
    tab.settle()


def test_a_run_refreshes_the_dashboard_while_it_is_read(
    demo_warehouse, demo_world, reader, dagster_home, tmp_path
):
    warehouse = tmp_path / "warehouse"
    shutil.copytree(demo_warehouse, warehouse, symlinks=True)
    before = (warehouse / "published").resolve()
    # A source with customers only: the shortest run there is, and pages lose their tables under the reader.
    customers = tmp_path / "customers"
    customers.mkdir()
    shutil.copy(next(demo_world.rglob("customer_segmentation_data.csv")), customers)
    with served(warehouse) as address:
        tab = reader(address)
        tab.open()
        run = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "orchestration",
                "run",
                "--source",
                str(customers),
                "--warehouse",
                str(warehouse),
            ],
            cwd=PROJECT_ROOT,
            env={**os.environ, "DAGSTER_HOME": str(dagster_home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        rounds = 0
        while run.poll() is None:
            tab.turn_to(ALWAYS[rounds % len(ALWAYS)])
            rounds += 1
        assert run.returncode == 0, run.stderr.read().decode() if run.stderr else ""
        assert rounds >= 3
        assert (warehouse / "published").resolve() != before
        tab.turn_to("Data health")
        runs = pl.read_parquet(warehouse / "published" / "runs.parquet")
        assert runs.height == 2
        expect(tab.page.get_by_test_id("stMetricValue").first).to_have_text("just now", timeout=LONG)
        tab.page.close()


def test_before_the_first_run_the_page_says_what_to_do(tmp_path, reader):
    with served(tmp_path) as address:
        tab = reader(address)
        tab.open()
        expect(tab.page.get_by_text("matinee run", exact=False).first).to_be_visible()
        tab.page.close()
