"""Train on one frame of ratings, judge on another: every model beside the two kinds of popularity.

Belongs here: which users and titles are judged, the figures of each model. Does not belong here: formulas
(`metrics`), cuts of one frame (`splits`), files.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp

from ml.recommendation import metrics
from ml.recommendation.content import ItemFeatures, item_features
from ml.recommendation.errors import RecommendationError
from ml.recommendation.interactions import Dropped, Interactions, cleaned, from_frame, positions
from ml.recommendation.models import BASELINES, DEFAULT_MODEL, MODEL_NAMES
from ml.recommendation.ranking import Ranked, recommend
from ml.recommendation.tuning import tuned


@dataclass(frozen=True)
class Figures:
    """What one model reaches, means over the judged users.

    Attributes
    ----------
    ndcg, precision, recall, map : at k, every held-out title relevant (see `metrics`).
    coverage : share of the training titles that anybody is recommended.
    novelty : mean self-information of what is recommended, bits.
    diversity : 1 − mean cosine of the titles within a list, by who rated them.
    genre_match : share of recommended titles with one of the user's three most watched genres; None without genres.
    tune_seconds, fit_seconds, recommend_seconds : elapsed.
    """

    ndcg: float
    precision: float
    recall: float
    map: float
    coverage: float
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
class Task:
    """What is learned from and what is judged.

    Attributes
    ----------
    train : the training ratings.
    features : what is said about their titles, where known.
    users : ids of the judged users, ascending: everybody with a held-out title.
    seen : (judged, items) csr
        What they rated in training; an empty row for a user whom training never saw.
    relevant : (judged, items) csr
        Their held-out titles that training knows.
    held_out : (judged,) int64
        All their held-out titles, also those that training never saw and no model can find.
    dropped_train, dropped_test : rows that were no rating.
    known_again : held-out pairs that training has too, left out: what was seen is not recommended.
    """

    train: Interactions
    features: ItemFeatures | None
    users: pl.Series
    seen: sp.csr_array
    relevant: sp.csr_array
    held_out: np.ndarray
    dropped_train: Dropped
    dropped_test: Dropped
    known_again: int


@dataclass(frozen=True)
class Evaluation:
    """Figures of every model that was asked for, and of the baselines.

    Attributes
    ----------
    k : length of the lists.
    figures : by name of the model.
    per_user : one row per judged user: user_id, and `ndcg_<model>` for each model.
    task : what was judged.
    """

    k: int
    figures: dict[str, Figures]
    per_user: pl.DataFrame
    task: Task


def prepare(train: pl.DataFrame, test: pl.DataFrame, *, items: pl.DataFrame | None = None) -> Task:
    """Line up held-out ratings with the training matrix.

    Parameters
    ----------
    train, test
        user_id, item_id, rating[, timestamp]; see `interactions.from_frame`. Ids of both are compared as text where
        their types differ.
    items
        What is said about titles; see `content.item_features`.

    Raises
    ------
    RecommendationError
        When a column is absent, a frame has no rating, or no held-out pair is left that a model could find.
    """
    interactions = from_frame(train)
    held_out, dropped = _held_out(test)
    row, column = interactions.user_rows(held_out["user_id"]), interactions.item_columns(held_out["item_id"])
    width = len(interactions.items)
    train_rows = np.repeat(np.arange(len(interactions.users)), np.diff(interactions.ratings.indptr))
    again = np.isin(row * width + column, train_rows * width + interactions.ratings.indices)
    again &= (row >= 0) & (column >= 0)
    held_out, row, column = held_out.filter(~again), row[~again], column[~again]
    if not (column >= 0).any():
        msg = "training and test share no title to be found: are their item_id of the same kind?"
        raise RecommendationError(msg)
    users = held_out["user_id"].unique().sort()
    judged = positions(users, held_out["user_id"])
    known = column >= 0
    relevant = sp.csr_array(
        sp.coo_array(
            (np.ones(known.sum(), np.float32), (judged[known], column[known])), shape=(len(users), width)
        )
    )
    return Task(
        train=interactions,
        features=item_features(items, interactions.items) if items is not None else None,
        users=users,
        seen=interactions.rows(interactions.user_rows(users)),
        relevant=relevant,
        held_out=np.bincount(judged, minlength=len(users)),
        dropped_train=interactions.dropped,
        dropped_test=dropped,
        known_again=int(again.sum()),
    )


def evaluate(
    train: pl.DataFrame,
    test: pl.DataFrame,
    models: Sequence[str] = (DEFAULT_MODEL,),
    *,
    k: int = 10,
    items: pl.DataFrame | None = None,
    rng: np.random.Generator,
) -> Evaluation:
    """Train models and the two kinds of popularity, and judge them on what was held out.

    All titles that a user has not rated in training are ranked, never a sample. Settings are chosen on a cut of
    `train` only. Users whom training never saw are recommended what is popular; held-out titles that it never saw
    count as missed.

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
    rng
        Source of every random choice.

    Raises
    ------
    RecommendationError
        When a model is unknown, or the frames cannot be judged.
    """
    unknown = [name for name in models if name not in MODEL_NAMES]
    if unknown:
        msg = f"no model {', '.join(unknown)}; there are: {', '.join(MODEL_NAMES)}"
        raise RecommendationError(msg)
    task = prepare(train, test, items=items)
    names = dict.fromkeys((*models, *BASELINES))
    judged = {
        name: judge(name, task, k=k, rng=stream)
        for name, stream in zip(names, rng.spawn(len(names)), strict=True)
    }
    per_user = pl.DataFrame(
        {"user_id": task.users} | {f"ndcg_{name}": ndcg for name, (_, ndcg) in judged.items()}
    )
    return Evaluation(k, {name: figures for name, (figures, _) in judged.items()}, per_user, task)


def judge(name: str, task: Task, *, k: int, rng: np.random.Generator) -> tuple[Figures, np.ndarray]:
    """Choose settings, train, recommend and judge one model.

    Parameters
    ----------
    name
        One of `models.MODEL_NAMES`.
    task
        What is learned from and what is judged.
    k
        Length of the lists.
    rng
        Source of every random choice.

    Returns
    -------
    figures
    ndcg : (judged,) float64
        Of each user.
    """
    moments = [time.perf_counter()]
    model = tuned(name, task.train, features=task.features, rng=rng)
    moments.append(time.perf_counter())
    fitted = model.fit(task.train, rng=rng)
    moments.append(time.perf_counter())
    ranked = recommend(fitted, task.seen, k)
    moments.append(time.perf_counter())
    return _figures(ranked, task, np.diff(moments))


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
        novelty=metrics.novelty(ranked.items, popularity, len(task.train.users)),
        diversity=metrics.intra_list_diversity(ranked.items, sp.csr_array(task.train.ratings.T)),
        genre_match=None if genres is None else metrics.genre_match(ranked.items, genres, task.seen),
        tune_seconds=float(seconds[0]),
        fit_seconds=float(seconds[1]),
        recommend_seconds=float(seconds[2]),
    )
    return figures, ndcg


def _held_out(test: pl.DataFrame) -> tuple[pl.DataFrame, Dropped]:
    try:
        return cleaned(test)
    except RecommendationError as error:
        msg = f"the test ratings: {error}"
        raise RecommendationError(msg) from None
