"""What figures and events of segments say, in sentences: one wording for report and dashboard.

Belongs here: measures, decisions, rules and moves in words; a statement is made only where its interval leaves out what
it would say nothing beside. Does not belong here: measuring, how a page looks.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from ml.plots.words import decimals, percent, within_sentence

MEASURES = {
    "lift": "Held-out titles ranked, times as well as by overall popularity",
    "genre_gain_bits": "Genres of held-out titles told better, bits per title",
    "split_half_ari": "Agreement of either half of a user's titles",
    "bootstrap_ari": "Agreement when fitted anew on resamples",
    "smallest_jaccard": "Overlap of the least stable segment with itself on resamples",
    "restart_ari": "Agreement between random starts",
    "prediction_strength": "Pairs that the other half keeps together, weakest segment",
    "generalizability": "Agreement of a classifier from one half with the other half's segments",
    "over_one_segment": "Stability beyond that of a single group (above 0: more than one)",
    "smallest_share": "Share of the smallest segment",
    "largest_share": "Share of the largest segment",
}
"""Measure of a whole segmentation to what it says, in the order in which people ask. Agreement is the adjusted Rand
index."""
_SHORT = {
    "lift": "lift over popularity",
    "genre_gain_bits": "genres told better",
    "split_half_ari": "agreement of halves",
    "bootstrap_ari": "agreement on resamples",
    "smallest_jaccard": "least overlap on resamples",
    "restart_ari": "agreement between starts",
    "prediction_strength": "prediction strength",
    "generalizability": "agreement with a classifier",
    "over_one_segment": "stability beyond a single group",
    "smallest_share": "smallest share",
    "largest_share": "largest share",
}
AGREEMENT = "Agreement: 1 is the same segments, 0 is chance. Without an interval nothing was resampled."
_SHARES = frozenset({"smallest_jaccard", "prediction_strength", "smallest_share", "largest_share"})
_COMES_BACK, _DISSOLVED = 0.75, 0.5
"""Overlap from which a segment is stable, and to which it is dissolved (Hennig, 2007)."""
_STATUS = {
    "promoted": "Promoted: every declared threshold holds",
    "exempt": "Published by exemption",
    "provisional": "Provisional, for nothing was in force that could serve instead",
    "refused": "New segments were refused and those in force serve on",
    "promoted_by_hand": "Promoted by hand",
}


@dataclass(frozen=True)
class Figure:
    """One measure of a segmentation, as it is written; `beside` has random labels, volume and shuffled titles."""

    label: str
    value: str
    interval: str
    beside: tuple[str, str, str]
    threshold: str
    passed: bool | None


def figures(quality: pl.DataFrame) -> tuple[Figure, ...]:
    """Return the measures of a whole segmentation: rows of `segment_quality` of one segmentation."""
    whole = _whole(quality)
    return tuple(
        Figure(
            label=label,
            value=_write(measure, row["value"]) or "not measured",
            interval=_interval(row, measure),
            beside=tuple(_write(measure, row[f"beside_{null}"]) for null in ("random", "volume", "shuffled")),  # type: ignore[arg-type]
            threshold=_threshold(measure, row["threshold"]),
            passed=row["passed"],
        )
        for measure, label in MEASURES.items()
        if (row := whole.get(measure)) is not None
    )


def findings(quality: pl.DataFrame, unit: str) -> tuple[str, ...]:
    """Say what a segmentation is worth: what it tells, whether it comes back, whether there is anything to divide.

    Parameters
    ----------
    quality
        Rows of `segment_quality` of one segmentation.
    unit
        What is divided, in the plural.
    """
    whole, said = _whole(quality), []
    if _has_interval(lift := whole.get("lift", {})):
        said.append(_lift_finding(lift))
    if _has_interval(again := whole.get("bootstrap_ari", {})):
        said.append(
            f"Fitted anew on resampled {unit}, the segments agree with these to {decimals(again['value'])} "
            f"({_ends(again)}; 1 = the same, 0 = chance)."
        )
    if _has_interval(one := whole.get("over_one_segment", {})):
        if one["low"] > 0:
            said.append(
                "They hold out against noise better than a single group would: there is something to divide."
            )
        else:
            said.append(
                f"That there is more than one group is not shown: the {unit} may as well lie on a continuum, and where "
                "it is cut is a decision."
            )
    return tuple(said)


def _lift_finding(lift: Mapping[str, Any]) -> str:
    times = f"{decimals(lift['value'])} times as well as overall popularity ({_ends(lift)})"
    volume = lift["beside_volume"]
    if lift["low"] <= 1:
        return f"Not shown to rank held-out titles better than overall popularity does: {times}."
    if volume is None:
        return f"Ranks held-out titles {times}."
    more = "" if lift["low"] > volume else "; not shown to tell more than volume does"
    return f"Ranks held-out titles {times}; segments of volume alone: {decimals(volume)}{more}."


@dataclass(frozen=True)
class Badge:
    """How far a segment can be relied on: in a few words, as a level (sure, partly, unsure, unknown), and why."""

    words: str
    level: str
    why: tuple[str, ...] = ()


def badge(quality: pl.DataFrame, segment_id: int) -> Badge:
    """Say of one segment whether it comes back and whether it tells what its members choose.

    Parameters
    ----------
    quality
        Rows of `segment_quality` of one segmentation.
    segment_id
        Whose.
    """
    own = _of_segment(quality, segment_id)
    openings: list[str] = []
    why: list[str] = []
    good: list[int] = []
    if (overlap := own.get("jaccard")) is not None:
        sure, gone = overlap["low"] >= _COMES_BACK, overlap["high"] < _DISSOLVED
        openings.append("Comes back" if sure else "Does not come back" if gone else "Not sure to come back")
        good.append(-1 if gone else int(sure))
        why.append(
            f"{openings[-1]}: fitted anew on resamples, it overlaps {percent(overlap['value'])} with itself "
            f"({percent(overlap['low'])} to {percent(overlap['high'])})."
        )
    if (lift := own.get("lift")) is not None:
        good.append(int(lift["low"] > 1))
        openings.append("Foretells choices" if good[-1] else "Not shown to foretell choices")
        why.append(
            f"{openings[-1]}: its most chosen titles rank its members' held-out ones {decimals(lift['value'])} times "
            f"as well as everybody's most chosen ({_ends(lift)})."
        )
    if not good:
        return Badge("Not measured", "unknown")
    said = "; ".join([openings[0], *(within_sentence(opening) for opening in openings[1:])])
    # One doubt is a doubt; what dissolves, or of which nothing is shown, is not to be relied on.
    unsure = -1 in good or good == [0, 0]
    return Badge(said, "unsure" if unsure else "sure" if 0 not in good else "partly", tuple(why))


def foretells_nothing(quality: pl.DataFrame, segment_id: int) -> str:
    """Say that a segment is no guide to choices, where that was measured and not shown; else nothing."""
    lift = _of_segment(quality, segment_id).get("lift")
    if lift is None or lift["low"] > 1:
        return ""
    return f"Not a guide to what its members choose next: held-out lift {decimals(lift['value'])} ({_ends(lift)})"


def _of_segment(quality: pl.DataFrame, segment_id: int) -> dict[str, dict[str, Any]]:
    """Return the measures of one segment that have an interval."""
    if not len(quality):
        return {}
    rows = quality.filter(pl.col("segment_id") == segment_id).iter_rows(named=True)
    return {row["measure"]: row for row in rows if _has_interval(row)}


def decision(decisions: pl.DataFrame) -> str:
    """Say what was decided last, and when: rows of `segment_promotions` of one segmentation, in the order of time.

    Segments serve for many nights; figures and thresholds are of the night on which they were decided by.
    """
    if not len(decisions):
        return ""
    last = decisions.row(-1, named=True)
    opening, when = _STATUS.get(last["status"], last["status"]), f"Decided on {_day(last['decided_at'])}."
    if not last["reason"]:
        return f"{opening}. {when}"
    named = re.compile(rf"\b({'|'.join(_SHORT)})(?= (?:\d|−|-|not measured))")
    reason = named.sub(lambda found: _SHORT[found[0]], last["reason"]).rstrip(".")
    return f"{opening}: {reason}. {when}"


def is_sound(decisions: pl.DataFrame) -> bool:
    """Return whether what was decided last is that every threshold holds."""
    return bool(len(decisions)) and decisions["status"][-1] == "promoted"


def rule(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the rule of a segment and how far it holds; an empty rule, and why, where none can be told."""
    if not row["rule"]:
        return "", row["reason"] or ""
    found, missed = (round(100 * row[share]) for share in ("precision", "coverage"))
    told = row.get("macro_f1")  # sets of earlier versions do not say it
    fidelity = "" if told is None else f"; macro-F1 of all rules together {decimals(told)} ({_ends(row)})"
    return (
        row["rule"],
        f"{found} of 100 whom it finds are members, and it finds {missed} of 100 members{fidelity}",
    )


def moves(migration: pl.DataFrame, unit: str) -> tuple[str, ...]:
    """Say who stayed and who went where since the refresh before: `segment_migration`; nothing where there was none."""
    known = migration.drop_nulls("from_segment_id") if len(migration) else migration
    if not len(known):
        return ()
    both = known.drop_nulls("to_segment_id")
    is_same = pl.col("from_segment_id") == pl.col("to_segment_id")
    all_entities, before, remaining, stayed = (
        int(rows["entities"].sum()) for rows in (migration, known, both, both.filter(is_same))
    )
    said = [
        f"Of {remaining:,} {unit} that were there before and are there now, {stayed:,} "
        f"({percent(stayed / max(remaining, 1))}) stayed in their segment; {all_entities - before:,} came, "
        f"{before - remaining:,} left."
    ]
    went = both.filter(~is_same).sort(
        "entities", "from_segment_id", "to_segment_id", descending=[True, False, False]
    )
    if len(went):
        top = went.row(0, named=True)
        said.append(
            f"The largest move is from “{top['from_segment_name']}” to “{top['to_segment_name']}”: "
            f"{top['entities']:,}, {percent(top['share_of_from'])} of those that were there."
        )
    return tuple(said)


def events(history: pl.DataFrame, since: datetime | None = None) -> tuple[str, ...]:
    """Say what became of the segments when new ones took over last, with the day, or at all since a time (UTC).

    Of the first segments, which are all born, nothing is said.

    Parameters
    ----------
    history
        `segment_history` of one segmentation, in the order of time.
    since
        What happened after it is told of; the last time unless given.
    """
    if not len(history) or history["happened_at"].n_unique() < 2:
        return ()
    at = pl.col("happened_at")
    last = history.filter(at == at.max() if since is None else at > since)
    names = dict(history.select("segment_id", "segment_name").iter_rows())
    always = last.filter((pl.col("kind") == "kept").all().over("segment_id"))
    kept = always["segment_name"].unique(maintain_order=True).to_list()
    said = [f"New segments took over last on {_day(last['happened_at'].max())}."] if since is None else []
    if len(always) == len(last):
        return (*said, "All segments were kept.")
    said += [f"Kept: {'; '.join(kept)}."] if kept else []
    for row in last.filter(pl.col("kind") != "kept").iter_rows(named=True):
        name, share = f"“{row['segment_name']}”", percent(row["share"], 0)
        said.append(
            {
                "split": f"Split: {name} came mainly from {_quoted(names, row['from_id'])} ({share}).",
                "merged": f"Merged: {name} went mainly into {_quoted(names, row['into_id'])} ({share}).",
                "born": f"New: {name}.",
                "died": f"Gone: {name}.",
            }.get(row["kind"], f"{row['kind']}: {name}.")
        )
    return tuple(said)


def _day(moment: Any) -> str:
    return f"{moment:%d %B %Y}"


def _quoted(names: Mapping[int, str], segment_id: int) -> str:
    return f"“{names[segment_id]}”" if segment_id in names else "another segment"


def _whole(quality: pl.DataFrame) -> dict[str, dict[str, Any]]:
    if not len(quality):
        return {}
    rows = quality.filter(pl.col("segment_id").is_null()).iter_rows(named=True)
    return {row["measure"]: row for row in rows}


def _has_interval(row: Mapping[str, Any]) -> bool:
    return all(row.get(end) is not None for end in ("value", "low", "high"))


def _ends(row: Mapping[str, Any]) -> str:
    return f"{decimals(row['low'])}–{decimals(row['high'])}"


def _interval(row: Mapping[str, Any], measure: str) -> str:
    return f"{_write(measure, row['low'])} to {_write(measure, row['high'])}" if _has_interval(row) else ""


def _threshold(measure: str, bound: float | None) -> str:
    if bound is None:
        return ""
    return f"at {'most' if measure == 'largest_share' else 'least'} {_write(measure, bound)}"


def _write(measure: str, value: float | None) -> str:
    if value is None:
        return ""
    if measure in _SHARES:
        return percent(value)
    return decimals(value, 3 if measure == "genre_gain_bits" else 2)
