"""A stored model is the same model."""

import io

import numpy as np
import pytest
import scipy.sparse as sp

from ml.recommendation.errors import RecommendationError
from ml.recommendation.state import from_arrays, to_arrays, widened
from tests.unit.recommendation.test_models import EVERY, WORLD, rng


@pytest.mark.parametrize("model", EVERY.values(), ids=EVERY.keys())
def test_a_model_comes_back_from_its_arrays_with_the_same_scores_and_reasons(model):
    fitted = model.fit(WORLD, rng=rng())
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **to_arrays(fitted))
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        again = from_arrays(dict(stored))
    assert again.scores(WORLD.ratings).tobytes() == fitted.scores(WORLD.ratings).tobytes()
    row, items = WORLD.ratings[[1]], np.arange(5)[None, :]
    one, two = fitted.contributions(row, items), again.contributions(row, items)
    assert (one is None) == (two is None)
    assert one is None or np.array_equal(one, two)


def test_arrays_of_something_else_are_refused():
    with pytest.raises(RecommendationError, match="train it again"):
        from_arrays({"weights": np.ones(3)})


@pytest.mark.parametrize("model", EVERY.values(), ids=EVERY.keys())
def test_a_model_with_columns_for_more_titles_ranks_those_it_knows_as_before_and_the_others_never_first(
    model,
):
    fitted = model.fit(WORLD, rng=rng())
    places = np.arange(len(WORLD.items)) * 2 + 1
    wide = widened(fitted, places, 2 * len(places))
    rows = sp.csr_array(
        (WORLD.ratings.data, places[WORLD.ratings.indices], WORLD.ratings.indptr),
        shape=(WORLD.ratings.shape[0], 2 * len(places)),
    )
    scores = wide.scores(rows)
    assert scores.shape == rows.shape
    # A blend puts its parts on the scale of all titles.
    mine = wide.scorer(places)(rows)
    np.testing.assert_allclose(mine, fitted.scores(WORLD.ratings), rtol=1e-4, atol=1e-4)
    assert (scores.argmax(axis=1) % 2 == 1).all()
