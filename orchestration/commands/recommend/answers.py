"""Titles for one user, or for somebody who likes a few titles, from the stored recommender.

Belongs here: finding the user, the titles and the genre that somebody typed; the rows of `matinee recommend`. Does not
belong here: scores and reasons (`ml.recommendation`), the store.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl
import scipy.sparse as sp

from ingest.errors import counted
from ml.recommendation.nearest import nearest_names
from ml.recommendation.stored import StoredRecommender
from orchestration.stores.recommender import RecommenderStore
from published.errors import PublishedError
from published.people import hide_emails
from published.questions.audience import Interest, interest
from published.questions.users import segments_in_reasons, user
from published.sets import PublishedSet, open_set

Answer = TypeVar("Answer")


class RecommendError(ValueError):
    """What was asked for is unknown; the message suggests what is nearest to it."""


@dataclass(frozen=True)
class Recommended:
    """What is recommended.

    Attributes
    ----------
    rows : rank, title_id, title, genres, score, reason; for a title rank, user_id, score, segment_name.
    said : sentences about how the request was understood.
    """

    rows: pl.DataFrame
    said: tuple[str, ...]


class Recommender:
    """The recommender in force, opened once for any number of questions.

    Parameters
    ----------
    store
        Where it is kept.
    published
        Folder of the published tables, for the user's segment; nothing is said of segments without it.
    """

    def __init__(self, store: RecommenderStore, published: Path | None = None) -> None:
        self._stored: StoredRecommender = store.read_model()
        self._published = published
        self._outlived = (
            (f"The last run trained no recommender ({store.skipped}): this one is of a run before.",)
            if store.skipped
            else ()
        )

    def for_user(self, user_id: str, n: int = 10, genre: str | None = None) -> Recommended:
        """Recommend to a known user.

        Raises
        ------
        RecommendError
            When the user or the genre is unknown.
        """
        genre, user_id = self._genre(genre), user_id.strip()
        known = self._stored.row(user_id)
        if known is not None:
            segment = self._segment_of(user_id)
            words = {"popular": f"popular with {segment}"} if segment else {}
            return self._advice(known, n, genre=genre, said=self._outlived, **words)
        if self._is_a_user(user_id):
            said = (
                *self._outlived,
                f"User {hide_emails(user_id)} has {self._interest.acted} nothing yet: "
                "these are the most popular titles.",
            )
            return self._advice(self._stored.row_of_nobody(), n, genre=genre, said=said)
        raise RecommendError(self._unknown_user(user_id))

    def for_liked(self, liked: Sequence[str], n: int = 10, genre: str | None = None) -> Recommended:
        """Recommend to somebody who likes these titles, named or by id.

        Raises
        ------
        RecommendError
            When a title or the genre is unknown.
        """
        genre, said, columns = self._genre(genre), self._outlived, []
        for name in liked:
            column, understood = self._column_of(name)
            columns.append(column)
            said = (*said, *understood)
        return self._advice(self._stored.row_of_liked(columns), n, genre=genre, said=said, did="like")

    def for_title(self, name: str, n: int = 100) -> Recommended:
        """Return the users who most likely watch a title and have not (`StoredRecommender.likeliest`).

        Raises
        ------
        RecommendError
            When the title is unknown.
        """
        column, understood = self._column_of(name)
        users = self._stored.likeliest(column, n)
        said = (*self._outlived, *understood)
        if len(users) < n:
            said = (
                *said,
                f"No more than {counted(len(users), 'user')} can be named: the others have {self._interest.acted} it.",
            )
        segments = self._ask(segments_in_reasons)
        if segments is None:
            return Recommended(users.with_columns(segment_name=pl.lit(None, dtype=pl.String)), said)
        return Recommended(users.join(segments, on="user_id", how="left", maintain_order="left"), said)

    def _advice(
        self, row: sp.csr_array, n: int, *, genre: str | None, said: tuple[str, ...], **words: str
    ) -> Recommended:
        titles = self._stored.advised(row, n, genre=genre, **{"did": self._interest.acted, **words})
        if len(titles) < n:
            said = (*said, f"No more than {counted(len(titles), 'title')} can be recommended.")
        return Recommended(titles, said)

    def _genre(self, typed: str | None) -> str | None:
        if typed is None:
            return None
        labels = self._genre_labels
        known = {label.casefold(): label for label in labels}
        label = known.get(typed.casefold().replace("_", " "))
        if label is None:
            near = nearest_names(typed, labels)
            meant = f"Did you mean {_either(near)}?" if near else f"There are: {', '.join(labels)}."
            msg = f"no title has the genre '{typed}'. {meant}"
            raise RecommendError(msg)
        return label

    def _column_of(self, name: str) -> tuple[int, tuple[str, ...]]:
        """Return the column of a title by its id or its name; of several of one name the most rated one."""
        titles = self._stored.titles
        wanted = name.strip()
        plain = _plain(wanted)
        named = np.flatnonzero([bool(plain) and title == plain for title in self._plain_names])
        if not len(named):
            named = np.flatnonzero((titles["title_id"] == wanted).to_numpy())
        if not len(named):
            near = nearest_names(wanted, self._names_by_fame)
            meant = f"Did you mean {_either(near)}?" if near else "No title is named like it."
            msg = f"no title '{name}'. {meant}"
            raise RecommendError(msg)
        chosen = int(named[np.argmax(self._fame[named])])
        if len(named) == 1:
            return chosen, ()
        others = ", ".join(titles["title_id"][int(column)] for column in named if column != chosen)
        return chosen, (
            f"{len(named)} titles are called '{titles['title'][chosen]}'; this is the most {self._interest.acted} "
            f"one, id {titles['title_id'][chosen]} (the others: {others}).",
        )

    @cached_property
    def _fame(self) -> np.ndarray:
        return self._stored.popularity()

    @cached_property
    def _plain_names(self) -> list[str]:
        return [_plain(title or "") for title in self._stored.titles["title"]]

    @cached_property
    def _names_by_fame(self) -> list[str]:
        order = np.argsort(-self._fame, kind="stable")
        return self._stored.titles["title"][order.tolist()].drop_nulls().to_list()

    @cached_property
    def _genre_labels(self) -> list[str]:
        return self._stored.titles["genres"].str.split("|").explode().drop_nulls().unique().sort().to_list()

    def _unknown_user(self, user_id: str) -> str:
        numbers, example = self._stored.numbers, self._stored.example_id()
        new = "For somebody new, say what they like: --like TITLE."
        if not len(numbers):
            return (
                f"no user '{hide_emails(user_id)}': user ids look like '{hide_emails(example or '')}'. {new}"
            )
        try:
            wanted = int(user_id)
        except ValueError:
            kinds = (
                "whole numbers, "
                if example is None
                else f"such as '{hide_emails(example)}' or whole numbers, "
            )
            return f"no user '{hide_emails(user_id)}': user ids are {kinds}{numbers[0]:,} to {numbers[-1]:,}."
        place = int(np.clip(np.searchsorted(numbers, wanted), 1, max(len(numbers) - 1, 1)))
        near = min(numbers[max(place - 1, 0) : place + 1].tolist(), key=lambda known: abs(known - wanted))
        return (
            f"no user {user_id} among {counted(len(numbers), 'user')}, {numbers[0]} to {numbers[-1]}. "
            f"The nearest is {near}. {new}"
        )

    def _is_a_user(self, user_id: str) -> bool:
        """Whether the service knows the user, though not by a rating."""
        return self._ask(user, user_id) is not None

    def _segment_of(self, user_id: str) -> str | None:
        """Return the user's segment of the segmentation that published reasons name."""
        found = self._ask(segments_in_reasons, user_id)
        return None if found is None or found.is_empty() else found["segment_name"][0]

    def _ask(self, question: Callable[..., Answer], *asked: str) -> Answer | None:
        """Ask what is published; None where nothing is, or it cannot be read."""
        try:
            return question(self._data, *asked) if self._data else None
        except PublishedError:
            return None

    @cached_property
    def _interest(self) -> Interest:
        try:
            return interest(self._data) if self._data else Interest()
        except PublishedError:
            return Interest()

    @cached_property
    def _data(self) -> PublishedSet | None:
        try:
            return open_set(self._published) if self._published else None
        except PublishedError:
            return None


def _plain(name: str) -> str:
    """Return a name as people type it: without accents, in small letters."""
    return "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))


def _either(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
