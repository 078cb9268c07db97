"""Ratings as a sparse user × title matrix, and the ids its rows and columns stand for.

Belongs here: cleaning of (user, item, rating, timestamp) frames, the matrix, rows for new users, what a rating
weighs. Does not belong here: splits (`splits`), models.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
import scipy.sparse as sp

from ml.recommendation.errors import RecommendationError

REQUIRED = ("user_id", "item_id", "rating")
_LEAST_WEIGHT = 0.05
_MILLISECONDS_FROM = 100_000_000_000
"""An epoch above this is in milliseconds: as seconds it would lie in the year 5138."""


@dataclass(frozen=True)
class Dropped:
    """Rows of the frame that did not become a rating.

    Attributes
    ----------
    missing : no user, no title, or a rating that is missing, not a number or infinite.
    repeated : earlier ratings of a pair that was rated again.
    """

    missing: int
    repeated: int


@dataclass(frozen=True)
class Interactions:
    """Who rated what.

    Attributes
    ----------
    ratings : (users, items) float32, sorted indices; what is stored is seen, a stored 0 too.
    days : (ratings,) float64 or None
        Age of each stored rating in days before the newest one; None where the frame has no timestamps.
    users, items : ids of rows and columns, ascending.
    dropped : how many rows of the frame are not in the matrix, and why.
    """

    ratings: sp.csr_array
    days: np.ndarray | None
    users: pl.Series
    items: pl.Series
    dropped: Dropped

    @cached_property
    def mean_rating(self) -> float:
        """Mean of all ratings, summed in float64."""
        return float(self.ratings.data.mean(dtype=np.float64))

    @cached_property
    def popularity(self) -> np.ndarray:
        """How many users rated each title, (items,) float32."""
        return np.bincount(self.ratings.indices, minlength=len(self.items)).astype(np.float32)

    def user_rows(self, ids: Iterable[object]) -> np.ndarray:
        """Return the row of each user id, -1 where it is unknown, (n,) int64."""
        return positions(self.users, ids)

    def item_columns(self, ids: Iterable[object]) -> np.ndarray:
        """Return the column of each item id, -1 where it is unknown, (n,) int64."""
        return positions(self.items, ids)

    def rows(self, users: np.ndarray) -> sp.csr_array:
        """Return what these users have seen, (n, items); a row number of -1 gives an empty row."""
        if (users >= 0).all():
            return self.ratings[users]
        known = self.ratings[np.maximum(users, 0)]
        keep = np.repeat(users >= 0, np.diff(known.indptr))
        counts = np.where(users >= 0, np.diff(known.indptr), 0)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(known.indptr.dtype)
        return sp.csr_array((known.data[keep], known.indices[keep], indptr), shape=known.shape)

    def of_users(self, rows: np.ndarray) -> "Interactions":
        """Return what some users rated, of the same titles, without ages."""
        return replace(self, ratings=self.ratings[rows], days=None, users=self.users.gather(rows))

    def row_of_liked(self, items: Sequence[object]) -> sp.csr_array:
        """Return the row of a new user who likes these titles, (1, items): each at the highest rating there is.

        Raises
        ------
        RecommendationError
            When one of them is unknown.
        """
        columns = self.item_columns(items)
        if (columns < 0).any():
            unknown = [str(item) for item, column in zip(items, columns, strict=True) if column < 0]
            msg = f"titles that nobody rated and the catalogue lacks: {', '.join(unknown)}"
            raise RecommendationError(msg)
        columns = np.unique(columns)
        best = np.full(len(columns), self.ratings.data.max(), dtype=np.float32)
        return sp.csr_array((best, columns, [0, len(columns)]), shape=(1, len(self.items)))


def positions(sorted_ids: pl.Series, ids: Iterable[object]) -> np.ndarray:
    """Return where each id stands in a series of unique ids, -1 where it does not, (n,) int64.

    Ids of different types are compared as text: 7 and "7" are the same title.
    """
    wanted = ids if isinstance(ids, pl.Series) else pl.Series("id", list(ids))
    if wanted.dtype != sorted_ids.dtype:
        wanted, sorted_ids = wanted.cast(pl.String), sorted_ids.cast(pl.String)
    table = pl.DataFrame({"id": sorted_ids, "position": np.arange(len(sorted_ids))})
    found = pl.DataFrame({"id": wanted}).join(table, on="id", how="left", maintain_order="left")
    return found["position"].fill_null(-1).to_numpy().astype(np.int64)


def from_frame(frame: pl.DataFrame, *, catalogue: pl.Series | None = None) -> Interactions:
    """Build the matrix of a frame of ratings.

    Rows without user, title or a finite rating are dropped and counted. Of a pair rated more than once the
    latest by timestamp stays, or the last row where there are no timestamps or two are alike.

    Parameters
    ----------
    frame
        user_id, item_id (whole numbers or text), rating; timestamp where known: seconds or milliseconds since
        1970, a date, or text of one. Other columns are ignored.
    catalogue
        Ids of titles that get a column even when nobody rated them.

    Raises
    ------
    RecommendationError
        When a column is absent, no row is left, or timestamps are there and none can be read.
    """
    more = None if catalogue is None else _as_ids(catalogue.drop_nulls().alias("item_id"))
    if more is not None and "item_id" in frame.columns and _as_ids(frame["item_id"]).dtype != more.dtype:
        frame, more = frame.with_columns(_as_ids(frame["item_id"]).cast(pl.String)), more.cast(pl.String)
    clean, dropped = cleaned(frame)
    users = clean["user_id"].unique(maintain_order=True)
    rated = clean["item_id"].unique()
    items = (rated if more is None else pl.concat([rated, more])).unique().sort()
    # Both are ascending, so the rows of the matrix are already in order, and the columns within each.
    columns = positions(items, clean["item_id"]).astype(np.int32)
    counts = clean["user_id"].rle().struct.field("len").to_numpy()
    ratings = sp.csr_array(
        (
            clean["rating"].to_numpy(),
            columns,
            # As narrow as the columns: of unlike ones scipy widens both.
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int32 if len(columns) < 2**31 else np.int64),
        ),
        shape=(len(users), len(items)),
    )
    return Interactions(
        ratings, _age_in_days(clean), users.rename("user_id"), items.rename("item_id"), dropped
    )


def of_known(frame: pl.DataFrame, items: pl.Series) -> Interactions:
    """Return what users rated of the titles that a model knows, without ages; a row for each, empty where it is none.

    Parameters
    ----------
    frame
        user_id, item_id and rating, each pair once, ascending by both, nothing missing.
    items
        The titles, ascending.
    """
    columns = positions(items, frame["item_id"])
    known = columns >= 0
    users = frame["user_id"].rle().struct.unnest()
    ends = np.append(0, np.cumsum(known))[np.append(0, np.cumsum(users["len"].to_numpy(), dtype=np.int64))]
    ratings = sp.csr_array(
        (
            frame["rating"].to_numpy()[known].astype(np.float32),
            columns[known].astype(np.int32),
            ends.astype(np.int32),
        ),
        shape=(len(users), len(items)),
    )
    return Interactions(ratings, None, users["value"].rename("user_id"), items, Dropped(0, 0))


def cleaned(frame: pl.DataFrame) -> tuple[pl.DataFrame, Dropped]:
    """Return one row per (user_id, item_id), ascending, with rating and timestamp (seconds), and what was left out.

    Raises
    ------
    RecommendationError
        When a column is absent, no row is left, or timestamps are there and none can be read.
    """
    absent = [column for column in REQUIRED if column not in frame.columns]
    if absent:
        msg = f"no column {', '.join(absent)}; found: {', '.join(frame.columns)}"
        raise RecommendationError(msg)
    columns = [_as_ids(frame["user_id"]), _as_ids(frame["item_id"])]
    columns.append(frame["rating"].cast(pl.Float32, strict=False))
    if "timestamp" in frame.columns:
        columns.append(moments(frame["timestamp"]))
    whole = pl.DataFrame(columns).filter(
        pl.col("user_id").is_not_null(), pl.col("item_id").is_not_null(), pl.col("rating").is_finite()
    )
    if whole.is_empty():
        msg = "no row holds a rating: each lacks its user, its title or a number"
        raise RecommendationError(msg)
    order = [name for name in ("user_id", "item_id", "timestamp") if name in whole.columns]
    ordered = whole.sort(order, nulls_last=False, maintain_order=True)
    next_differs = (pl.col("user_id") != pl.col("user_id").shift(-1)) | (
        pl.col("item_id") != pl.col("item_id").shift(-1)
    )
    once = ordered.filter(next_differs.fill_null(True))
    return once, Dropped(missing=frame.height - whole.height, repeated=whole.height - once.height)


def weights(ratings: np.ndarray, mean: float) -> np.ndarray:
    """Return what each rating weighs as a sign of interest, (n,) float32: the root of rating / mean rating.

    Having watched says most, the rating a little more: every rating counts for its title, a bad one less. Over
    three cuts of MovieLens' 100,004 ratings, every held-out title relevant, nDCG@10 of EASE is .386 with the
    root and .385 with ones; .344 when ratings below the user's mean are left out. On their 1,682 most rated
    titles it is .405, .400 and .361.

    Parameters
    ----------
    ratings : (n,) float32
    mean
        Mean rating of the training data; where it is not above zero each rating weighs 1.
    """
    if mean <= 0:
        return np.ones(len(ratings), dtype=np.float32)
    return np.sqrt(np.maximum(ratings / np.float32(mean), _LEAST_WEIGHT)).astype(np.float32)


def weighted(ratings: sp.csr_array, mean: float) -> sp.csr_array:
    """Return the same matrix with each rating's weight (see `weights`) in its place."""
    return sp.csr_array((weights(ratings.data, mean), ratings.indices, ratings.indptr), shape=ratings.shape)


def drawn(ratings: sp.csr_array, most: int, rng: np.random.Generator) -> sp.csr_array:
    """Return rows drawn at random that hold about `most` ratings; all of them where there are no more."""
    if ratings.nnz <= most:
        return ratings
    users = max(1, int(ratings.shape[0] * most / ratings.nnz))
    return ratings[np.sort(rng.choice(ratings.shape[0], users, replace=False))]


def _as_ids(ids: pl.Series) -> pl.Series:
    if ids.dtype.is_integer():
        # Of more than 64 bits they are names made of digits.
        whole = ids.cast(pl.Int64, strict=False)
        return whole if whole.null_count() == ids.null_count() else ids.cast(pl.String)
    if ids.dtype.is_float():
        # Whole numbers turn into floats where a column has gaps: 7.0 is title 7.
        whole = ids.cast(pl.Int64, strict=False)
        return whole if (whole == ids).fill_null(True).all() else ids.cast(pl.String)
    return ids.cast(pl.String)


def moments(written: pl.Series) -> pl.Series:
    """Return moments as seconds since 1970, null where there is none."""
    if written.dtype == pl.String:
        number = written.cast(pl.Float64, strict=False)
        written = number if number.null_count() < len(number) else _parsed(written)
    if written.dtype.is_temporal():
        return written.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64) / 1e6
    seconds = written.cast(pl.Float64, strict=False).fill_nan(None)
    largest = seconds.max()
    return seconds / 1e3 if isinstance(largest, float) and largest > _MILLISECONDS_FROM else seconds


def _parsed(moments: pl.Series) -> pl.Series:
    try:
        parsed = moments.str.to_datetime(strict=False, time_unit="us")
    except pl.exceptions.ComputeError:
        first = moments.drop_nulls()[0]
        msg = (
            f"timestamp: expected seconds since 1970 or a date such as 2020-01-31 20:15:00, got '{first}'; "
            "without the column every rating counts as equally recent"
        )
        raise RecommendationError(msg) from None
    return parsed.dt.replace_time_zone(None)


def _age_in_days(clean: pl.DataFrame) -> np.ndarray | None:
    if "timestamp" not in clean.columns or clean["timestamp"].null_count() == clean.height:
        return None
    seconds = clean["timestamp"]
    # Of a rating without a moment nothing is known but that it is there: as old as the oldest.
    moments = seconds.fill_null(seconds.min()).to_numpy()
    return (moments.max() - moments) / 86_400
