"""A description names segments by what sets them apart, and never two of them alike."""

import numpy as np
import polars as pl

from ml.segmentation.naming import name_segments
from ml.segmentation.spec import Naming


def _shares(**columns: list[float]) -> pl.DataFrame:
    """Two segments of 50 each, whose members have the two shares of every column, give or take a little."""
    noise = np.tile([-0.01, 0.01], 25)
    return pl.DataFrame(
        {name: np.concatenate([low + noise, high + noise]) for name, (low, high) in columns.items()}
    )


_HALVES = np.repeat([0, 1], 50)


def test_a_description_says_what_sets_a_segment_apart_in_each_family() -> None:
    naming = Naming(rank_by="titles", describe=[{"columns": ["genre_*"], "most": 2}, {"columns": ["era_*"]}])
    frame = _shares(
        genre_drama=[0.6, 0.2], genre_horror=[0.1, 0.5], genre_war=[0.1, 0.3], era_1990s=[0.3, 0.31]
    )
    labels = {"genre_drama": "Drama", "genre_horror": "Horror", "genre_war": "War"}
    assert name_segments(naming, frame, _HALVES, 2, labels) == ("Drama", "Horror and War")


def test_described_names_are_different_even_where_nothing_sets_segments_apart() -> None:
    naming = Naming(rank_by="titles", describe=[{"columns": ["genre_*"]}])
    frame = _shares(genre_drama=[0.4, 0.4])
    assert name_segments(naming, frame, _HALVES, 2) == ("Segment 1", "Segment 2")


def test_a_share_that_hardly_anybody_has_names_nothing() -> None:
    naming = Naming(rank_by="titles", describe=[{"columns": ["genre_*"]}])
    frame = _shares(genre_drama=[0.5, 0.5], genre_western=[0.001, 0.04])
    assert name_segments(naming, frame, _HALVES, 2) == ("Segment 1", "Segment 2")


def test_an_optional_rule_names_no_segment_that_is_like_everybody() -> None:
    evening = {"name": "Evening Viewers", "feature": "evening", "at_least": 0.5, "optional": True}
    naming = Naming(rank_by="minutes", rules=[evening])
    assert name_segments(naming, _shares(evening=[0.58, 0.6]), _HALVES, 2) == ("Segment 1", "Segment 2")
    assert name_segments(naming, _shares(evening=[0.4, 0.6]), _HALVES, 2) == ("Segment 1", "Evening Viewers")
