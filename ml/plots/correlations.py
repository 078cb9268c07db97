"""How the features of a segmentation move together, pair by pair.

Belongs here: the correlation heat map. Does not belong here: computing a correlation.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ml.plots.cells import draw_cells, draw_key
from ml.plots.palette import INK
from ml.plots.style import WIDTH, add_axes, plot_style, text_width, titled_figure
from ml.plots.words import decimals, feature_labels, short_name

_MOST_FEATURES = 30
_ROW, _KEY, _MARGIN = 0.27, 0.5, 0.25
_NARROWEST, _WIDEST = 0.44, 0.9
_LABEL_SIZE = 9.0


def correlations(
    matrix: np.ndarray,
    features: Sequence[str],
    *,
    labels: Mapping[str, str] | None = None,
    families: Sequence[Collection[str]] = (),
) -> Figure:
    """Draw each pair of features once: the correlation in the cell where the row of one meets the other's column.

    Parameters
    ----------
    matrix : (d, d) float from -1 to 1
        Symmetric; NaN where a feature is constant.
    features
        d column names.
    labels
        The declared label of a feature, where it has one.
    families
        Columns made from one another, such as the dummies of one category: their pairs are drawn, but
        the title does not call one the strongest.

    Returns
    -------
    A figure whose title names the strongest pair. Beyond 30 features those with the strongest pairs are
    drawn.

    Raises
    ------
    ValueError
        When the matrix is not d by d.
    """
    matrix = np.asarray(matrix, dtype=float)
    if matrix.shape != (len(features), len(features)):
        raise ValueError(f"a matrix of shape {matrix.shape} for {len(features)} features")
    kept = _strongest_features(matrix)
    names = [short_name(label, 34) for label in feature_labels([features[i] for i in kept], labels)]
    lower = np.tril(np.ones((len(kept), len(kept)), dtype=bool), -1)
    values = np.where(lower, matrix[np.ix_(kept, kept)], np.nan)
    pair = _strongest_pair(values, [features[i] for i in kept], families)
    spare = max((text_width(name, _LABEL_SIZE) for name in names), default=0.0) + 0.1
    column = float(np.clip((WIDTH - 2 * _MARGIN - spare) / max(len(kept), 1), _NARROWEST, _WIDEST))
    grid = column * len(kept)
    width = max(WIDTH, 2 * _MARGIN + grid + spare)
    with plot_style():
        figure = titled_figure(
            _title(values, names, pair),
            _subtitle(values[lower], len(kept), len(features), bool(families)),
            width=width,
            body=_KEY + _ROW * len(kept) + 0.1,
        )
        axes = add_axes(figure, _MARGIN, _KEY, _MARGIN + grid, _KEY + _ROW * len(kept))
        _draw_triangle(axes, values, lower, names, pair)
        draw_key(figure, ("−1", "no correlation", "1"), low=0.26)
    return figure


def _draw_triangle(
    axes: Axes, values: np.ndarray, lower: np.ndarray, names: list[str], pair: tuple[int, int] | None
) -> None:
    """Draw the cells below the diagonal, and on it the names: each ends its row and begins its column."""
    texts = [
        [decimals(value) if is_drawn else "" for value, is_drawn in zip(*row, strict=True)]
        for row in zip(values, lower, strict=True)
    ]
    draw_cells(axes, values, texts, Normalize(-1, 1, clip=True))
    for i, name in enumerate(names):
        axes.text(i - 0.4, i, name, va="center", size=_LABEL_SIZE, color=INK, parse_math=False)
    if pair is not None:
        row, column = pair
        box = (column - 0.5, row - 0.5), 1, 1
        axes.add_patch(Rectangle(*box, fill=False, edgecolor=INK, linewidth=1.6, clip_on=False, zorder=3))
    axes.set_xticks([])
    axes.set_yticks([])


def _strongest_features(matrix: np.ndarray) -> np.ndarray:
    """Return the features to draw, in their order."""
    apart = np.where(np.eye(len(matrix), dtype=bool), 0.0, np.abs(np.nan_to_num(matrix)))
    return np.sort(np.argsort(-apart.max(axis=1, initial=0.0), kind="stable")[:_MOST_FEATURES])


def _strongest_pair(
    values: np.ndarray, features: list[str], families: Sequence[Collection[str]]
) -> tuple[int, int] | None:
    """Return row and column of the strongest correlation outside a family, if there is any."""
    strength = np.abs(np.nan_to_num(values))
    for family in families:
        inside = np.array([feature in family for feature in features], dtype=bool)
        strength[np.ix_(inside, inside)] = 0.0
    if not strength.size or strength.max() == 0:
        return None
    row, column = divmod(int(strength.argmax()), len(features))
    return row, column


def _title(values: np.ndarray, names: list[str], pair: tuple[int, int] | None) -> str:
    if pair is None:
        return "No two features move together"
    row, column = pair
    return f"Strongest correlation: {names[column]} and {names[row]} ({decimals(values[row, column])})"


def _subtitle(pairs: np.ndarray, drawn: int, features: int, has_families: bool) -> str:
    text = "Pearson correlation of each pair, framed the strongest"
    text += " of columns that are not made from one another." if has_families else "."
    if np.isnan(pairs).any():
        text += " A dash: one of the two is constant."
    return (
        text if drawn == features else f"{text} The {drawn} of {features} features with the strongest pairs."
    )
