"""A segment is worth what it foretells of interactions that it was not made from."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from ml.segmentation.quality import nulls
from ml.segmentation.quality.held_out import Judged, cuts, halve, hold_out
from ml.segmentation.quality.lift import PSEUDO_USERS, held_out_value, lift_by_k, split_half

USERS, TITLES, K = 600, 120, 3


def world(seed: int = 0) -> tuple[sp.csr_array, np.ndarray, sp.csr_array]:
    """Users of three tastes and very different volume; a title in three belongs to each taste, and so its genre."""
    rng = np.random.default_rng(seed)
    tastes, volume = rng.integers(0, K, USERS), rng.integers(4, 40, USERS)
    liked = np.where(np.arange(TITLES)[None] % K == tastes[:, None], 1.0, 0.15) / (np.arange(TITLES) + 5)
    place = np.argsort(rng.exponential(size=liked.shape) / liked, axis=1).argsort(axis=1)
    genres = sp.csr_array((np.ones(TITLES), np.arange(TITLES) % K, np.arange(TITLES + 1)))
    return sp.csr_array((place < volume[:, None]).astype(np.float32)), tastes, genres


def by_genre(genres: sp.csr_array):
    """Label users by the genre they watch most."""
    return lambda part: np.asarray((part @ genres).toarray().argmax(axis=1))


@pytest.fixture(scope="module")
def judged() -> Judged:
    interactions, tastes, genres = world()
    shuffled = nulls.shuffle_genres(genres, np.random.default_rng(5))
    return Judged(interactions, tastes, K, by_genre(genres), by_genre(shuffled), genres)


def whole(figures: list, measure: str):
    return next(figure for figure in figures if figure.measure == measure and figure.segment_id is None)


@pytest.fixture(scope="module")
def figures(judged):
    return held_out_value(judged, rng=np.random.default_rng(1))


def test_planted_tastes_lift_well_above_every_null(figures):
    lift, bits = whole(figures, "lift"), whole(figures, "genre_gain_bits")
    assert set(lift.beside) == set(bits.beside) == {"random", "volume", "shuffled"}
    assert lift.low > max(lift.beside.values()) + 0.2
    assert bits.low > max(bits.beside.values()) + 0.1


def test_random_labels_lift_by_about_nothing(figures, judged):
    assert whole(figures, "lift").beside["random"] == pytest.approx(1, abs=0.06)
    assert whole(figures, "genre_gain_bits").beside["random"] == pytest.approx(0, abs=0.02)
    dealt = np.random.default_rng(8).permutation(judged.segments)
    found = held_out_value(
        replace(judged, segments=dealt, label=None, shuffled=None), rng=np.random.default_rng(1)
    )
    assert whole(found, "lift").value == pytest.approx(1, abs=0.06)


def test_every_segment_has_its_figure_beside_random_labels(figures):
    for measure in ("lift", "genre_gain_bits"):
        of_segments = [
            figure for figure in figures if figure.measure == measure and figure.segment_id is not None
        ]
        assert [figure.segment_id for figure in of_segments] == list(range(K))
        assert all(set(figure.beside) == {"random"} for figure in of_segments)
        assert all(figure.low <= figure.value <= figure.high for figure in of_segments)


def test_labels_found_anew_are_called_as_the_published_segments(judged):
    renamed = replace(judged, label=lambda part: (judged.label(part) + 1) % K)
    one, other = (held_out_value(each, rng=np.random.default_rng(1)) for each in (judged, renamed))
    assert one == other


def test_users_whose_taste_shows_agree_with_their_other_half(judged):
    found = split_half(judged, rng=np.random.default_rng(0))
    assert found.value > found.beside["shuffled"] + 0.3
    assert found.low <= found.value <= found.high


def test_given_labels_have_no_other_half(judged):
    assert split_half(replace(judged, label=None), rng=np.random.default_rng(0)).value is None


def test_of_several_numbers_of_segments_the_planted_one_lifts_most(judged):
    def label(part):
        taste = judged.label(part)
        return {2: np.minimum(taste, 1), 3: taste}

    found = lift_by_k(judged.interactions, label, rng=np.random.default_rng(1))
    assert found[3].value > found[2].value > 1
    assert 0 < found[3].error < 0.1


def test_lift_is_what_ranking_each_user_by_hand_gives(judged):
    labels, ndcg = judged.segments, []
    for cut, _ in cuts(judged.interactions, np.random.default_rng(1)):
        train, held_out = cut.train.toarray().astype(float), cut.held_out.toarray()
        popularity = train.sum(axis=0)
        for user in np.flatnonzero(held_out.sum(axis=1)):
            segment = train[labels == labels[user]].sum(axis=0) + PSEUDO_USERS * popularity / USERS
            ndcg.append([_ndcg(scores, train[user], held_out[user]) for scores in (segment, popularity)])
    own, everybody = np.mean(ndcg, axis=0)
    found = lift_by_k(judged.interactions, lambda _: {K: labels}, rng=np.random.default_rng(1))
    assert found[K].value == pytest.approx(own / everybody)


def test_users_are_sampled_and_the_sample_says_about_the_same(judged, figures):
    found = whole(held_out_value(judged, rng=np.random.default_rng(1), users=200), "lift")
    everybody = whole(figures, "lift")
    assert found.high - found.low > everybody.high - everybody.low
    assert found.low < everybody.value < found.high


def test_nobody_is_judged_where_nothing_can_be_held_out():
    single = sp.csr_array(np.eye(6, dtype=np.float32))
    found = held_out_value(Judged(single, np.arange(6) % 2, 2, genres=single), rng=np.random.default_rng(0))
    assert [figure.value for figure in found] == [None] * 6


def test_a_quarter_of_each_user_is_held_out_and_one_is_always_kept(judged):
    train, held_out = hold_out(judged.interactions, share=0.25, rng=np.random.default_rng(0))
    counts = np.diff(judged.interactions.indptr)
    assert (np.diff(held_out.indptr) == np.round(counts * 0.25)).all()
    assert ((train + held_out) != judged.interactions).nnz == 0
    assert (
        np.diff(hold_out(sp.csr_array(np.eye(3)), share=0.9, rng=np.random.default_rng(0))[1].indptr).sum()
        == 0
    )


def test_halves_are_of_the_same_users_and_share_no_interaction(judged):
    one, other = halve(judged.interactions, np.random.default_rng(0))
    assert one.shape == other.shape
    assert one.multiply(other).nnz == 0
    assert min(np.diff(one.indptr).min(), np.diff(other.indptr).min()) > 0


def _ndcg(scores: np.ndarray, seen: np.ndarray, relevant: np.ndarray) -> float:
    order = np.argsort(-scores, kind="stable")
    top = order[seen[order] == 0][:10]
    discounts = 1 / np.log2(np.arange(2, 12))
    return relevant[top] @ discounts / discounts[: int(min(relevant.sum(), 10))].sum()
