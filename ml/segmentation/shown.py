"""How the columns of features are spoken of, in rules and on cards.

Belongs here: which columns people understand, what they are called, what they count and what kind of value they hold.
Does not belong here: the rules (`surrogate`), how a value is written (`ml.plots.words`).
"""

from collections import Counter

import polars as pl

from ml.plots.words import feature_labels
from ml.segmentation.spec import SegmentationSpec, select_columns
from ml.segmentation.surrogate import Kind, Shown
from ml.segmentation.train import profiled_columns

_YEARS = (1800, 2200)
_UNITS = ("minutes", "hours", "days", "years", "titles", "ratings", "views")
_SHARES = ("share", "completion")


def shown_columns(frame: pl.DataFrame, spec: SegmentationSpec) -> dict[str, Shown]:
    """Return the columns that segments are explained by, and how each is spoken of.

    These are the columns that are clustered on; where they are dimensions of taste, which nobody can read, those that
    stand beside them. A code that is there as a column per value too is left out: 1 is not half of 2.

    Parameters
    ----------
    frame
        One row per entity.
    spec
        The declaration; `plots.labels` says what columns are called, whose name does not say it.
    """
    columns = profiled_columns(frame, spec.entity)
    clustered = select_columns(spec.features.columns, columns)
    told = [c for c in columns if c not in clustered] if spec.features.embedding else clustered
    described = describe(frame.select(columns), spec)
    return {
        feature: Shown(label, kind)
        for feature, label, kind in described.select("feature", "feature_label", "kind").iter_rows()
        if feature in told and kind != "code"
    }


def describe(frame: pl.DataFrame, spec: SegmentationSpec) -> pl.DataFrame:
    """Say of each numeric column what it is called, of what kind its values are and what they count.

    Parameters
    ----------
    frame
        One row per entity, numeric columns only.
    spec
        The declaration.

    Returns
    -------
    One row per column: feature, feature_label, kind (share, flag, year, count, number, code: of a category, whose mean
    says nothing), unit (null where there is none to name), is_volume (whether it says how much an entity does).
    """
    columns = frame.columns
    kinds = _kinds(frame)
    return pl.DataFrame(
        {
            "feature": columns,
            "feature_label": feature_labels(columns, spec.plots.labels, with_kind=True),
            "kind": [kinds[column] for column in columns],
            "unit": [spec.plots.units.get(column) or _unit(column, kinds[column]) for column in columns],
            "is_volume": [column == spec.volume for column in columns],
        },
        schema_overrides={"unit": pl.String},
    )


def _kinds(frame: pl.DataFrame) -> dict[str, str]:
    # Shares come in families: of genres, of times of day. A rank from 0 to 1 stands alone.
    families = Counter(
        column.split("_")[0]
        for column in frame.columns
        if frame[column].count() and float(frame[column].min()) >= 0 and float(frame[column].max()) <= 1  # type: ignore[arg-type]
    )
    kinds: dict[str, str] = {
        column: _kind(
            frame[column].drop_nulls(), column, is_one_of_several=families[column.split("_")[0]] > 1
        )
        for column in frame.columns
    }
    for column, kind in kinds.items():
        values = [other for other in frame.columns if other.startswith(f"{column}_")]
        if kind == "count" and values and all(kinds[other] == "flag" for other in values):
            kinds[column] = "code"
    return kinds


def _kind(values: pl.Series, column: str, *, is_one_of_several: bool) -> Kind:
    if not len(values):
        return "number"
    least, most = float(values.min()), float(values.max())  # type: ignore[arg-type]
    is_whole = bool((values == values.floor()).all())
    if is_whole and least >= 0 and most <= 1 and not column.startswith("cnt_"):
        return "flag"
    if "year" in column and _YEARS[0] <= least and most <= _YEARS[1]:
        return "year"
    if least >= 0 and most <= 1 and (is_one_of_several or any(word in column for word in _SHARES)):
        return "share"
    return "count" if is_whole else "number"


def _unit(column: str, kind: str) -> str | None:
    """Return what a column counts, as far as its name says it."""
    if kind in ("share", "flag", "year", "code"):
        return None
    words = column.split("_")
    if words[0] == "cnt":
        return "titles"
    # The first of the units counts: `minutes_per_active_day` is minutes.
    return next((word for word in words if word in _UNITS), None)
