"""Choose settings and the weights of the blend on cuts of the training ratings, never on the test's.

Taste is chosen on a cut at random of each user's ratings, of which there are many; what is of late on cuts in time,
where what is held out is newer than all that is learned from.

Belongs here: the cuts, the choice. Does not belong here: which settings there are (`models`), figures for people
(`evaluate`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise

import numpy as np
import scipy.sparse as sp

from ml.recommendation import metrics
from ml.recommendation.blend import Blend, standardized
from ml.recommendation.content import ItemFeatures
from ml.recommendation.interactions import Interactions
from ml.recommendation.models import BLEND_PARTS, BLEND_WEIGHTS, NEAREST, TREND_WEIGHTS, Ladder, settings
from ml.recommendation.popularity import HALF_LIVES, RecentPopular, Trend
from ml.recommendation.ranking import Fitted, Model, best, best_of_one_order, recommend, row_numbers

MOST_JUDGED = 2_500
"""Users of a cut whose ratings are held out in part; fewer are taken as they are."""

MOST_USERS = 10_000
"""Users that a cut at random learns from: of few users EASE and popularity look weaker than they are of many."""

MOST_ITEMS = 4_000
"""Most rated titles of a cut: EASE takes a second for so many, and eight for twice as many."""

_HELD_OUT_SHARE = 0.2
_LEAST_ERRORS = 1.645
"""What a setting must win over another: as many standard errors of the users' differences in nDCG@10.

The one-sided 95 % interval of the gain lies above 0 then. Less is chance, and another cut says otherwise.
"""

_FEWEST_USERS = 10
_K = 10

_AGES = (0.4, 0.3, 0.2, 0.1, 0.0)
"""Quantiles of the ratings' ages at which time is cut: each cut holds out the tenth of the ratings that comes next."""

_TREND_CUTS = 2
"""The newest of them, on which the trend is weighed: each trains the parts of the blend."""


@dataclass(frozen=True)
class Cut:
    """Training ratings in two: what is learned from and what is held out of some users' ratings, same titles.

    Attributes
    ----------
    train : what is learned from of the users whose lists are judged.
    held_out : (users, items) csr
        The rest of the same users.
    items : (items,) int64
        Columns of the full matrix that the cut's titles are.
    everybody : what is learned from, of all users.
    """

    train: Interactions
    held_out: sp.csr_array
    items: np.ndarray
    everybody: Interactions

    def ndcg(self, lists: np.ndarray) -> np.ndarray:
        """Return nDCG@10 of the lists of every user of the cut with something held out, (judged,) float64."""
        counts = np.diff(self.held_out.indptr)
        judged = counts > 0
        return metrics.ndcg(metrics.hits(lists, self.held_out)[judged], counts[judged])

    def of_known(self) -> "Cut":
        """Return the cut of those users alone who had rated before and rate next."""
        known = np.flatnonzero((np.diff(self.train.ratings.indptr) > 0) & (np.diff(self.held_out.indptr) > 0))
        train = _of(self.train, known, np.arange(len(self.items)))
        return replace(self, train=train, held_out=self.held_out[known])


def validation_cut(interactions: Interactions, *, rng: np.random.Generator) -> Cut:
    """Hold out a fifth of each user's ratings, of at most `MOST_JUDGED` users and the `MOST_ITEMS` most rated titles.

    What they keep is learned from, and all ratings of others, of at most `MOST_USERS` users in all.

    Parameters
    ----------
    interactions
        All the ratings there are to learn from.
    rng
        Draws the users and what is held out.
    """
    users = interactions.ratings.shape[0]
    drawn = rng.permutation(users)[:MOST_USERS]
    chosen = np.sort(drawn)
    columns = _most_rated(interactions.popularity)
    whole = _of(interactions, chosen, columns)
    rows = np.searchsorted(chosen, np.sort(drawn[:MOST_JUDGED]))
    counts = np.diff(whole.ratings.indptr)
    row = row_numbers(whole.ratings)
    order = np.lexsort((rng.random(len(row)), row))
    place = np.empty(len(row), dtype=np.int64)
    place[order] = np.arange(len(row)) - np.repeat(whole.ratings.indptr[:-1], counts)
    shares = np.zeros(len(counts))
    shares[rows] = _HELD_OUT_SHARE
    out = place < np.round(counts * shares)[row]
    everybody, all_items = _part(whole, ~out), np.arange(len(columns))
    return Cut(_of(everybody, rows, all_items), _part(whole, out).ratings[rows], columns, everybody)


def later_cuts(interactions: Interactions, *, rng: np.random.Generator) -> list[Cut]:
    """Cut time at several moments, and hold out what comes next of at most `MOST_JUDGED` users.

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
) -> Cut | None:
    """Learn from ratings older than `oldest` days, hold out those from there down to `newest` days."""
    days = np.asarray(interactions.days)
    before, after = days > oldest, (days <= oldest) & (days >= newest)
    if not before.any() or not after.any():
        return None
    older, later = _part(interactions, before), _part(interactions, after)
    items = _most_rated(older.popularity)
    everybody = _of(older, np.arange(len(older.users)), items)
    is_next = np.diff(later.ratings.indptr) > 0
    users = np.sort(np.lexsort((rng.random(len(is_next)), ~is_next))[:MOST_JUDGED])
    train = _of(everybody, users, np.arange(len(items)))
    return Cut(train, _of(later, users, items).ratings, items, everybody)


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
        return tried.default if len(tried.steps) == 1 else self._choose(name, tried)[0]

    @cached_property
    def _cut(self) -> Cut:
        return validation_cut(self._interactions, rng=np.random.default_rng(self._cut_seed))

    @cached_property
    def _later(self) -> list[Cut]:
        return later_cuts(self._interactions, rng=np.random.default_rng(self._later_seed))

    @cached_property
    def _recent(self) -> RecentPopular:
        """The half-life that ranks best over all cuts in time."""
        tried = [RecentPopular(half_life) for half_life in HALF_LIVES]
        if not self._later:
            return tried[0]
        return tried[_first_or_better([self._ndcg_of_all(model) for model in tried])]

    def _ndcg_of_all(self, model: RecentPopular) -> np.ndarray:
        rng = np.random.default_rng(self._fit_seed)
        return np.concatenate(
            [
                cut.ndcg(
                    best_of_one_order(model.fit(cut.everybody, rng=rng).popularity, cut.train.ratings, _K)
                )
                for cut in self._later
            ]
        )

    def _blend(self) -> Blend:
        names = [part for part in BLEND_PARTS if part != "content" or self._features is not None]
        if not self._taste:
            plain = [_tried_in_blend(name, self._features).default for name in names]
            default = tuple(BLEND_WEIGHTS[name][0] for name in names)
            return self._for_what_comes_next(Blend(tuple(plain), default, self._recent))
        near = self._features.of(self._cut.items) if self._features is not None else None
        seen = self._cut.train.ratings
        parts: list[Model] = []
        scores: list[np.ndarray] = []
        for part in names:
            model, fitted = self._choose(part, _tried_in_blend(part, near))
            parts.append(settings(part, self._features).default if part == "content" else model)
            scores.append(standardized(fitted.scores(seen), seen))
        weights = _weigh([BLEND_WEIGHTS[name] for name in names], scores, self._cut)
        return self._for_what_comes_next(Blend(tuple(parts), weights, self._recent))

    def _for_what_comes_next(self, blend: Blend) -> Blend:
        return self._with_what_is_of_late(blend) if self._ahead and self._later else blend

    def _with_what_is_of_late(self, blend: Blend) -> Blend:
        """Return the blend with what is on the rise, or what is popular of late in the place of taste.

        Weighed on those users of the cuts in time who had rated before.
        """
        trend = Trend(self._recent.half_life_days)
        found: list[list[np.ndarray]] = []
        for cut in self._later[-_TREND_CUTS:]:
            known = cut.of_known()
            seen = known.train.ratings
            if not seen.nnz:
                continue  # nobody who rates next had rated before
            near = self._features.of(cut.items) if self._features is not None else None
            rng = np.random.default_rng(self._fit_seed)
            taste = blend.of(near).fit(cut.train, rng=rng).scores(seen)
            rise = np.tile(trend.fit(cut.everybody, rng=rng).popularity, (seen.shape[0], 1))
            standardized(rise, seen)
            of_late = self._recent.fit(cut.everybody, rng=rng).popularity
            lists = [best(taste + np.float32(w) * rise, seen, _K).items for w in TREND_WEIGHTS]
            found.append([known.ndcg(items) for items in (*lists, best_of_one_order(of_late, seen, _K))])
        if not found:
            return blend
        winner = _first_or_better([np.concatenate(ndcg) for ndcg in zip(*found, strict=True)])
        if winner == len(TREND_WEIGHTS):
            nothing = (0.0,) * len(blend.weights)
            return replace(blend, parts=(*blend.parts, self._recent), weights=(*nothing, 1.0))
        return replace(blend, parts=(*blend.parts, trend), weights=(*blend.weights, TREND_WEIGHTS[winner]))

    def _choose(self, name: str, tried: Ladder) -> tuple[Model, Fitted]:
        """Return the best of the settings and its fit on the cut: the default, unless another is better.

        From the default upwards as long as that ranks better; where it never does, downwards.
        """
        key = (name, len(tried.steps))
        if key not in self._chosen:
            seen = self._cut.train.ratings
            found: dict[int, tuple[Fitted, np.ndarray]] = {}

            def reached(place: int) -> float:
                if place not in found:
                    # The same draws for each, so that settings differ in nothing else.
                    rng = np.random.default_rng(self._fit_seed)
                    fit = tried.steps[place].fit(self._cut.everybody, rng=rng)
                    found[place] = fit, self._cut.ndcg(recommend(fit, seen, _K).items)
                return float(found[place][1].sum())

            place = tried.start
            reached(place)
            for step in (1, -1):
                while 0 <= place + step < len(tried.steps) and reached(place + step) > reached(place):
                    place += step
                if place != tried.start:
                    break
            if not _wins(found[place][1], found[tried.start][1]):
                place = tried.start
            self._chosen[key] = tried.steps[place], found[place][0]
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


def _tried_in_blend(name: str, features: ItemFeatures | None) -> Ladder:
    return Ladder((NEAREST,)) if name == "cosine" else settings(name, features)


def _weigh(tried: Sequence[Sequence[float]], scores: Sequence[np.ndarray], cut: Cut) -> tuple[float, ...]:
    """Return the weights that rank best, found step by step from the first tried, the default.

    Each step changes the weight that gains most, as long as the gain is sure. In the end one part alone is taken where
    that is surely better still.
    """

    @cache
    def judge(weights: tuple[float, ...]) -> np.ndarray:
        total = sum(np.float32(w) * part for w, part in zip(weights, scores, strict=True) if w)
        return cut.ndcg(best(np.array(total), cut.train.ratings, _K).items)

    def step(chosen: tuple[float, ...], others: Iterable[tuple[float, ...]]) -> tuple[float, ...]:
        near = [chosen, *others]
        return near[_first_or_better([judge(weights) for weights in near])]

    before, chosen = None, tuple(weights[0] for weights in tried)
    while chosen != before:
        others = (
            (*chosen[:place], weight, *chosen[place + 1 :])
            for place, weights in enumerate(tried)
            for weight in weights
            if weight != chosen[place]
        )
        before, chosen = chosen, step(chosen, filter(any, others))
    return step(chosen, map(tuple, np.eye(len(tried)).tolist()))


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
