"""Small invented worlds of ratings."""

import numpy as np
import polars as pl

from ml.recommendation.interactions import Interactions, from_frame


def two_tastes(users: int = 60, items: int = 40, seed: int = 0) -> pl.DataFrame:
    """Even users rate even titles, odd users odd ones, half of them each; one in twenty is a stray."""
    rng = np.random.default_rng(seed)
    user, item = np.meshgrid(np.arange(users), np.arange(items), indexing="ij")
    chance = np.where((user + item) % 2 == 0, 0.5, 0.05)
    rated = rng.random(user.shape) < chance
    return pl.DataFrame(
        {
            "user_id": user[rated] + 100,
            "item_id": item[rated],
            "rating": rng.integers(1, 11, rated.sum()) / 2,
            "timestamp": rng.integers(0, 10_000_000, rated.sum()),
        }
    )


def learned(**options) -> Interactions:
    return from_frame(two_tastes(**options))


def catalogue(items: int = 40) -> pl.DataFrame:
    ids = list(range(items))
    return pl.DataFrame({"item_id": ids, "genres": ["Drama" if i % 2 else "Comedy|Family" for i in ids]})
