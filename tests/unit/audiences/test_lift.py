"""What is said of a campaign is what the figures say: a planted effect is found, and none is claimed of nothing."""

import numpy as np
import pytest

from ml.audiences.lift import FEWEST, OUTCOMES, Outcome, lift

MINUTES = Outcome("minutes", "minutes a person")
DEPARTURE = Outcome("departure", "departed", is_share=True)
TRIALS = 300


def minutes(rng: np.random.Generator, people: int, mean: float) -> np.ndarray:
    """Minutes as people have them: many few, some many."""
    return rng.gamma(0.8, mean / 0.8, people)


def test_the_interval_covers_a_planted_effect_as_often_as_it_says():
    rng = np.random.default_rng(0)
    found = [lift(MINUTES, minutes(rng, 1_900, 115), minutes(rng, 100, 100)) for _ in range(TRIALS)]
    covered = np.mean([one.low <= 15 <= one.high for one in found])
    assert covered >= 0.93
    shares = [lift(DEPARTURE, rng.random(1_900) < 0.02, rng.random(100) < 0.06) for _ in range(TRIALS)]
    assert np.mean([one.low <= -0.04 <= one.high for one in shares]) >= 0.93


def test_an_effect_of_the_detectable_size_is_found_in_four_cases_of_five():
    rng = np.random.default_rng(1)
    size = lift(MINUTES, minutes(rng, 5_000, 100), minutes(rng, 5_000, 100)).detectable
    found = [
        lift(MINUTES, minutes(rng, 5_000, 100 + size), minutes(rng, 5_000, 100)).low > 0
        for _ in range(TRIALS)
    ]
    assert 0.72 <= np.mean(found) <= 0.9


def test_of_a_campaign_that_did_nothing_hardly_ever_anything_is_claimed():
    rng = np.random.default_rng(2)

    def claims() -> bool:
        sides = [(minutes(rng, 900, 100), minutes(rng, 100, 100)) for _ in OUTCOMES]
        found = [lift(MINUTES, *side, together=len(OUTCOMES)) for side in sides]
        return not all(one.says.startswith("No effect can be claimed") for one in found)

    assert np.mean([claims() for _ in range(TRIALS)]) <= 0.08


@pytest.mark.parametrize("share", [0, 1])
def test_where_nobody_or_everybody_departed_nothing_is_claimed(share):
    found = lift(DEPARTURE, np.full(200, share), np.full(40, share))
    assert found.low < 0 < found.high
    assert found.difference == 0


def test_what_is_said_names_the_difference_and_its_interval():
    rng = np.random.default_rng(3)
    found = lift(MINUTES, minutes(rng, 4_000, 200), minutes(rng, 4_000, 100))
    assert found.says == (
        f"{found.difference:,.2f} more minutes a person than without it, "
        f"between {found.low:+,.2f} and {found.high:+,.2f}."
    )
    fewer = lift(DEPARTURE, rng.random(4_000) < 0.1, rng.random(4_000) < 0.3)
    assert "fewer percentage points departed than without it" in fewer.says


def test_of_too_few_people_nothing_is_said():
    found = lift(MINUTES, np.ones(500), np.ones(FEWEST - 1))
    assert found.difference is None
    assert found.says == "Nothing can be said: 500 were sent and 29 held out, and 30 of each are needed."


def test_people_who_all_did_the_same_differ_in_nothing():
    found = lift(MINUTES, np.zeros(50), np.zeros(50))
    assert (found.low, found.high) == (0, 0)
    assert found.says.startswith("No effect can be claimed")
