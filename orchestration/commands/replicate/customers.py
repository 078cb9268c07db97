"""The customer analysis, as published and by the published numbers of segments.

Belongs here: its warehouse and what is printed of it. Does not belong here: the method
(`ml.replication.customers`), figures and verdicts (`compare`).
"""

from rich.console import Console

from ml.replication.customers import SEGMENTS, STARTS, customer_figures, start_agreement
from orchestration.commands.replicate.compare import Comparison, compare_customers
from orchestration.commands.replicate.show import show
from orchestration.commands.replicate.warehouse import ReplicationError, build_replica
from orchestration.progress import doing
from orchestration.settings import Settings
from orchestration.stores.layout import WarehouseLayout


def replicate_customers(console: Console, settings: Settings, base: WarehouseLayout) -> list[Comparison]:
    """Run the published method, print its figures and return every comparison."""
    replica = build_replica(
        WarehouseLayout(base.root / "customers"), settings, ["--select", "+customer_features"]
    )
    # The published fits start from rows drawn by number, so the order of the file counts.
    features = replica.read(
        "select * from features.customer_features order by try_cast(customer_id as bigint), customer_id"
    )
    absent = sorted(set(SEGMENTS) - set(features["segment_rule"]))
    if absent:
        msg = f"the published analysis has eight segments; this file has no customers of {', '.join(absent)}"
        raise ReplicationError(msg)
    with doing("repeating the published fits"):
        rows = compare_customers(customer_figures(features))
    show(console, "The published customer analysis", rows)
    with doing("comparing starts"):
        best, agreement = start_agreement(features)
    console.print(
        f"Beside it, {STARTS} single random starts: the best inertia is {best:,.1f}, and any two agree to "
        f"{agreement:.2f} on average (adjusted Rand index)."
    )
    return rows
