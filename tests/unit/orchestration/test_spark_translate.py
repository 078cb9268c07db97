"""The project's SQL as Spark's: what the words mean stays what it was."""

import pytest

from orchestration.tools.spark_adapter.translate import is_duckdb, to_spark


@pytest.mark.parametrize(
    ("query", "meaning"),
    [
        ("select a / b from t", "SELECT CAST(a AS DOUBLE) / b FROM t"),
        ("select avg(a) from t", "SELECT AVG(CAST(a AS DOUBLE)) FROM t"),
        (
            "select percentile_cont(0.75) within group (order by a) from t",
            "SELECT PERCENTILE(a, 0.75) FROM t",
        ),
        ("select quantile_cont(a, 0.9) from t", "SELECT PERCENTILE(a, 0.9) FROM t"),
        (
            "select row_number() over (order by a) from t",
            "SELECT CAST(ROW_NUMBER() OVER (ORDER BY a NULLS LAST) AS BIGINT) FROM t",
        ),
        (
            "select string_agg(a, '|' order by a) from t",
            "SELECT LISTAGG(a, '|') WITHIN GROUP (ORDER BY a NULLS LAST) FROM t",
        ),
        ("select * exclude (a) from t", "SELECT * EXCEPT (a) FROM t"),
        (
            "(from t except from u) union all from v",
            "(SELECT * FROM t EXCEPT SELECT * FROM u) UNION ALL SELECT * FROM v",
        ),
        ("select sum(is_драма) from t", "SELECT SUM(`is_драма`) FROM t"),
        ("select lower(a) from t", "SELECT LOWER(TRANSLATE(a, 'İΣ', 'iσ')) FROM t"),
        (
            "select nfc_normalize(a) from t",
            "SELECT TRY_REFLECT('com.ibm.icu.text.Normalizer', 'compose', a, FALSE) FROM t",
        ),
        ("select trim(a, '_') from t", "SELECT TRIM('_' FROM a) FROM t"),
        ("select round(a, 2) from t", "SELECT (ROUND((a) * 1e2) / 1e2) FROM t"),
        (
            "select cast(a as decimal(18, 2)) from t",
            "SELECT CAST((ROUND((CAST(a AS DOUBLE)) * 1e2) / 1e2) AS DECIMAL(18, 2)) FROM t",
        ),
        (
            "select try_cast(a as bigint) from t",
            "SELECT COALESCE(TRY_CAST(a AS BIGINT), TRY_CAST(TRY_CAST(a AS DECIMAL(38, 0)) AS BIGINT)) FROM t",
        ),
        ("select arg_max(a, b) from t", "SELECT MAX_BY(a, b) FROM t"),
    ],
    ids=lambda text: text.split(" from ")[0][:40],
)
def test_a_query_means_in_spark_what_it_means_in_duckdb(query: str, meaning: str) -> None:
    assert to_spark(query) == meaning


def test_trim_takes_every_blank_of_unicode() -> None:
    assert "\u00a0" in to_spark("select trim(a) from t")
    assert "\u3000" in to_spark("select trim(a) from t")


def test_what_stands_within_another_is_translated_too() -> None:
    ranked = to_spark("select row_number() over (order by lower(a), b / c) from t")
    assert "TRANSLATE(a" in ranked
    assert "CAST(b AS DOUBLE) / c" in ranked


def test_a_text_stays_a_text_whatever_is_in_it() -> None:
    assert to_spark("select 'it''s a:b \\ c' as said") == "SELECT 'it\\'s a:b \\\\ c' AS said"


@pytest.mark.parametrize(
    "statement",
    [
        "select 1",
        "/* dbt */\n  with a as (select 1) select * from a",
        "-- why\nselect 1",
        "(select 1)",
        "create table if not exists ml.k (a varchar)",
    ],
)
def test_the_projects_statements_are_translated(statement: str) -> None:
    assert is_duckdb(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "show tables in marts",
        "create table marts.a using parquet as SELECT 1",
        "create table ml.k (a STRING) using parquet location '/wh'",
        "create schema if not exists ml",
        "describe extended marts.a",
        "insert into seeds.a VALUES (1)",
    ],
)
def test_statements_of_spark_stay_as_they_are(statement: str) -> None:
    assert not is_duckdb(statement)
