"""What the report says about the recommender: how models compare, whom the chosen one serves, and examples.

Belongs here: choosing and summing up rows of the marts. Does not belong here: measuring (`ml.recommendation`), the
page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from ml.plots.palette import color_of, colors_of
from ml.plots.words import decimals, feature_label, number, percent
from published.questions.audience import Interest
from report.reading import Rows

METRICS = {
    "ndcg": (
        "nDCG",
        "1 would be a list that begins with exactly the user's held-out titles; 0 misses them all",
    ),
    "later_ndcg": (
        "nDCG, later",
        "the same where all that was learned from is older than what is to be found, as it is every night",
    ),
    "precision": ("Precision", "share of the titles on a list that are among the user's held-out ones"),
    "recall": ("Recall", "share of the user's held-out titles that is on the list"),
    "map": ("MAP", "mean precision down to each hit: hits high on the list count more"),
    "coverage": ("Coverage", "share of the catalogue that anybody is recommended"),
    "long_tail": (
        "Long tail",
        "share of the titles on a list beyond the best known ones that together hold half of all {given}",
    ),
    "novelty": ("Novelty", "bits: the higher, the less known the titles on the lists"),
    "diversity": ("Diversity", "1 = titles on a list have no {people} in common, 0 = all the same {people}"),
    "genre_match": (
        "Genre match",
        "share of the titles on a list in one of the user's three favourite genres",
    ),
    "fit_seconds": ("Training", "seconds to train"),
    "seconds": ("Time", "seconds to tune, train and recommend"),
}
"""Metric to its heading and what it means, in the order of the columns; in braces a word for the interest."""
MODELS = {
    "blend": "Blend of several models",
    "ease": "EASE: titles {acted} by the same people",
    "als": "ALS: hidden tastes",
    "cosine": "Cosine: similar {people} of a title",
    "content": "Content: genres and plot",
    "popular": "Most popular titles",
    "recent_popular": "Lately popular titles",
}
"""Model to what people call it; one that is not listed keeps its name."""
_JUDGED = "users"
"""The metric that is a count of the users judged, the same for every model."""
_RATINGS = Interest()
_SHARES = ("coverage", "long_tail", "genre_match")
_MOST_MODELS, _MOST_TITLES = 15, 5


@dataclass(frozen=True)
class Model:
    """One model; a value in words per metric of the table, `–` where it has none."""

    name: str
    values: tuple[str, ...]
    bar: float
    is_default: bool
    is_baseline: bool


@dataclass(frozen=True)
class RecommenderView:
    """Everything the page says about the recommender; `metrics` are heading and meaning of each column.

    `judged_users` is None where the table does not say how many users the figures are means over. `reaches`, `served`
    (by segmentation) and `examples` (`suggestions` of each) are rows of their tables.
    """

    finding: str
    judged_users: int | None
    metrics: tuple[tuple[str, str], ...]
    models: tuple[Model, ...]
    reaches: Rows
    served: tuple[tuple[str, Rows], ...]
    examples: Rows

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.models or self.served or self.examples)


def recommender(
    metrics: pl.DataFrame | None,
    segment_ndcg: pl.DataFrame | None,
    recommendations: pl.DataFrame | None,
    whose: Mapping[str, tuple[str, int]],
    interest: Interest = _RATINGS,
    *,
    long_tail: pl.DataFrame | None = None,
) -> RecommenderView:
    """Return what the page says; None for a mart that is absent.

    Parameters
    ----------
    metrics
        One row per model and metric.
    segment_ndcg
        One row per model and segment.
    recommendations
        Recommendations of the example users only: the whole table has ten rows for every user.
    whose
        Example user to name and id of their segment.
    interest
        What the models learn from, in words.
    long_tail
        One row per weight of being rare.
    """
    found = pl.DataFrame() if metrics is None else metrics
    columns = _columns(found)
    judged = found.filter(pl.col("metric") == _JUDGED)["value"].max() if len(found) else None
    models = _models(found, columns, interest)
    return RecommenderView(
        finding=_finding(found, interest),
        judged_users=int(judged) if isinstance(judged, float) else None,
        metrics=tuple(_heading(name, interest) for name in columns),
        models=models,
        reaches=_reaches(long_tail),
        served=_served(segment_ndcg, _default(found)),
        examples=_examples(recommendations, whose),
    )


def _plain(metric: str) -> str:
    """Return a metric without its list length: `ndcg@10` is `ndcg`."""
    return metric.partition("@")[0]


def _columns(metrics: pl.DataFrame) -> list[str]:
    if not len(metrics):
        return []
    order = list(METRICS)
    return sorted(
        set(metrics["metric"].to_list()) - {_JUDGED},
        key=lambda name: (order.index(_plain(name)) if _plain(name) in order else len(order), name),
    )


def _heading(metric: str, interest: Interest) -> tuple[str, str]:
    heading, meaning = METRICS.get(_plain(metric), (feature_label(metric), ""))
    _, at, length = metric.partition("@")
    return f"{heading}{at}{length}", _worded(meaning, interest)


def _models(metrics: pl.DataFrame, columns: Sequence[str], interest: Interest) -> tuple[Model, ...]:
    if not columns:
        return ()
    first = columns[0]
    values: dict[str, dict[str, float]] = {}
    kinds: dict[str, tuple[bool, bool]] = {}
    for row in metrics.iter_rows(named=True):
        values.setdefault(row["model"], {})[row["metric"]] = row["value"]
        kinds[row["model"]] = (bool(row["is_default"]), bool(row["is_baseline"]))
    best = max((own.get(first) or 0.0 for own in values.values()), default=0.0)
    ordered = sorted(values, key=lambda model: (-(values[model].get(first) or 0.0), model))
    return tuple(
        Model(
            name=_called(model, interest),
            values=tuple(_words(name, values[model].get(name)) for name in columns),
            bar=(values[model].get(first) or 0.0) / best if best else 0.0,
            is_default=kinds[model][0],
            is_baseline=kinds[model][1],
        )
        for model in ordered[:_MOST_MODELS]
    )


def _called(model: str, interest: Interest) -> str:
    return _worded(MODELS[model], interest) if model in MODELS else model


def _worded(text: str, interest: Interest) -> str:
    return text.format(**vars(interest))


def _words(metric: str, value: float | None) -> str:
    if value is None or value != value:  # noqa: PLR0124 - not a number
        return "–"
    plain = _plain(metric)
    if plain in _SHARES:
        return percent(value)
    return number(value) if plain.endswith("seconds") or plain == "novelty" else decimals(value, 3)


def _default(metrics: pl.DataFrame) -> str | None:
    if not len(metrics):
        return None
    return next(iter(metrics.filter(pl.col("is_default"))["model"]), None)


def _finding(metrics: pl.DataFrame, interest: Interest) -> str:
    """Say by how much the chosen model beats the best of those that know nothing of the user."""
    if not len(metrics):
        return ""
    ndcg = metrics.filter(pl.col("metric").str.starts_with("ndcg")).drop_nulls("value")
    chosen = ndcg.filter(pl.col("is_default")).head(1)
    plain = ndcg.filter(pl.col("is_baseline")).sort("value", descending=True).head(1)
    if not len(chosen) or not len(plain) or plain["value"][0] <= 0:
        return ""
    times = chosen["value"][0] / plain["value"][0]
    return (
        f"The recommender ranks held-out titles {times:.2f} times as well as a list that is the same for everybody "
        f"({_called(plain['model'][0], interest).lower()}): nDCG {chosen['value'][0]:.3f} against "
        f"{plain['value'][0]:.3f}, where 1 would be perfect.{_ahead(metrics, ndcg, chosen, interest)}"
    )


def _ahead(metrics: pl.DataFrame, ndcg: pl.DataFrame, chosen: pl.DataFrame, interest: Interest) -> str:
    """Say which model has a higher nDCG than the one in use, and what the latter has more of; often nothing."""
    name, column = chosen["model"][0], chosen["metric"][0]
    best = ndcg.filter(pl.col("metric") == column).sort("value", descending=True).head(1)
    if best["value"][0] <= chosen["value"][0]:
        return ""
    rival = best["model"][0]
    better = []
    for metric in _SHARES:
        values = dict(
            metrics.filter(pl.col("metric").str.starts_with(metric))
            .drop_nulls("value")
            .select("model", "value")
            .iter_rows()
        )
        if name in values and rival in values and values[name] > values[rival]:
            heading = METRICS[metric][0].lower()
            better.append(f"{heading} {percent(values[name])} against {percent(values[rival])}")
    said = f" Here {_called(rival, interest)} is ahead of the model in use by nDCG: {best['value'][0]:.3f}."
    return f"{said} The model in use is ahead in {' and '.join(better)}." if better else said


def _reaches(long_tail: pl.DataFrame | None) -> Rows:
    """Return what lists reach with each weight of being rare, and its nDCG beside that at a weight of 0, in words."""
    rows = () if long_tail is None else long_tail.sort("weight").rows(named=True)
    return [{**row, "change": _change(row)} for row in rows]


def _change(row: Mapping[str, float]) -> str:
    if not row["weight"]:
        return "–"
    low, high = (f"{row[end]:+.3f}".replace("-", "−") for end in ("change_low", "change_high"))
    is_sure = row["change_low"] > 0 or row["change_high"] < 0
    return f"{low} to {high}{'' if is_sure else ': as good as equal'}"


def _served(segment_ndcg: pl.DataFrame | None, model: str | None) -> tuple[tuple[str, Rows], ...]:
    """Return how well the chosen model does within each segment, by segmentation."""
    if segment_ndcg is None or model is None:
        return ()
    rows = segment_ndcg.filter(pl.col("model") == model).drop_nulls("ndcg").sort("segmentation", "segment_id")
    found = rows.with_columns(
        bar=pl.col("ndcg") / (rows["ndcg"].max() or 1.0),
        color=pl.Series(colors_of(rows["segment_id"]), dtype=pl.String),
    )
    parts = found.group_by("segmentation", maintain_order=True)
    return tuple((feature_label(str(name)), part.rows(named=True)) for (name,), part in parts)


def _examples(recommendations: pl.DataFrame | None, whose: Mapping[str, tuple[str, int]]) -> Rows:
    """Return the first titles recommended to each, who is not named; the segment is empty where none is known."""
    if recommendations is None:
        return ()
    examples = []
    ordered = recommendations.sort("user_id", "rank")
    for user_id in [*whose, *sorted(set(recommendations["user_id"].to_list()) - set(whose))]:
        rows = ordered.filter(pl.col("user_id") == user_id).head(_MOST_TITLES).rows(named=True)
        name, segment_id = whose.get(user_id, ("", 0))
        examples += [{"segment": name, "color": color_of(segment_id), "suggestions": rows}] if rows else []
    return examples
