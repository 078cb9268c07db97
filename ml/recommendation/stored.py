"""A trained recommender with the titles and users it was trained on: what it answers, whoever asks.

Belongs here: titles for one row of ratings, users for one title, the arrays both are kept as. Does not belong here:
files, what somebody typed, how an answer is shown.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from ml.recommendation.blend import parts_of
from ml.recommendation.errors import RecommendationError
from ml.recommendation.interactions import Interactions
from ml.recommendation.ranking import Fitted, recommend, row_numbers
from ml.recommendation.reasons import POPULAR, reasons
from ml.recommendation.state import from_arrays, to_arrays

_SEEN = "seen."
_PLAIN_NUMBER = re.compile("0|[1-9][0-9]{0,12}")


@dataclass(frozen=True)
class StoredRecommender:
    """A trained recommender; arrays may be mapped files, of which an answer reads what it needs.

    Attributes
    ----------
    fitted : the trained model.
    titles : title_id as the source writes it, title, genres (divided by |); one row per column of the matrix.
    ids : number, id; of the users whose id is no number, sorted by id.
    seen : data, indices, indptr of the matrix of ratings, and its users (ascending).
    """

    fitted: Fitted
    titles: pl.DataFrame
    ids: pl.LazyFrame
    seen: Mapping[str, np.ndarray]

    @classmethod
    def of(
        cls, arrays: Mapping[str, np.ndarray], titles: pl.DataFrame, ids: pl.LazyFrame
    ) -> "StoredRecommender":
        """Return the recommender that `arrays_of` gave the arrays of.

        Raises
        ------
        RecommendationError
            When the arrays are of no recommender, or some are missing.
        """
        seen = {name.removeprefix(_SEEN): array for name, array in arrays.items() if name.startswith(_SEEN)}
        model = {name: array for name, array in arrays.items() if not name.startswith(_SEEN)}
        try:
            found = cls(from_arrays(model), titles, ids, seen)
            is_whole = len(seen["indptr"]) == len(seen["users"]) + 1 and {"data", "indices"} <= set(seen)
        except KeyError as error:
            msg = f"the stored recommender lacks {error}; train it again"
            raise RecommendationError(msg) from None
        if not is_whole:
            msg = "the stored recommender lacks what its users rated; train it again"
            raise RecommendationError(msg)
        return found

    @property
    def users(self) -> np.ndarray:
        """The users, (users,) int64, ascending."""
        return np.asarray(self.seen["users"])

    @cached_property
    def numbers(self) -> np.ndarray:
        """The users whose ids are numbers, ascending; those of all others are higher."""
        first = self.ids.select(pl.col("number").min()).collect().item()
        return self.users if first is None else self.users[: np.searchsorted(self.users, first)]

    def example_id(self) -> str | None:
        """Return the id of a user that is no number; None where all are numbers."""
        first = self.ids.select("id").head(1).collect()
        return first.item() if len(first) else None

    def popularity(self) -> np.ndarray:
        """Return how many users rated each title, (titles,) int64."""
        return np.bincount(self.seen["indices"], minlength=len(self.titles))

    def row(self, user_id: str) -> sp.csr_array | None:
        """Return what a user rated, (1, titles); None for a user who rated nothing."""
        written = self.ids.filter(pl.col("id") == user_id).select("number").collect()
        known = self.users if len(written) else self.numbers
        if len(written):
            number = written.item()
        elif _PLAIN_NUMBER.fullmatch(user_id):
            number = int(user_id)
        else:
            return None
        place = int(np.searchsorted(known, number))
        if place == len(known) or known[place] != number:
            return None
        start, end = (int(at) for at in self.seen["indptr"][place : place + 2])
        return sp.csr_array(
            (self.seen["data"][start:end], self.seen["indices"][start:end], [0, end - start]),
            shape=(1, len(self.titles)),
        )

    def same_users(self, earlier: "StoredRecommender", places: np.ndarray) -> np.ndarray:
        """Return which users an earlier recommender knew with just these ratings, (users,) bool.

        Parameters
        ----------
        earlier
            A recommender of the same titles or fewer.
        places : (earlier titles,) int
            Columns that its titles have here, ascending.
        """
        now, then = self._rated, earlier._rated
        row = np.searchsorted(earlier.users, self.users)
        known = np.append(earlier.users, -1)[row] == self.users
        counts = np.diff(now.indptr)
        known[known] = counts[known] == np.diff(then.indptr)[row[known]]
        ids = pl.concat([self.ids.collect(), earlier.ids.collect()])
        renamed = ids.filter(pl.struct("number", "id").is_unique())["number"].to_numpy()
        known &= ~np.isin(self.users, renamed)
        mine, theirs = now[np.flatnonzero(known)], then[row[known]]
        differs = (mine.indices != places[theirs.indices]) | (mine.data != theirs.data)
        wrong = np.bincount(row_numbers(mine)[differs], minlength=mine.shape[0]) > 0
        known[known] = ~wrong
        return known

    def row_of_nobody(self) -> sp.csr_array:
        """Return the row of somebody who rated nothing, (1, titles)."""
        return sp.csr_array((1, len(self.titles)), dtype=np.float32)

    def row_of_liked(self, columns: Sequence[int] | np.ndarray) -> sp.csr_array:
        """Return the row of a new user who likes the titles of these columns: each at the highest rating there is."""
        liked = np.unique(np.asarray(columns, dtype=np.int64))
        best = np.full(len(liked), self._best, dtype=np.float32)
        return sp.csr_array((best, liked, [0, len(liked)]), shape=(1, len(self.titles)))

    def columns(self, title_ids: Sequence[str]) -> dict[str, int]:
        """Return title id to column, of those titles that it knows."""
        return {title_id: self._columns[title_id] for title_id in title_ids if title_id in self._columns}

    def advised(
        self,
        row: sp.csr_array,
        n: int,
        *,
        genre: str | None = None,
        popular: str = POPULAR,
        did: str = "rated",
    ) -> pl.DataFrame:
        """Return the best titles for somebody, each with the seen titles that speak for it.

        Parameters
        ----------
        row : (1, titles) csr
            What they have seen.
        n
            Titles, at most.
        genre
            The only titles: those that list it.
        popular, did
            Words of the reasons (`reasons.Reason.sentence`).

        Returns
        -------
        rank, title_id, title (its id where it has no name), genres (divided by commas), score, reason.
        """
        allowed = None if genre is None else self._has_genre(genre)
        ranked = recommend(self.fitted, row, n, allowed=allowed)
        columns = ranked.items[0][ranked.items[0] >= 0]
        why = [reason.sentence(self.name, popular, did) for reason in reasons(self.fitted, row, columns)]
        return self.titles[columns.tolist()].select(
            pl.int_range(1, pl.len() + 1).alias("rank"),
            "title_id",
            pl.coalesce("title", "title_id"),
            pl.col("genres").str.replace_all("|", ", ", literal=True),
            pl.Series("score", ranked.scores[0][: len(columns)].astype(np.float64)),
            pl.Series("reason", why, dtype=pl.String),
        )

    def likeliest(self, column: int, n: int) -> pl.DataFrame:
        """Return the users who will most likely watch a title and have not.

        A user's score is that of the first part of the blend that tells users apart for this title: with EASE what the
        titles that they have seen add up to. It is not put on a scale of the user's own, as the blend's is, for who
        watches more is likelier to watch this title too. Of the 50 users who come first for a title, hidden ratings
        say that 20 % (demo world) and 23 % (`ratings_small.csv`) rated it; of the 50 most active 9 % and 17 %, of all
        1 % and 3 %.

        Parameters
        ----------
        column
            The title.
        n
            Users, at most.

        Returns
        -------
        rank, user_id (as the source writes it), score; of equal scores the user of the lower number first.
        """
        rows = self._rated
        scores = np.zeros(len(self.users), dtype=np.float32)
        with threadpool_limits(1, "blas"):
            for part in parts_of(self.fitted):
                scores = part.scorer(np.array([column]))(rows)[:, 0].astype(np.float32)
                if np.ptp(scores) > 0:
                    break
        scores[row_numbers(rows)[rows.indices == column]] = -np.inf
        scores[np.diff(rows.indptr) == 0] = -np.inf
        order = np.argsort(-scores, kind="stable")[:n]
        order = order[np.isfinite(scores[order])]
        found = pl.DataFrame({"number": self.users[order], "score": scores[order].astype(np.float64)})
        written = found.join(self.ids.collect(), on="number", how="left", maintain_order="left")
        return written.select(
            pl.int_range(1, pl.len() + 1).alias("rank"),
            pl.coalesce("id", pl.col("number").cast(pl.String)).alias("user_id"),
            "score",
        )

    def name(self, column: int) -> str:
        """Return the name of a title, its id where it has none."""
        return self.titles["title"][int(column)] or self.titles["title_id"][int(column)]

    def _has_genre(self, genre: str) -> np.ndarray:
        return self.titles["genres"].str.split("|").list.contains(genre).fill_null(False).to_numpy()

    @cached_property
    def _rated(self) -> sp.csr_array:
        return sp.csr_array(
            (self.seen["data"], self.seen["indices"], self.seen["indptr"]),
            shape=(len(self.users), len(self.titles)),
        )

    @cached_property
    def _best(self) -> float:
        return float(self.seen["data"].max())

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {title_id: column for column, title_id in enumerate(self.titles["title_id"])}


def arrays_of(fitted: Fitted, interactions: Interactions) -> dict[str, np.ndarray]:
    """Return a trained model and who rated what as arrays, by name."""
    ratings = interactions.ratings
    return to_arrays(fitted) | {
        f"{_SEEN}data": ratings.data,
        f"{_SEEN}indices": ratings.indices.astype(np.int32, copy=False),
        f"{_SEEN}indptr": ratings.indptr.astype(np.int64, copy=False),
        f"{_SEEN}users": interactions.users.to_numpy(),
    }
