"""Of which columns a column is made, read from the SQL that made its table.

Belongs here: from SQL to columns of other tables, and how Dagster is told. Does not belong here: running the SQL.

dagster-dbt works this out with sqlglot, too, but asks dbt for columns through a connection that stays open in the
process of a run, and qualifies each query anew for each of its columns. Here the columns come from DuckDB's catalogue,
and a query is qualified once: 0.9 s for all models.
"""

from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from itertools import groupby

import dagster as dg
import sqlglot
from sqlglot import MappingSchema, exp
from sqlglot.lineage import lineage

Table = tuple[str, str]
"""Schema and name."""
_DIALECT = "duckdb"
_MOST_NAMED = 4


def column_lineage(
    queries: Mapping[Table, str], columns: Mapping[Table, Mapping[str, str]]
) -> dict[Table, dg.TableColumnLineage]:
    """Return of which columns of other tables each column is made; of none where it counts rows.

    Parameters
    ----------
    queries
        By table the query that made it, in DuckDB's SQL.
    columns
        By table the types of its columns, of every table that a query reads.

    Returns
    -------
    dict
        By table what it is made of. A query that sqlglot does not understand is left out: that stops no run.
    """
    schema = MappingSchema(dialect=_DIALECT)
    for (db, name), types in columns.items():
        schema.add_table(exp.table_(name, db), dict(types), dialect=_DIALECT)
    found = {}
    for table, query in queries.items():
        with suppress(Exception):  # sqlglot fails in ways of its own on what it does not know
            found[table] = _made_of(query, schema, columns)
    return found


def _made_of(sql: str, schema: MappingSchema, columns: Container[Table]) -> dg.TableColumnLineage:
    query = sqlglot.parse_one(sql, dialect=_DIALECT)
    for table in query.find_all(exp.Table):
        table.set("catalog", None)  # the name of the database file
    deps = {}
    for column, node in lineage(
        None, query, schema, dialect=_DIALECT, trim_selects=False, copy=False
    ).items():
        read = {
            (leaf.expression.db, leaf.expression.name, exp.to_column(leaf.name).name)
            for leaf in node.walk()
            if isinstance(leaf.expression, exp.Table)
        }
        deps[column] = [
            dg.TableColumnDep(dg.AssetKey([db, name]), of)
            for db, name, of in sorted(read)
            if (db, name) in columns
        ]
    return dg.TableColumnLineage(deps)


def in_words(made_of: Sequence[dg.TableColumnDep]) -> str:
    """Return of which columns a column is made, as Markdown with a link to each table; empty where of none."""
    tables = [
        f"[{key.to_user_string()}](/assets/{key.to_user_string()}) {_named([dep.column_name for dep in deps])}"
        for key, deps in groupby(made_of, key=lambda dep: dep.asset_key)
    ]
    return f"From {'; '.join(tables)}." if tables else ""


def _named(columns: Sequence[str]) -> str:
    more = len(columns) - _MOST_NAMED
    return ", ".join(columns[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
