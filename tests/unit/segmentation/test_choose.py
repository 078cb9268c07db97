"""The trusted number of segments: worth most by what users choose, among those that come back."""

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from ml.segmentation.embedding import Embedding
from ml.segmentation.errors import SegmentationError
from ml.segmentation.spec import SegmentationSpec
from ml.segmentation.train import Training, train

TASTES, POOL = 4, 25


def spec(**clustering: object) -> SegmentationSpec:
    return SegmentationSpec.model_validate(
        {
            "name": "taste",
            "description": "Users by what they choose",
            "entity": "user_id",
            "features": {
                "table": "features.taste",
                "interactions": "features.interactions",
                "embedding": {"dimensions": 6, "titles": 100},
                "columns": ["taste_*"],
                "prepare": [],
            },
            "clustering": {"candidates": [2, 3, 4, 5, 6], "publish": "trusted", "restarts": 3, **clustering},
            "naming": {"rank_by": "taste_1"},
        }
    )


@pytest.fixture(scope="module")
def pairs() -> pl.DataFrame:
    """400 users who choose 12 titles each from one of four pools, the first titles of a pool most."""
    rng = np.random.default_rng(2)
    weight = 1 / np.arange(1, POOL + 1)
    chosen = [
        (user, title + user % TASTES * POOL)
        for user in range(400)
        for title in np.sort(rng.choice(POOL, 12, replace=False, p=weight / weight.sum()))
    ]
    return pl.DataFrame(chosen, schema=["user_id", "title_id"], orient="row").cast(pl.Int64)


def trained(pairs: pl.DataFrame, declared: SegmentationSpec) -> Training:
    embedding = Embedding.fit(pairs, declared.features.embedding, rng=np.random.default_rng(0))
    return train(embedding.placed(pairs), declared, pairs=pairs)


@pytest.fixture(scope="module")
def training(pairs) -> Training:
    return trained(pairs, spec())


def test_the_planted_number_of_tastes_is_trusted(training):
    assert training.published.k == TASTES


def test_what_every_other_k_would_have_been_worth_is_told(training):
    metrics = training.sweep.metrics
    lift = dict(metrics.select("k", "lift").iter_rows())
    assert lift[2] < lift[3] < lift[4], "each taste told apart foretells more"
    assert metrics.filter(k=TASTES)["bootstrap_ari"].item() > 0.99
    assert metrics["bootstrap_ari"].null_count() == 0


def test_a_declared_k_is_published_and_told_its_price_beside_the_others(pairs):
    metrics = trained(pairs, spec(publish=2)).sweep.metrics
    assert metrics.filter("is_published")["k"].to_list() == [2]
    assert metrics["lift"].arg_max() == metrics["k"].to_list().index(TASTES)


def test_without_interactions_nothing_is_known_of_their_worth_and_nothing_trusted(pairs):
    embedding = Embedding.fit(pairs, spec().features.embedding, rng=np.random.default_rng(0))
    placed = embedding.placed(pairs)
    assert train(placed, spec(publish="elbow")).sweep.metrics["lift"].null_count() == 5
    with pytest.raises(
        SegmentationError, match=r"taste: clustering.publish: `trusted` needs to know who chose"
    ):
        train(placed, spec())


def test_the_same_declaration_trusts_the_same_k_with_the_same_figures(pairs, training):
    assert trained(pairs, spec()).sweep.metrics.equals(training.sweep.metrics)


def test_trust_without_a_table_of_interactions_is_refused_when_the_declaration_loads():
    declared = spec().model_dump()
    declared["features"] |= {"interactions": None, "embedding": None}
    with pytest.raises(ValidationError, match=r"`trusted` needs quality.interactions"):
        SegmentationSpec.model_validate(declared)


def test_segments_of_other_features_are_judged_by_what_their_users_choose(pairs):
    declared = spec().model_dump()
    declared["features"] |= {"interactions": None, "embedding": None, "columns": ["habit"]}
    declared["naming"]["rank_by"] = "habit"
    declared["quality"]["interactions"] = "features.interactions"
    rng = np.random.default_rng(1)
    users = np.arange(400)
    frame = pl.DataFrame({"user_id": users, "habit": users % TASTES * 10 + rng.normal(size=400)})
    assert train(frame, SegmentationSpec.model_validate(declared), pairs=pairs).published.k == TASTES
