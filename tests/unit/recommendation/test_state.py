"""A stored model is the same model."""

import io

import numpy as np
import pytest

from ml.recommendation.errors import RecommendationError
from ml.recommendation.state import from_arrays, to_arrays
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
