"""Rules speak of columns that people understand, in words that fit their values."""

import polars as pl

from ml.segmentation.shown import shown_columns
from ml.segmentation.spec import SegmentationSpec
from ml.segmentation.surrogate import Shown

FRAME = pl.DataFrame(
    {
        "user_id": [1, 2, 3],
        "titles": [5, 90, 12],
        "genre_drama": [0.2, 0.5, 0.0],
        "newest_year": [1994.0, 2001.5, 2016.0],
        "region": [1, 2, 2],
        "region_asia": [0, 1, 1],
        "avg_war": [0.0, 3.5, 4.0],
        "taste_1": [0.1, -0.4, 0.9],
        "plan": ["a", "b", "a"],
    }
)


CALLED = {column: column.upper() for column in FRAME.columns}


def spec(**features) -> SegmentationSpec:
    return SegmentationSpec(
        name="some",
        description="Some",
        entity="user_id",
        features={"table": "features.some", **features},
        naming={"rank_by": "titles"},
    )


def test_rules_speak_of_the_columns_that_are_clustered_on():
    assert shown_columns(FRAME, spec(columns=["titles", "genre_*"]), CALLED) == {
        "titles": Shown("TITLES", "count"),
        "genre_drama": Shown("GENRE_DRAMA", "share"),
    }


def test_dimensions_of_taste_are_explained_by_the_columns_beside_them():
    embedded = spec(
        columns=["taste_*"], interactions="features.pairs", embedding={"method": "svd", "dimensions": 2}
    )
    assert shown_columns(FRAME, embedded, CALLED) == {
        "titles": Shown("TITLES", "count"),
        "genre_drama": Shown("GENRE_DRAMA", "share"),
        "newest_year": Shown("NEWEST_YEAR", "year"),
        "region_asia": Shown("REGION_ASIA", "flag"),
        "avg_war": Shown("AVG_WAR (mean)", "number"),
    }
