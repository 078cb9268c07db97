"""What a reader of `report/index.html` may rely on."""

import dataclasses
import re
import subprocess
import sys
from html.parser import HTMLParser

import polars as pl
import pytest

from published.questions.audience import Interest
from report.build import write_report
from tests.hostile import HOSTILE as HOSTILE_TEXTS

from .conftest import made_up_warehouse

HOSTILE = "<script>alert('x')</script><img src=http://evil.example/x.png onerror=alert(1)>"


class Page(HTMLParser):
    """Tags with their attributes, the text, and whether tags are closed in order."""

    VOID = frozenset({"meta", "link", "img", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_is_well_formed(html):
    page = Page(html)
    assert page.open == []
    assert [tag for tag, _ in page.tags if re.fullmatch(r"h\d", tag)][:3] == ["h1", "h2", "h2"]
    assert len(page.all("h1")) == 1


def test_headlines_have_thousands_separators(html):
    text = Page(html).text
    for words in (
        "42,991",
        "25,900,000",
        "300,000",
        "the demo world (small)",
        "21 November 2025 at 04:30",
        "0f3c9a1e",
    ):
        assert words in text


def test_a_card_shows_name_size_titles_playbook_and_what_stands_out(html):
    text = Page(html).text
    assert (
        "New Explorers 60,000 users, 20.0% Not measured Casual newcomers. Total titles, mean 17.7 (everybody 50)"
        in text
    )
    assert "What to offer Quick picks. How to speak to them Starter playlists." in text


def test_segmentations_with_a_playbook_come_first(context):
    assert [view.name for view in context.segmentations] == [
        "user_ratings",
        "customer_acquisition",
    ]


def test_a_segmentation_of_other_entities_shows_its_own_features(context):
    customers = context.segmentations[1]
    assert [measure.label for measure in customers.cards[0].measures] == ["Minutes watched"]
    assert customers.genres == ()


def test_a_mean_that_is_no_supported_difference_does_not_stand_out(warehouse):
    assert warehouse.context().segmentations[1].cards[0].leanings == ()
    del warehouse.marts["segment_claims"]
    (warehouse.published / "segment_claims.parquet").unlink()
    (leaning,) = warehouse.context().segmentations[1].cards[0].leanings
    assert (leaning.label, round(leaning.index)) == ("Minutes watched", 144)


def test_a_code_that_is_also_there_as_one_column_per_value_does_not_stand_out(warehouse):
    of = warehouse.marts["segment_profiles"].filter(pl.col("feature") == "minutes_watched")
    kinds = {"region": "code", "region_asia": "flag"}
    codes = [
        of.with_columns(feature=pl.lit(name), index=pl.lit(150.0), kind=pl.lit(kind))
        for name, kind in kinds.items()
    ]
    known = warehouse.marts["segment_profiles"].with_columns(kind=pl.lit("number"))
    warehouse.marts["segment_profiles"] = pl.concat([known, *codes])
    card = warehouse.context().segmentations[1].cards[1]
    assert [leaning.label for leaning in card.leanings] == ["Region asia", "Minutes watched"]
    assert "Region" not in {measure.label for measure in card.measures}


def test_the_page_says_what_is_divided(html):
    text = Page(html).text
    assert "Viewers by how they rate each genre." in text
    assert "3 segments of 300,000 users; the largest is" in text
    assert "2 segments of 61,500 customers; the largest is" in text


def test_a_genre_that_hardly_anyone_rated_is_nobodys_favourite(html, context):
    quiet = context.segmentations[0].cards[0]
    assert [label for label, _ in quiet.favourites] == ["Drama"]
    assert "Nothing above everybody; Drama 64% below" in Page(html).text


def test_the_honest_mean_stands_beside_the_published_one(html):
    text = Page(html).text
    assert "Drama 1.20 3.00 by 40% 3.00 3.33 by 90% 3.60 3.60 by 100%" in text
    assert "War 0.00 nobody" in text


def test_the_page_says_how_k_was_chosen(html):
    text = Page(html).text
    for sentence in (
        "3 segments are published. Every number of segments (k) from 2 to 4 was tried.",
        "The elbow would take k = 4 (",
        "The silhouette (do members sit clearly within their own segment?) would take k = 2 (",
        "Davies–Bouldin (how much does a segment overlap with its nearest?) would take k = 4 (",
        "Why 3: so the segmentation is declared.",
    ):
        assert sentence in text


def test_an_undefined_index_is_shown_as_a_dash(html, context):
    last = context.segmentations[0].candidates[-1]
    assert last.silhouette is None
    assert "5,443,210 – 84,504" in Page(html).text


def test_loadings_are_sorted_by_size_whatever_their_sign(context):
    first, second = context.segmentations[0].components
    assert [label for label, _ in first["loadings"]] == ["Science Fiction", "Drama"]
    assert second["loadings"] == (("Drama", 0.334), ("Science Fiction", -0.281))


def test_the_funnel_shows_what_is_left_of_the_first_step(html):
    text = Page(html).text
    assert "catalogue rows read 45,466 100.0% distinct titles 42,991 94.6%" in text


def test_rejects_are_counted_by_reason_and_never_shown_as_they_stood_in_the_file(html):
    text = Page(html).text
    assert "3 lines did not meet the contract of their table" in text
    assert "titles id is not an integer 3 known quirk" in text
    assert "1997-08-20,x" not in text


def test_rejects_that_differ_only_in_the_value_are_one_reason(warehouse):
    reasons = [f"rating: expected 0.5 to 5, got '{value}'" for value in (7.3, 9, "abc")]
    warehouse.marts["rejects"] = warehouse.marts["rejects"].with_columns(reason=pl.Series(reasons))
    assert [(reason["reason"], reason["lines"]) for reason in warehouse.context().reject_reasons] == [
        ("rating: expected 0.5 to 5, got …", 3)
    ]


def test_the_mean_of_a_few_raters_is_greyed_beside_their_number(warehouse):
    page = warehouse.page()
    assert '<small class="few">5.00 by 3</small>' in page
    assert page.count('class="few"') == 1
    warehouse.marts["interaction_basis"] = pl.DataFrame([{**vars(Interest()), "least_raters": 3}])
    assert 'class="few"' not in warehouse.page()
    assert "Science Fiction 0.01 5.00 by <1%" in Page(warehouse.page()).text


def test_recovery_of_planted_personas_is_told_only_where_personas_were_planted(warehouse):
    assert Page(warehouse.page()).text.count("adjusted Rand index of 0.934") == 1
    warehouse.run = dataclasses.replace(warehouse.run, recovery={})
    assert "planted in this data were found again" not in Page(warehouse.page()).text


def test_every_plot_has_an_alternative_in_words_and_a_size(html):
    images = Page(html).all("img")
    assert len(images) == 10
    assert all(image["alt"] and image["width"] and image["height"] for image in images)
    assert "heatmap of user_ratings" in {image["alt"] for image in images}


def _make_hostile(warehouse, text: str = HOSTILE) -> None:
    warehouse.marts["segments"] = warehouse.marts["segments"].with_columns(
        pl.format("{} {}", pl.lit(text), "segment_id").alias("segment_name"),
        pl.lit(text).alias("audience"),
        pl.lit(text).alias("content_strategy"),
    )
    warehouse.marts["rejects"] = warehouse.marts["rejects"].with_columns(
        pl.lit(text).alias("raw_text"), pl.lit(text).alias("reason"), pl.lit(text).alias("source")
    )
    warehouse.marts["landing_manifest"] = warehouse.marts["landing_manifest"].with_columns(
        source=pl.lit(text)
    )
    warehouse.marts["genre_counts"] = warehouse.marts["genre_counts"].with_columns(genre_label=pl.lit(text))
    warehouse.marts["pca_loadings"] = warehouse.marts["pca_loadings"].with_columns(
        feature=pl.format("avg_{}{}", pl.lit(text), "loading")
    )
    warehouse.run = dataclasses.replace(warehouse.run, source=text, descriptions={"user_ratings": text})


def test_text_from_the_data_is_shown_and_never_run(warehouse, draw_plot):
    _make_hostile(warehouse)
    draw_plot(warehouse.plots / "user_ratings" / "elbow.png", title=f'" onload="alert(1) {HOSTILE}')
    page = Page(warehouse.page())
    assert page.open == []
    assert not page.all("script")
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.text.count("<script>alert('x')</script>") >= 15


def _shape(warehouse) -> list[tuple[str, list[str]]]:
    return [(tag, list(attributes)) for tag, attributes in Page(warehouse.page()).tags]


@pytest.fixture(scope="module")
def innocent(tmp_path_factory) -> list[tuple[str, list[str]]]:
    """Tags and attributes of the page of a set whose texts are harmless."""
    warehouse = made_up_warehouse(tmp_path_factory.mktemp("innocent"))
    _make_hostile(warehouse, "An innocent text")
    return _shape(warehouse)


@pytest.mark.parametrize("text", [text for text in HOSTILE_TEXTS if text.strip()], ids=ascii)
def test_no_text_from_the_data_adds_an_element_or_an_attribute_to_the_page(warehouse, innocent, text):
    _make_hostile(warehouse, text)
    assert _shape(warehouse) == innocent


@pytest.mark.parametrize("hostile", [False, True])
def test_the_page_loads_nothing_from_anywhere(warehouse, hostile):
    if hostile:
        _make_hostile(warehouse)
    html = warehouse.page()
    page = Page(html)
    for tag, attributes in page.tags:
        for name in ("src", "href", "action", "data", "srcset", "poster"):
            address = attributes.get(name) or ""
            assert address == "" or address.startswith(("data:", "#")), (tag, address)
    assert not {tag for tag, _ in page.tags} & {"script", "iframe", "object", "embed", "base"}
    css = re.search(r"<style>(.*?)</style>", html, re.DOTALL).group(1)
    assert "url(" not in css
    assert "@import" not in css
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none'")


def test_the_same_content_gives_the_same_page(warehouse):
    assert warehouse.page() == warehouse.page()


MARTS = (
    "segments",
    "segment_profiles",
    "segment_genre_ratings",
    "k_metrics",
    "pca_loadings",
    "data_funnel",
    "landing_manifest",
    "rejects",
    "genre_counts",
)


@pytest.mark.parametrize("mart", MARTS)
def test_a_missing_mart_is_named_and_the_rest_is_shown(warehouse, mart):
    del warehouse.marts[mart]
    page = Page(warehouse.page())
    assert f"published table {mart}" in page.text
    assert "Audience report" in page.text


@pytest.mark.parametrize("mart", MARTS)
def test_an_empty_mart_is_no_error(warehouse, mart):
    warehouse.marts[mart] = warehouse.marts[mart].clear()
    assert Page(warehouse.page()).open == []


def test_nothing_published_yet_still_gives_a_page_that_says_so(warehouse):
    warehouse.marts.clear()
    text = Page(warehouse.page()).text
    assert "The published segments cannot be read." in text
    assert all(f"published table {mart}" in text for mart in MARTS)


def test_a_run_that_made_no_segments_says_so_and_why_and_has_no_section_of_them(warehouse):
    warehouse.marts["segments"] = warehouse.marts["segments"].clear()
    warehouse.run = dataclasses.replace(warehouse.run, left_out=("user_ratings was skipped: no ratings.",))
    assert "This run made no segments. user_ratings was skipped: no ratings." in Page(warehouse.page()).text
    sections = warehouse.context().sections
    assert not [section for section in sections if section.view]
    assert {"data", "method"} <= {section.id for section in sections}


def test_missing_and_broken_plots_are_named(warehouse):
    for path in (warehouse.plots / "customer_acquisition").iterdir():
        path.unlink()
    (warehouse.plots / "user_ratings" / "elbow.png").write_bytes(b"\x89PNG broken")
    cut_off = warehouse.plots / "user_ratings" / "heatmap.png"
    cut_off.write_bytes(cut_off.read_bytes()[:-30])
    page = Page(warehouse.page())
    assert "plots of customer_acquisition" in page.text
    assert "plot user_ratings/elbow.png" in page.text
    assert "plot user_ratings/heatmap.png" in page.text
    assert len(page.all("img")) == 3


def test_a_broken_table_is_named_as_missing(warehouse):
    warehouse.write()
    del warehouse.marts["k_metrics"]
    (warehouse.published / "k_metrics.parquet").write_bytes(b"PAR1 broken")
    assert "published table k_metrics" in warehouse.context().absent


def test_the_page_stays_under_three_megabytes_however_heavy_the_plots(warehouse, draw_plot):
    for number in range(8):
        draw_plot(
            warehouse.plots / "user_ratings" / f"pca_map_k{number + 2}.png",
            size=(1_000, 700),
            noise=number + 1,
        )
    page = warehouse.page()
    assert len(page.encode()) < 3_000_000
    assert len(Page(page).all("img")) > 12


def test_plots_that_cannot_fit_are_left_out_and_named(warehouse, draw_plot):
    for number in range(60):
        draw_plot(
            warehouse.plots / "user_ratings" / f"pca_map_k{number}.png", size=(280, 220), noise=number + 1
        )
    page = warehouse.page()
    assert len(page.encode()) < 3_000_000
    assert "plot user_ratings/" in Page(page).text


def test_the_page_is_replaced_in_one_step_and_leaves_nothing_behind(tmp_path):
    first = write_report("<p>old", tmp_path / "report")
    second = write_report("<p>new – ü", tmp_path / "report")
    assert first == second == tmp_path / "report" / "index.html"
    assert second.read_text(encoding="utf-8") == "<p>new – ü"
    assert [path.name for path in second.parent.iterdir()] == ["index.html"]


def test_the_old_page_stays_when_the_new_one_cannot_be_written(tmp_path):
    page = write_report("<p>old", tmp_path / "report")
    with pytest.raises(UnicodeEncodeError):
        write_report("\ud800", tmp_path / "report")
    assert page.read_text(encoding="utf-8") == "<p>old"
    assert [path.name for path in page.parent.iterdir()] == ["index.html"]


def test_the_report_waits_for_no_heavy_library():
    code = "import sys, report.build, report.render; print(*sys.modules)"
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"dagster", "matplotlib", "duckdb", "sklearn"}.intersection(outcome.stdout.split())


def test_the_page_says_what_segments_explain_beside_the_best_single_column(html):
    text = Page(html).text
    assert "Minutes watched 0.3% 0.075 Channel 0.4% <0.001" in text


def test_a_feature_of_one_value_has_no_share_to_explain(warehouse):
    of = warehouse.marts["segment_separation"]
    constant = pl.lit(None, dtype=pl.Float64)
    warehouse.marts["segment_separation"] = of.with_columns(
        eta_squared=constant, kruskal_p=constant, best_eta_squared=constant, best_kruskal_p=constant
    )
    assert "Minutes watched – – Channel – –" in Page(warehouse.page()).text


def test_a_statement_without_support_stands_under_not_supported_with_its_reason(html):
    text = Page(html).text
    supported, _, rest = text.partition("Not supported")
    assert "Networkers watch less than everybody" in supported
    assert "Explorers Minutes watched rests on one member" in rest


def test_the_page_says_how_starts_agree_and_what_the_best_free_fit_looks_like(html):
    text = Page(html).text
    assert "no customers left the rule they started in" in text
    assert "Ward's tree over 3,834 customers suggests 8 segments" in text
    assert "Of 100 free starts 5% end at the best of them; any two agree to 0.81" in text
    assert "1.6% less inertia than the published one and agrees with it to 0.74" in text
    assert "1 907 Explorers 800 2 58 Networkers 58" in text


def test_a_judged_column_with_one_value_only_has_a_dash_for_what_is_explained(warehouse):
    separation = warehouse.marts["segment_separation"]
    warehouse.marts["segment_separation"] = separation.with_columns(
        pl.lit(None, pl.Float64).alias(name)
        for name in ("eta_squared", "kruskal_p", "best_eta_squared", "best_kruskal_p")
    )
    assert '<td class="n">–</td>' in warehouse.page()
