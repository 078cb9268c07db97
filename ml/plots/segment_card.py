"""What a card says about one segment: its size, its rule, what marks it, what to do with it, what it does not mean.

Belongs here: choosing and wording the rows of one segment, once for report and dashboard; a statement is made only
where its interval leaves everybody's figure out. Does not belong here: reading rows, what a whole segmentation is
judged by (`segment_words`), how a card looks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any

import polars as pl

from ml.plots import segment_words as words
from ml.plots.palette import color_of
from ml.plots.words import feature_labels, in_kind, number, percent, short_name

Rows = Mapping[str, pl.DataFrame]
"""By published table, the rows of one segmentation; each table may be absent."""

_FEWEST_RATER_SHARE = 0.1
"""Share of the members who must have rated a genre, and be no few, before a card speaks of it."""
_OVER, _UNDER = 105.0, 95.0
"""Indices from which a segment leans to or from something: five per cent over or under everybody."""
_ALIKE = 10.0
"""Index points either side of 100 within which a segment is as everybody."""
_OF_ONE = "^(avg|cnt|region|channel|genre|device|daypart|era|release_fifth|popularity|language)_|_year$"
"""Features of one genre, device or the like, and years: no figures of a member as a whole."""
_SAME = 0.01
"""Figures as close as this, of both segment and everybody, are not told twice."""
_MOST_MEASURES, _MOST_NAMED = 4, 3
_MOST_OVER, _MOST_BARS, _MOST_TITLES, _MOST_DEVICES = 5, 8, 5, 4
_MOST_HOURS = 2


@dataclass(frozen=True)
class Measure:
    """A mean of a segment beside everybody's, as both are written."""

    label: str
    own: str
    everybody: str


@dataclass(frozen=True)
class Leaning:
    """What a segment has surely more or less of than everybody; index 100 = as everybody."""

    label: str
    index: float
    low: float | None = None
    high: float | None = None
    own: str = ""
    everybody: str = ""


@dataclass(frozen=True)
class Part:
    """A share of what a segment is or does, beside everybody's; None where that is not known."""

    name: str
    share: float
    everybody: float | None = None


@dataclass(frozen=True)
class Card:
    """One segment.

    Attributes
    ----------
    name_doubt : why its name is not borne out by its figures; empty where it is.
    badge : how far it can be relied on.
    rule, rule_holds : who its members are, in words, and how far that holds; without a rule the latter says why.
    measures : features that describe a member as a whole, such as titles per user.
    always : what all of its members have.
    levels : how many of them are light and how many heavy, beside everybody; empty where that is not declared.
    leanings : what it has most over and under everybody, highest index first.
    titles : rows of what its members rated more than everybody, strongest first.
    devices : rows of what it watches on, most first.
    hours : the parts of the day in which it watches most.
    subscriptions : what its members subscribe to, most first.
    genres : the genres of most of its ratings, most first.
    watched : how much of a title its members watch on average; None where that is not known.
    favourites : label and honest mean rating, highest first.
    examples : titles that are most like it, where titles are divided.
    exemplars : rows of users that are most like it, by their ids; not for pages that are mailed.
    does_not_mean : what might be read into it and is not there.
    audience, content_strategy, marketing_strategy : the playbook; None where none holds.
    """

    segment_id: int
    name: str
    name_doubt: str
    badge: words.Badge
    color: str
    members: int
    share: float
    rule: str
    rule_holds: str
    measures: tuple[Measure, ...]
    always: tuple[str, ...]
    levels: str
    leanings: tuple[Leaning, ...]
    titles: Sequence[Mapping[str, Any]]
    devices: Sequence[Mapping[str, Any]]
    hours: tuple[Part, ...]
    subscriptions: tuple[Part, ...]
    genres: tuple[Part, ...]
    watched: Part | None
    favourites: tuple[tuple[str, float], ...]
    examples: tuple[str, ...]
    exemplars: Sequence[Mapping[str, Any]]
    does_not_mean: tuple[str, ...]
    audience: str | None
    content_strategy: str | None
    marketing_strategy: str | None


def card(segment: Mapping[str, Any], rows: Rows) -> Card:
    """Return what is said about a row of segments."""
    segment_id = segment["segment_id"]
    own = {
        table: frame.filter(pl.col("segment_id") == segment_id) if "segment_id" in frame.columns else frame
        for table, frame in rows.items()
    }
    quality = rows.get("segment_quality", pl.DataFrame())
    profiles = _profiles(rows)
    figures = profiles.filter(pl.col("segment_id") == segment_id) if len(profiles) else profiles
    rule, holds = _rule(own)
    measures = _measures(figures, rows)
    leanings, exemplars = _leanings(figures, own), _by_rank(own, "segment_exemplars")
    return Card(
        segment_id=segment_id,
        name=segment["segment_name"],
        name_doubt=segment.get("name_doubt") or "",
        badge=words.badge(quality, segment_id),
        color=color_of(segment_id),
        members=segment["members"],
        share=segment["share"] or 0.0,
        rule=rule,
        rule_holds=holds,
        measures=measures,
        always=_always(figures),
        levels=_levels(segment_id, figures, rows.get("segment_levels", pl.DataFrame())),
        leanings=leanings,
        titles=_by_rank(own, "segment_titles")[:_MOST_TITLES],
        devices=_devices(own),
        hours=_shares(figures, "daypart_")[:_MOST_HOURS],
        subscriptions=_parts(segment_id, rows, "segment_subscriptions", "subscription", "users"),
        genres=_parts(segment_id, rows, "segment_genres", "genre_label", "ratings")[:_MOST_NAMED],
        watched=next(iter(_shares(figures, "mean_completion")), None),
        favourites=_favourites(own),
        examples=tuple(row["title"] for row in exemplars if row["title"]),
        exemplars=[row for row in exemplars if row["history"]],
        does_not_mean=_does_not_mean(figures, own, quality, segment_id),
        audience=segment["audience"],
        content_strategy=segment["content_strategy"],
        marketing_strategy=segment["marketing_strategy"],
    )


def leaning_finding(leanings: Sequence[Leaning]) -> str:
    """Say what leads and what trails: `Crime 45% above everybody; War 30% below`."""
    over = max(leanings, key=lambda row: row.index, default=None)
    under = min(leanings, key=lambda row: row.index, default=None)
    said = []
    if over is not None and over.index > 100:
        times = f"{over.index / 100:.1f} times everybody"
        said.append(
            f"{short_name(over.label)} {times if over.index >= 200 else f'{over.index - 100:.0f}% above everybody'}"
        )
    if under is not None and under.index < 100:
        below = f"{short_name(under.label)} {100 - under.index:.0f}% below"
        said.append(below if said else f"Nothing above everybody; {below}")
    return "; ".join(said) or "Nothing surely differs from everybody by 5% or more"


def described(profiles: pl.DataFrame) -> pl.DataFrame:
    """Return profiles of any version with label, kind, unit and intervals; what a set does not know is left open.

    Means of codes are left out: 1 is not half of 2.
    """
    if not len(profiles):
        return profiles
    features = profiles["feature"].to_list()
    given = (
        profiles["feature_label"].to_list() if "feature_label" in profiles.columns else [None] * len(features)
    )
    known = {feature: label for feature, label in zip(features, given, strict=True) if label}
    distinct = list(dict.fromkeys(features))
    labels = dict(zip(distinct, feature_labels(distinct, known), strict=True))
    unknown = {
        "index_low": pl.lit(None, pl.Float64),
        "index_high": pl.lit(None, pl.Float64),
        "is_apart": pl.lit(value=True),
        "kind": pl.lit("number"),
        "unit": pl.lit(None, pl.String),
        "is_volume": pl.lit(value=False),
    }
    return profiles.with_columns(
        pl.Series("feature_label", [labels[feature] for feature in features]),
        **{name: value for name, value in unknown.items() if name not in profiles.columns},
    ).filter(pl.col("kind") != "code")


def _profiles(rows: Rows) -> pl.DataFrame:
    profiles = described(rows.get("segment_profiles", pl.DataFrame()))
    if not len(profiles):
        return profiles
    # What is the same in all segments tells none of them apart.
    varies = pl.col("segment_mean").n_unique().over("feature") > 1
    return profiles.filter(varies | (pl.col("segment_id").n_unique().over("feature") == 1))


def _written(figures: pl.DataFrame) -> list[tuple[str, str, str]]:
    """Return label, own mean and everybody's of each row as written; the unit only where the label does not say it."""
    columns = ("feature_label", "kind", "unit", "segment_mean", "base_mean")
    return [
        (
            label,
            in_kind(own, kind, None if unit and unit in label.lower() else unit),
            in_kind(everybody, kind),
        )
        for label, kind, unit, own, everybody in figures.select(columns).iter_rows()
    ]


def _measures(figures: pl.DataFrame, rows: Rows) -> tuple[Measure, ...]:
    """Return the means of the judged features; without any, of those that describe a member as a whole."""
    if not len(figures):
        return ()
    judged = rows.get("segment_separation", pl.DataFrame())
    whole = ~pl.col("feature").str.contains(_OF_ONE)
    asked = pl.col("feature").is_in(judged["feature"].to_list()) if len(judged) else whole
    found = figures.filter(asked & (pl.col("kind") != "year")).sort(
        "is_volume", descending=True, maintain_order=True
    )
    # Two columns of the same figures, such as ratings and titles where hardly anybody rates twice, are one.
    shown: dict[tuple[float, float], Measure] = {}
    pairs = found.select("segment_mean", "base_mean").iter_rows()
    for (mean, base), row in zip(pairs, _written(found), strict=True):
        if not any(
            isclose(mean, own, rel_tol=_SAME) and isclose(base, all_, rel_tol=_SAME) for own, all_ in shown
        ):
            shown[mean, base] = Measure(*row)
    return tuple(shown.values())[:_MOST_MEASURES]


def _always(figures: pl.DataFrame) -> tuple[str, ...]:
    if not len(figures):
        return ()
    return tuple(figures.filter(_defines(), pl.col("segment_mean") == 1)["feature_label"])


def _levels(segment_id: int, figures: pl.DataFrame, levels: pl.DataFrame) -> str:
    if not len(levels):
        return ""
    feature = levels["feature"][0]
    labels = dict(figures.select("feature", "feature_label").iter_rows()) if len(figures) else {}
    total = levels["members"].sum()
    everybody = levels.group_by("level").agg(everybody=pl.col("members").sum() / total)
    own = levels.filter(pl.col("segment_id") == segment_id).join(everybody, on="level", maintain_order="left")
    said = [
        f"{percent(row['share'], 0)} {row['level']} ({_between(row['above'], row['up_to'])}; "
        f"everybody {percent(row['everybody'], 0)})"
        for row in own.rows(named=True)
    ]
    return f"{labels.get(feature, feature)}: {', '.join(reversed(said))}"


def _between(above: float | None, up_to: float | None) -> str:
    ends = [
        f"{word} {number(end)}" for word, end in (("above", above), ("at most", up_to)) if end is not None
    ]
    return ", ".join(ends)


def _defines() -> pl.Expr:
    """Return whether a feature is what all members have or nobody does: no news to compare with everybody."""
    return (pl.col("kind") == "flag") & pl.col("segment_mean").is_in([0.0, 1.0])


def _leanings(figures: pl.DataFrame, own: Rows) -> tuple[Leaning, ...]:
    """Return the features whose mean is most over and under everybody's, as far as that is sure."""
    if not len(figures):
        return ()
    found = (
        _dividing(figures, own)
        .filter(
            pl.col("is_apart"),
            ~_defines(),
            ~pl.col("feature").is_in(_judged(own, is_supported=False)),
            # An index of 0 is a group that has no member here by the segment's own definition.
            (pl.col("index") >= _OVER) | ((pl.col("index") <= _UNDER) & (pl.col("index") > 0)),
        )
        .sort("index", "feature", descending=[True, False])
    )
    ends = found.select("index", "index_low", "index_high").iter_rows()
    said = [
        Leaning(label, index, low, high, mean, everybody)
        for (label, mean, everybody), (index, low, high) in zip(_written(found), ends, strict=True)
    ]
    over = [row for row in said if row.index > 100][:_MOST_OVER]
    under = [row for row in said if row.index < 100]
    return (*over, *under[max(0, len(under) - (_MOST_BARS - max(len(over), _MOST_BARS - _MOST_OVER))) :])


def _dividing(figures: pl.DataFrame, own: Rows) -> pl.DataFrame:
    """Return the figures of the features that divide the segments, or all where these cannot be read."""
    loadings = own.get("pca_loadings", pl.DataFrame())
    if not len(loadings):
        return figures
    found = figures.filter(pl.col("feature").is_in(loadings["feature"].unique().to_list()))
    return found if len(found) else figures


def _judged(own: Rows, *, is_supported: bool) -> list[str]:
    """Return judged features that differ from everybody's, or of which nothing may be said.

    A mean that one member makes is not what stands out.
    """
    claims = own.get("segment_claims", pl.DataFrame())
    return claims.filter(pl.col("is_supported") == is_supported)["feature"].to_list() if len(claims) else []


def _does_not_mean(
    figures: pl.DataFrame, own: Rows, quality: pl.DataFrame, segment_id: int
) -> tuple[str, ...]:
    """Say what might be read into a segment and is not there."""
    said = []
    if len(figures):
        # Where a judged feature is borne out by its own interval, of means and not of the index, that one stands.
        figures = figures.filter(~pl.col("feature").is_in(_judged(own, is_supported=True)))
        volume = figures.filter("is_volume", ~pl.col("is_apart"), pl.col("index_low").is_not_null())
        said += [
            f"Not how much they do: {label} {mean}, everybody {everybody}, which may be chance"
            for label, mean, everybody in _written(volume)
        ]
        doubtful = ~pl.col("is_apart") & pl.col("index_low").is_not_null()
        doubtful |= pl.col("feature").is_in(_judged(own, is_supported=False))
        rest = _dividing(figures, own).filter(~pl.col("is_volume") & (pl.col("kind") != "year") & doubtful)
        alike = (pl.col("index_low") >= 100 - _ALIKE) & (pl.col("index_high") <= 100 + _ALIKE)
        same = rest.filter(alike).sort(pl.col("index_high") - pl.col("index_low"), "feature")
        # Of what may be chance, that which looks most like a difference.
        open_ = rest.filter(~alike.fill_null(value=False)).sort(
            (pl.col("index") - 100).abs(), "feature", descending=[True, False]
        )
        said += [f"As everybody, to within {_ALIKE:.0f}%: {_listed(same)}"] if len(same) else []
        said += [f"Not shown to differ from everybody: {_listed(open_)}"] if len(open_) else []
    if no_guide := words.foretells_nothing(quality, segment_id):
        said.append(no_guide)
    return tuple(said)


def _listed(figures: pl.DataFrame) -> str:
    return "; ".join(figures.head(_MOST_NAMED)["feature_label"])  # a label may hold a comma


def _rule(own: Rows) -> tuple[str, str]:
    rules = own.get("segment_rules", pl.DataFrame())
    return words.rule(rules.row(0, named=True)) if len(rules) else ("", "")


def _devices(own: Rows) -> Sequence[Mapping[str, Any]]:
    devices = own.get("segment_devices", pl.DataFrame())
    if not len(devices):
        return ()
    return devices.sort("share", "device", descending=[True, False]).head(_MOST_DEVICES).rows(named=True)


def _parts(segment_id: int, rows: Rows, table: str, name: str, counted: str) -> tuple[Part, ...]:
    """Return how a segment divides, most first, beside everybody; nothing where nobody divides."""
    counts = rows.get(table, pl.DataFrame())
    if not len(counts):
        return ()
    everybody = counts.group_by(name).agg(everybody=pl.col(counted).sum())
    own = counts.filter(segment_id=segment_id).join(everybody, on=name)
    total = own[counted].sum()
    if len(everybody) < 2 or not total:
        return ()
    found = own.sort(counted, name, descending=[True, False]).select(
        name, pl.col(counted) / total, pl.col("everybody") / everybody["everybody"].sum()
    )
    return tuple(Part(*row) for row in found.iter_rows() if row[1])


def _shares(figures: pl.DataFrame, feature: str) -> tuple[Part, ...]:
    """Return the means of features that are shares and begin like this, most first."""
    if not len(figures):
        return ()
    found = figures.filter(pl.col("feature").str.starts_with(feature), pl.col("kind") == "share").sort(
        "segment_mean", "feature", descending=[True, False]
    )
    return tuple(Part(*row) for row in found.select("feature_label", "segment_mean", "base_mean").iter_rows())


def _favourites(own: Rows) -> tuple[tuple[str, float], ...]:
    genres = own.get("segment_genre_ratings", pl.DataFrame())
    if not len(genres):
        return ()
    best = (
        genres.filter(pl.col("rater_share") >= _FEWEST_RATER_SHARE, ~pl.col("is_few"))
        .drop_nulls("rater_mean_rating")
        .sort("rater_mean_rating", "genre", descending=[True, False])
        .head(_MOST_NAMED)
    )
    return tuple(best["genre_label", "rater_mean_rating"].iter_rows())


def _by_rank(own: Rows, table: str) -> list[dict[str, Any]]:
    rows = own.get(table, pl.DataFrame())
    return rows.sort("rank").rows(named=True) if len(rows) else []
