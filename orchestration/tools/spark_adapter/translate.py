"""The project's SQL, which is DuckDB's, as Spark understands it.

Belongs here: what differs between the two in syntax and in what the same words mean. Does not belong here:
functions that one of them lacks; those are macros of the project with a version for each (`matineespark__…`).
"""

import re
from functools import cache

import sqlglot
from sqlglot import exp

_OURS = re.compile(
    r"(\s|/\*.*?\*/|--[^\n]*\n)*"
    r"(\(|(select|with|from|values)\b|create table (if not exists )?[\w.]+ \((?!.*\busing parquet))",
    re.IGNORECASE | re.DOTALL,
)


def is_duckdb(sql: str) -> bool:
    """Whether a statement is the project's, for rows or for an empty table, and not one of dbt's own for Spark."""
    return bool(_OURS.match(sql))


@cache
def to_spark(sql: str) -> str:
    """Return a query of DuckDB's as one of Spark's that gives the same rows.

    Raises
    ------
    sqlglot.errors.ParseError
        When it is no query of DuckDB's.
    """
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    return tree.transform(_as_meant).sql(dialect="spark", comments=False)


def _as_meant(node: exp.Expression) -> exp.Expression:
    """Return what means in Spark what the node means in DuckDB, where sqlglot takes the same words for the same."""
    if isinstance(node, exp.Div | exp.Avg):  # of whole numbers and decimals, too, a DOUBLE
        node.set("this", exp.cast(node.this, "double"))
    elif isinstance(node, exp.Window) and isinstance(node.this, exp.RowNumber | exp.Rank | exp.DenseRank):
        return exp.cast(node, "bigint")
    elif isinstance(node, exp.WithinGroup) and isinstance(node.this, exp.PercentileCont):
        return _quantile(node.expression.expressions[0].this, node.this.this)
    elif isinstance(node, exp.Quantile):
        return _quantile(node.this, node.args["quantile"])
    elif isinstance(node, exp.PercentileCont) and node.expression:
        return _quantile(node.this, node.expression)
    return node


def _quantile(of: exp.Expression, share: exp.Expression) -> exp.Expression:
    """Return Spark's exact one: sqlglot takes the approximate one."""
    return exp.Anonymous(this="PERCENTILE", expressions=[of, share])
