"""The streaming catalogue keeps the real file's columns, gaps and faults."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest


@pytest.fixture(scope="module")
def catalogue(folder: Path) -> pl.DataFrame:
    return pl.read_csv(
        folder / "catalogue/netflix_titles.csv", infer_schema_length=None, try_parse_dates=True
    )


def test_the_header_is_that_of_the_real_file(folder: Path, real_movies: Path) -> None:
    name = "catalogue/netflix_titles.csv"
    with (folder / name).open("rb") as ours, (real_movies.parent / name).open("rb") as theirs:
        assert ours.readline() == theirs.readline()


def test_figures_are_missing_as_often_as_in_the_real_file(catalogue: pl.DataFrame) -> None:
    real = {
        "Genre": 1_710, "IMDb Score": 2_099, "Rotten Tomatoes Score": 9_174, "Metacritic Score": 11_144,
        "View Rating": 7_024, "Boxoffice": 11_473,
    }  # fmt: skip
    for column, missing in real.items():
        assert catalogue[column].null_count() / len(catalogue) == pytest.approx(missing / 15_480, abs=0.09)


def test_the_three_scores_agree_as_the_real_ones_do(catalogue: pl.DataFrame) -> None:
    scores = catalogue.select("IMDb Score", "Rotten Tomatoes Score", "Metacritic Score").drop_nulls()
    agreement = np.corrcoef(scores.to_numpy().T)
    assert agreement[0, 1] == pytest.approx(0.70, abs=0.12)
    assert agreement[0, 2] == pytest.approx(0.72, abs=0.12)
    assert agreement[1, 2] == pytest.approx(0.90, abs=0.06)


def test_runtime_is_one_of_four_texts(catalogue: pl.DataFrame) -> None:
    assert set(catalogue["Runtime"]) == {"< 30 minutes", "30-60 mins", "1-2 hour", "> 2 hrs"}


def test_cells_hold_several_values(catalogue: pl.DataFrame) -> None:
    for column in ("Genre", "Languages", "Country Availability", "Actors", "Tags"):
        assert catalogue[column].str.contains(",").mean() > 0.3  # type: ignore[operator]


def test_faults_of_the_real_file_are_there(catalogue: pl.DataFrame) -> None:
    assert len(catalogue) - catalogue["Title"].n_unique() >= 30
    impossible = catalogue.filter(pl.col("Release Date") > pl.col("Netflix Release Date"))
    assert 5 < len(impossible) < 100
    assert catalogue["Title"].str.contains("Ã").sum() >= 3
