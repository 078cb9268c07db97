"""The page of `matinee replicate` that says what the published segments are worth."""

import io

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from orchestration.commands.replicate.trust import show_trust

USERS, TASTES, POOL = 250, 5, 20


def features(seed: int) -> pl.DataFrame:
    """Means of two genres that say nothing of the users, a third of them without any."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 3, size=(USERS, 2))
    means = np.where(counts > 0, rng.uniform(1, 5, size=(USERS, 2)), 0)
    genres = {f"cnt_{g}": counts[:, i] for i, g in enumerate(("drama", "war"))}
    return pl.DataFrame(
        {"user_id": np.arange(USERS), **genres, "avg_drama": means[:, 0], "avg_war": means[:, 1]}
    )


@pytest.fixture(scope="module")
def page() -> str:
    """What is printed of users with five tastes."""
    rng = np.random.default_rng(0)
    chosen = [
        (user, title + user % TASTES * POOL)
        for user in range(USERS)
        for title in np.sort(rng.choice(POOL, 8, replace=False))
    ]
    pairs = pl.DataFrame(chosen, schema=["user_id", "title_id"], orient="row").cast(pl.Int64)
    pairs = pairs.with_columns(rating=pl.Series(rng.integers(1, 6, len(pairs))).cast(pl.Float64))
    titles = np.arange(TASTES * POOL)
    genres = pl.DataFrame({"title_id": titles, "genre": rng.choice(["drama", "war"], len(titles))})
    console = Console(file=io.StringIO(), width=160)
    show_trust(console, (features(1), genres), (features(2), genres), pairs)
    return console.file.getvalue()


def cells(page: str, row: str) -> list[str]:
    line = next(line for line in page.splitlines() if line.startswith(f"│ {row}"))
    return [cell.strip() for cell in line.strip("│").split("│")][1:]


def test_the_four_ways_stand_side_by_side(page):
    for name in ("published", "right join", "honest means", "user_taste"):
        assert name in page
    assert len(cells(page, "Agreement when fitted anew")) == 4


def test_taste_is_worth_more_than_means_that_say_nothing(page):
    published, right, honest, taste = map(float, cells(page, "Held-out titles ranked"))
    assert taste > 1.5
    assert taste > max(published, right, honest) + 0.5


def test_all_are_found_anew_on_halves_and_only_taste_comes_back(page):
    *others, taste = map(float, cells(page, "Agreement of either half"))
    assert max(others) < 0.3
    assert taste > 0.8
