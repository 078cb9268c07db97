"""Which titles resemble each other.

Belongs here: the heat map of similarities. Does not belong here: computing a similarity.
"""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ml.plots.cells import WHITE_TO_BLUE, draw_cells, draw_key
from ml.plots.given import drawable
from ml.plots.palette import INK, MUTED
from ml.plots.style import WIDTH, add_axes, plot_style, text_width, titled_figure
from ml.plots.words import decimals, number, short_name

_ROW, _KEY, _RIGHT, _FOOT = 0.245, 0.5, 0.25, 0.24
_LABEL_SIZE, _NUMBER_SIZE = 8.5, 8.0


def similarity_heatmap(pairs: pl.DataFrame, *, chosen: str) -> Figure:
    """Draw titles by titles, ordered so that those alike stand together.

    Parameters
    ----------
    pairs
        One row per title and similar title: title_id, title, similar_title_id, similar_title, similarity (0 to 1).
        A pair may stand in one direction or in both; a pair that is absent is drawn as unknown.
    chosen
        Which titles these are, in words.

    Returns
    -------
    A figure whose title names the pair most alike. The order is that of the leaves of an average-linkage tree over
    1 - similarity, an unknown pair counted as not alike (Bar-Joseph et al. 2001 for the order of the leaves).

    Raises
    ------
    NothingToDrawError
        When there is no pair.
    """
    known = drawable(pairs, "title_id", "similar_title_id", "title", "similar_title", "similarity")
    known = known.filter(pl.col("title_id") != pl.col("similar_title_id"))
    matrix, names = _as_matrix(drawable(known, "similarity"))
    order = _alike_together(matrix)
    matrix, names = matrix[np.ix_(order, order)], [names[i] for i in order]
    rows = [f"{short_name(name, 32)}  {i + 1}" for i, name in enumerate(names)]
    left = max(text_width(row, _LABEL_SIZE) for row in rows) + 0.3
    body = _KEY + _FOOT + _ROW * len(rows)
    norm = _norm(matrix)
    with plot_style():
        figure = titled_figure(_title(matrix, names), _subtitle(matrix, chosen), body=body)
        axes = add_axes(figure, left, _KEY + _FOOT, WIDTH - _RIGHT, body)
        _draw(axes, matrix, rows, norm)
        ends = number(float(norm.vmin or 0)), "similarity", number(float(norm.vmax or 0))
        draw_key(figure, ends, WHITE_TO_BLUE, low=0.28)
    return figure


def _as_matrix(known: pl.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Return the symmetric similarities (n, n), NaN where unknown, and the names; ordered by id."""
    titles = dict(known.select("title_id", "title").iter_rows())
    titles |= dict(known.select("similar_title_id", "similar_title").iter_rows())
    ids = sorted(titles)
    place = {title: i for i, title in enumerate(ids)}
    matrix = np.full((len(ids), len(ids)), np.nan)
    for one, other, value in known.select("title_id", "similar_title_id", "similarity").iter_rows():
        i, j = place[one], place[other]
        matrix[i, j] = matrix[j, i] = np.fmax(matrix[i, j], value)
    return matrix, [titles[title] for title in ids]


def _alike_together(matrix: np.ndarray) -> np.ndarray:
    """Return the order of the leaves of a tree over the titles."""
    from scipy.cluster.hierarchy import leaves_list, linkage  # noqa: PLC0415  0.3 s that few plots need
    from scipy.spatial.distance import squareform  # noqa: PLC0415

    distance = 1 - np.nan_to_num(matrix)
    np.fill_diagonal(distance, 0)
    return leaves_list(linkage(squareform(distance, checks=False), "average", optimal_ordering=True))


def _norm(matrix: np.ndarray) -> Normalize:
    """Return the scale of the colours: from somewhat below the lowest known likeness, which must not look unknown."""
    low, high = float(np.nanmin(matrix)), float(np.nanmax(matrix))
    return Normalize(max(low - 0.4 * (high - low), 0.0) if high > low else 0.0, max(high, 1e-9))


def _draw(axes: Axes, matrix: np.ndarray, rows: list[str], norm: Normalize) -> None:
    axes.set_facecolor("#f1f2f5")
    axes.patch.set_zorder(-1)
    large_enough = len(rows) <= 16
    texts = [
        [decimals(value) if large_enough and np.isfinite(value) else "" for value in row] for row in matrix
    ]
    draw_cells(axes, matrix, texts, norm, WHITE_TO_BLUE)
    for i in range(len(rows)):
        axes.text(i, i, str(i + 1), ha="center", va="center", size=_NUMBER_SIZE, color=MUTED)
    axes.set_yticks(range(len(rows)), rows, parse_math=False)
    axes.set_xticks(range(len(rows)), [str(i + 1) for i in range(len(rows))])
    axes.tick_params(length=0, labelcolor=INK, labelsize=_LABEL_SIZE)
    axes.tick_params(axis="x", labelsize=_NUMBER_SIZE, pad=2)


def _title(matrix: np.ndarray, names: list[str]) -> str:
    row, column = divmod(int(np.nanargmax(matrix)), len(names))
    pair = f"{short_name(names[row], 40)} and {short_name(names[column], 40)}"
    return f"Most alike: {pair} (similarity {number(float(matrix[row, column]))})"


def _subtitle(matrix: np.ndarray, chosen: str) -> str:
    text = f"{chosen}; alike ones stand together. The darker, the more alike."
    unknown = np.isnan(matrix) & ~np.eye(len(matrix), dtype=bool)
    return f"{text} Grey: neither is among the nearest of the other." if unknown.any() else text
