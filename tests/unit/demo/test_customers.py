"""The customers keep the real file's quirks, and the eight planted segments its published rules."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ingest.demo.customers import SEGMENTS


@pytest.fixture(scope="module")
def customers(folder: Path) -> pl.DataFrame:
    rows = pl.read_csv(folder / "customers/customer_segmentation_data.csv")
    return rows.hstack(pl.read_csv(folder / "truth/customer_segments.csv"))


def test_the_header_and_line_ends_are_those_of_the_real_file(folder: Path, real_movies: Path) -> None:
    name = "customers/customer_segmentation_data.csv"
    ours, theirs = ((root / name).read_bytes() for root in (folder, real_movies.parent))
    assert ours.split(b"\n")[0] == theirs.split(b"\n")[0]
    assert ours.count(b"\r\n") == ours.count(b"\n") == theirs.count(b"\r\n")


def test_minutes_are_empty_as_often_as_in_the_real_file(customers: pl.DataFrame) -> None:
    assert customers["minutes_watched"].null_count() == 109


def test_one_customer_has_watched_far_more_than_anybody(customers: pl.DataFrame) -> None:
    largest = customers.filter(pl.col("minutes_watched") > 130_000)
    assert largest["minutes_watched"].to_list() == [288_508]
    assert largest["segment"].to_list() == ["Facebook Followers"]


def test_some_rows_are_repeated(customers: pl.DataFrame) -> None:
    cells = customers.select("minutes_watched", "CLV", "region", "channel")
    assert 30 <= len(cells) - len(cells.unique()) <= 60


def test_every_customer_fits_the_rule_of_the_planted_segment(customers: pl.DataFrame) -> None:
    rules = {segment.name: (set(segment.channels), set(segment.regions)) for segment in SEGMENTS}
    for channel, region, name in customers.select("channel", "region", "segment").iter_rows():
        channels, regions = rules[name]
        assert channel in channels
        assert region in regions


def test_segments_have_the_published_sizes_and_means(customers: pl.DataFrame) -> None:
    found = customers.with_columns(pl.col("minutes_watched").fill_null(0)).group_by("segment")
    means = {row[0]: row[1:] for row in found.agg(pl.len(), pl.mean("minutes_watched", "CLV")).iter_rows()}
    for segment in SEGMENTS:
        count, minutes, clv = means[segment.name]
        assert count == segment.customers
        np.testing.assert_allclose(clv, segment.clv, rtol=0.05)
        if segment.name != "Facebook Followers":  # the outlier makes that mean
            np.testing.assert_allclose(minutes, segment.minutes, rtol=0.08)
