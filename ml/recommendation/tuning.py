"""Choose settings and the weights of the blend on cuts of the training ratings, never on the test's.

Taste is chosen on a cut at random of each user's ratings, of which there are many; what is of late on cuts in time,
where what is held out is newer than all that is learned from.

Belongs here: the cuts, the choice. Does not belong here: which settings there are (`models`), figures for people
(`evaluate`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import scipy.sparse as sp

from ml.recommendation import metrics
from ml.recommendation.blend import Blend, standardized
from ml.recommendation.content import ItemFeatures
from ml.recommendation.interactions import Interactions
from ml.recommendation.models import BLEND_PARTS, BLEND_WEIGHTS, NEAREST, TREND_WEIGHTS, settings
from ml.recommendation.popularity import HALF_LIVES, RecentPopular, Trend
from ml.recommendation.ranking import Fitted, Model, best, recommend, row_numbers

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

_AGES = (0.4, 0.3, 0.2, 0.1, 0.0)
"""Quantiles of the ratings' ages at which time is cut: each cut holds out the tenth of the ratings that comes next."""


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
    users = interactions.ratings.shape[0]
    chosen = np.sort(rng.choice(users, MOST_USERS, replace=False)) if users > MOST_USERS else np.arange(users)
    columns = _most_rated(interactions.popularity)
    whole = _of(interactions, chosen, columns)
    counts = np.diff(whole.ratings.indptr)
    row = row_numbers(whole.ratings)
    order = np.lexsort((rng.random(len(row)), row))
    place = np.empty(len(row), dtype=np.int64)
    place[order] = np.arange(len(row)) - np.repeat(whole.ratings.indptr[:-1], counts)
    out = place < np.round(counts * _HELD_OUT_SHARE)[row]
    return Cut(_part(whole, ~out), _part(whole, out).ratings, columns)


@dataclass(frozen=True)
class LaterCut(Cut):
    """A cut in time: what is held out is newer than all that is learned from.

    Attributes
    ----------
    everybody : what is learned from, of all users: whose popularity counts.
    """

    everybody: Interactions

    def of_known(self) -> Cut:
        """Return the cut of those users alone who had rated before and rate next."""
        known = np.flatnonzero((np.diff(self.train.ratings.indptr) > 0) & (np.diff(self.held_out.indptr) > 0))
        return Cut(_of(self.train, known, np.arange(len(self.items))), self.held_out[known], self.items)


def later_cuts(interactions: Interactions, *, rng: np.random.Generator) -> list[LaterCut]:
    """Cut time at several moments, and hold out what comes next of at most `MOST_USERS` users.

    Parameters
    ----------
    interactions
        All the ratings there are to learn from.
    rng
        Draws the users, from those who rate next as long as there are any.

    Returns
    -------
    One cut a moment, the oldest first; none without timestamps, or where all are of one moment.
    """
    if interactions.days is None:
        return []
    edges = np.quantile(interactions.days, _AGES, method="lower")
    found = (_later_cut(interactions, oldest, newest, rng) for oldest, newest in pairwise(edges))
    return [cut for cut in found if cut is not None]


def _later_cut(
    interactions: Interactions, oldest: float, newest: float, rng: np.random.Generator
) -> LaterCut | None:
    """Learn from ratings older than `oldest` days, hold out those from there down to `newest` days."""
    days = np.asarray(interactions.days)
    before, after = days > oldest, (days <= oldest) & (days >= newest)
    if not before.any() or not after.any():
        return None
    older, later = _part(interactions, before), _part(interactions, after)
    items = _most_rated(older.popularity)
    everybody = _of(older, np.arange(len(older.users)), items)
    is_next = np.diff(later.ratings.indptr) > 0
    users = np.sort(np.lexsort((rng.random(len(is_next)), ~is_next))[:MOST_USERS])
    train = _of(everybody, users, np.arange(len(items)))
    return LaterCut(train, _of(later, users, items).ratings, items, everybody)


def _most_rated(popularity: np.ndarray) -> np.ndarray:
    return np.sort(np.argsort(-popularity, kind="stable")[:MOST_ITEMS])


def _of(interactions: Interactions, users: np.ndarray, items: np.ndarray) -> Interactions:
    """Return the ratings of some users for some titles, both ascending, each with its age."""
    ratings = interactions.ratings
    numbers = np.arange(1, ratings.nnz + 1)
    numbered = sp.csr_array((numbers, ratings.indices, ratings.indptr), shape=ratings.shape)[users][:, items]
    numbered.sort_indices()
    picked = numbered.data - 1
    return replace(
        interactions,
        ratings=sp.csr_array((ratings.data[picked], numbered.indices, numbered.indptr), shape=numbered.shape),
        days=None if interactions.days is None else interactions.days[picked],
        users=interactions.users[users],
        items=interactions.items[items],
    )


def _part(interactions: Interactions, taken: np.ndarray) -> Interactions:
    """Return some of the ratings, of the same users and titles."""
    ratings = interactions.ratings
    counts = np.bincount(row_numbers(ratings)[taken], minlength=ratings.shape[0])
    indptr = np.concatenate([[0], np.cumsum(counts)])
    days = None if interactions.days is None else interactions.days[taken]
    return replace(
        interactions,
        ratings=sp.csr_array((ratings.data[taken], ratings.indices[taken], indptr), shape=ratings.shape),
        days=days if days is None or not len(days) else days - days.min(),
    )


class Tuner:
    """Chooses settings of models on cuts of the ratings; what two models share is tried once.

    Parameters
    ----------
    interactions
        The training ratings.
    features
        What is said about the same titles, where known.
    ahead
        Whether the model is for what comes after the training ratings, as every night's is: then a blend is told what
        is on the rise, by as much as cuts in time allow.
    taste
        Whether a blend's settings of taste are chosen; the default ones otherwise, which takes no cut.
    rng
        Draws the cuts and what models draw. What is chosen for one model does not depend on which others are asked
        for.
    """

    def __init__(
        self,
        interactions: Interactions,
        *,
        features: ItemFeatures | None = None,
        ahead: bool = False,
        taste: bool = True,
        rng: np.random.Generator,
    ) -> None:
        self._features = features
        self._ahead = ahead
        self._taste = taste
        self._cut_seed, self._fit_seed, self._later_seed = (int(seed) for seed in rng.integers(2**63, size=3))
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
        if name == "recent_popular":
            return self._recent
        tried = settings(name, self._features)
        return tried[0] if len(tried) == 1 else self._choose(name, tried)[0]

    @cached_property
    def _cut(self) -> Cut:
        return validation_cut(self._interactions, rng=np.random.default_rng(self._cut_seed))

    @cached_property
    def _later(self) -> list[LaterCut]:
        return later_cuts(self._interactions, rng=np.random.default_rng(self._later_seed))

    @cached_property
    def _recent(self) -> RecentPopular:
        """The half-life that ranks best over all cuts in time."""
        tried = [RecentPopular(half_life) for half_life in HALF_LIVES]
        if not self._later:
            return tried[0]
        return tried[_first_or_better([self._ndcg_of_all(model) for model in tried])]

    def _ndcg_of_all(self, model: Model) -> np.ndarray:
        rng = np.random.default_rng(self._fit_seed)
        return np.concatenate(
            [
                cut.ndcg(recommend(model.fit(cut.everybody, rng=rng), cut.train.ratings, _K).items)
                for cut in self._later
            ]
        )

    def _blend(self) -> Blend:
        names = [part for part in BLEND_PARTS if part != "content" or self._features is not None]
        if not self._taste:
            plain = [_tried_in_blend(name, self._features)[0] for name in names]
            default = tuple(BLEND_WEIGHTS[name][0] for name in names)
            return self._for_what_comes_next(Blend(tuple(plain), default, self._recent))
        near = self._features.of(self._cut.items) if self._features is not None else None
        parts: list[Model] = []
        scores: list[np.ndarray] = []
        for part in names:
            model, fitted = self._choose(part, _tried_in_blend(part, near))
            parts.append(settings(part, self._features)[0] if part == "content" else model)
            seen = self._cut.train.ratings
            scores.append(standardized(fitted.scores(seen), seen))
        weights = _weigh([BLEND_WEIGHTS[name] for name in names], scores, self._cut)
        return self._for_what_comes_next(Blend(tuple(parts), weights, self._recent))

    def _for_what_comes_next(self, blend: Blend) -> Blend:
        return self._with_trend(blend) if self._ahead and self._later else blend

    def _with_trend(self, blend: Blend) -> Blend:
        """Return the blend with what is on the rise, weighed on those of the cuts in time who had rated before."""
        trend = Trend(self._recent.half_life_days)
        found: list[list[np.ndarray]] = []
        for cut in self._later:
            known = cut.of_known()
            seen = known.train.ratings
            if not seen.nnz:
                continue  # nobody who rates next had rated before
            near = self._features.of(cut.items) if self._features is not None else None
            taste = blend.of(near).fit(cut.train, rng=np.random.default_rng(self._fit_seed)).scores(seen)
            rise = np.tile(
                trend.fit(cut.everybody, rng=np.random.default_rng()).popularity, (seen.shape[0], 1)
            )
            standardized(rise, seen)
            found.append(
                [known.ndcg(best(taste + np.float32(w) * rise, seen, _K).items) for w in TREND_WEIGHTS]
            )
        if not found:
            return blend
        weight = TREND_WEIGHTS[_first_or_better([np.concatenate(ndcg) for ndcg in zip(*found, strict=True)])]
        return replace(blend, parts=(*blend.parts, trend), weights=(*blend.weights, weight))

    def _choose(self, name: str, tried: Sequence[Model]) -> tuple[Model, Fitted]:
        """Return the best of the settings and its fit on the cut: the first, unless another is clearly better."""
        key = (name, len(tried))
        if key not in self._chosen:
            # The same draws for each, so that settings differ in nothing else.
            fits = [model.fit(self._cut.train, rng=np.random.default_rng(self._fit_seed)) for model in tried]
            seen = self._cut.train.ratings
            winner = _first_or_better([self._cut.ndcg(recommend(fit, seen, _K).items) for fit in fits])
            self._chosen[key] = tried[winner], fits[winner]
        return self._chosen[key]


def tuned(
    name: str,
    interactions: Interactions,
    *,
    features: ItemFeatures | None = None,
    ahead: bool = False,
    rng: np.random.Generator,
) -> Model:
    """Return a model with the settings that rank best on cuts of the training ratings; see `Tuner`.

    Parameters
    ----------
    name
        One of `models.MODEL_NAMES`.
    interactions
        The training ratings.
    features
        What is said about the same titles, where known.
    ahead
        Whether it is for what comes after them.
    rng
        Draws the cuts and what models draw.

    Raises
    ------
    RecommendationError
        When there is no such model, or its features are missing.
    """
    return Tuner(interactions, features=features, ahead=ahead, rng=rng).model(name)


def _tried_in_blend(name: str, features: ItemFeatures | None) -> tuple[Model, ...]:
    return (NEAREST,) if name == "cosine" else settings(name, features)


def _weigh(tried: Sequence[Sequence[float]], scores: Sequence[np.ndarray], cut: Cut) -> tuple[float, ...]:
    """Return the weights that rank best, found one part after the other, twice; the first tried are the default."""
    chosen = [weights[0] for weights in tried]

    def judge(weights: Sequence[float]) -> np.ndarray:
        total = sum(np.float32(w) * part for w, part in zip(weights, scores, strict=True))
        return cut.ndcg(best(np.asarray(total), cut.train.ratings, _K).items)

    reached = judge(chosen)
    for _ in range(2):
        for place, weights in enumerate(tried):
            for weight in weights:
                other = [*chosen[:place], weight, *chosen[place + 1 :]]
                if other != chosen and _wins(value := judge(other), reached):
                    chosen, reached = other, value
    return tuple(chosen)


def _first_or_better(found: Sequence[np.ndarray]) -> int:
    """Return which setting ranks best on the whole, of each user's nDCG; the first where it is not clearly better."""
    winner = int(np.argmax([ndcg.sum() for ndcg in found]))
    return winner if _wins(found[winner], found[0]) else 0


def _wins(ndcg: np.ndarray, over: np.ndarray) -> bool:
    """Return whether one setting ranks better than another by more than chance, of the same users."""
    if len(ndcg) < _FEWEST_USERS:
        return False
    gain = ndcg - over
    return bool(gain.mean() > _LEAST_ERRORS * gain.std(ddof=1) / np.sqrt(len(gain)))
