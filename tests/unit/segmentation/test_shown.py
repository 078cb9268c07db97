"""Rules and cards speak of columns that people understand, in words that fit their values."""

import polars as pl

from ml.segmentation.shown import describe, shown_columns
from ml.segmentation.spec import SegmentationSpec
from ml.segmentation.surrogate import Shown

FRAME = pl.DataFrame(
    {
        "user_id": [1, 2, 3],
        "titles": [5, 90, 12],
        "genre_drama": [0.2, 0.5, 0.0],
        "genre_war": [0.1, 0.5, 0.0],
        "newest_year": [1994.0, 2001.5, 2016.0],
        "region": [1, 2, 2],
        "region_asia": [0, 1, 1],
        "avg_war": [0.0, 3.5, 4.0],
        "taste_1": [0.1, -0.4, 0.9],
        "plan": ["a", "b", "a"],
    }
)


def spec(**features) -> SegmentationSpec:
    return SegmentationSpec(
        name="some",
        description="Some",
        entity="user_id",
        features={"table": "features.some", **features},
        naming={"rank_by": "titles"},
        judge={"volume": "titles"},
        plots={"labels": {"genre_drama": "Drama"}, "units": {"newest_year": "AD"}},
    )


def test_rules_speak_of_the_columns_that_are_clustered_on():
    assert shown_columns(FRAME, spec(columns=["titles", "genre_*"])) == {
        "titles": Shown("Titles", "count"),
        "genre_drama": Shown("Drama", "share"),
        "genre_war": Shown("Genre war", "share"),
    }


def test_dimensions_of_taste_are_explained_by_the_columns_beside_them():
    embedded = spec(
        columns=["taste_*"], interactions="features.pairs", embedding={"method": "svd", "dimensions": 2}
    )
    assert shown_columns(FRAME, embedded) == {
        "titles": Shown("Titles", "count"),
        "genre_drama": Shown("Drama", "share"),
        "genre_war": Shown("Genre war", "share"),
        "newest_year": Shown("Newest year", "year"),
        "region_asia": Shown("Region asia", "flag"),
        "avg_war": Shown("War (mean)", "number"),
    }


def test_every_column_has_a_label_a_kind_and_what_it_counts():
    described = describe(FRAME.drop("user_id", "plan"), spec(columns=["titles"]))
    assert described.rows() == [
        ("titles", "Titles", "count", "titles", True),
        ("genre_drama", "Drama", "share", None, False),
        ("genre_war", "Genre war", "share", None, False),
        ("newest_year", "Newest year", "year", "AD", False),
        ("region", "Region", "code", None, False),
        ("region_asia", "Region asia", "flag", None, False),
        ("avg_war", "War (mean)", "number", None, False),
        ("taste_1", "Taste 1", "number", None, False),
    ]


def test_a_column_is_a_code_only_where_its_values_have_columns_of_their_own():
    """Minutes on a day with a view are no value of minutes."""
    frame = pl.DataFrame(
        {"minutes": [5, 90], "minutes_per_active_day": [5.0, 45.0], "votes": [1, 7], "votes_rank": [0.0, 0.9]}
    )
    kinds = dict(describe(frame, spec(columns=["minutes"])).select("feature", "kind").iter_rows())
    assert kinds == {
        "minutes": "count",
        "minutes_per_active_day": "count",
        "votes": "count",
        "votes_rank": "number",
    }
