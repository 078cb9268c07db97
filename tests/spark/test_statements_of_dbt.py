"""What dbt asks of Spark is asked under the options that decide what tables hold, and told of in words."""

import pytest

from orchestration.settings import SPARK_SAME_EVERYWHERE
from orchestration.tools import spark

adapter = pytest.importorskip(
    "orchestration.tools.spark_adapter.adapter", reason="dbt-spark is not installed"
)


def test_dbt_leaves_the_options_of_the_session_as_they_are_and_a_number_that_does_not_fit_is_an_error(
    on_spark,
):
    from dbt.adapters.spark.session import Connection  # noqa: PLC0415 - an extra

    opened = spark.session(on_spark.settings)
    credentials = adapter.MatineeSparkCredentials(
        method="session", host="NA", schema="default", database=None
    )
    cursor = Connection(server_side_parameters=credentials.server_side_parameters).cursor()
    cursor.execute("select 1")
    assert {name: opened.conf.get(name) for name in SPARK_SAME_EVERYWHERE} == SPARK_SAME_EVERYWHERE
    cursor.execute("select 2147483647 + cast(1 as int) from range(1)")
    with pytest.raises(Exception, match="ARITHMETIC_OVERFLOW"):
        cursor.fetchall()
