"""Judge recommenders on a training and a test file.

Belongs here: reading the files, the columns' other spellings, the JSON of `matinee evaluate`. Does not belong
here: models and figures (`ml.recommendation`).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl

from ingest.errors import counted
from ml.recommendation.errors import RecommendationError
from ml.recommendation.evaluate import Evaluation, Figures, LongTailStep, evaluate
from ml.recommendation.interactions import moments
from ml.recommendation.long_tail import LONG_TAIL_WEIGHTS
from ml.recommendation.models import BASELINES, DEFAULT_MODEL
from ml.recommendation.splits import split as split_by
from orchestration.commands.frames import FrameError, read_frame
from orchestration.progress import counting, doing

SPELLINGS = {
    "user_id": ("userid", "user", "uid", "customerid"),
    "item_id": ("itemid", "movieid", "item", "movie", "titleid"),
    "rating": ("rating", "score", "stars"),
    "timestamp": ("timestamp", "ratedat", "time", "date"),
}
"""How a column may be called, whatever its capitals, blanks and underscores; of several the first counts."""
TEST_SHARE = 0.25
_IDS = ("user_id", "item_id")


class EvaluationError(ValueError):
    """The files cannot be judged; the message says which, and why."""


def evaluate_files(
    train: Path,
    test: Path | None,
    model: str,
    *,
    split: str = "user",
    k: int = 10,
    items: Path | None = None,
    long_tail: float = 0.0,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, object]:
    """Train on one file, judge on another or on a part of the same, and return what `matinee evaluate` prints.

    Parameters
    ----------
    train, test
        CSV or Parquet with user_id, item_id, rating[, timestamp], or with MovieLens' names or none. Without a test file
        a quarter of the one there is is held out.
    split
        How it is held out, one of `ml.recommendation.splits.SPLITS`.
    model
        One of `ml.recommendation.models.MODEL_NAMES`.
    k
        Length of the lists.
    items
        CSV or Parquet of what is said about titles: item_id, and any of genres, tags, people, overview.
    long_tail
        What being rare weighs in the blend, 0 to 1; other weights are judged beside it.
    seed
        The same seed gives the same figures, but for the seconds.
    say
        Takes progress, a sentence at a time.

    Raises
    ------
    EvaluationError
        When a file is absent, empty, lacks a column, or shares nothing with the other.
    """
    with doing("reading the files"):
        frames = [read_ratings(path) for path in (train, test) if path is not None]
        if items is not None:
            frames.append(_spelled(_read(items), items, ("item_id",)))
        frames = with_ids_alike(frames)
    if test is None:
        try:
            frames[:1] = _cut(frames[0], split, seed)
        except RecommendationError as error:
            raise EvaluationError(str(error)) from None
    learned, held_out, *catalogue = frames
    say(f"Learning from {counted(learned.height, 'rating')}, judging on {held_out.height:,}, with `{model}`.")
    if "timestamp" not in learned.columns:
        say("No timestamps: recent_popular is the same as popular.")
    try:
        with counting("learning and judging", "models") as tell:
            done = evaluate(
                learned,
                held_out,
                [model],
                k=k,
                items=next(iter(catalogue), None),
                long_tail=long_tail,
                long_tail_steps=sorted({*LONG_TAIL_WEIGHTS, long_tail}) if model == DEFAULT_MODEL else (),
                rng=np.random.default_rng(seed),
                say=say,
                tell=tell,
            )
    except RecommendationError as error:
        raise EvaluationError(str(error)) from None
    if items is not None and done.task.features is not None and not done.task.features.vectors.nnz:
        say(f"{items.name} describes no title of the training file: are their item_id of the same kind?")
    for sentence in _left_out(done):
        say(sentence)
    return _as_json(done, model) | ({"split": split} if test is None else {})


def _cut(ratings: pl.DataFrame, by: str, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    if "timestamp" in ratings.columns:
        ratings = ratings.with_columns(moments(ratings["timestamp"]).alias("timestamp"))
    return split_by(ratings, by, test_share=TEST_SHARE, rng=np.random.default_rng([seed, 1]))


def read_ratings(path: Path) -> pl.DataFrame:
    """Read ratings and give their columns our names.

    Raises
    ------
    EvaluationError
        When the file is absent or empty, or lacks a column.
    """
    frame = _spelled(_read(path, _names_of_a_row), path, ("user_id", "item_id", "rating"))
    if frame.is_empty():
        msg = f"{path.name}: no ratings, only column names"
        raise EvaluationError(msg)
    if frame["rating"].dtype == pl.String:
        # Where a comma does not divide the cells, it divides the rating.
        frame = frame.with_columns(pl.col("rating").str.replace(",", ".", literal=True))
    return frame


def with_ids_alike(frames: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """Return the frames with ids that can be compared: equal where they say the same, in whichever file.

    An id is text, and a whole number counts as that number however it is written: `0000106`, `106` and `106.0` are one
    title. Ids come out as whole numbers, texts as numbers that no file has; nothing is printed of them.
    """
    done = list(frames)
    for column in _IDS:
        places = [place for place, frame in enumerate(done) if column in frame.columns]
        for place, ids in zip(places, _coded([done[place][column] for place in places]), strict=True):
            done[place] = done[place].with_columns(ids.alias(column))
    return done


def _coded(columns: list[pl.Series]) -> list[pl.Series]:
    """Return ids as whole numbers; those that are none get numbers of their own, the same in each column."""
    numbers = [_as_number(ids) for ids in columns]
    words = [_trimmed(ids.filter(number.is_null())) for ids, number in zip(columns, numbers, strict=True)]
    known = pl.concat(words).drop_nulls().unique().sort()
    if known.is_empty():
        return numbers
    first = max(int(number.max() or 0) for number in numbers) + 1  # type: ignore[arg-type]
    codes = pl.Series(range(first, first + len(known)), dtype=pl.Int64)
    return [
        number.fill_null(_trimmed(ids).replace_strict(known, codes, default=None, return_dtype=pl.Int64))
        for ids, number in zip(columns, numbers, strict=True)
    ]


def _trimmed(ids: pl.Series) -> pl.Series:
    return ids.cast(pl.String).str.strip_chars()


def _as_number(ids: pl.Series) -> pl.Series:
    """Return whole numbers, null where an id is none or has more digits than a number holds."""
    if ids.dtype.is_integer():
        return ids.cast(pl.Int64, strict=False)
    return _trimmed(ids).str.extract(r"^(-?\d{1,17})(?:\.0*)?$").cast(pl.Int64)


def _names_of_a_row(first: list[str]) -> list[str]:
    """Return our names where the first line of a file of ratings is a rating: `196, 242, 3[, 881250949]`."""
    named = {_bare(cell) for cell in first} & {name for names in SPELLINGS.values() for name in names}
    is_rating = len(first) in (3, 4) and not named and re.fullmatch(r"-?\d+([.,]\d+)?", first[2])
    return list(SPELLINGS)[: len(first)] if is_rating else []


def _read(path: Path, names_if_absent: Callable[[list[str]], list[str]] | None = None) -> pl.DataFrame:
    try:
        return read_frame(path, names_if_absent=names_if_absent)
    except FrameError as error:
        raise EvaluationError(str(error)) from None


def _spelled(frame: pl.DataFrame, path: Path, required: tuple[str, ...]) -> pl.DataFrame:
    """Give the columns our names; one that has our name already counts before any other spelling."""
    bare = {_bare(column): column for column in reversed(frame.columns)}
    named = {
        ours: ours if ours in frame.columns else theirs
        for ours, names in SPELLINGS.items()
        if (theirs := next((bare[name] for name in names if name in bare), None))
    }
    absent = [ours for ours in required if ours not in named]
    if absent:
        msg = f"{path.name}: no column {', '.join(absent)}; found: {', '.join(frame.columns)}"
        raise EvaluationError(msg)
    others = [column for column in frame.columns if column not in named and column not in named.values()]
    return frame.select(*(pl.col(theirs).alias(ours) for ours, theirs in named.items()), *others)


def _bare(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


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
        **({"long_tail_steps": [_rounded(step) for step in done.steps]} if done.steps else {}),
    }


def _rounded(figures: Figures | LongTailStep) -> dict[str, float]:
    values = asdict(figures) | ({"seconds": figures.seconds} if isinstance(figures, Figures) else {})
    return {
        name: round(value, 2 if "seconds" in name else 6)
        for name, value in values.items()
        if value is not None
    }
