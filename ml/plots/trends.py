"""The catalogue over the years of release.

Belongs here: titles and scores by release year. Does not belong here: computing a score.
"""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ml.plots.given import drawable
from ml.plots.palette import kind_colors
from ml.plots.style import WIDTH, add_axes, label_ticks, plot_style, titled_figure
from ml.plots.words import number, short_name

_FEW = 10
"""Titles a year needs before its mean is drawn: below, a single title decides."""
_SPAN = 10
"""Years at each end of the drawn ones that the heading compares."""
_BACK = 100
"""Years drawn at most: before, a catalogue has a handful of titles a year."""


def catalogue_trends(years: pl.DataFrame, *, measure: str, label: str) -> Figure:
    """Draw how many titles there are of each release year, and how they are scored; a colour per catalogue.

    Parameters
    ----------
    years
        One row per catalogue and release year: catalogue, release_year, titles, scored_titles (those that have a
        score) and the column named by `measure`.
    measure
        Column of the mean score.
    label
        What the score is, in lower case, with its unit in brackets.

    Returns
    -------
    A figure whose title names the year with most titles and what became of the score of the largest catalogue.

    Raises
    ------
    NothingToDrawError
        When no year has a title.
    """
    known = drawable(
        years.filter(pl.col("titles") > 0), "catalogue", "release_year", "titles", "scored_titles"
    )
    last = int(known["release_year"].max())  # type: ignore[arg-type]
    first = max(last - _BACK, int(known["release_year"].min()))  # type: ignore[arg-type]
    shown = known.filter(pl.col("release_year") >= first).sort("catalogue", "release_year")
    sizes = shown.group_by("catalogue").agg(pl.col("titles").sum())
    catalogues = sizes.sort("titles", "catalogue", descending=[True, False])["catalogue"].to_list()
    colors = kind_colors(catalogues)
    body = 5.1
    with plot_style():
        earlier = int(known.filter(pl.col("release_year") < first)["titles"].sum())
        figure = titled_figure(
            _title(shown, catalogues[0], measure, label), _subtitle(earlier, first), body=body
        )
        upper = add_axes(figure, 0.85, 3.0, WIDTH - 0.25, body - 0.25)
        lower = add_axes(figure, 0.85, 0.6, WIDTH - 0.25, 2.45)
        for catalogue in catalogues:
            own = shown.filter(pl.col("catalogue") == catalogue)
            _draw_line(upper, own["release_year"].to_numpy(), own["titles"].to_numpy(), colors[catalogue])
            at, means = _means(own, measure)
            _draw_line(lower, at, means, colors[catalogue])
        _finish(upper, "Titles", first, last, at_least=0)
        _finish(lower, f"{label[:1].upper()}{label[1:]}", first, last, at_least=None)
        lower.set_xlabel("Release year")
        _write_key(upper, catalogues, colors)
    return figure


def _means(own: pl.DataFrame, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """Return every year from first to last and its mean, NaN where too few titles make it: a line breaks there."""
    usable = own.filter(pl.col("scored_titles") >= _FEW)
    if not len(usable):
        return np.array([]), np.array([])
    years = usable["release_year"].to_numpy()
    at = np.arange(years.min(), years.max() + 1)
    means = np.full(len(at), np.nan)
    means[years - at[0]] = usable[measure].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return at, means


def _draw_line(axes: Axes, at: np.ndarray, values: np.ndarray, color: str) -> None:
    axes.plot(at, values, color=color, linewidth=1.8, marker="o", markersize=2.2)


def _finish(axes: Axes, label: str, first: int, last: int, *, at_least: float | None) -> None:
    axes.set_xlim(first - 0.5, last + 0.5)
    if at_least is not None:
        axes.set_ylim(bottom=at_least)
    axes.margins(y=0.1)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    label_ticks(axes.yaxis)
    axes.set_ylabel(label, parse_math=False)


def _write_key(axes: Axes, catalogues: list[str], colors: dict[str, str]) -> None:
    for i, catalogue in enumerate(catalogues):
        axes.text(
            0.02,
            0.95 - 0.11 * i,
            short_name(catalogue),
            transform=axes.transAxes,
            va="top",
            weight="bold",
            color=colors[catalogue],
            parse_math=False,
        )


def _title(shown: pl.DataFrame, largest: str, measure: str, label: str) -> str:
    own = shown.filter(pl.col("catalogue") == largest)
    peak = own.sort("titles", "release_year", descending=[True, True]).row(0, named=True)
    text = (
        f"The catalogue of {short_name(largest)} peaks in {peak['release_year']} ({peak['titles']:,} titles)"
    )
    scored = own.filter(pl.col("scored_titles") >= _FEW).drop_nulls(measure)
    if len(scored) < 2 * _SPAN:
        return text
    early, late = (_span(part, measure) for part in (scored.head(_SPAN), scored.tail(_SPAN)))
    word = label.split(" (", maxsplit=1)[0]
    return f"{text}; {word} {early}, {late}"


def _span(part: pl.DataFrame, measure: str) -> str:
    """Return the mean over some years, and which, in words."""
    mean = np.average(part[measure].to_numpy(), weights=part["scored_titles"].to_numpy())
    years = part["release_year"].to_numpy()
    return f"{number(float(mean))} in {years.min()}–{years.max()}"


def _subtitle(earlier: int, first: int) -> str:
    text = f"Titles by year of release, and the mean score of years with {_FEW} scored titles or more."
    return f"{text} {earlier:,} titles from before {first} are not drawn." if earlier else text
