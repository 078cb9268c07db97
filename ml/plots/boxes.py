"""How ratings are spread in each genre, as boxes, from how often each rating was given.

Belongs here: the box plot and quantiles of counted values. Does not belong here: counting.
"""

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from ml.plots.given import drawable
from ml.plots.palette import ACCENT, INK
from ml.plots.rows import named_rows
from ml.plots.style import label_ticks, plot_style
from ml.plots.words import number, numbers_apart

_QUARTERS = (0.25, 0.5, 0.75)
_REACH = 1.5
"""Box lengths that a whisker reaches at most (Tukey 1977)."""
_FEW = 30
"""Ratings a genre needs before the heading speaks of it."""
_BOX = "#9cc4ea"


def quantiles_of_counts(values: np.ndarray, counts: np.ndarray, at: tuple[float, ...]) -> np.ndarray:
    """Return quantiles of values that each occur many times, without writing them out.

    Parameters
    ----------
    values : (m,) float
        Different values in rising order.
    counts : (m,) int
        How often each occurs; at least one is above 0.
    at
        Quantiles from 0 to 1.

    Returns
    -------
    quantiles : (len(at),) float
        As `numpy.quantile` gives them for the values written out (linear interpolation, type 7 of Hyndman and
        Fan 1996).
    """
    ends = np.cumsum(counts)
    places = np.asarray(at) * (ends[-1] - 1)
    below = np.floor(places).astype(np.int64)
    lower = values[np.searchsorted(ends, below, side="right")]
    upper = values[np.searchsorted(ends, np.minimum(below + 1, ends[-1] - 1), side="right")]
    return lower + (upper - lower) * (places - below)


def box_of_counts(values: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    """Return quartiles, whiskers and mean of counted values, as `matplotlib.axes.Axes.bxp` takes them.

    A whisker ends at the last value within 1.5 box lengths of the box, as `matplotlib.cbook.boxplot_stats` has it.
    """
    values, counts = values[counts > 0], counts[counts > 0]
    q1, median, q3 = quantiles_of_counts(values, counts, _QUARTERS)
    reach = _REACH * (q3 - q1)
    inside = values[(values >= q1 - reach) & (values <= q3 + reach)]
    return {
        "q1": float(q1),
        "med": float(median),
        "q3": float(q3),
        "whislo": float(min(inside.min(), q1)),
        "whishi": float(max(inside.max(), q3)),
        "mean": float(np.average(values, weights=counts)),
    }


def rating_boxes(counts: pl.DataFrame) -> Figure:
    """Draw a box per genre, exact however many ratings there are.

    Parameters
    ----------
    counts
        One row per genre and rating: genre_label, rating, ratings (how often it was given).

    Returns
    -------
    A figure with the genre of the highest median on top, of equal ones the one with the highest mean; the title
    names the best and the worst rated genre by mean.

    Raises
    ------
    NothingToDrawError
        When no genre has a rating.
    """
    known = drawable(counts.filter(pl.col("ratings") > 0), "genre_label", "rating", "ratings")
    boxes = []
    for (genre,), rows in known.sort("genre_label", "rating").group_by("genre_label", maintain_order=True):
        values, times = rows["rating"].cast(pl.Float64).to_numpy(), rows["ratings"].to_numpy()
        boxes.append({"label": genre, "ratings": int(times.sum()), **box_of_counts(values, times)})
    boxes.sort(key=lambda box: (-box["med"], -box["mean"], box["label"]))
    total = sum(box["ratings"] for box in boxes)
    subtitle = (
        "Box: the middle half of the ratings; line: the median; diamond: the mean; whiskers: 1.5 boxes at most, "
        f"lower and higher ratings are not drawn. {total:,} ratings, counted in each genre of their title."
    )
    with plot_style():
        figure, axes = named_rows(_title(boxes), subtitle, [box["label"] for box in boxes], row=0.28, lines=1)
        axes.bxp(
            [{key: value for key, value in box.items() if key != "ratings"} for box in boxes],
            positions=range(len(boxes)),
            widths=0.62,
            orientation="horizontal",
            patch_artist=True,
            showmeans=True,
            showfliers=False,
            manage_ticks=False,
            boxprops={"facecolor": _BOX, "edgecolor": INK, "linewidth": 0.8},
            medianprops={"color": INK, "linewidth": 2.2},
            meanprops={"marker": "D", "markerfacecolor": ACCENT, "markeredgecolor": "white", "markersize": 6},
            whiskerprops={"color": INK, "linewidth": 0.8},
            capprops={"color": INK, "linewidth": 0.8},
        )
        label_ticks(axes.xaxis)
        axes.set_xlabel("Rating (stars)")
    return figure


def _title(boxes: list[dict]) -> str:
    many = [box for box in boxes if box["ratings"] >= _FEW] or boxes
    best, worst = max(many, key=lambda box: box["mean"]), min(many, key=lambda box: box["mean"])
    if best is worst:
        return f"{best['label']} is rated {number(best['mean'])} on average"
    high, low = numbers_apart(best["mean"], worst["mean"])
    return f"Best rated genre: {best['label']} (mean {high}); worst: {worst['label']} ({low})"
