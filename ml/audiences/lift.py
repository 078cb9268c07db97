"""What came of sending an audience: who was sent beside who was held out, as far as the figures say.

Belongs here: the difference of two groups that chance divided, its interval, what could have been found, and the
sentence. Does not belong here: who is in which group, what they did.

Intervals hold together: of an audience whose campaign did nothing, all outcomes say so in 19 cases of 20. That of a
share is Agresti's and Caffo's, which stays honest where nobody or everybody did it; any other is Welch's.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE, POWER = 0.95, 0.8
FEWEST = 30
"""Of fewer people on a side nothing is said: a mean of few who do much and many who do little is no normal one."""


@dataclass(frozen=True)
class Outcome:
    """Something that people do, or that becomes of them.

    Attributes
    ----------
    name : of the outcome.
    unit : what a person has of it, in words.
    is_share : whether it is true or false of each person.
    """

    name: str
    unit: str
    is_share: bool = False


OUTCOMES = (
    Outcome("views", "views a person"),
    Outcome("minutes", "minutes a person"),
    Outcome("ratings", "ratings a person"),
    Outcome("departure", "departed", is_share=True),
)


@dataclass(frozen=True)
class Lift:
    """One outcome of one audience.

    Attributes
    ----------
    treated, held_out : people on each side.
    mean_treated, mean_held_out, difference : of the outcome; None where nobody is on a side, or too few.
    low, high : ends of the interval of the difference.
    detectable : the difference that would be found in four cases of five.
    says : what may be said, in a sentence.
    """

    treated: int
    held_out: int
    mean_treated: float | None
    mean_held_out: float | None
    difference: float | None
    low: float | None
    high: float | None
    detectable: float | None
    says: str


def lift(outcome: Outcome, treated: np.ndarray, held_out: np.ndarray, *, together: int = 1) -> Lift:
    """Compare what people did who were sent with what people did who were held out.

    Parameters
    ----------
    outcome
        What is compared.
    treated, held_out
        A value for each person.
    together
        How many outcomes of the audience are looked at, so that their intervals hold together.
    """
    counts = len(treated), len(held_out)
    if min(counts) < FEWEST:
        there = f"{counts[0]:,} were sent and {counts[1]:,} held out"
        says = f"Nothing can be said: {there}, and {FEWEST} of each are needed."
        return Lift(*counts, None, None, None, None, None, None, says)
    means = float(np.mean(treated)), float(np.mean(held_out))
    difference = means[0] - means[1]
    sides = [_with_one_of_each(side) if outcome.is_share else side for side in (treated, held_out)]
    middle = float(np.mean(sides[0]) - np.mean(sides[1]))
    errors = [float(np.var(side, ddof=0 if outcome.is_share else 1)) / len(side) for side in sides]
    error = sum(errors) ** 0.5
    of_each = [part**2 / (len(side) - 1) for part, side in zip(errors, sides, strict=True)]
    freedom = sum(errors) ** 2 / sum(of_each) if error else float(min(counts) - 1)
    reach = float(stats.t.ppf(1 - (1 - CONFIDENCE) / 2 / together, freedom))
    low, high = middle - reach * error, middle + reach * error
    detectable = (reach + float(stats.t.ppf(POWER, freedom))) * error
    return Lift(
        *counts, *means, difference, low, high, detectable, _says(outcome, difference, low, high, detectable)
    )


def _with_one_of_each(side: np.ndarray) -> np.ndarray:
    return np.concatenate([np.asarray(side, dtype=float), [0.0, 1.0]])


def _says(outcome: Outcome, difference: float, low: float, high: float, detectable: float) -> str:
    unit = f"percentage points {outcome.unit}" if outcome.is_share else outcome.unit
    scale = 100 if outcome.is_share else 1
    found, least, most, size = (value * scale for value in (difference, low, high, detectable))
    if low <= 0 <= high:
        return (
            f"No effect can be claimed: the difference lies between {least:+,.2f} and {most:+,.2f} {unit}, and one of "
            f"{size:,.2f} would have been found in four cases of five."
        )
    way = "more" if difference > 0 else "fewer"
    return f"{abs(found):,.2f} {way} {unit} than without it, between {least:+,.2f} and {most:+,.2f}."
