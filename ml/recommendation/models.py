"""The recommenders by name: what each is made of and which settings are tried for it.

Belongs here: names, defaults, alternatives. Does not belong here: the models themselves, choosing (`tuning`).
"""

from dataclasses import dataclass

from ml.recommendation.als import Als
from ml.recommendation.content import Content, ItemFeatures
from ml.recommendation.ease import Ease
from ml.recommendation.errors import RecommendationError
from ml.recommendation.neighbours import Neighbours
from ml.recommendation.popularity import HALF_LIVES, Popular, RecentPopular
from ml.recommendation.ranking import Model

DEFAULT_MODEL = "blend"

BASELINES = ("popular", "recent_popular")
"""Every figure of a model stands beside these."""

NEEDS_FEATURES = ("content",)

MODEL_NAMES = ("blend", "ease", "als", "cosine", "content", *BASELINES)

BLEND_PARTS = ("ease", "als", "cosine", "content", "popular")
"""The first gives the reasons; content takes part where something is said about titles."""

BLEND_WEIGHTS = {
    "ease": (1.0, 0.0),
    "als": (1.5, 0.0, 0.5, 1.0, 2.0),
    "cosine": (0.4, 0.0, 0.2),
    "content": (2.0, 0.0, 0.5, 1.0),
    "popular": (0.0, 0.5, 1.0, 2.0),
}
"""Weights tried for each part, the default first.

nDCG@10 on a quarter of each user's of MovieLens' 100,004 ratings, mean of six cuts: .3935 with these and without
content; with content at 1, 1.5, 2: .3981, .3991, .4004. On four others, not looked at before, content at 2 and the
choice by two standard errors reach .4027, content at 1 and a choice by any gain .3981. Tried on three of the cuts
and left out, because none won .002: ALS with 256 factors, or two of different draws; EASE with columns scaled by
popularity to the power .2, or with λ at 400; user neighbours (80 and 150); RP3β; what was popular when the user
rated; ranks by boosted trees or logistic regression over most of these (.382 and .392, where the sum has .397).
"""

TREND_WEIGHTS = (1.0, 0.0, 0.5, 1.5)
"""Weights tried for what is on the rise, the default first, where a blend is for what comes next."""

NEAREST = Neighbours(neighbours=20, shrinkage=5.0)
"""The cosine part of a blend: beside models of everybody's taste, the few titles nearest to one that was seen."""


@dataclass(frozen=True)
class Ladder:
    """Settings of one model in an order in which neighbours are alike.

    Attributes
    ----------
    steps : settings.
    start : place of the default.
    """

    steps: tuple[Model, ...]
    start: int = 0

    @property
    def default(self) -> Model:
        """The setting that stays unless another is better."""
        return self.steps[self.start]


def settings(name: str, features: ItemFeatures | None = None) -> Ladder:
    """Return the settings that are tried for a model that is not a blend.

    Parameters
    ----------
    name
        One of `MODEL_NAMES` but `blend`.
    features
        What is said about titles; `content` needs it.

    Raises
    ------
    RecommendationError
        When there is no such model, or its features are missing.
    """
    if name == "content":
        if features is None:
            msg = "the model `content` needs what is said about titles: genres, tags, people or an overview"
            raise RecommendationError(msg)
        return Ladder((Content(features),))
    known: dict[str, Ladder] = {
        "popular": Ladder((Popular(),)),
        "recent_popular": Ladder(tuple(RecentPopular(half_life) for half_life in HALF_LIVES)),
        "cosine": Ladder(
            tuple(Neighbours(n, s) for n, s in ((20, 10.0), (50, 10.0), (50, 30.0), (100, 30.0))), 1
        ),
        "ease": Ladder(
            tuple(Ease(regularization) for regularization in (50.0, 100.0, 200.0, 400.0, 800.0)), 2
        ),
        "als": Ladder(
            tuple(
                Als(factors, regularization, confidence)
                for factors, regularization, confidence in (
                    (32, 5.0, 5.0),
                    (64, 20.0, 3.0),
                    (64, 40.0, 5.0),
                    (128, 40.0, 5.0),
                    (128, 100.0, 5.0),
                )
            ),
            3,
        ),
    }
    if name not in known:
        msg = f"no model {name!r}; there are: {', '.join(MODEL_NAMES)}"
        raise RecommendationError(msg)
    return known[name]
