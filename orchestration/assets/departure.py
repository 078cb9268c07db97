"""Departure as an asset: the chance that a user who was active shows nothing in the days to come.

Belongs here: what it is made of, its check and metadata. Does not belong here: the work
(`orchestration.tasks.departure`), the tables made of it (`ml_tables`).
"""

from datetime import date

import dagster as dg
import polars as pl

from ml.departure.dates import Dates, dates_of
from orchestration.stores.versions import VersionedStore
from orchestration.tasks import worker
from orchestration.tasks.departure import ACTIVITY, KNOWN, USERS, as_of
from orchestration.tools.shown import markdown
from orchestration.tools.steps import Step, build_step
from orchestration.tools.warehouse import WarehouseResource

GROUP = "departure"
BEATS_RECENCY = "scores_beat_recency_alone"


def build_departure() -> dg.AssetsDefinition:
    """Return the asset of departure."""
    key = dg.AssetKey([GROUP, "scores"])
    return build_step(
        key,
        _score,
        stage="train",
        store=_store,
        lacks=_no_activity,
        description="The chance that an active user shows no view or rating in the next 30 days, with the reason;"
        " judged on later days than it was learned from. None where it does not beat recency alone.",
        deps=[dg.AssetKey(table.split(".")) for table in (ACTIVITY, USERS)],
        group_name=GROUP,
        kinds={"scikitlearn"},
        checks=[
            dg.AssetCheckSpec(
                BEATS_RECENCY,
                asset=key,
                description="Scores tell better than recency alone who departs, beyond chance; else there are none.",
            )
        ],
    )


def _score(here: Step[VersionedStore]) -> dg.MaterializeResult:
    dates = _dates(here)
    snapshots = here.snapshots(*(as_of(day, dates) for day in (dates.learn, dates.judge, dates.score)))
    made = worker.run("score_departures", here.store, dates, tuple(snapshots))
    figures = {figure["measure"]: figure for figure in made["figures"]}
    return dg.MaterializeResult(
        metadata={
            "version": here.store.home.name,
            "dagster/row_count": made["rows"],
            "as_of": str(dates.score),
            "window_days": dates.window_days,
            "figures": markdown(pl.DataFrame(made["figures"])),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=BEATS_RECENCY,
                passed=all(figure["passed"] is not False for figure in figures.values()),
                severity=dg.AssetCheckSeverity.WARN,
                metadata={
                    "auc": round(figures["auc"]["value"], 3),
                    "auc_of_recency_alone": round(figures["auc"]["beside"], 3),
                    "gain_low": round(figures["auc_gain"]["low"], 3),
                },
            )
        ],
    )


def _dates(here: Step[VersionedStore]) -> Dates:
    return dates_of(*_known(here))


def _known(here: Step[VersionedStore]) -> tuple[date, date]:
    """Return the first and the newest day of activity; both are None where there is none."""
    return pl.read_parquet(here.snapshots(KNOWN)[0]).row(0)


def _no_activity(here: Step[VersionedStore]) -> str | None:
    return None if _known(here)[1] else "the source has no views, and no ratings with a time"


def _store(warehouse: WarehouseResource) -> VersionedStore:
    return VersionedStore(warehouse.layout.departure)
