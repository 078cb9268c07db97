"""The customer analysis, as published and by the published numbers of segments.

Belongs here: its warehouse and what is printed of it. Does not belong here: the method
(`ml.replication.customers`), figures and verdicts (`compare`).
"""

from rich.console import Console

from ml.replication.customers import customer_figures
from orchestration.layout import WarehouseLayout
from orchestration.replicate.compare import Comparison, compare_customers
from orchestration.replicate.show import show
from orchestration.replicate.warehouse import ReplicationError, build_replica
from orchestration.settings import Settings


def replicate_customers(console: Console, settings: Settings, base: WarehouseLayout) -> list[Comparison]:
    """Run the published method, print its figures and return every comparison."""
    replica = build_replica(
        WarehouseLayout(base.root / "customers"), settings, ["--select", "+customer_features"]
    )
    # The published fits start from rows drawn by number, so the order of the file counts.
    features = replica.read(
        "select * from features.customer_features order by try_cast(customer_id as bigint), customer_id"
    )
    if features["segment_rule"].n_unique() < features["channel"].n_unique():
        msg = "some channel of the published analysis has no customers in this file"
        raise ReplicationError(msg)
    rows = compare_customers(customer_figures(features))
    show(console, "The published customer analysis", rows)
    return rows
