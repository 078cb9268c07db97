"""Segments of counts and means by genre are found anew on a part of the ratings, and on genres that were shuffled."""

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from ml.segmentation.quality.anew import are_of_genres, genre_columns
from ml.segmentation.quality.judge import what_users_did
from ml.segmentation.quality.lift import held_out_value
from ml.segmentation.quality.stability import agreement
from ml.segmentation.spec import Features

GENRES = [f"g{i}" for i in range(6)]
COUNTS = Features(table="features.counts", columns=("cnt_*",))
USERS, TITLES, K = 600, 240, 3


@pytest.fixture(scope="module")
def world() -> tuple[pl.DataFrame, pl.DataFrame, np.ndarray]:
    """Each third of the users rates titles of two genres mostly; a title has one genre."""
    rng = np.random.default_rng(0)
    genre = np.arange(TITLES) % len(GENRES)
    own = np.arange(USERS) % K
    pairs = []
    for user in range(USERS):
        weights = np.where(genre // 2 == own[user], 12.0, 1.0)
        titles = rng.choice(TITLES, 25, replace=False, p=weights / weights.sum())
        pairs += [(user, int(title), float(rng.integers(1, 6))) for title in titles]
    frame = pl.DataFrame(pairs, schema=["user_id", "title_id", "rating"], orient="row")
    genres = pl.DataFrame({"title_id": range(TITLES), "genre": [GENRES[g] for g in genre]})
    return frame, genres, own


def judged(world, columns=tuple(f"cnt_{g}" for g in GENRES)):
    pairs, genres, own = world
    users = pl.Series(range(USERS))
    return what_users_did(users, own, K, pairs, features=COUNTS, columns=columns, genres=genres)


def test_planted_genres_are_found_anew_and_shuffled_ones_are_worth_less(world):
    did = judged(world)
    assert agreement(did.label(did.interactions), world[2]) > 0.95
    lift = held_out_value(did, rng=np.random.default_rng(1))[0]
    # Who chooses the same titles has the same genres even when they are dealt out anew, so it is not worth nothing.
    assert lift.low > lift.beside["shuffled"] > lift.beside["random"]


def test_means_are_of_ratings_alone_and_nothing_where_there_is_none():
    # The third user's last title was watched and not rated.
    stored = (np.array([5, 3, 4, 0, 2, np.nan], dtype=np.float32), [0, 2, 1, 0, 1, 2], [0, 2, 3, 6])
    interactions = sp.csr_array(stored, shape=(3, 3))
    genres = sp.csr_array(np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32))
    made = genre_columns(["cnt_a", "cnt_b", "avg_a", "avg_b", "avg_c"], interactions, genres, ["a", "b"])
    assert made.rows() == [(2, 0, 4, None, None), (0, 1, None, 4, None), (2, 1, 0, 2, None)]


@pytest.mark.parametrize(
    ("columns", "made"),
    [
        (("cnt_g0", "avg_g1"), True),
        (("cnt_g0", "minutes"), False),
        (("cnt_other",), False),
    ],
)
def test_only_counts_and_means_by_genre_can_be_made_anew(world, columns, made):
    assert are_of_genres(columns, GENRES) is made
    assert (judged(world, columns).label is not None) is made
