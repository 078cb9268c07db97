"""What holds for a page made of everything that any source may give: viewing, catalogue, recommendations."""

import itertools

import polars as pl

from published.contract import Table, write_contract
from tests.unit.report.test_report import HOSTILE, Page


def further_marts(text: str) -> dict[str, pl.DataFrame]:
    """Every table that only some sources give, with one text wherever the data has one."""
    of = {"segmentation": "user_ratings", "segment_id": 1, "segment_name": text}
    title = {"title_id": "7", "title": text, "genres": text}
    catalogue = {"catalogue": text, "titles": 40, "scored_titles": 30, "weighted_score": 61.5}
    rows = {
        "segment_titles": {**of, **title, "rank": 1, "rater_share": 0.5, "base_share": 0.1, "index": 500.0},
        "segment_devices": {**of, "device": text, "share": 0.6, "index": 150.0},
        "titles": {
            **title,
            "catalogue": text,
            "kind": "movie",
            "release_year": 1999,
            "weighted_score": 80.0,
            "votes": 12,
        },
        "catalogue_genres": {**catalogue, "genre_label": text},
        "catalogue_trends": {**catalogue, "release_year": 1999},
        "catalogue_runtimes": {**catalogue, "runtime": text},
        "weighted_score_constants": {
            "catalogue": text,
            "vote_minimum": 30.0,
            "mean_score": 60.0,
            "titles": 40,
        },
        "genre_popularity": {
            "genre": "drama",
            "genre_label": text,
            "ratings": 9,
            "raters": 3,
            "mean_rating": 3.5,
            "minutes": 70.0,
            "viewers": 2,
        },
        "subscription_regions": {
            "subscription": text,
            "region": text,
            "users": 5,
            "mean_ratings": 2.0,
            "mean_minutes": 3.0,
        },
        "recommender_metrics": {
            "model": text,
            "metric": "ndcg",
            "value": 0.5,
            "is_default": True,
            "is_baseline": False,
        },
        "recommender_long_tail": {
            "weight": 0.5,
            "ndcg": 0.5,
            "ndcg_change": 0.0,
            "change_low": -0.1,
            "change_high": 0.1,
            "coverage": 0.5,
            "long_tail": 0.5,
            "is_in_force": True,
        },
        "recommender_segment_ndcg": {**of, "model": text, "users": 5, "ndcg": 0.4},
        "recommendations": {**title, "user_id": "1", "rank": 1, "score": 1.0, "reason": text},
        "strategic_recommendations": {
            "rank": 1,
            "topic": text,
            "sentence": text,
            "figures": f'{{"who": "{text}"}}',
            "source": text,
        },
    }
    return {name: pl.DataFrame([row]) for name, row in rows.items()}


def test_text_of_every_further_table_is_shown_and_never_run(warehouse):
    warehouse.marts |= further_marts(HOSTILE)
    page = Page(warehouse.page())
    assert page.open == []
    assert not page.all("script")
    assert len(page.all("img")) == 10
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.text.count("<script>alert('x')</script>") >= 15


def test_a_further_table_that_is_empty_or_absent_is_neither_an_error_nor_named_as_missing(warehouse):
    further = further_marts("A title")
    warehouse.marts |= further
    before = warehouse.page()
    # One after the other is emptied and then taken away; the last first, since some are shown beside an earlier one.
    for mart in reversed(further):
        warehouse.marts[mart] = further[mart].clear()
        page = warehouse.page()
        assert Page(page).open == [], mart
        assert page != before, mart
        assert "Could not be read" not in page, mart
        (warehouse.published / f"{mart}.parquet").unlink()
        del warehouse.marts[mart]
        before = page
    assert Page(warehouse.page()).open == []
    assert "Could not be read" not in warehouse.page()


def test_a_title_as_long_as_a_book_is_cut(warehouse):
    warehouse.marts |= further_marts("A title")
    for mart in ("segment_titles", "titles", "recommendations"):
        warehouse.marts[mart] = warehouse.marts[mart].with_columns(title=pl.lit("A title" * 20_000))
    assert len(warehouse.page().encode()) < 100_000


def test_headings_never_skip_a_level(warehouse):
    warehouse.marts |= further_marts("A title")
    levels = [int(tag[1]) for tag, _ in Page(warehouse.page()).tags if tag in {"h1", "h2", "h3", "h4"}]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_every_table_has_headed_columns_and_is_named_for_a_screen_reader(warehouse):
    warehouse.marts |= further_marts("A title")
    page = Page(warehouse.page())
    assert all("scope" in heading for heading in page.all("th"))
    regions = [tag for tag in page.all("div") if tag.get("role") == "region"]
    assert len(regions) == len(page.all("table"))
    assert all(region["aria-label"] and region["tabindex"] == "0" for region in regions)


def test_no_id_stands_twice_and_every_link_within_the_page_has_its_target(warehouse):
    warehouse.marts |= further_marts("A title")
    page = Page(warehouse.page())
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"].removeprefix("#") for link in page.all("a")} <= set(ids)


def test_a_table_that_the_contract_of_the_set_names_is_missed_where_it_is_absent(warehouse):
    warehouse.marts |= further_marts("A title")
    del warehouse.marts["titles"]
    warehouse.write()
    write_contract({"titles": Table("One row per title.", ())}, warehouse.published)
    assert warehouse.context().absent == ("published table titles",)
