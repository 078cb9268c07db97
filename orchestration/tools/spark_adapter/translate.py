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

_BLANKS = (
    "\u0020\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
"""What `trim` takes away: every blank of Unicode, where Spark's knows one."""
_LOWER = ("\u0130\u03a3", "i\u03c3")
"""The letters that are lower in two ways, and the way of DuckDB's."""


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
    # From within: what takes a node's place holds its parts as they are meant.
    for node in reversed(list(tree.walk())):
        if (meant := _as_meant(node)) is not node:
            node.replace(meant)
    return tree.sql(dialect="spark", comments=False)


def _as_meant(node: exp.Expr) -> exp.Expr:
    """Return what means in Spark what the node means in DuckDB, where sqlglot takes the same words for the same."""
    if isinstance(node, exp.Div | exp.Avg):  # of whole numbers and decimals, too, a DOUBLE
        node.set("this", exp.cast(node.this, "double"))
    elif isinstance(node, exp.Identifier) and not node.name.isascii():  # a genre in letters of another script
        node.set("quoted", True)
    elif isinstance(node, exp.Trim) and not node.expression:
        node.set("expression", exp.Literal.string(_BLANKS))
    elif isinstance(node, exp.Lower):  # each letter by itself: Spark looks at what stands beside a sigma
        letters = map(exp.Literal.string, _LOWER)
        node.set("this", exp.Anonymous(this="TRANSLATE", expressions=[node.this, *letters]))
    elif (
        isinstance(node, exp.Anonymous) and node.name == "nfc_normalize"
    ):  # by the library that Spark brings for it
        method = map(exp.Literal.string, ("com.ibm.icu.text.Normalizer", "compose"))
        return exp.func("try_reflect", *method, *node.expressions, exp.false())
    elif isinstance(node, exp.Round) and node.args.get("decimals"):
        return _rounded(node.this, node.args["decimals"])
    elif isinstance(node, exp.TryCast) and node.to.is_type("bigint"):  # a text such as 12.0 is a whole number
        number = exp.TryCast(this=node.this, to=exp.DataType.build("decimal(38, 0)"), safe=True)
        return exp.func("coalesce", node, exp.TryCast(this=number, to=node.to, safe=True))
    elif isinstance(node, exp.Cast) and node.to.is_type("decimal") and node.to.expressions[1:]:
        node.set("this", _rounded(exp.cast(node.this, "double"), node.to.expressions[1].this))
    elif isinstance(node, exp.Window) and isinstance(node.this, exp.RowNumber | exp.Rank | exp.DenseRank):
        return exp.cast(node, "bigint")
    return _as_exact_quantile(node)


def _rounded(number: exp.Expr, digits: exp.Expr) -> exp.Expr:
    """Return a DOUBLE rounded as the number that it is: Spark rounds the decimal that it is written as."""
    scale = exp.Literal.number(f"1e{digits.name}")
    whole = exp.func("round", exp.Mul(this=exp.paren(number), expression=scale))
    return exp.paren(exp.Div(this=whole, expression=scale.copy()))


def _as_exact_quantile(node: exp.Expr) -> exp.Expr:
    """Return Spark's exact one for a quantile: sqlglot takes the approximate one."""
    if isinstance(node, exp.WithinGroup) and isinstance(node.this, exp.PercentileCont):
        of, share = node.expression.expressions[0].this, node.this.this
    elif isinstance(node, exp.Quantile):
        of, share = node.this, node.args["quantile"]
    elif isinstance(node, exp.PercentileCont) and node.expression:
        of, share = node.this, node.expression
    else:
        return node
    return exp.Anonymous(this="PERCENTILE", expressions=[of, share])
