"""Our logits are the ones that scikit-learn's converge to."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from ml.segmentation.logit import Logit, fit_logits, with_one

N, D, K = 400, 6, 3


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(N, D))
    told = Z[:, :K] + rng.gumbel(size=(N, K)) + [0, 0, 1]
    return (Z - Z.mean(axis=0)) / Z.std(axis=0), told.argmax(axis=1)


def fitted(rows, penalties: list[float], fitted_on: np.ndarray) -> np.ndarray:
    Z, y = rows
    start = np.zeros((len(fitted_on), K, D + 1), dtype=np.float32)
    return fit_logits(with_one(Z), y, fitted_on, start, penalties, rounds=2_000)


@pytest.mark.parametrize("penalty", [0.03, 0.3])
def test_weights_are_those_of_scikit_learn(rows, penalty):
    Z, y = rows
    weights = fitted(rows, [penalty], np.ones((1, N), dtype=bool))[0, 0]
    theirs = LogisticRegression(
        C=penalty,
        l1_ratio=1,
        solver="saga",
        tol=1e-6,
        max_iter=5_000,
        class_weight="balanced",
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(Z, y)
    np.testing.assert_allclose(weights[:, :-1], theirs.coef_, atol=0.01)
    assert ((weights[:, :-1] == 0) == (theirs.coef_ == 0)).mean() > 0.9


def test_fits_side_by_side_are_those_of_each_alone(rows):
    some = np.random.default_rng(1).random((2, N)) < 0.7
    both = fitted(rows, [0.1, 1.0], some)
    for i in range(2):
        np.testing.assert_allclose(both[:, i], fitted(rows, [0.1, 1.0], some[[i]])[:, 0], atol=0.01)


def test_the_likeliest_segment_is_told(rows):
    Z, y = rows
    weights = fitted(rows, [1.0], np.ones((1, N), dtype=bool))[0, 0]
    assert (Logit(np.zeros(D), np.ones(D), weights).predict(Z) == y).mean() > 0.6
