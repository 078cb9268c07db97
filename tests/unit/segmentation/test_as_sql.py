"""The statement that a model is written as gives what the model gives."""

from dataclasses import replace

import duckdb
import numpy as np
import polars as pl
import pytest

from ml.segmentation.as_sql import as_sql
from ml.segmentation.levels import Levels
from ml.segmentation.spec import LevelsSpec, SegmentationSpec
from ml.segmentation.train import train


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    group = np.arange(400) % 3
    return pl.DataFrame(
        {
            "user id": [f"u{i}" for i in range(400)],
            "minutes": np.exp(rng.normal(group, 1)) * 60,
            "share": rng.random(400) / 3 + group / 3,
            'the "best"': [None if i % 9 == 0 else float(i % 7) for i in range(400)],
            "is_new": group == 1,
        }
    )


def trained(frame: pl.DataFrame, prepare: list[object], missing: str = "mean"):
    declared = {
        "name": "habits",
        "description": "Users by habits",
        "entity": "user_id",
        "features": {
            "table": "features.habits",
            "columns": ["minutes", "share", 'the "best"', "is_new"],
            "prepare": prepare,
            "missing": missing,
        },
        "clustering": {"candidates": [2, 3, 4], "publish": 4, "restarts": 2},
        "naming": {"rank_by": "minutes", "names": ["Men's", "b", "c; --", "d"]},
    }
    spec = SegmentationSpec.model_validate(declared).model_copy(update={"entity": "user id"})
    return train(frame, spec).published


def asked(sql: str, frame: pl.DataFrame) -> pl.DataFrame:
    with duckdb.connect() as connection:
        connection.execute("create schema features")
        connection.register("given", frame)
        connection.execute("create table features.habits as from given")
        return connection.sql(sql).pl()


@pytest.mark.parametrize(
    "prepare",
    [
        ["standardize"],
        [],
        [
            {"step": "winsorize", "columns": ["minutes"], "share": 0.05},
            {"step": "log1p", "columns": ["minutes"]},
            {"step": "robust", "columns": ["minutes", "share"]},
            {"step": "weigh_as_one", "columns": ["is_new", "the*"]},
        ],
    ],
)
@pytest.mark.parametrize("missing", ["mean", "zero"])
def test_the_statement_equals_the_model_row_for_row(frame, prepare, missing):
    model = trained(frame, prepare, missing)
    expected = model.members(frame).sort("entity_id")
    assert asked(as_sql(model, "features.habits"), frame).equals(expected)


def test_ids_that_outlived_refits_are_those_of_the_statement(frame):
    model = trained(frame, ["standardize"]).identified([7, 2, 5, 3], ["a", "b", "c", "d"])
    found = asked(as_sql(model, "features.habits"), frame)
    assert found.equals(model.members(frame).sort("entity_id"))
    assert set(found["segment_id"]) == {2, 3, 5, 7}


def test_the_level_of_a_row_is_the_models(frame):
    declared = LevelsSpec(by="minutes", names=("few", "it's some", "many"))
    model = replace(trained(frame, ["standardize"]), levels=Levels.fit(frame["minutes"], declared))
    found = asked(as_sql(model, "features.habits"), frame)
    assert found.equals(model.members(frame).sort("entity_id"))
    assert found["level"].n_unique() >= 3


def test_every_number_is_read_back_exactly(frame):
    model = trained(frame, ["standardize"])
    sql = as_sql(model, "features.habits")
    for number in (*model.centroids.ravel().tolist(), *model.preparation.shift, *model.preparation.scale):
        text = repr(float(number))
        literal = text if "e" in text else f"{text}e0"
        assert literal.lstrip("-") in sql
        assert duckdb.sql(f"select {literal}").fetchall() == [(float(number),)]


def test_a_value_that_the_model_refuses_to_miss_is_an_error_in_the_statement(frame):
    full = frame.with_columns(pl.col('the "best"').fill_null(1.0))
    model = trained(full, ["standardize"], missing="error")
    with pytest.raises(duckdb.Error, match="NULL"):
        asked(as_sql(model, "features.habits"), frame)
