"""What most people watch, ever or of late: the baselines that every model stands beside.

Belongs here: the two popularity models. Does not belong here: anything personal.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ml.recommendation.interactions import Interactions
from ml.recommendation.ranking import Fitted, Scorer, of


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

    half_life_days: float = 90.0

    def fit(self, interactions: Interactions, *, rng: np.random.Generator) -> FittedPopularity:  # noqa: ARG002
        """Count the users of each title, each rating by its age."""
        if interactions.days is None:
            return FittedPopularity(interactions.popularity)
        decay = np.exp2(-interactions.days / self.half_life_days)
        counts = np.bincount(interactions.ratings.indices, decay, minlength=len(interactions.items))
        return FittedPopularity(counts.astype(np.float32))
