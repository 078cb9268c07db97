"""Genres by how much they are watched and how well they are liked.

Belongs here: the scatter of genres. Does not belong here: counting ratings.
"""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullLocator

from ml.plots.given import drawable
from ml.plots.palette import INK, MUTED, segment_colors
from ml.plots.pca_map import write_beside
from ml.plots.style import WIDTH, add_axes, label_ticks, plot_style, text_width, titled_figure
from ml.plots.words import clean, log_ticks, number, tick_number

_LABEL_SIZE = 9.0
_BOX = (0.85, 0.6, WIDTH - 0.25, 4.9)
"""Left, bottom, right and top of the axes in inches."""
_MOST_NAMES, _EXTREMES = 18, 4
"""How many genres have their names written: those with most ratings, and the best and the worst rated of all."""


def genre_popularity(genres: pl.DataFrame) -> Figure:
    """Draw each genre by number and mean of its ratings.

    Parameters
    ----------
    genres
        One row per genre: genre_label, ratings, mean_rating (among those who rated); a genre without ratings is
        left out.

    Returns
    -------
    A figure whose title names the genre with most ratings and the best rated one. Dashed: the mean of all ratings.

    Raises
    ------
    NothingToDrawError
        When no genre has ratings.
    """
    known = drawable(genres.filter(pl.col("ratings") > 0), "genre_label", "ratings", "mean_rating")
    known = known.sort("ratings", "genre_label", descending=[True, False])
    ratings, means = (known[column].cast(pl.Float64).to_numpy() for column in ("ratings", "mean_rating"))
    with plot_style():
        figure = titled_figure(_title(known), _subtitle(len(known)), body=_BOX[3])
        axes = add_axes(figure, *_BOX)
        axes.axhline(
            float(np.average(means, weights=ratings)), color=MUTED, linewidth=1, linestyle=(0, (4, 3))
        )
        axes.plot(ratings, means, "o", color=segment_colors(1)[0], markersize=8, markeredgecolor="white")
        axes.set_xscale("log")
        axes.set_xlim(ratings.min() / 1.6, ratings.max() * 1.6)
        axes.xaxis.set_minor_locator(NullLocator())
        ticks = log_ticks(*axes.get_xlim())
        axes.set_xticks(ticks, [tick_number(tick) for tick in ticks])
        axes.margins(y=0.1)
        label_ticks(axes.yaxis)
        named = _named(means)
        _write_names(axes, known["genre_label"][named].to_list(), ratings[named], means[named])
        axes.set_xlabel("Ratings")
        axes.set_ylabel("Mean rating (stars)")
    return figure


def _named(means: np.ndarray) -> np.ndarray:
    """Return which genres, most ratings first, are named: all while there is room for all."""
    if len(means) <= _MOST_NAMES + 2 * _EXTREMES:
        return np.arange(len(means))
    by_mean = np.argsort(means, kind="stable")
    return np.union1d(np.arange(_MOST_NAMES), [*by_mean[:_EXTREMES], *by_mean[-_EXTREMES:]])


def _subtitle(genres: int) -> str:
    text = (
        "Each dot is a genre; a rating counts in each genre of its title. Logarithmic axis. Dashed: the mean."
    )
    few = genres <= _MOST_NAMES + 2 * _EXTREMES
    return text if few else f"{text} Named: those with most ratings, the best and the worst rated."


def _write_names(axes: Axes, names: list[str], ratings: np.ndarray, means: np.ndarray) -> None:
    """Write each name beside its dot, moved where two would meet."""
    size = np.array([_BOX[2] - _BOX[0], _BOX[3] - _BOX[1]])
    low, high = np.log10(axes.get_xlim())
    bottom, top = axes.get_ylim()
    at = np.column_stack([(np.log10(ratings) - low) / (high - low), (means - bottom) / (top - bottom)]) * size
    labels = [clean(name) for name in names]
    extents = np.array([[text_width(label, _LABEL_SIZE), _LABEL_SIZE * 1.3 / 72] for label in labels])
    line = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.7, "shrinkB": 4}
    effects = [withStroke(linewidth=2.5, foreground="white")]
    write_beside(axes, labels, at, extents, size, line=line, color=INK, path_effects=effects)


def _title(known: pl.DataFrame) -> str:
    first = known.row(0, named=True)
    by_mean = known.sort("mean_rating", "genre_label", descending=[True, False])
    place = by_mean["genre_label"].to_list().index(first["genre_label"]) + 1
    best = by_mean.row(0, named=True)
    if place == 1:
        return f"{first['genre_label']} has most ratings ({number(first['ratings'])}) and is rated best"
    return (
        f"{first['genre_label']} has most ratings ({number(first['ratings'])}) and is number {place} of {len(known)} "
        f"by mean; rated best: {best['genre_label']} ({number(best['mean_rating'])})"
    )
