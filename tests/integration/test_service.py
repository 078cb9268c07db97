"""A service with text ids, genres of its own and a table of plays, from its files to published results."""

import duckdb
import polars as pl
import pytest

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def service(service_warehouse):
    """A warehouse after one run on the small service world, and what the run said."""
    return service_warehouse, service_warehouse.with_suffix(".said").read_text()


def published(warehouse, table: str) -> pl.DataFrame:
    return pl.read_parquet(warehouse / "published" / f"{table}.parquet")


def test_a_service_without_ratings_gets_its_planted_groups_of_viewers_back(service):
    warehouse, said = service
    assert "Planted segments recovered by user_viewing: adjusted Rand index 0." in said
    index = float(said.partition("recovered by user_viewing: adjusted Rand index ")[2][:5])
    assert index >= 0.8
    segments = published(warehouse, "segments").filter(segmentation="user_viewing")
    assert segments["members"].sum() == len(
        published(warehouse, "segment_members").filter(segmentation="user_viewing")
    )


def test_a_service_without_ratings_is_recommended_titles_from_its_views(service):
    warehouse, _ = service
    ndcg = published(warehouse, "recommender_metrics").filter(metric="ndcg")
    figures = dict(ndcg.select("model", "value").iter_rows())
    assert figures["blend"] > 1.5 * figures["popular"]
    assert len(published(warehouse, "recommendations")) > 0
    assert len(published(warehouse, "title_audience").filter(segmentation="user_viewing")) > 0
    assert (warehouse / "report" / "index.html").stat().st_size > 100_000


def test_the_genres_of_a_service_are_its_own(service):
    warehouse, _ = service
    labels = set(published(warehouse, "genres").filter(standing="kept")["genre_label"])
    assert {"K-Drama", "True Crime"} <= labels
    with duckdb.connect(warehouse / "matinee.duckdb", read_only=True) as connection:
        columns = {name for name, *_ in connection.execute("describe features.user_viewing").fetchall()}
    assert {"genre_k_drama", "genre_true_crime"} <= columns


def test_figures_of_genres_and_titles_and_advice_are_those_of_views(service):
    warehouse, _ = service
    assert published(warehouse, "interaction_basis")["basis"].to_list() == ["views"]
    genres = published(warehouse, "segment_genre_ratings").filter(segmentation="user_viewing")
    assert genres["raters"].sum() > 0
    assert genres["published_mean_rating"].count() == genres["rater_mean_rating"].count() == 0
    for table in ("user_genres", "segment_genres", "segment_titles"):
        assert len(published(warehouse, table)), table
    assert set(published(warehouse, "most_active_members")["activity"]) == {"watching"}
    assert published(warehouse, "users").filter(pl.col("events") > 0)["favourite_genres"].null_count() < 30
    advice = published(warehouse, "strategic_recommendations")
    assert {"segment and genre", "segment and title", "segment to win back"} <= set(advice["topic"])
    assert not any(
        word in sentence for sentence in advice["sentence"] for word in ("stars", "rated", " rate ")
    )


def test_the_report_of_a_service_of_views_says_so_and_speaks_of_no_ratings(service):
    warehouse, _ = service
    page = (warehouse / "report" / "index.html").read_text(encoding="utf-8")
    assert "Genres, titles and recommendations count views: nobody rates titles here." in page
    assert "because you watched" in page
    assert not any(words in page for words in ("you rated", "Titles they rate", "Mean rating", "raters"))


def test_titles_without_a_genre_are_listed_and_recommended_all_the_same(service):
    warehouse, _ = service
    unlisted = published(warehouse, "unlisted_titles")
    assert set(unlisted["reason"]) == {"has no genre"}
    assert unlisted["title"].null_count() == 0
    recommended = published(warehouse, "recommendations")["title_id"].unique()
    assert len(set(unlisted["recommended_as"]) & set(recommended))
