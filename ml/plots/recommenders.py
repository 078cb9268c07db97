"""Recommenders beside each other.

Belongs here: drawing their measures. Does not belong here: measuring.
"""

import polars as pl
from matplotlib.figure import Figure

from ml.plots.given import drawable
from ml.plots.palette import ACCENT, MUTED, segment_colors
from ml.plots.rows import named_rows
from ml.plots.spacing import note
from ml.plots.style import label_ticks, plot_style
from ml.plots.words import number, short_name

_BASELINE = "#b4b9c4"


def recommender_bars(models: pl.DataFrame, *, measure: str) -> Figure:
    """Draw one measure of every recommender, the best on top, the baselines in grey.

    Parameters
    ----------
    models
        One row per model: model, value (the more the better), is_default (the model that recommendations come from),
        is_baseline (a model that knows nothing of the user).
    measure
        What is measured, as people call it.

    Returns
    -------
    A figure whose title says by how much the best model beats the best baseline. Dashed: the best baseline.

    Raises
    ------
    NothingToDrawError
        When no model was measured.
    """
    known = drawable(models, "model", "value").sort("value", "model", descending=[True, False])
    names, values = known["model"].to_list(), known["value"].to_list()
    are_baselines, are_default = (
        known[column].fill_null(value=False).to_list() for column in ("is_baseline", "is_default")
    )
    baselines = [value for value, is_baseline in zip(values, are_baselines, strict=True) if is_baseline]
    labels = [_label(*row) for row in zip(names, are_default, are_baselines, strict=True)]
    with plot_style():
        subtitle = f"{measure} on held-out ratings, the more the better; on top the best."
        subtitle += " Grey and dashed: baselines, the same for every user." if baselines else ""
        figure, axes = named_rows(_title(known, measure), subtitle, labels, row=0.42, widest=2.6)
        colors = [_BASELINE if is_baseline else segment_colors(1)[0] for is_baseline in are_baselines]
        axes.barh(range(len(names)), values, height=0.66, color=colors)
        for row, (value, is_default) in enumerate(zip(values, are_default, strict=True)):
            note(
                axes, f"{value:.3f}", (max(value, 0), row), size=9, weight="bold" if is_default else "normal"
            )
        if baselines:
            axes.axvline(max(baselines), color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)), zorder=0.5)
        for row, is_default in enumerate(are_default):
            if is_default:
                axes.get_yticklabels()[row].set(weight="bold", color=ACCENT)
        axes.set_xlim(0, max(*values, 1e-9) * 1.15)
        label_ticks(axes.xaxis)
        axes.set_xlabel(measure)
    return figure


def _label(name: str, is_default: bool, is_baseline: bool) -> str:
    said = " (in use)" if is_default else " (baseline)" if is_baseline else ""
    return f"{short_name(name)}{said}"


def _title(known: pl.DataFrame, measure: str) -> str:
    best = known.row(0, named=True)
    baselines = known.filter(pl.col("is_baseline").fill_null(value=False))
    if not len(baselines):
        return f"Best by {measure}: {best['model']} ({best['value']:.3f})"
    baseline = baselines.row(0, named=True)
    if best["is_baseline"]:
        return f"No recommender beats the baseline {best['model']} ({measure} {best['value']:.3f})"
    text = f"Best by {measure}: {best['model']} ({best['value']:.3f})"
    if baseline["value"] <= 0:
        return f"{text}; the best baseline, {baseline['model']}, finds nothing"
    times = number(best["value"] / baseline["value"])
    return f"{text}, {times} times the best baseline, {baseline['model']} ({baseline['value']:.3f})"
