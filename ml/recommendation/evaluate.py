"""Train on one frame of ratings, judge on another: every model beside the two kinds of popularity.

Belongs here: which users and titles are judged, the figures of each model. Does not belong here: formulas
(`metrics`), cuts of one frame (`splits`), files.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp

from ml.progress import Tell, untold
from ml.recommendation import metrics
from ml.recommendation.blend import Blend
from ml.recommendation.content import ItemFeatures, item_features
from ml.recommendation.errors import RecommendationError
from ml.recommendation.interactions import Dropped, Interactions, cleaned, from_frame, moments, positions
from ml.recommendation.long_tail import lists_by_weight, towards_long_tail
from ml.recommendation.models import BASELINES, DEFAULT_MODEL, MODEL_NAMES
from ml.recommendation.popularity import Rare
from ml.recommendation.ranking import Fitted, Model, Ranked, recommend
from ml.recommendation.scales import on_one_scale
from ml.recommendation.splits import time_split
from ml.recommendation.tuning import Tuner

_DIVERSITY_LISTS = 2_000
_DIVERSITY_RATINGS = 2_000_000
_Z95 = 1.96


@dataclass(frozen=True)
class Figures:
    """What one model reaches, means over the judged users.

    Attributes
    ----------
    ndcg, precision, recall, map : at k, every held-out title relevant (see `metrics`).
    coverage : share of the training titles that anybody is recommended.
    long_tail : share of recommended titles beyond the most rated ones that together hold half of all ratings.
    novelty : mean self-information of what is recommended, bits.
    diversity : 1 − mean cosine of the titles within a list, by who rated them; over 2,000 lists and 2 million
        ratings at most, evenly spaced among all.
    genre_match : share of recommended titles with one of the user's three most watched genres; None without genres.
    tune_seconds, fit_seconds, recommend_seconds : elapsed; what an earlier model has tuned or trained already is
        not done again and costs nothing.
    """

    ndcg: float
    precision: float
    recall: float
    map: float
    coverage: float
    long_tail: float
    novelty: float
    diversity: float
    genre_match: float | None
    tune_seconds: float
    fit_seconds: float
    recommend_seconds: float

    @property
    def seconds(self) -> float:
        """All that it took: choosing settings, training, recommending."""
        return self.tune_seconds + self.fit_seconds + self.recommend_seconds


@dataclass(frozen=True)
class LongTailStep:
    """What the lists of the default model reach with one weight of being rare, means over the judged users.

    Attributes
    ----------
    weight : of being rare beside everything else.
    ndcg : at k.
    ndcg_change : beside the weight of 0, of the same users.
    change_low, change_high : ends of its 95 % interval, as users differ.
    coverage, long_tail : as in `Figures`.
    """

    weight: float
    ndcg: float
    ndcg_change: float
    change_low: float
    change_high: float
    coverage: float
    long_tail: float


@dataclass(frozen=True)
class Task:
    """What is learned from and what is judged.

    Attributes
    ----------
    train : the training ratings.
    features : what is said about their titles, where known.
    users : ids of the judged users, ascending: everybody with a held-out title, or as many drawn ones as asked for.
    users_held_out : how many there are with a held-out title.
    seen : (judged, items) csr
        What they rated in training; an empty row for a user whom training never saw.
    relevant : (judged, items) csr
        Their held-out titles that training knows.
    held_out : (judged,) int64
        All their held-out titles, also those that training never saw and no model can find.
    dropped_train, dropped_test : rows that were no rating.
    known_again : held-out pairs that training has too, left out: what was seen is not recommended.
    ahead : whether all that is held out is newer than all that is learned from.
    """

    train: Interactions
    features: ItemFeatures | None
    users: pl.Series
    users_held_out: int
    seen: sp.csr_array
    relevant: sp.csr_array
    held_out: np.ndarray
    dropped_train: Dropped
    dropped_test: Dropped
    known_again: int
    ahead: bool


@dataclass(frozen=True)
class Evaluation:
    """Figures of every model that was asked for, and of the baselines.

    Attributes
    ----------
    k : length of the lists.
    figures : by name of the model.
    models : by the same names, with the settings that were chosen and not trained: to train on all ratings there
        are without choosing again; content needs those titles' features (`declared.from_settings` gives them), and
        being rare has no weight (`long_tail.towards_long_tail` gives it one).
    per_user : one row per judged user: user_id, and `ndcg_<model>` for each model.
    task : what was judged.
    steps : of the default model, for each weight of being rare that was asked for.
    """

    k: int
    figures: dict[str, Figures]
    models: dict[str, Model]
    per_user: pl.DataFrame
    task: Task
    steps: tuple[LongTailStep, ...] = ()


def prepare(
    train: pl.DataFrame,
    test: pl.DataFrame,
    *,
    items: pl.DataFrame | None = None,
    most_users: int | None = None,
    rng: np.random.Generator | None = None,
) -> Task:
    """Line up held-out ratings with the training matrix.

    Parameters
    ----------
    train, test
        user_id, item_id, rating[, timestamp]; see `interactions.from_frame`. Ids of both are compared as text where
        their types differ.
    items
        What is said about titles; see `content.item_features`.
    most_users
        Judge as many users at most; of more they are drawn. Training is on all.
    rng
        Draws them; needed with `most_users`.

    Raises
    ------
    RecommendationError
        When a column is absent, a frame has no rating, or no held-out pair is left that a model could find.
    """
    interactions = from_frame(train)
    held_out, dropped = _held_out(test)
    column = interactions.item_columns(held_out["item_id"])
    again = _trained_on(interactions, interactions.user_rows(held_out["user_id"]), column)
    held_out, column = held_out.filter(~again), column[~again]
    if not held_out.height:
        msg = "every test pair stands in the training file too: what was seen is not recommended, so none is judged"
        raise RecommendationError(msg)
    if not (column >= 0).any():
        msg = "training and test share no title to be found: are their item_id of the same kind?"
        raise RecommendationError(msg)
    users = everybody = held_out["user_id"].unique().sort()
    if most_users is not None and rng is not None and len(everybody) > most_users:
        users = everybody.gather(np.sort(rng.choice(len(everybody), most_users, replace=False)))
        among = held_out["user_id"].is_in(users.implode()).to_numpy()
        held_out, column = held_out.filter(among), column[among]
    judged = positions(users, held_out["user_id"])
    known = column >= 0
    ones, shape = np.ones(known.sum(), np.float32), (len(users), len(interactions.items))
    return Task(
        train=interactions,
        features=item_features(items, interactions.items) if items is not None else None,
        users=users,
        users_held_out=len(everybody),
        seen=interactions.rows(interactions.user_rows(users)),
        relevant=sp.csr_array(sp.coo_array((ones, (judged[known], column[known])), shape=shape)),
        held_out=np.bincount(judged, minlength=len(users)),
        dropped_train=interactions.dropped,
        dropped_test=dropped,
        known_again=int(again.sum()),
        ahead=_is_ahead(train, test),
    )


def evaluate(
    train: pl.DataFrame,
    test: pl.DataFrame,
    models: Sequence[str] = (DEFAULT_MODEL,),
    *,
    k: int = 10,
    items: pl.DataFrame | None = None,
    most_users: int | None = None,
    taste: bool = True,
    long_tail: float = 0.0,
    long_tail_steps: Sequence[float] = (),
    rng: np.random.Generator,
    say: Callable[[str], None] = lambda _: None,
    tell: Tell = untold,
) -> Evaluation:
    """Train models and the two kinds of popularity, and judge them on what was held out.

    All titles that a user has not rated in training are ranked, never a sample. Settings are chosen on cuts of
    `train` only; where all of `test` is newer than all of `train`, for what comes next (see `tuning.Tuner`). Users whom
    training never saw are recommended what is popular; held-out titles that it never saw count as missed.

    Parameters
    ----------
    train, test
        user_id, item_id, rating[, timestamp].
    models
        Names; see `models.MODEL_NAMES`.
    k
        Length of the lists.
    items
        What is said about titles, for `content`, the blend and genre match.
    most_users
        Judge as many users at most, drawn at random; training is on all. None: everybody.
    taste
        Whether settings of taste are chosen for the blend; the default ones otherwise.
    long_tail
        What being rare weighs in the blend, 0 to 1 (see `long_tail.towards_long_tail`).
    long_tail_steps
        Weights of being rare at which the blend's lists are judged side by side.
    rng
        Source of every random choice. A model's figures do not depend on which others are asked for.
    say
        Takes what negative ratings count as, and a sentence for each model.
    tell
        Takes how many models are judged, and of how many.

    Raises
    ------
    RecommendationError
        When a model is unknown, or the frames cannot be judged.
    """
    unknown = [name for name in models if name not in MODEL_NAMES]
    if unknown:
        msg = f"no model {', '.join(unknown)}; there are: {', '.join(MODEL_NAMES)}"
        raise RecommendationError(msg)
    train, test, said = on_one_scale(train, test)
    if said:
        say(said)
    judges, tunes, fits = rng.spawn(3)
    task = prepare(train, test, items=items, most_users=most_users, rng=judges)
    workshop = _Workshop(task, tunes, fits, taste=taste, long_tail=long_tail)
    figures, chosen, per_user = {}, {}, {}
    names = dict.fromkeys((*models, *BASELINES))
    for at, name in enumerate(names):
        tell(at, len(names))
        figures[name], chosen[name], per_user[f"ndcg_{name}"] = workshop.judged(name, k)
        say(f"{name}: nDCG@{k} {figures[name].ndcg:.3f} in {figures[name].seconds:.1f} s.")
    steps = workshop.steps(chosen[DEFAULT_MODEL], k, long_tail_steps) if long_tail_steps else ()
    return Evaluation(k, figures, chosen, pl.DataFrame({"user_id": task.users} | per_user), task, steps)


def evaluate_later(
    frame: pl.DataFrame,
    *,
    test_share: float,
    k: int = 10,
    items: pl.DataFrame | None = None,
    most_users: int | None = None,
    long_tail: float = 0.0,
    rng: np.random.Generator,
) -> Evaluation | None:
    """Judge the default model and the baselines on the newest ratings; None where they cannot be told or judged.

    With the default settings of taste: it is what is of late that is chosen here (see `tuning.Tuner`).

    Parameters
    ----------
    frame
        user_id, item_id, rating[, timestamp].
    test_share
        Share of all ratings, the newest, that is held out.
    k, items, most_users, long_tail, rng
        See `evaluate`.
    """
    try:
        train, test = time_split(frame, test_share=test_share)
        return evaluate(
            train, test, k=k, items=items, most_users=most_users, taste=False, long_tail=long_tail, rng=rng
        )
    except RecommendationError:
        return None


class _Workshop:
    """Tunes and trains each model once, parts of a blend too."""

    def __init__(
        self,
        task: Task,
        tunes: np.random.Generator,
        fits: np.random.Generator,
        *,
        taste: bool,
        long_tail: float,
    ) -> None:
        self._task = task
        self._long_tail = long_tail
        self._tuner = Tuner(task.train, features=task.features, ahead=task.ahead, taste=taste, rng=tunes)
        self._seed = int(fits.integers(2**63))
        self._fits: list[tuple[Model, Fitted]] = []

    def judged(self, name: str, k: int) -> tuple[Figures, Model, np.ndarray]:
        """Return figures, the chosen model, and each user's nDCG."""
        moments = [time.perf_counter()]
        model = self._tuner.model(name)
        moments.append(time.perf_counter())
        fitted = self.fit(towards_long_tail(model, self._long_tail))
        moments.append(time.perf_counter())
        ranked = recommend(fitted, self._task.seen, k)
        moments.append(time.perf_counter())
        figures, ndcg = _figures(ranked, self._task, np.diff(moments))
        return figures, model, ndcg

    def steps(self, model: Model, k: int, weights: Sequence[float]) -> tuple[LongTailStep, ...]:
        """Return what a model's lists reach at each weight of being rare."""
        task, popularity = self._task, self._task.train.popularity
        plain, *lists = lists_by_weight(self.fit(model), self.fit(Rare()), task.seen, k, (0.0, *weights))
        ndcg = [metrics.ndcg(metrics.hits(items, task.relevant), task.held_out) for items in (plain, *lists)]
        found = []
        for weight, items, reached in zip(weights, lists, ndcg[1:], strict=True):
            change = reached - ndcg[0]
            mean, half = float(change.mean()), float(_Z95 * change.std() / np.sqrt(max(len(change) - 1, 1)))
            coverage = metrics.coverage(items, len(popularity))
            of_tail = metrics.long_tail(items, popularity)
            found.append(
                LongTailStep(weight, float(reached.mean()), mean, mean - half, mean + half, coverage, of_tail)
            )
        return tuple(found)

    def fit(self, model: Model) -> Fitted:
        """Train a model on the training ratings, or return what has been trained."""
        found = next((fitted for known, fitted in self._fits if known == model), None)
        if found is None:
            if isinstance(model, Blend):
                parts = [self.fit(part) for part in model.used]
                found = model.joined(parts, self.fit(model.fallback), len(self._task.train.items))
            else:
                found = model.fit(self._task.train, rng=np.random.default_rng(self._seed))
            self._fits.append((model, found))
        return found


def _figures(ranked: Ranked, task: Task, seconds: np.ndarray) -> tuple[Figures, np.ndarray]:
    hit = metrics.hits(ranked.items, task.relevant)
    ndcg = metrics.ndcg(hit, task.held_out)
    popularity = task.train.popularity
    genres = task.features.genres if task.features is not None and task.features.genre_names else None
    figures = Figures(
        ndcg=float(ndcg.mean()),
        precision=float(metrics.precision(hit).mean()),
        recall=float(metrics.recall(hit, task.held_out).mean()),
        map=float(metrics.average_precision(hit, task.held_out).mean()),
        coverage=metrics.coverage(ranked.items, len(task.train.items)),
        long_tail=metrics.long_tail(ranked.items, popularity),
        novelty=metrics.novelty(ranked.items, popularity, len(task.train.users)),
        diversity=_diversity(ranked.items, task.train.ratings),
        genre_match=None if genres is None else metrics.genre_match(ranked.items, genres, task.seen),
        tune_seconds=float(seconds[0]),
        fit_seconds=float(seconds[1]),
        recommend_seconds=float(seconds[2]),
    )
    return figures, ndcg


def _diversity(lists: np.ndarray, ratings: sp.csr_array) -> float:
    """Return the diversity of lists, by the ratings of some users and over some lists where there are many."""
    every = -(-ratings.nnz // _DIVERSITY_RATINGS)
    vectors = sp.csr_array(ratings[::every].T)
    return metrics.intra_list_diversity(lists[:: -(-len(lists) // _DIVERSITY_LISTS)], vectors)


def _trained_on(interactions: Interactions, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return which pairs of user and title, -1 where unknown, stand in the training matrix."""
    width = len(interactions.items)
    train_rows = np.repeat(np.arange(len(interactions.users)), np.diff(interactions.ratings.indptr))
    again = np.isin(row * width + column, train_rows * width + interactions.ratings.indices)
    return again & (row >= 0) & (column >= 0)


def _is_ahead(train: pl.DataFrame, test: pl.DataFrame) -> bool:
    if any("timestamp" not in frame.columns for frame in (train, test)):
        return False
    known, held_out = (moments(frame["timestamp"]).drop_nulls().to_numpy() for frame in (train, test))
    return bool(len(known) and len(held_out) and held_out.min() > known.max())


def _held_out(test: pl.DataFrame) -> tuple[pl.DataFrame, Dropped]:
    try:
        return cleaned(test)
    except RecommendationError as error:
        msg = f"the test ratings: {error}"
        raise RecommendationError(msg) from None
