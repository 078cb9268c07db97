"""Judge recommenders on a training and a test file.

Belongs here: reading the files, the columns' other spellings, the JSON of `matinee evaluate`. Does not belong
here: models and figures (`ml.recommendation`).
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl

from ml.recommendation.errors import RecommendationError
from ml.recommendation.evaluate import Evaluation, Figures, evaluate
from ml.recommendation.models import BASELINES
from orchestration.commands.frames import FrameError, read_frame

SPELLINGS = {
    "user_id": ("user_id", "userId", "user", "userID", "UserId"),
    "item_id": ("item_id", "movieId", "itemId", "item", "itemID", "movie_id", "title_id"),
    "rating": ("rating", "Rating"),
    "timestamp": ("timestamp", "Timestamp", "rated_at"),
}
"""How a column may be called; the first is our name, and of several the first counts."""


class EvaluationError(ValueError):
    """The files cannot be judged; the message says which, and why."""


def evaluate_files(
    train: Path,
    test: Path,
    model: str,
    *,
    k: int = 10,
    items: Path | None = None,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, object]:
    """Train on one file, judge on the other, and return what `matinee evaluate` prints.

    Parameters
    ----------
    train, test
        CSV or Parquet with user_id, item_id, rating[, timestamp]; userId and movieId are understood.
    model
        One of `ml.recommendation.models.MODEL_NAMES`.
    k
        Length of the lists.
    items
        CSV or Parquet of what is said about titles: item_id, and any of genres, tags, people, overview.
    seed
        The same seed gives the same figures, but for the seconds.
    say
        Takes progress, a sentence at a time.

    Raises
    ------
    EvaluationError
        When a file is absent, empty, lacks a column, or shares nothing with the other.
    """
    learned, held_out = read_ratings(train), read_ratings(test)
    catalogue = None if items is None else _spelled(_read(items), items, ("item_id",))
    say(f"Learning from {learned.height:,} ratings, judging on {held_out.height:,}, with `{model}`.")
    if "timestamp" not in learned.columns:
        say("No timestamps: recent_popular is the same as popular.")
    try:
        done = evaluate(learned, held_out, [model], k=k, items=catalogue, rng=np.random.default_rng(seed))
    except RecommendationError as error:
        raise EvaluationError(str(error)) from None
    if items is not None and done.task.features is not None and not done.task.features.vectors.nnz:
        say(f"{items.name} describes no title of the training file: are their item_id of the same kind?")
    for sentence in _left_out(done):
        say(sentence)
    return _as_json(done, model)


def read_ratings(path: Path) -> pl.DataFrame:
    """Read ratings and give their columns our names.

    Raises
    ------
    EvaluationError
        When the file is absent or empty, or lacks a column.
    """
    frame = _spelled(_read(path), path, ("user_id", "item_id", "rating"))
    if frame.is_empty():
        msg = f"{path.name}: no ratings, only column names"
        raise EvaluationError(msg)
    return frame


def _read(path: Path) -> pl.DataFrame:
    try:
        return (
            pl.read_csv(path, separator="\t")
            if path.suffix == ".tsv" and path.is_file()
            else read_frame(path)
        )
    except (FrameError, pl.exceptions.PolarsError) as error:
        return _read_as_text(path, str(error))


def _read_as_text(path: Path, failure: str) -> pl.DataFrame:
    """Read a file whose later lines are of another kind than its first: ids and ratings are judged one by one."""
    try:
        return pl.read_csv(path, separator="\t" if path.suffix == ".tsv" else ",", infer_schema=False)
    except (OSError, pl.exceptions.PolarsError):
        raise EvaluationError(failure) from None


def _spelled(frame: pl.DataFrame, path: Path, required: tuple[str, ...]) -> pl.DataFrame:
    found = {
        next((name for name in names if name in frame.columns), None): ours
        for ours, names in SPELLINGS.items()
    }
    named = {theirs: ours for theirs, ours in found.items() if theirs is not None}
    absent = [ours for ours in required if ours not in named.values()]
    if absent:
        msg = f"{path.name}: no column {', '.join(absent)}; found: {', '.join(frame.columns)}"
        raise EvaluationError(msg)
    others = [column for column in frame.columns if column not in named and column not in named.values()]
    return frame.select(*(pl.col(theirs).alias(ours) for theirs, ours in named.items()), *others)


def _left_out(done: Evaluation) -> list[str]:
    task = done.task
    unknown_users = int((np.diff(task.seen.indptr) == 0).sum())
    unknown_pairs = int(task.held_out.sum()) - task.relevant.nnz
    counts = {
        "training rows without user, title or a rating were dropped": task.dropped_train.missing,
        "training ratings were superseded by a later one of the same pair": task.dropped_train.repeated,
        "test rows without user, title or a rating were dropped": task.dropped_test.missing,
        "test ratings were superseded by a later one of the same pair": task.dropped_test.repeated,
        "test pairs stand in the training file too and were left out": task.known_again,
        "test users are not in the training file and were recommended what is popular": unknown_users,
        "test ratings are of titles that are not in the training file and count as missed": unknown_pairs,
    }
    return [f"{count:,} {what}." for what, count in counts.items() if count]


def _as_json(done: Evaluation, model: str) -> dict[str, object]:
    return {
        "model": model,
        "k": done.k,
        **_rounded(done.figures[model]),
        "users": len(done.task.users),
        "baselines": {name: _rounded(done.figures[name]) for name in BASELINES},
    }


def _rounded(figures: Figures) -> dict[str, float]:
    values = asdict(figures) | {"seconds": figures.seconds}
    return {
        name: round(value, 2 if "seconds" in name else 6)
        for name, value in values.items()
        if value is not None
    }
