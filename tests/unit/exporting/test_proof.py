"""What came of a campaign is found where it was planted, and nowhere else."""

from datetime import date, timedelta

import duckdb
import numpy as np
import polars as pl
import pytest

from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.exporting.delivering import deliver
from orchestration.tasks.exporting.proof import lift_of_deliveries

SENT_ON, PEOPLE, EFFECT = date(2026, 12, 1), 1_200, 60
HELD_OUT = [number for number in range(PEOPLE) if number % 5 == 0]
BIG = 1 << 40
"""The number that stands for the user `u0`; the others' ids are numbers."""


@pytest.fixture
def warehouse(world):
    """A warehouse in which people watch; those who were sent watch `effect` minutes more in all."""

    def warehouse(effect: float, *, until: int = 40, ids: bool = False):
        rng = np.random.default_rng(7)
        written = ["u0" if ids and number == 0 else number for number in range(PEOPLE)]
        world.publish(written, held_out=[written[number] for number in HELD_OUT])
        deliver(world.export(horizon_days=28), world.settings(SENT_ON))
        views, ratings = [], []
        for number in range(PEOPLE):
            user = BIG if ids and number == 0 else number
            more = effect / 4 if number not in HELD_OUT else 0
            for _ in range(rng.poisson(4)):
                at = SENT_ON + timedelta(days=int(rng.integers(-28, until)))
                inside = SENT_ON < at <= SENT_ON + timedelta(days=28)
                views.append((user, at, 1, 0, rng.gamma(2, 40) + more * (2 if inside else 0)))
            ratings.append((user, date(2026, 12, 9), 0, 1, 0.0))
        views.append((1, SENT_ON + timedelta(days=until), 1, 0, 1.0))
        connection = duckdb.connect()
        connection.execute("create schema intermediate; create schema landing")
        connection.execute(f"create table landing.ids as select {BIG} as number, 'u0' as id where {ids}")
        columns = ["user_id", "active_on", "views", "ratings", "minutes"]
        connection.register("made", pl.DataFrame(views + ratings, columns, orient="row").to_arrow())
        connection.execute(
            "create table intermediate.int_users__active_days as select user_id, active_on, sum(views) as views, "
            "sum(ratings) as ratings, sum(minutes) as minutes from made group by all"
        )
        return {row["outcome"]: row for row in found(world, connection)}

    return warehouse


def found(world, connection):
    return lift_of_deliveries(WarehouseLayout(world.root), connection).iter_rows(named=True)


def test_the_interval_covers_the_effect_that_was_planted(warehouse):
    rows = warehouse(EFFECT)
    minutes = rows["minutes"]
    # 4 views in 68 days, of which 28 count, each a half of the effect longer.
    planted = 4 * 28 / 68 * EFFECT / 2
    assert minutes["low"] <= planted <= minutes["high"]
    assert minutes["low"] > 0
    assert "more minutes a person than without it" in minutes["says"]
    assert (minutes["treated"], minutes["held_out"]) == (PEOPLE - len(HELD_OUT), len(HELD_OUT))
    assert rows["views"]["says"].startswith("No effect can be claimed")


def test_where_a_campaign_did_nothing_nothing_is_claimed(warehouse):
    for row in warehouse(0).values():
        assert row["says"].startswith("No effect can be claimed"), row
        assert row["low"] <= 0 <= row["high"]


def test_who_goes_by_a_text_is_found_by_the_number_that_stands_for_it(warehouse):
    rows = warehouse(0, ids=True)
    assert rows["ratings"]["mean_treated"] == rows["ratings"]["mean_held_out"] == 1


def test_before_the_days_are_over_in_the_data_nothing_is_said_but_when_they_will_be(warehouse):
    for row in warehouse(EFFECT, until=20).values():
        assert row["says"] == (
            "Nothing can be said yet: the 28 days after the first delivery are over when the data goes beyond "
            "2026-12-30; it ends on 2026-12-21."
        )
        assert row["difference"] is None


def test_a_warehouse_that_sent_nothing_has_nothing_to_prove(world):
    with duckdb.connect() as connection:
        connection.execute("create schema intermediate")
        connection.execute(
            "create table intermediate.int_users__active_days as "
            "select current_date as active_on, 1 as views, 0 as ratings"
        )
        assert lift_of_deliveries(WarehouseLayout(world.root), connection).is_empty()
