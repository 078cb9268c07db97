"""Choose settings and the weights of the blend on a cut of the training ratings, never on the test's.

Belongs here: the cut, the choice. Does not belong here: which settings there are (`models`), figures for people
(`evaluate`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from ml.recommendation import metrics
from ml.recommendation.blend import Blend, standardized
from ml.recommendation.content import ItemFeatures
from ml.recommendation.interactions import Interactions
from ml.recommendation.models import BLEND_PARTS, BLEND_WEIGHTS, NEAREST, settings
from ml.recommendation.popularity import RecentPopular
from ml.recommendation.ranking import Fitted, Model, best, recommend

MOST_USERS = 2_500
"""Users of the cut, and `MOST_ITEMS` their titles: what seconds allow. Fewer are taken as they are."""

MOST_ITEMS = 8_000
_HELD_OUT_SHARE = 0.2
_LEAST_ERRORS = 2.0
"""What a setting must win over the default: as many standard errors of the users' differences in nDCG@10.

Less is chance, and another cut says otherwise. Over the six cuts of MovieLens' 100,004 ratings on which this was
chosen the blend reaches .3935, and .3916 where any gain above .0005 decides; over four others .3941 and .3938, so
what is sure is that nothing is lost.
"""

_FEWEST_USERS = 10
_K = 10


@dataclass(frozen=True)
class Cut:
    """Training ratings in two: what is learned from and what is held out, same users, same titles.

    Attributes
    ----------
    train : a part of the ratings.
    held_out : (users, items) csr
        The rest of the same users.
    items : (items,) int64
        Columns of the full matrix that the cut's titles are.
    """

    train: Interactions
    held_out: sp.csr_array
    items: np.ndarray

    def ndcg(self, lists: np.ndarray) -> np.ndarray:
        """Return nDCG@10 of the lists of every user of the cut with something held out, (judged,) float64."""
        counts = np.diff(self.held_out.indptr)
        judged = counts > 0
        return metrics.ndcg(metrics.hits(lists, self.held_out)[judged], counts[judged])


def validation_cut(interactions: Interactions, *, rng: np.random.Generator) -> Cut:
    """Hold out a fifth of each user's ratings, of at most `MOST_USERS` users and the `MOST_ITEMS` most rated titles.

    Parameters
    ----------
    interactions
        All the ratings there are to learn from.
    rng
        Draws the users and what is held out.
    """
    users, items = interactions.ratings.shape
    chosen = np.sort(rng.choice(users, MOST_USERS, replace=False)) if users > MOST_USERS else np.arange(users)
    columns = np.sort(np.argsort(-interactions.popularity, kind="stable")[:MOST_ITEMS])
    ages = None
    numbered = sp.csr_array(
        (
            np.arange(1, interactions.ratings.nnz + 1),
            interactions.ratings.indices,
            interactions.ratings.indptr,
        ),
        shape=(users, items),
    )[chosen][:, columns]
    numbered.sort_indices()
    counts = np.diff(numbered.indptr)
    row = np.repeat(np.arange(len(chosen)), counts)
    order = np.lexsort((rng.random(len(row)), row))
    place = np.empty(len(row), dtype=np.int64)
    place[order] = np.arange(len(row)) - np.repeat(numbered.indptr[:-1], counts)
    out = place < np.round(counts * _HELD_OUT_SHARE)[row]
    picked = numbered.data - 1
    if interactions.days is not None:
        ages = interactions.days[picked[~out]]
    ratings = interactions.ratings.data[picked]
    train = replace(
        interactions,
        ratings=_part(ratings, numbered, row, ~out),
        days=ages,
        users=interactions.users[chosen],
        items=interactions.items[columns],
    )
    return Cut(train, _part(ratings, numbered, row, out), columns)


class Tuner:
    """Chooses settings of models on one cut of the ratings; what two models share is tried once.

    Parameters
    ----------
    interactions
        The training ratings.
    features
        What is said about the same titles, where known.
    rng
        Draws the cut and what models draw. What is chosen for one model does not depend on which others are asked
        for.
    """

    def __init__(
        self, interactions: Interactions, *, features: ItemFeatures | None = None, rng: np.random.Generator
    ) -> None:
        self._features = features
        self._cut_seed, self._fit_seed = (int(seed) for seed in rng.integers(2**63, size=2))
        self._interactions = interactions
        self._chosen: dict[tuple[str, int], tuple[Model, Fitted]] = {}

    def model(self, name: str) -> Model:
        """Return a model, untrained, with the settings that rank best on the cut.

        Raises
        ------
        RecommendationError
            When there is no such model, or its features are missing.
        """
        if name == "blend":
            return self._blend()
        tried = settings(name, self._features)
        return tried[0] if len(tried) == 1 else self._choose(name, tried)[0]

    @cached_property
    def _cut(self) -> Cut:
        return validation_cut(self._interactions, rng=np.random.default_rng(self._cut_seed))

    def _blend(self) -> Blend:
        names = [part for part in BLEND_PARTS if part != "content" or self._features is not None]
        near = self._features.of(self._cut.items) if self._features is not None else None
        parts: list[Model] = []
        scores: list[np.ndarray] = []
        for part in names:
            model, fitted = self._choose(part, (NEAREST,) if part == "cosine" else settings(part, near))
            parts.append(settings(part, self._features)[0] if part == "content" else model)
            seen = self._cut.train.ratings
            scores.append(standardized(fitted.scores(seen), seen))
        return Blend(tuple(parts), _weigh(names, scores, self._cut), RecentPopular())

    def _choose(self, name: str, tried: Sequence[Model]) -> tuple[Model, Fitted]:
        """Return the best of the settings and its fit on the cut: the first, unless another is clearly better."""
        key = (name, len(tried))
        if key not in self._chosen:
            # The same draws for each, so that settings differ in nothing else.
            fits = [model.fit(self._cut.train, rng=np.random.default_rng(self._fit_seed)) for model in tried]
            seen = self._cut.train.ratings
            found = [self._cut.ndcg(recommend(fit, seen, _K).items) for fit in fits]
            winner = int(np.argmax([ndcg.sum() for ndcg in found]))
            if not _wins(found[winner], found[0]):
                winner = 0
            self._chosen[key] = tried[winner], fits[winner]
        return self._chosen[key]


def tuned(
    name: str,
    interactions: Interactions,
    *,
    features: ItemFeatures | None = None,
    rng: np.random.Generator,
) -> Model:
    """Return a model with the settings that rank best on a cut of the training ratings; see `Tuner`.

    Parameters
    ----------
    name
        One of `models.MODEL_NAMES`.
    interactions
        The training ratings.
    features
        What is said about the same titles, where known.
    rng
        Draws the cut and what models draw.

    Raises
    ------
    RecommendationError
        When there is no such model, or its features are missing.
    """
    return Tuner(interactions, features=features, rng=rng).model(name)


def _weigh(names: Sequence[str], scores: Sequence[np.ndarray], cut: Cut) -> tuple[float, ...]:
    """Return the weights that rank best, found one part after the other, twice."""
    chosen = [BLEND_WEIGHTS[name][0] for name in names]

    def judge(weights: Sequence[float]) -> np.ndarray:
        total = sum(np.float32(w) * part for w, part in zip(weights, scores, strict=True))
        return cut.ndcg(best(np.asarray(total), cut.train.ratings, _K).items)

    reached = judge(chosen)
    for _ in range(2):
        for place, name in enumerate(names):
            for weight in BLEND_WEIGHTS[name]:
                tried = [*chosen[:place], weight, *chosen[place + 1 :]]
                if tried != chosen and _wins(value := judge(tried), reached):
                    chosen, reached = tried, value
    return tuple(chosen)


def _wins(ndcg: np.ndarray, over: np.ndarray) -> bool:
    """Return whether one setting ranks better than another by more than chance, of the same users."""
    if len(ndcg) < _FEWEST_USERS:
        return False
    gain = ndcg - over
    return bool(gain.mean() > _LEAST_ERRORS * gain.std(ddof=1) / np.sqrt(len(gain)))


def _part(ratings: np.ndarray, numbered: sp.csr_array, row: np.ndarray, taken: np.ndarray) -> sp.csr_array:
    counts = np.bincount(row[taken], minlength=numbered.shape[0])
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return sp.csr_array((ratings[taken], numbered.indices[taken], indptr), shape=numbered.shape)
