"""On the real ratings the default beats cosine and popularity."""

import numpy as np
import polars as pl
import pytest

from ml.recommendation.evaluate import evaluate
from ml.recommendation.splits import stratified_split


@pytest.mark.real_data
@pytest.mark.long
def test_the_default_beats_cosine_and_popularity_on_the_small_ratings(real_movies):
    frame = pl.read_csv(real_movies / "ratings_small.csv").rename({"userId": "user_id", "movieId": "item_id"})
    train, test = stratified_split(frame, test_share=0.25, rng=np.random.default_rng(42))
    found = evaluate(train, test, ["blend", "ease", "cosine"], rng=np.random.default_rng(0)).figures
    assert found["blend"].ndcg > 0.38
    assert found["blend"].ndcg > found["ease"].ndcg
    assert found["ease"].ndcg > found["cosine"].ndcg + 0.03
    assert found["cosine"].ndcg > found["popular"].ndcg + 0.1
