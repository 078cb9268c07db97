"""What most people watch, ever or of late: the baselines that every model stands beside; what is on the rise, or rare.

Belongs here: models that say the same to everybody. Does not belong here: anything personal, choosing a half-life
(`tuning`).
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ml.recommendation.interactions import Interactions
from ml.recommendation.ranking import Fitted, Scorer, of

HALF_LIVES = (365.0, 7.0, 14.0, 30.0, 60.0, 90.0, 180.0, 730.0)
"""Days after which a rating counts half: those that are tried, the default first."""

_PRIOR = 0.1


@dataclass(frozen=True)
class FittedPopularity(Fitted):
    """The same score for everybody.

    Attributes
    ----------
    popularity : (items,) float32
    """

    popularity: np.ndarray

    def scorer(self, columns: np.ndarray | None = None) -> Scorer:
        """Return what gives popularity to each row."""
        popularity = of(self.popularity, columns)
        return lambda rows: np.tile(popularity, (rows.shape[0], 1))

    def contributions(self, rows: sp.csr_array, items: np.ndarray) -> None:  # noqa: ARG002
        """Return None: nothing that the user has seen matters."""
        return


@dataclass(frozen=True)
class Popular:
    """Titles by the number of users who rated them."""

    def fit(self, interactions: Interactions, *, rng: np.random.Generator) -> FittedPopularity:  # noqa: ARG002
        """Count the users of each title."""
        return FittedPopularity(interactions.popularity)


@dataclass(frozen=True)
class RecentPopular:
    """Titles by the number of users who rated them, where a rating's weight halves with age.

    Without timestamps every rating is as recent as every other, and this is `Popular`.

    Attributes
    ----------
    half_life_days : days before the newest rating at which a rating counts half.
    """

    half_life_days: float = HALF_LIVES[0]

    def fit(self, interactions: Interactions, *, rng: np.random.Generator) -> FittedPopularity:  # noqa: ARG002
        """Count the users of each title, each rating by its age."""
        return FittedPopularity(_recent(interactions, self.half_life_days))


@dataclass(frozen=True)
class Trend:
    """Titles by how much of their popularity is of late: log (recent + a) / (all + b), a and b a tenth of the means.

    What a title has of late is counted as `RecentPopular` does. Beside models that know taste, and with it popularity,
    it says what changes. Without timestamps it says nothing.

    Attributes
    ----------
    half_life_days : days before the newest rating at which a rating counts half.
    """

    half_life_days: float = HALF_LIVES[0]

    def fit(self, interactions: Interactions, *, rng: np.random.Generator) -> FittedPopularity:  # noqa: ARG002
        """Compare what each title has of late with all it has."""
        recent, popularity = _recent(interactions, self.half_life_days), interactions.popularity
        rise = np.log(recent + _PRIOR * recent.mean()) - np.log(popularity + _PRIOR * popularity.mean())
        return FittedPopularity(rise)


@dataclass(frozen=True)
class Rare:
    """Titles by how few users rated them: −log (users + a), a a tenth of the mean, so that 0 and 1 are much alike."""

    def fit(self, interactions: Interactions, *, rng: np.random.Generator) -> FittedPopularity:  # noqa: ARG002
        """Count the users of each title."""
        popularity = interactions.popularity
        return FittedPopularity(-np.log(popularity + _PRIOR * popularity.mean()))


def _recent(interactions: Interactions, half_life_days: float) -> np.ndarray:
    """Return how many users rated each title, each rating weighed by its age, (items,) float32."""
    if interactions.days is None:
        return interactions.popularity
    decay = np.exp2(-interactions.days / half_life_days)
    counts = np.bincount(interactions.ratings.indices, decay, minlength=len(interactions.items))
    return counts.astype(np.float32)
