"""An embedding places users by what they chose, not by how much, and the same way whenever it is asked."""

import numpy as np
import polars as pl
import pytest

from ml.segmentation.agreement import adjusted_rand_index
from ml.segmentation.embedding import Embedding
from ml.segmentation.errors import UntrainableError
from ml.segmentation.spec import EmbeddingSpec

METHODS = pytest.mark.parametrize("method", ["svd", "nmf"])
TASTES, PER_TASTE, USERS = 3, 40, 300


def _chosen(rng: np.random.Generator) -> tuple[pl.DataFrame, np.ndarray]:
    """Three tastes with titles of their own, of which users choose a few or nearly all."""
    taste = rng.integers(TASTES, size=USERS)
    rows = []
    for user in range(USERS):
        own = taste[user] * PER_TASTE + rng.permutation(PER_TASTE)[: rng.integers(6, 35)]
        others = rng.integers(TASTES * PER_TASTE, size=2)
        rows += [(user, int(title)) for title in np.unique(np.concatenate([own, others]))]
    return pl.DataFrame(rows, schema=["user_id", "title_id"], orient="row"), taste


def _fitted(pairs: pl.DataFrame, method: str = "svd", **declared: int) -> Embedding:
    spec = EmbeddingSpec(method=method, **{"dimensions": TASTES, **declared})
    return Embedding.fit(pairs, spec, rng=np.random.default_rng(0))


@METHODS
def test_users_of_one_taste_lie_together_however_much_they_chose(method: str) -> None:
    pairs, taste = _chosen(np.random.default_rng(1))
    users, X = _fitted(pairs, method).transform(pairs)
    nearest = (X @ X.T - 2 * np.eye(len(X))).argmax(axis=1)
    assert adjusted_rand_index(pl.Series(taste[users]), pl.Series(taste[users][nearest])) > 0.95


@METHODS
def test_every_user_is_a_direction_of_length_one(method: str) -> None:
    pairs, _ = _chosen(np.random.default_rng(2))
    _, X = _fitted(pairs, method).transform(pairs)
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), 1, atol=1e-5)


@METHODS
def test_a_user_alone_is_placed_as_among_all(method: str) -> None:
    pairs, _ = _chosen(np.random.default_rng(3))
    embedding = _fitted(pairs, method)
    users, X = embedding.transform(pairs)
    alone, row = embedding.transform(pairs.filter(pl.col("user_id") == 7))
    assert alone.tolist() == [7]
    np.testing.assert_allclose(row[0], X[users == 7][0], atol=1e-3 if method == "nmf" else 1e-6)


@METHODS
def test_what_is_stored_is_the_same_embedding(method: str) -> None:
    pairs, _ = _chosen(np.random.default_rng(4))
    embedding = _fitted(pairs, method)
    again = Embedding.from_arrays(embedding.to_arrays())
    np.testing.assert_array_equal(again.transform(pairs)[1], embedding.transform(pairs)[1])


def test_a_user_with_too_few_titles_that_count_is_not_placed() -> None:
    pairs, _ = _chosen(np.random.default_rng(5))
    embedding = _fitted(pairs, least=5)
    few = pl.DataFrame({"user_id": [1, 1, 1, 1, 2, 2, 2, 2, 2], "title_id": [1, 2, 3, 4, 1, 2, 3, 4, 999]})
    users, X = embedding.transform(few)
    assert len(users) == len(X) == 0


def test_nobody_at_all_is_placed_as_nobody() -> None:
    pairs, _ = _chosen(np.random.default_rng(5))
    users, X = _fitted(pairs).transform(pairs.clear())
    assert (users.shape, X.shape) == ((0,), (0, TASTES))


def test_arrays_that_do_not_fit_together_are_no_embedding() -> None:
    pairs, _ = _chosen(np.random.default_rng(4))
    arrays = _fitted(pairs).to_arrays()
    for cut in ("titles", "idf", "components"):
        with pytest.raises(ValueError, match=r"titles, .* weights and components of shape"):
            Embedding.from_arrays({**arrays, cut: arrays[cut][:-1].T})


def test_too_few_titles_for_the_dimensions_are_refused_in_words() -> None:
    pairs = pl.DataFrame({"user_id": [1, 1, 2, 2], "title_id": [1, 2, 1, 3]})
    with pytest.raises(
        UntrainableError, match="2 users with 1 titles or more and 3 titles: too few for 8 dimensions"
    ):
        _fitted(pairs, dimensions=8, least=1)


def test_only_the_most_chosen_titles_count() -> None:
    pairs, _ = _chosen(np.random.default_rng(6))
    embedding = _fitted(pairs, titles=20)
    most = (
        pairs["title_id"].value_counts().sort("count", "title_id", descending=[True, False])["title_id"][:20]
    )
    assert embedding.titles.tolist() == sorted(most)
