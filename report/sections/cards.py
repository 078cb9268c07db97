"""What the report says about one segment: its size, what marks it, what to do with it.

Belongs here: choosing and summing up rows of one segment. Does not belong here: reading them, what a whole segmentation
is judged by, the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from ml.plots import segment_words as words
from ml.plots.palette import segment_colors
from ml.plots.words import feature_labels, short_name
from report.charts import IndexChart, IndexRow, index_chart
from report.reading import SegmentationTables

_GENRE_PREFIXES = ("avg_", "cnt_")
_FEWEST_RATERS = 0.1
"""Share of members who must have rated a genre before a card speaks of it: below, a handful decides."""
_OVER, _UNDER = 105.0, 95.0
"""Indices from which a segment leans to or from something: five per cent over or under everybody."""
_ALIKE = 10.0
"""Index points either side of 100 within which a segment is as everybody."""
_MOST_MEASURES, _MOST_NAMED = 4, 3
_MOST_OVER, _MOST_BARS, _MOST_TITLES, _MOST_DEVICES = 5, 8, 5, 4
_TITLE_LETTERS = 120


@dataclass(frozen=True)
class Measure:
    """A mean of a segment beside the mean of everybody."""

    label: str
    segment_mean: float
    base_mean: float


@dataclass(frozen=True)
class LeanTitle:
    """A title that members rated more often than everybody; index 100 = as often."""

    title: str
    rater_share: float
    base_share: float
    index: float


@dataclass(frozen=True)
class Device:
    """Share of a segment's viewing on one device; index 100 = as everybody."""

    name: str
    share: float
    index: float | None


@dataclass(frozen=True)
class Card:
    """One segment.

    Attributes
    ----------
    measures : features that describe the whole entity, such as titles per user.
    rule, rule_holds : who its members are, in words, and how far that holds; without a rule the latter says why.
    badge : whether it comes back and tells what its members choose.
    chart : indices of what it has most over and under everybody.
    alike : features in which it is as everybody.
    titles : what its members rated more than everybody, strongest first.
    devices : what it watches on, most first.
    favourites : label and honest mean rating, highest first.
    audience, content_strategy, marketing_strategy : the playbook; None without one.
    """

    segment_id: int
    name: str
    color: str
    members: int
    share: float
    measures: tuple[Measure, ...]
    rule: str
    rule_holds: str
    badge: tuple[str, ...]
    chart: IndexChart
    alike: tuple[str, ...]
    titles: tuple[LeanTitle, ...]
    devices: tuple[Device, ...]
    favourites: tuple[tuple[str, float], ...]
    audience: str | None
    content_strategy: str | None
    marketing_strategy: str | None


def card(segment: dict, tables: SegmentationTables, called: Mapping[str, str]) -> Card:
    """Return what the page says about a row of segments."""
    segment_id = segment["segment_id"]
    rule, holds = _rule(tables.rules, segment_id)
    return Card(
        segment_id=segment_id,
        name=segment["segment_name"],
        color=segment_colors(segment_id + 1)[-1],
        members=segment["members"],
        share=segment["share"] or 0.0,
        measures=_measures(tables, segment_id, called),
        rule=rule,
        rule_holds=holds,
        badge=words.badge(tables.quality, segment_id) if len(tables.quality) else (),
        chart=_chart(tables, segment_id, called),
        alike=_alike(tables, segment_id, called),
        titles=_titles(tables.titles, segment_id),
        devices=_devices(tables.devices, segment_id),
        favourites=_favourites(tables.genres, segment_id),
        audience=segment["audience"],
        content_strategy=segment["content_strategy"],
        marketing_strategy=segment["marketing_strategy"],
    )


def _measures(tables: SegmentationTables, segment_id: int, called: Mapping[str, str]) -> tuple[Measure, ...]:
    """Return the means of the judged features; without any, of those that are not about one genre."""
    profiles = tables.profiles
    if not len(profiles):
        return ()
    if len(tables.separation):
        shown = pl.col("feature").is_in(tables.separation["feature"].to_list())
    else:
        shown = ~pl.any_horizontal(pl.col("feature").str.starts_with(prefix) for prefix in _GENRE_PREFIXES)
    varies = pl.col("segment_mean").n_unique().over("feature") > 1
    varies |= pl.col("segment_id").n_unique().over("feature") == 1
    whole = (
        profiles.filter(varies & shown & ~pl.col("feature").str.ends_with("_year"))
        .filter(pl.col("segment_id") == segment_id)
        .head(_MOST_MEASURES)
    )
    return tuple(
        Measure(feature_labels([row["feature"]], called)[0], row["segment_mean"], row["base_mean"])
        for row in whole.iter_rows(named=True)
    )


def _chart(tables: SegmentationTables, segment_id: int, called: Mapping[str, str]) -> IndexChart:
    """Return the features whose mean is most over and under everybody's, as far as that is sure."""
    profiles = _divided_by(tables)
    if not len(profiles):
        return index_chart([])
    left_out = _codes(profiles["feature"].unique().to_list())
    if len(tables.claims):  # a mean that one member makes is not what stands out
        own = pl.col("segment_id") == segment_id
        left_out |= set(tables.claims.filter(own, ~pl.col("is_supported"))["feature"])
    rows = (
        _sure(profiles)
        .filter(
            pl.col("segment_id") == segment_id,
            ~pl.col("feature").is_in(list(left_out)),
            # An index of 0 is a group that has no member here by the segment's own definition.
            (pl.col("index") >= _OVER) | ((pl.col("index") <= _UNDER) & (pl.col("index") > 0)),
        )
        .sort("index", "feature", descending=[True, False])
    )
    names = feature_labels(rows["feature"].to_list(), called)
    return index_chart(
        _both_ends(
            [
                IndexRow(name, *row)
                for name, row in zip(
                    names, rows.select("index", "index_low", "index_high").iter_rows(), strict=True
                )
            ]
        )
    )


def _divided_by(tables: SegmentationTables) -> pl.DataFrame:
    """Return the profiles of the features that divide the segments, or of all where these cannot be read."""
    if not len(tables.loadings) or not len(tables.profiles):
        return tables.profiles
    found = tables.profiles.filter(pl.col("feature").is_in(tables.loadings["feature"].to_list()))
    return found if len(found) else tables.profiles


def _sure(profiles: pl.DataFrame) -> pl.DataFrame:
    """Return the profiles that are apart from everybody; of a set that knows no intervals, all."""
    if "is_apart" in profiles.columns:
        return profiles.filter("is_apart")
    unknown = pl.lit(None, dtype=pl.Float64)
    return profiles.with_columns(index_low=unknown, index_high=unknown)


def _alike(tables: SegmentationTables, segment_id: int, called: Mapping[str, str]) -> tuple[str, ...]:
    """Return features in which the segment is as everybody, to within a tenth, the surest first."""
    profiles = _divided_by(tables)
    if "is_apart" not in profiles.columns:
        return ()
    codes = _codes(profiles["feature"].unique().to_list())
    rows = profiles.filter(
        pl.col("segment_id") == segment_id,
        ~pl.col("feature").is_in(list(codes)) & ~pl.col("feature").str.ends_with("_year"),
        ~pl.col("is_apart"),
        pl.col("index_low") >= 100 - _ALIKE,
        pl.col("index_high") <= 100 + _ALIKE,
    ).sort(pl.col("index_high") - pl.col("index_low"), "feature")
    return tuple(feature_labels(rows.head(_MOST_NAMED)["feature"].to_list(), called))


def _rule(rules: pl.DataFrame, segment_id: int) -> tuple[str, str]:
    own = rules.filter(pl.col("segment_id") == segment_id) if len(rules) else rules
    return words.rule(own.row(0, named=True)) if len(own) else ("", "")


def _both_ends(rows: Sequence[IndexRow]) -> list[IndexRow]:
    """Return the first rows, highest index first, and as many of the last as a chart has room for."""
    over = [row for row in rows if row.value > 100][:_MOST_OVER]
    under = [row for row in rows if row.value < 100]
    return over + under[max(0, len(under) - (_MOST_BARS - max(len(over), _MOST_BARS - _MOST_OVER))) :]


def _codes(features: Sequence[str]) -> set[str]:
    """Return columns that stand for a category by a number and are also there as one column per value.

    The mean of such a code says nothing: 1 is not half of 2.
    """
    return {name for name in features if any(other.startswith(f"{name}_") for other in features)}


def _titles(titles: pl.DataFrame, segment_id: int) -> tuple[LeanTitle, ...]:
    if not len(titles):
        return ()
    own = titles.filter(pl.col("segment_id") == segment_id).sort("rank").head(_MOST_TITLES)
    return tuple(
        LeanTitle(
            short_name(row["title"] or row["title_id"], _TITLE_LETTERS),
            row["rater_share"],
            row["base_share"],
            row["index"],
        )
        for row in own.iter_rows(named=True)
    )


def _devices(devices: pl.DataFrame, segment_id: int) -> tuple[Device, ...]:
    if not len(devices):
        return ()
    own = devices.filter(pl.col("segment_id") == segment_id).sort("share", "device", descending=[True, False])
    return tuple(
        Device(row["device"], row["share"], row["index"])
        for row in own.head(_MOST_DEVICES).iter_rows(named=True)
    )


def _favourites(genres: pl.DataFrame, segment_id: int) -> tuple[tuple[str, float], ...]:
    if not len(genres):
        return ()
    best = (
        genres.filter(pl.col("segment_id") == segment_id, pl.col("rater_share") >= _FEWEST_RATERS)
        .drop_nulls("rater_mean_rating")
        .sort("rater_mean_rating", "genre", descending=[True, False])
        .head(_MOST_NAMED)
    )
    return tuple(best["genre_label", "rater_mean_rating"].iter_rows())
