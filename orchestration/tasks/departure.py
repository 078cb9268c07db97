"""The work behind the asset of departure: learned, judged and foretold from what users did as of three days.

Belongs here: which computation of `ml.departure` makes which file of the store, and the SQL of what it is made of. Does
not belong here: Dagster, DuckDB's connection, the computation. `score_departures` runs in the worker process.

    models/departure/<version>/departure_model.json    weights and what is typical, with the days and the window
                               departure_quality.parquet, departure.parquet
"""

import hashlib
import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import ml.departure
from ingest.store import hash_of
from ml.departure.dates import Dates
from ml.departure.features import RECENCY, known_of
from ml.departure.judge import LEAST_OF_EACH, Figure, deciles, is_worth_publishing, judge
from ml.departure.model import fit
from ml.segmentation.errors import UntrainableError
from orchestration.stores.file_hashes import hash_of_files
from orchestration.stores.layout import write_atomically
from orchestration.stores.versions import VersionedStore

ACTIVITY, USERS = "intermediate.int_users__active_days", "intermediate.int_viewing__users"
MOST_LEARNED_FROM = 200_000
_QUALITY = {
    "measure": pl.String,
    **dict.fromkeys(("value", "beside", "low", "high", "threshold"), pl.Float64),
    "passed": pl.Boolean,
}
_SCORES = {
    "user_id": pl.Int64,
    "score": pl.Float64,
    "decile": pl.Int32,
    "reason": pl.String,
    "horizon_days": pl.Int32,
    "as_of": pl.Date,
}

KNOWN = f"""
    select
        greatest(min(active_on) filter (views > 0), min(active_on) filter (ratings > 0)) as first,
        max(active_on) as newest
    from {ACTIVITY}
"""
"""From which day on all that the source tells of is known: the later first day where it has both views and ratings."""


def as_of(day: date, dates: Dates) -> str:
    """Return the query of who was active in the window up to a day, what they did in it, and whether they departed.

    Nothing after the day counts but for `departs`, which who ended the subscription does, too; who had ended it by the
    day is gone.
    """
    window, half, horizon = dates.window_days, dates.window_days // 2, dates.horizon_days
    at = f"date '{day}'"
    before = f"filter (active_on <= {at})"
    return f"""
        select
            user_id,
            date_diff('day', max(active_on) {before}, {at}) as recency_days,
            count(*) {before} as active_days,
            count(*) filter (active_on <= {at} and active_on > {at} - {half}) as recent_days,
            sum(views + ratings) {before} as events,
            sum(minutes) {before} as minutes,
            date_diff('day', min(active_on) {before}, {at}) as known_days,
            max(active_on) <= {at} or coalesce(max(ended_on) <= {at} + {horizon}, false) as departs
        from {ACTIVITY} left join {USERS} using (user_id)
        where active_on > {at} - {window} and active_on <= {at} + {horizon} and coalesce(ended_on > {at}, true)
        group by user_id
        having min(active_on) <= {at}
        order by user_id
    """


def score_departures(
    store: VersionedStore, dates: Dates, snapshots: tuple[Path, Path, Path]
) -> dict[str, Any]:
    """Learn as of one day, judge as of the next, learn from both, score as of the newest; return what Dagster is told.

    Where the scores fall short there are none, only the figures that say why.
    """
    learned, judged, today = (pl.read_parquet(file) for file in snapshots)
    for frame, day in ((learned, dates.learn), (judged, dates.judge)):
        _demand_both(frame, day, dates)
    store.begin_candidate(_version(dates, snapshots))
    if not store.has("departure.parquet"):
        figures = _judged(learned, judged, dates)
        store.write_table(
            "departure_quality", pl.DataFrame([asdict(each) for each in figures], schema=_QUALITY)
        )
        model = fit(*_with_labels(pl.concat([learned, judged]), dates))
        held = {"model": json.loads(model.to_json()), "dates": asdict(dates)}
        write_atomically(store.home / "departure_model.json", json.dumps(held, indent=1, default=str) + "\n")
        known = known_of(today, dates.window_days)
        chance = model.chance(known)
        scores = today.select("user_id").with_columns(
            score=chance,
            decile=deciles(chance),
            reason=pl.Series(model.reasons(known), dtype=pl.String),
            horizon_days=dates.horizon_days,
            as_of=dates.score,
        )
        if not is_worth_publishing(figures):
            scores = scores.clear()
        store.write_table(
            "departure", scores.select(pl.col(name).cast(type_) for name, type_ in _SCORES.items())
        )
    quality = store.read_table("departure_quality")
    return {"rows": len(store.read_table("departure")), "figures": quality.to_dicts()}


def _judged(learned: pl.DataFrame, judged: pl.DataFrame, dates: Dates) -> list[Figure]:
    known, departed = known_of(judged, dates.window_days), judged["departs"].to_numpy()
    rows = _with_labels(learned, dates)
    chance, by_recency = (model.chance(known) for model in (fit(*rows), fit(*rows, RECENCY)))
    return judge(departed, chance, known["recency_days"], by_recency)


def _with_labels(frame: pl.DataFrame, dates: Dates) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return what is known of users and who departed, of at most `MOST_LEARNED_FROM` rows, drawn."""
    if len(frame) > MOST_LEARNED_FROM:
        rows = np.random.default_rng(0).choice(len(frame), MOST_LEARNED_FROM, replace=False)
        frame = frame[np.sort(rows)]
    return dict(known_of(frame, dates.window_days)), frame["departs"].to_numpy()


def _demand_both(frame: pl.DataFrame, day: date, dates: Dates) -> None:
    """Refuse a day as of which too few departed or stayed."""
    departed = int(frame["departs"].sum())
    if min(departed, len(frame) - departed) < LEAST_OF_EACH:
        msg = (
            f"of {len(frame):,} users who were active in the {dates.window_days} days up to {day}, {departed:,} did "
            f"nothing in the {dates.horizon_days} days after it; {LEAST_OF_EACH} who did and {LEAST_OF_EACH} who did "
            "not are needed"
        )
        raise UntrainableError(msg)


def _version(dates: Dates, snapshots: tuple[Path, ...]) -> str:
    code = hash_of_files(Path(ml.departure.__path__[0]), {".py"}) + hash_of(Path(__file__))
    return hashlib.sha256(f"{code} {dates} {hash_of(*snapshots)}".encode()).hexdigest()[:12]
