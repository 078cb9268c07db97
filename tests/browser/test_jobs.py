"""What people come to the dashboard for: each job ends with the right answer in three clicks at most, and can be read.

A click leads from page to page or from view to view; what one types or picks from a list is the question and counts as
none, nor do opening and closing the menu of a phone, which Streamlit leaves open over the page.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from dashboard.queries import recommend
from ml.plots.segment_words import decision
from published.finding import current_set
from published.questions import segments as questions
from tests.browser.earlier import CAME, a_week_later, largest
from tests.browser.tab import LONG, Open, Reader, served

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.real_data]

CLICKS = 3
LIKED = {"862": "Toy Story", "8587": "The Lion King", "12": "Finding Nemo"}
NOT_OURS = ["[data-testid=stDataFrame]"]
"""Drawn on a canvas by Streamlit, with a table for screen readers that axe cannot tell from a broken one."""


@pytest.fixture(scope="module")
def warehouse(real_warehouse: Path, tmp_path_factory) -> Path:
    return a_week_later(real_warehouse, tmp_path_factory.mktemp("later"))


@pytest.fixture(scope="module")
def address(warehouse: Path) -> Iterator[str]:
    with served(warehouse) as address:
        yield address


class Visitor:
    """Somebody who opened the dashboard and counts clicks."""

    def __init__(self, tab: Reader) -> None:
        self.tab, self.page, self.clicks = tab, tab.page, 0
        tab.open()

    def click(self, what: Locator) -> None:
        what.first.click(timeout=LONG)
        self.clicks += 1
        self.tab.settle()

    def turn_to(self, title: str) -> None:
        menu = self.page.get_by_test_id("stExpandSidebarButton")
        if is_phone := menu.is_visible():
            menu.click(timeout=LONG)
        self.click(self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True))
        expect(self.page.locator("h1").first).to_have_text(title, timeout=LONG)
        if is_phone:
            self.page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click(timeout=LONG)
        self.tab.settle()

    def view(self, name: str) -> None:
        self.click(self.page.get_by_role("radio", name=name, exact=True))

    def pick(self, field: str, option: str) -> None:
        """Pick an option of a list of several."""
        self.page.get_by_role("combobox", name=field, exact=True).click(timeout=LONG)
        self.page.get_by_role("option", name=option, exact=False).first.click(timeout=LONG)
        self.page.keyboard.press("Escape")
        self.tab.settle()


@pytest.fixture(
    params=[(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")],
    ids=lambda how: f"{how[0]}-{how[1]}",
)
def visitor(address: str, reader: Open, request) -> Iterator[Visitor]:
    visitor = Visitor(reader(address, *request.param))
    yield visitor
    assert visitor.clicks <= CLICKS
    visitor.page.wait_for_timeout(500)  # what fades in has no contrast yet
    found = (
        Axe().run(visitor.page, context={"exclude": [[place] for place in NOT_OURS]}).response["violations"]
    )
    told = {
        f"{fault['impact']}: {fault['help']}": [node["html"][:200] for node in fault["nodes"]][:3]
        for fault in found
        if fault["impact"] in ("serious", "critical")
    }
    assert not told
    assert visitor.page.evaluate(
        "(main => main.scrollWidth <= main.clientWidth)(document.querySelector('[data-testid=stMain]'))"
    )


def test_who_is_in_a_segment_and_what_they_want(visitor, warehouse):
    segments = pl.read_parquet(warehouse / "published" / "segments.parquet").filter(
        segmentation="user_ratings"
    )
    name = largest(warehouse / "published")[1]
    members = segments.filter(segment_name=name)["members"].item()
    card = visitor.page.get_by_test_id("stVerticalBlock").filter(
        has=visitor.page.get_by_role("heading", name=name, exact=True)
    )
    visitor.click(card.last.get_by_role("link", name="More of it"))
    expect(visitor.page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=LONG)
    expect(visitor.page.get_by_text(f"{members:,} users ·", exact=False)).to_be_visible()
    for head in ("What to recommend to it", "How sure it is"):
        expect(visitor.page.get_by_role("heading", name=head)).to_be_visible()


def test_the_audience_of_a_title(visitor, warehouse):
    rows = pl.read_parquet(warehouse / "published" / "title_audience.parquet").filter(
        pl.col("index_low") > 100, segmentation="user_ratings", title="Toy Story"
    )
    most = rows.sort("index")["segment_name"][-1]
    visitor.turn_to("Titles")
    search = visitor.page.get_by_role("textbox", name="Search", exact=True)
    search.fill("Toy Story")
    search.press("Enter")
    expect(visitor.page.get_by_role("heading", name="Toy Story (1995)")).to_be_visible(timeout=LONG)
    expect(visitor.page.get_by_text(f"{most} give Toy Story", exact=False)).to_be_visible(timeout=LONG)
    visitor.tab.settle()


def test_a_new_user_with_three_liked_titles(visitor, warehouse):
    stored = recommend.recommender(current_set(warehouse))
    advised, _ = recommend.liked_recommendations(stored, list(LIKED), None)
    assert advised.head(10)["genres"].str.contains("Animation|Family").sum() >= 5
    visitor.turn_to("Recommend")
    visitor.view("For liked titles")
    for title in LIKED.values():
        find = visitor.page.get_by_role("textbox", name="Find a title")
        find.fill(title)
        find.press("Enter")
        visitor.tab.settle()
        visitor.pick("Liked titles", title)
    for title in advised["title"][:3]:
        expect(visitor.page.get_by_text(title, exact=True).first).to_be_visible(timeout=LONG)


def test_a_list_for_the_crm(visitor, warehouse):
    members = pl.read_parquet(warehouse / "published" / "segment_members.parquet").filter(
        segmentation="user_ratings", segment_name=largest(warehouse / "published")[1]
    )
    visitor.turn_to("Members")
    visitor.pick("User ratings", members["segment_name"][0])
    expect(visitor.page.get_by_test_id("stMetricValue")).to_have_text(f"{len(members):,}", timeout=LONG)
    written = visitor.tab.download("members-csv")
    visitor.clicks += 1
    rows = csv.DictReader(io.StringIO(written.decode("utf-8-sig")))
    assert sorted(row["user_id"] for row in rows) == sorted(members["entity_id"])


def test_what_changed_since_last_week(visitor, warehouse):
    visitor.turn_to("What changed")
    visitor.view("Last week")
    users = visitor.page.get_by_test_id("stMetric").filter(has=visitor.page.get_by_text("Users", exact=True))
    expect(users.get_by_test_id("stMetricDelta")).to_have_text(f"+{CAME}", timeout=LONG)
    expect(visitor.page.get_by_text(f"{CAME} came, 0 left", exact=False).first).to_be_visible()
    name = largest(warehouse / "published")[1]
    expect(visitor.page.get_by_text(f"{name} moved most", exact=False)).to_be_visible()


def test_whether_a_segmentation_can_be_trusted(visitor, warehouse):
    said = decision(questions.of(current_set(warehouse), "segment_promotions", "user_ratings"))
    visitor.turn_to("Segments")
    visitor.view("Can it be trusted?")
    expect(visitor.page.get_by_text(said.split(":")[0], exact=False).first).to_be_visible(timeout=LONG)


_CONTRASTS = r"""() => {
    const rgb = color => color.match(/[\d.]+/g).slice(0, 3).map(Number);
    const light = color => rgb(color).map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = light(getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor);
    return [...document.querySelectorAll('.xtick text, .ytick text, .xtitle, .ytitle, .legendtext')].map(text => {
        const own = light(getComputedStyle(text).fill);
        return [text.textContent, (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05)];
    });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_whatever_is_written_beside_an_axis_has_the_contrast_of_text(address, reader, scheme):
    tab = reader(address, 1280, scheme)
    for place in ("segments", "segments?view=Map", "choose_k", "titles", "changes"):
        tab.open(place)
        tab.page.locator(".xtick text, .ytick text, .sankey-node").first.wait_for(timeout=LONG)
        faint = [(text, ratio) for text, ratio in tab.page.evaluate(_CONTRASTS) if ratio < 4.5]
        assert not faint
