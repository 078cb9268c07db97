"""What flows from a few sources into a few targets, as ribbons (a Sankey diagram).

Belongs here: laying out and drawing ribbons, from users and segments to genres and from segments to those of a refresh
later. Does not belong here: counting.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from ml.plots.given import as_matrix, drawable
from ml.plots.palette import MUTED, colors_of
from ml.plots.spacing import spread
from ml.plots.style import WIDTH, add_axes, plot_style, text_width, titled_figure, wrap_name
from ml.plots.words import number, percent, short_name

_MOST_GENRES = 11
_LABEL_SIZE = 9.0
_BAR, _SIDE = 0.13, 0.2
_AIR = 0.3
"""Height of all gaps of a side together, as a share of the bars' height."""
_NO_SEGMENT = "#a3a9b5"


@dataclass(frozen=True)
class Ribbon:
    """One flow: where it leaves its source's bar and where it enters its target's, low and high, in units of value."""

    source: int
    target: int
    left: tuple[float, float]
    right: tuple[float, float]


@dataclass(frozen=True)
class Flow:
    """Bars and ribbons of a diagram; places run downwards from 0 to `height`, in units of value."""

    sources: tuple[tuple[float, float], ...]
    targets: tuple[tuple[float, float], ...]
    ribbons: tuple[Ribbon, ...]
    height: float


def lay_out(values: np.ndarray) -> Flow:
    """Return where bars and ribbons lie, each as high as its value.

    Parameters
    ----------
    values : (s, t) float
        What flows from each source to each target, none negative; 0 has no ribbon.

    Returns
    -------
    The layout: the ribbons of a bar fill it without gap or overlap, in the order of the other side, so that ribbons
    of one bar never cross there.
    """
    height = float(values.sum()) * (1 + _AIR)
    sources, targets = _bars(values.sum(axis=1), height), _bars(values.sum(axis=0), height)
    leaving, entering = [low for low, _ in sources], [low for low, _ in targets]
    ribbons = []
    for (source, target), value in np.ndenumerate(values):
        if value <= 0:
            continue
        left, right = leaving[source], entering[target]
        ribbons.append(Ribbon(source, target, (left, left + value), (right, right + value)))
        leaving[source], entering[target] = left + value, right + value
    return Flow(sources, targets, tuple(ribbons), height)


def user_genre_flow(users: pl.DataFrame, *, chosen: str, given: str = "ratings") -> Figure:
    """Draw what some users rate, genre by genre, each user as 100%.

    Parameters
    ----------
    users
        One row per user and genre: user_id, genre_label, ratings; segment_id and segment_name, missing where a user
        has none. The users of a segment stand together.
    chosen
        Which users these are, in words.
    given
        What the column `ratings` counts, in words.

    Returns
    -------
    A figure whose title says which genre is the largest of most users. Users have the colour of their segment;
    beyond 11 genres the smallest ones are drawn together.

    Raises
    ------
    NothingToDrawError
        When no user has a rating.
    """
    known = drawable(users.filter(pl.col("ratings") > 0), "user_id", "genre_label", "ratings")
    known = known.sort("segment_id", "user_id", maintain_order=True, nulls_last=True)
    who = known.unique("user_id", keep="first", maintain_order=True)
    names = [
        f"User {short_name(str(user), 14)}" + (f"\n{short_name(name, 26)}" if name else "")
        for user, name in who.select("user_id", "segment_name").iter_rows()
    ]
    values, genres = _matrix(known, "user_id", who["user_id"].to_list())
    values /= values.sum(axis=1, keepdims=True)
    largest = np.bincount(values[:, : _real(genres)].argmax(axis=1), minlength=len(genres))
    top = int(largest.argmax())
    title = f"{genres[top]} is the largest genre of {largest[top]:,} of {len(who):,} users"
    width = f"{chosen}, each as 100%. Width: share of the user's {given}"
    return _draw_genres(
        values, names, genres, colors_of(who["segment_id"], absent=_NO_SEGMENT), title=title, width=width
    )


def segment_genre_flow(segments: pl.DataFrame, *, given: str = "ratings") -> Figure:
    """Draw what the segments rate, genre by genre.

    Parameters
    ----------
    segments
        One row per segment and genre of one segmentation: segment_id, segment_name, genre_label, ratings.
    given
        What the column `ratings` counts, in words.

    Returns
    -------
    A figure whose title names the largest genre, and the segment whose share of a genre is furthest from
    everybody's. Beyond 11 genres the smallest ones are drawn together.

    Raises
    ------
    NothingToDrawError
        When no segment has a rating.
    """
    known = drawable(segments.filter(pl.col("ratings") > 0), "segment_id", "genre_label", "ratings")
    known = known.sort("segment_id", maintain_order=True)
    who = known.unique("segment_id", keep="first", maintain_order=True)
    values, genres = _matrix(known, "segment_id", who["segment_id"].to_list())
    totals = values.sum(axis=1)
    names = [
        f"{wrap_name(name, 2.0, _LABEL_SIZE)}\n{percent(total / totals.sum())} of {given}"
        for name, total in zip(who["segment_name"], totals, strict=True)
    ]
    title = _segments_title(values, who["segment_name"].to_list(), genres, given)
    width = f"{number(float(values.sum()))} {given}. Width: {given}"
    return _draw_genres(
        values, names, genres, colors_of(who["segment_id"], absent=_NO_SEGMENT), title=title, width=width
    )


def segment_moves(migration: pl.DataFrame, unit: str) -> Figure:
    """Draw who went from which segment to which between two refreshes.

    Parameters
    ----------
    migration
        from_segment_id, from_segment_name, to_segment_id, to_segment_name, entities; no segment where somebody was not
        there before, or is no longer.
    unit
        What is divided, in the plural.

    Returns
    -------
    A figure whose title says how many of those who were there before and are there now stayed where they were.

    Raises
    ------
    NothingToDrawError
        When nobody was there before.
    """
    known = drawable(migration.drop_nulls("from_segment_id"), "entities")
    both = known.drop_nulls("to_segment_id")
    stayed = int(both.filter(pl.col("from_segment_id") == pl.col("to_segment_id"))["entities"].sum())
    sides = [
        migration.select(
            pl.col(f"{side}_segment_id").alias("id"), pl.col(f"{side}_segment_name").alias("name")
        )
        .unique()
        .sort("id", nulls_last=True)
        for side in ("from", "to")
    ]
    went = migration.select("from_segment_id", "to_segment_id", "entities")
    values = as_matrix(went, *(side["id"].to_list() for side in sides))
    before, after = (
        [
            f"{short_name(name or nobody, 38)}  {number(float(total))}"
            for name, total in zip(side["name"], totals, strict=True)
        ]
        for side, totals, nobody in zip(
            sides, (values.sum(axis=1), values.sum(axis=0)), ("New", "Gone"), strict=True
        )
    )
    return _draw(
        values,
        before,
        after,
        colors_of(sides[0]["id"], absent=_NO_SEGMENT),
        colors_of(sides[1]["id"], absent=_NO_SEGMENT),
        title=f"{percent(stayed / max(int(both['entities'].sum()), 1))} of the {unit} stayed in their segment",
        subtitle=f"Left the refresh before, right this one. Width: {unit}",
    )


def _bars(totals: np.ndarray, height: float) -> tuple[tuple[float, float], ...]:
    """Return low and high of each bar of a side, spread over the height."""
    free = height - float(totals.sum())
    gap = free / (len(totals) - 1) if len(totals) > 1 else 0.0
    start = 0.0 if len(totals) > 1 else free / 2
    lows = start + np.concatenate([[0.0], np.cumsum(totals)[:-1]]) + gap * np.arange(len(totals))
    return tuple((float(low), float(low + total)) for low, total in zip(lows, totals, strict=True))


def _matrix(known: pl.DataFrame, key: str, keys: list) -> tuple[np.ndarray, list[str]]:
    """Return ratings by source and genre, the largest genre first, the smallest ones as one column at the end."""
    totals = known.group_by("genre_label").agg(pl.col("ratings").sum())
    genres = totals.sort("ratings", "genre_label", descending=[True, False])["genre_label"].to_list()
    values = as_matrix(known.select(key, "genre_label", "ratings"), keys, genres)
    if len(genres) <= _MOST_GENRES + 1:
        return values, genres
    rest = values[:, _MOST_GENRES:].sum(axis=1, keepdims=True)
    others = f"{len(genres) - _MOST_GENRES} other genres"
    return np.hstack([values[:, :_MOST_GENRES], rest]), [*genres[:_MOST_GENRES], others]


def _real(genres: Sequence[str]) -> int:
    """Return how many of the columns are one genre."""
    return min(len(genres), _MOST_GENRES) if genres[-1].endswith("other genres") else len(genres)


def _draw_genres(
    values: np.ndarray, names: list[str], genres: list[str], colors: list[str], *, title: str, width: str
) -> Figure:
    shares = values.sum(axis=0) / values.sum()
    right_names = [
        f"{short_name(genre, 20)}  {percent(share)}" for genre, share in zip(genres, shares, strict=True)
    ]
    subtitle = f"{width}, one counted in each genre of its title."
    return _draw(values, names, right_names, colors, [MUTED] * len(genres), title=title, subtitle=subtitle)


def _draw(
    values: np.ndarray,
    names: list[str],
    right_names: list[str],
    colors: list[str],
    right_colors: list[str],
    *,
    title: str,
    subtitle: str,
) -> Figure:
    flow = lay_out(values)
    left = _SIDE + max(text_width(name, _LABEL_SIZE) for name in names) + 0.08
    right = WIDTH - _SIDE - max(text_width(name, _LABEL_SIZE) for name in right_names) - 0.08
    body = max(4.2, 0.42 * len(names), 0.36 * len(right_names)) + 0.15
    with plot_style():
        figure = titled_figure(title, subtitle, body=body)
        axes = add_axes(figure, 0, 0.15, WIDTH, body)
        axes.set_axis_off()
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(flow.height, 0)
        for ribbon in flow.ribbons:
            axes.add_patch(_ribbon(ribbon, left + _BAR, right - _BAR, colors[ribbon.source]))
        _draw_bars(axes, flow.sources, left, colors)
        _draw_bars(axes, flow.targets, right - _BAR, right_colors)
        _write(axes, flow.sources, names, left - 0.08, "right")
        _write(axes, flow.targets, right_names, right + 0.08, "left")
    return figure


def _ribbon(ribbon: Ribbon, left: float, right: float, color: str) -> PathPatch:
    """Return a ribbon: two S-curves that leave and enter level."""
    middle = (left + right) / 2
    (a, b), (c, d) = ribbon.left, ribbon.right
    upper = [(left, a), (middle, a), (middle, c), (right, c)]
    lower = [(right, d), (middle, d), (middle, b), (left, b)]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    return PathPatch(
        Path([*upper, *lower, (left, a)], codes), facecolor=color, alpha=0.5, edgecolor="white", linewidth=0.4
    )


def _draw_bars(axes: Axes, bars: Sequence[tuple[float, float]], left: float, colors: Sequence[str]) -> None:
    for (low, high), color in zip(bars, colors, strict=True):
        axes.add_patch(Rectangle((left, low), _BAR, high - low, color=color, linewidth=0))


def _write(
    axes: Axes, bars: Sequence[tuple[float, float]], names: Sequence[str], at: float, side: str
) -> None:
    """Write the names beside their bars, moved apart where low bars leave no room."""
    height = axes.get_ylim()[0]
    inches = axes.get_position().height * axes.get_figure().get_size_inches()[1]  # type: ignore[union-attr]
    heights = [(name.count("\n") + 1) * _LABEL_SIZE * 1.3 / 72 / inches * height for name in names]
    places = spread(np.mean(bars, axis=1), np.array(heights), low=0, high=height)
    for place, name in zip(places, names, strict=True):
        axes.text(at, place, name, ha=side, va="center", size=_LABEL_SIZE, parse_math=False, linespacing=1.15)


def _segments_title(values: np.ndarray, names: list[str], genres: list[str], given: str) -> str:
    totals = values.sum(axis=1, keepdims=True)
    shares = values[:, : _real(genres)] / totals
    base = values.sum(axis=0)[: _real(genres)] / values.sum()
    text = f"{genres[0]} takes {percent(base[0], 0)} of all {given}" if _real(genres) else given.capitalize()
    if len(names) < 2:
        return text
    row, column = divmod(int(np.abs(shares - base).argmax()), shares.shape[1])
    return (
        f"{text}; furthest from everybody: {short_name(names[row])} in {genres[column]} "
        f"({percent(shares[row, column])} against {percent(base[column])})"
    )
