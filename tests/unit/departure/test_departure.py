"""Scores of departure are judged as others judge them, hang on no order of rows, and say what decided them."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from ml.departure.dates import dates_of
from ml.departure.features import RECENCY, Known
from ml.departure.judge import average_precision, deciles, is_worth_publishing, judge, top_decile_lift
from ml.departure.model import DepartureModel, fit
from ml.segmentation.errors import UntrainableError

WINDOW = 60.0


def users(n: int = 3_000, seed: int = 0) -> tuple[Known, np.ndarray]:
    """Users of very different paces; some went silent, which shows in days of silence only beside their pace."""
    rng = np.random.default_rng(seed)
    every = rng.lognormal(1.6, 0.8, n).clip(1, 40)
    gone = rng.random(n) < 0.3
    silent = np.where(gone, rng.uniform(1.5, 4, n), rng.uniform(0, 1.2, n)) * every
    recency = np.floor(silent.clip(0, WINDOW - 1))
    active = np.ceil((WINDOW - recency) / every)
    known = {
        "recency_days": recency,
        "active_days": active,
        "recent_days": np.floor(active / 2 * (recency < WINDOW / 2)),
        "events": active * rng.integers(1, 4, n),
        "minutes": active * rng.uniform(20, 120, n),
        "known_days": np.full(n, WINDOW - 1),
        "window_days": np.full(n, WINDOW),
    }
    return known, gone


@given(st.integers(0, 3_000), st.integers(1, 60))
def test_what_is_learned_from_was_over_before_the_judged_time_began(known_days, horizon):
    newest = date(2026, 6, 1)
    first = newest - timedelta(days=known_days)
    if known_days + 1 < 3 * horizon:
        with pytest.raises(UntrainableError, match=f"{3 * horizon} are needed"):
            dates_of(first, newest, horizon)
        return
    dates = dates_of(first, newest, horizon)
    assert dates.learn + timedelta(days=horizon) <= dates.judge
    assert dates.judge + timedelta(days=horizon) <= dates.score == newest
    assert first <= dates.learn - timedelta(days=dates.window_days - 1)
    assert dates.window_days >= horizon or dates.window_days == 90


few_values = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=4, max_size=60).filter(
    lambda rows: 2 <= sum(departs for departs, _ in rows) <= len(rows) - 2
)


@given(few_values)
def test_figures_are_those_of_scikit_learn_with_ties_too(rows):
    departs, score = (np.array(column) for column in zip(*rows, strict=True))
    figures = {each.measure: each for each in judge(departs, score / 6, score, score / 6)}
    assert figures["auc"].value == pytest.approx(roc_auc_score(departs, score))
    assert figures["average_precision"].value == pytest.approx(average_precision_score(departs, score))
    assert (figures["auc_gain"].low, figures["auc_gain"].high) == pytest.approx((0, 0))


@given(few_values, st.randoms(use_true_random=False))
def test_no_figure_hangs_on_the_order_of_rows(rows, random):
    shuffled = random.sample(rows, len(rows))
    (a, b), (c, d) = ([np.array(column) for column in zip(*part, strict=True)] for part in (rows, shuffled))
    assert top_decile_lift(a, b) == pytest.approx(top_decile_lift(c, d))
    assert average_precision(a, b) == pytest.approx(average_precision(c, d))
    assert sorted(deciles(b)) == sorted(deciles(d))


def test_the_interval_of_the_gain_is_that_of_resampled_users():
    known, gone = users(800)
    chance, recency = fit(known, gone).chance(known), known["recency_days"]
    gain = next(each for each in judge(gone, chance, recency, chance) if each.measure == "auc_gain")
    rng = np.random.default_rng(0)
    drawn = [rng.integers(len(gone), size=len(gone)) for _ in range(400)]
    gains = [roc_auc_score(gone[i], chance[i]) - roc_auc_score(gone[i], recency[i]) for i in drawn]
    assert gain.high - gain.low == pytest.approx(2 * 1.96 * np.std(gains), rel=0.15)


@given(st.lists(st.floats(0, 1, width=16), min_size=1, max_size=80))
def test_higher_scores_are_in_earlier_tenths_and_equal_ones_in_the_same(scores):
    found = deciles(np.array(scores))
    assert found.min() == 1
    assert found.max() <= 10
    by_score = sorted(zip(scores, found.tolist(), strict=True), reverse=True)
    assert [tenth for _, tenth in by_score] == sorted(found.tolist())
    assert len(set(by_score)) == len(set(scores))


def test_silence_beside_the_users_own_pace_tells_more_than_silence():
    (known, gone), (later, gone_later) = users(seed=1), users(seed=2)
    by_recency = fit(known, gone, RECENCY).chance(later)
    chance = fit(known, gone).chance(later)
    figures = judge(gone_later, chance, later["recency_days"], by_recency)
    auc, gain, *_ = figures
    assert auc.value > 0.9 > auc.beside
    assert gain.low > 0.05
    assert is_worth_publishing(figures)
    assert abs(chance.mean() - gone_later.mean()) < 0.03


def test_recency_does_not_beat_itself():
    known, gone = users()
    chance = fit(known, gone, RECENCY).chance(known)
    assert not is_worth_publishing(judge(gone, chance, known["recency_days"], chance))


def test_a_model_does_not_hang_on_the_order_of_users():
    known, gone = users()
    order = np.random.default_rng(3).permutation(len(gone))
    one = fit(known, gone)
    other = fit({name: values[order] for name, values in known.items()}, gone[order])
    assert one.chance(known) == pytest.approx(other.chance(known), abs=1e-4)


def test_a_model_comes_back_from_its_text_as_it_was():
    known, gone = users()
    model = fit(known, gone)
    assert DepartureModel.from_json(model.to_json()) == model


def test_what_a_source_does_not_tell_has_no_weight_and_is_no_reason():
    known, gone = users()
    model = fit({**known, "minutes": np.zeros(len(gone))}, gone)
    assert model.weights[model.features.index("minutes_per_day")] == 0
    assert not any("minutes" in reason for reason in model.reasons({**known, "minutes": np.zeros(len(gone))}))


def test_the_reason_is_what_moved_the_score_and_is_said_in_the_users_own_figures():
    known, gone = users()
    model = fit(known, gone)
    row = {
        "recency_days": 20,
        "active_days": 10,
        "recent_days": 2,
        "events": 10,
        "minutes": 600,
        "known_days": 59,
    }
    reason = model.reasons(
        {name: np.array([float(value)]) for name, value in {**row, "window_days": 60}.items()}
    )
    assert reason == ["silent for 20 days, active every 4 days until then"]


TYPICAL = {
    "recency_days": 3.0,
    "active_days": 3.0,
    "recent_days": 1.0,
    "events": 3.0,
    "minutes": 171.0,
    "known_days": 24.0,
    "window_days": 31.0,
}


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        ({"active_days": 1.0, "known_days": 3.0}, "active on 1 of 31 days, typical are 3"),
        ({"known_days": 7.0}, "first and last active day 4 days apart, typical are 21"),
        (
            {"minutes": 170.0, "active_days": 2.99, "known_days": 23.0},
            "first and last active day 20 days apart, typical are 21",
        ),
    ],
)
def test_no_reason_says_of_a_user_what_is_typical(own, reason):
    names = ("active_days", "span_days", "minutes_per_day")
    model = DepartureModel(names, TYPICAL, (0.0,) * 3, (1.0,) * 3, (-1.0, -0.1, -1.0), 0.0)
    row = TYPICAL | own
    assert model.reasons({name: np.array([value]) for name, value in row.items()}) == [reason]
