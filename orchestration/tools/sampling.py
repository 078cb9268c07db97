"""Whom training reads with Spark: as many as one machine holds, and always the same.

Belongs here: the clause that a query of training gets. Does not belong here: what is trained, and applying it to
everybody (`orchestration.tasks.everybody`).
"""

from functools import lru_cache

from orchestration.tools.warehouse import WarehouseResource


def among_sampled(warehouse: WarehouseResource, run_id: str, entity: str, table: str, most: int) -> str:
    """Return the clause, `where …`, that holds for those whom training learns from; empty where that is everybody.

    Those with the smallest hashes of their ids, so that neither order nor a new file of the same rows changes who they
    are, and one who comes takes the place of one. With DuckDB's engine one machine holds everybody.

    Parameters
    ----------
    warehouse, run_id
        Of the run, in which the table does not change.
    entity
        Column of ids.
    table
        Who there is, one row or several of each.
    most
        How many it may be.
    """
    if warehouse.engine == "duckdb" or _count(warehouse, run_id, entity, table) <= most:
        return ""
    return (
        f" where {entity} in (select {entity} from (select distinct {entity} from {table}) "
        f"order by md5_number_lower({entity}::varchar), {entity} limit {most})"
    )


@lru_cache(maxsize=64)
def _count(warehouse: WarehouseResource, run_id: str, entity: str, table: str) -> int:  # noqa: ARG001 - what it is of
    with warehouse.connect() as connection:
        (found,) = connection.execute(f"select count(distinct {entity}) from {table}").fetchone() or (0,)
    return int(found)
