"""Every title as a dot in the row of its genre.

Belongs here: the strip plot. Does not belong here: computing a score.
"""

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from ml.plots.given import drawable
from ml.plots.palette import INK, segment_colors
from ml.plots.rows import named_rows
from ml.plots.style import label_ticks, plot_style
from ml.plots.words import number

_JITTER = 0.34
"""How far from the middle of its row, in rows, a dot may lie."""
_FEW = 10
"""Titles a genre needs before the heading speaks of it: below, a single title decides."""
_MOST_GENRES = 40


def genre_strip(
    titles: pl.DataFrame,
    *,
    measure: str,
    unit: str,
    rng: np.random.Generator,
    chosen: str = "",
    most: int = 4_000,
) -> Figure:
    """Draw each title as a dot in the row of each of its genres.

    Parameters
    ----------
    titles
        One row per title and genre: genre_label, score; a title without a score is left out.
    measure, unit
        What the score is, in lower case, and its unit.
    rng
        Draws the subsample and spreads the dots over the height of their row.
    chosen
        Which titles these are, as a sentence.
    most
        Dots drawn; the medians are of all titles.

    Returns
    -------
    A figure with the genre of the highest median on top; the title names the first and the last genre. Of more than 40
    genres those with most titles are drawn.

    Raises
    ------
    NothingToDrawError
        When no title has a genre and a score.
    """
    known = drawable(titles, "genre_label", "score")
    every = known.group_by("genre_label").agg(
        pl.col("score").median().alias("median"), pl.len().alias("titles")
    )
    medians = (
        every.sort("titles", "genre_label", descending=[True, False])
        .head(_MOST_GENRES)
        .sort("median", "genre_label", descending=[True, False])
    )
    genres = medians["genre_label"].to_list()
    known = known.filter(pl.col("genre_label").is_in(genres))
    rows = known["genre_label"].replace_strict(genres, range(len(genres)), return_dtype=pl.Int64).to_numpy()
    scores = known["score"].cast(pl.Float64).to_numpy()
    drawn = rng.choice(len(rows), most, replace=False) if len(rows) > most else np.arange(len(rows))
    up = rows[drawn] + rng.uniform(-_JITTER, _JITTER, len(drawn))
    names = [f"{genre} ({count:,})" for genre, count in medians.select("genre_label", "titles").iter_rows()]
    with plot_style():
        figure, axes = named_rows(
            _title(medians, measure),
            _subtitle(chosen, len(drawn), len(rows), len(genres), len(every)),
            names,
            row=0.27,
            lines=1,
            widest=2.4,
        )
        axes.plot(
            scores[drawn], up, "o", color=segment_colors(1)[0], markersize=_dot(len(drawn)), markeredgewidth=0
        )
        for row, median in enumerate(medians["median"]):
            axes.plot([median, median], [row - 0.42, row + 0.42], color="white", linewidth=4)
            axes.plot([median, median], [row - 0.4, row + 0.4], color=INK, linewidth=2)
        label_ticks(axes.xaxis)
        axes.set_xlabel(f"{measure[:1].upper()}{measure[1:]} ({unit})", parse_math=False)
    return figure


def _dot(dots: int) -> float:
    """Return how large a dot is, in points: the fewer there are the larger."""
    return 2.0 if dots > 2_000 else 2.8 if dots > 800 else 3.6


def _title(medians: pl.DataFrame, measure: str) -> str:
    many = medians.filter(pl.col("titles") >= _FEW)
    if len(many) < 2:
        many = medians
    first, last = many.row(0, named=True), many.row(-1, named=True)
    if len(many) == 1:
        return f"{first['genre_label']}: median {measure} {number(first['median'])}"
    return (
        f"Highest median {measure}: {first['genre_label']} ({number(first['median'])}); "
        f"lowest: {last['genre_label']} ({number(last['median'])})"
    )


def _subtitle(chosen: str, drawn: int, rows: int, shown: int, genres: int) -> str:
    text = "A dot: a title, in the row of each of its genres. Bar: the median. In brackets: titles."
    text = f"{chosen} {text}" if chosen else text
    text = text if shown == genres else f"{text} The {shown} of {genres} genres with most titles."
    return text if drawn == rows else f"{text} {drawn:,} of {rows:,} dots are drawn, at random."
