"""What each raw table must look like, and which tables belong together.

Here: declarations. To add a raw table, add a `Contract` and name it in a `Dataset`; no other module needs to change.
Not here: how a value is read and checked (`ingest.checks`), nor what is done with a bad line
(`ingest.landing`). Cleaning that needs more than one line (repeated ids, genre labels) is SQL's work.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What the cells of a column hold; the value is the DuckDB type of the landing column."""

    INTEGER = "BIGINT"
    NUMBER = "DOUBLE"
    TEXT = "VARCHAR"
    DATE = "DATE"
    FLAG = "BOOLEAN"
    EPOCH_SECONDS = "TIMESTAMP"
    # DuckDB's other name of TIMESTAMP; under the same name the two kinds would be one.
    LOCAL_TIME = "DATETIME"


_NOUNS: Mapping[Kind, str] = {
    Kind.INTEGER: "a whole number",
    Kind.NUMBER: "a number",
    Kind.TEXT: "text",
    Kind.DATE: "a date such as 1995-10-30 or 30 Oct 1995",
    Kind.FLAG: "True or False",
    Kind.EPOCH_SECONDS: "seconds since 1970-01-01",
    Kind.LOCAL_TIME: "a local time from 1970 to 2099 such as 2017-06-05 20:15:00",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a raw file and the landing column it becomes.

    Parameters
    ----------
    raw
        Name in the file's header.
    name
        Name in the landing table.
    kind
        What the cells hold.
    required
        A file without this column is refused, and a line with an unreadable cell is rejected.
        A column that is not required becomes NULL in both cases.
    nullable
        Whether a cell of a required column may be empty.
    minimum, maximum
        Bounds, both included. A number beyond them rejects the line, required or not: it can be read and is wrong,
        so the cells of the line are shifted or on another scale, and no other cell can be trusted.
    pattern
        Regular expression (RE2) that the whole text must match; `.` matches line ends too.
    example
        How a matching text looks, for the reason given with a reject.
    or_row_number
        Whether a file without this (required) column lands all the same: each row then holds its number in the
        file, from 1, rejected rows counted, so that a row keeps its number whatever becomes of its neighbours.
    also
        Other names that a header may give the column; `raw` goes before them.
    """

    raw: str
    name: str
    kind: Kind
    required: bool = False
    nullable: bool = True
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    example: str = ""
    or_row_number: bool = False
    also: tuple[str, ...] = ()

    @property
    def expectation(self) -> str:
        """What a cell must hold, as the end of a sentence: ``a number from 0.5 to 5``."""
        if self.pattern:
            return self.example
        noun = _NOUNS[self.kind]
        if self.minimum is not None and self.maximum is not None:
            return f"{noun} from {self.minimum:g} to {self.maximum:g}"
        if self.minimum is not None:
            return f"{noun}, {self.minimum:g} or more"
        return noun


@dataclass(frozen=True, kw_only=True)
class Quirk:
    """A fault that the public file is known to have: it is rejected, but alarms nobody.

    Parameters
    ----------
    raw
        Column that shows the fault.
    pattern
        Regular expression that its whole text matches then.
    explanation
        What happened to the line, for the reason.
    """

    raw: str
    pattern: str
    explanation: str

    def shows_in(self, cells: Mapping[str, str]) -> bool:
        """Whether a line with these cells (raw column name → text) has the quirk."""
        return re.fullmatch(self.pattern, cells.get(self.raw, "")) is not None


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The promise a raw file makes before it may land.

    Parameters
    ----------
    table
        Name of the landing table.
    description
        What one line is.
    stems
        File names without ending by which the table is found, the preferred one first.
    columns
        Columns to land, in landing order. Others in the file are left out.
    key
        Landing columns that identify a row. Repeats are allowed here; SQL resolves them.
    quirks
        Known faults of the public file.
    pads_short_lines
        Whether a line with too few cells is read as if the missing ones were empty. Only for a file that is
        known to break records in two.
    """

    table: str
    description: str
    stems: tuple[str, ...]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    quirks: tuple[Quirk, ...] = ()
    pads_short_lines: bool = False

    @property
    def fingerprint(self) -> str:
        """Eight hex digits that change when the contract does, so that a file lands again under new rules."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:8]

    @property
    def required_columns(self) -> tuple[Column, ...]:
        """The columns without which a file is refused."""
        return tuple(column for column in self.columns if column.required and not column.or_row_number)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Tables that only make sense together: a source holds all of them or none.

    Parameters
    ----------
    name
        What a person calls it.
    tables
        Names of its landing tables.
    """

    name: str
    tables: tuple[str, ...]


def _id(raw: str, name: str, *, nullable: bool = False, also: tuple[str, ...] = ()) -> Column:
    return Column(
        raw=raw, name=name, kind=Kind.INTEGER, required=True, nullable=nullable, minimum=1, also=also
    )


def _code(raw: str, name: str, *, first: int, last: int) -> Column:
    return Column(
        raw=raw, name=name, kind=Kind.INTEGER, required=True, nullable=False, minimum=first, maximum=last
    )


RATINGS = Contract(
    table="ratings",
    description="One rating of one title by one user (MovieLens ids)",
    stems=("ratings", "ratings_small"),
    columns=(
        _id("userId", "user_id"),
        _id("movieId", "movie_id"),
        Column(
            raw="rating",
            name="rating",
            kind=Kind.NUMBER,
            required=True,
            nullable=False,
            minimum=0.5,
            maximum=5,
        ),
        Column(raw="timestamp", name="rated_at", kind=Kind.EPOCH_SECONDS),
    ),
    key=("user_id", "movie_id", "rated_at"),
)

LINKS = Contract(
    table="links",
    description="One MovieLens id with its IMDb and TMDB ids",
    stems=("links",),
    columns=(
        _id("movieId", "movie_id"),
        # Text, because the zeros that IMDb ids are padded with count.
        Column(raw="imdbId", name="imdb_id", kind=Kind.TEXT, required=True),
        _id("tmdbId", "tmdb_id", nullable=True),
    ),
    key=("movie_id",),
)

TITLES = Contract(
    table="titles",
    description="One title of the catalogue (TMDB ids)",
    stems=("movies_metadata",),
    columns=(
        _id("id", "title_id"),
        Column(raw="imdb_id", name="imdb_id", kind=Kind.TEXT, required=True),
        Column(raw="title", name="title", kind=Kind.TEXT, required=True),
        Column(
            raw="genres",
            name="genres",
            kind=Kind.TEXT,
            required=True,
            nullable=False,
            pattern=r"\s*\[.*\]\s*",
            example="a list such as [{'id': 18, 'name': 'Drama'}]",
        ),
        Column(raw="original_title", name="original_title", kind=Kind.TEXT),
        Column(raw="original_language", name="original_language", kind=Kind.TEXT),
        Column(raw="release_date", name="release_date", kind=Kind.DATE),
        Column(raw="runtime", name="runtime_minutes", kind=Kind.NUMBER),
        Column(raw="popularity", name="popularity", kind=Kind.NUMBER),
        Column(raw="vote_average", name="vote_average", kind=Kind.NUMBER),
        Column(raw="vote_count", name="vote_count", kind=Kind.INTEGER),
        Column(raw="budget", name="budget", kind=Kind.NUMBER),
        Column(raw="revenue", name="revenue", kind=Kind.NUMBER),
        Column(raw="overview", name="overview", kind=Kind.TEXT),
        Column(raw="tagline", name="tagline", kind=Kind.TEXT),
        Column(raw="adult", name="adult", kind=Kind.FLAG),
    ),
    key=("title_id",),
    quirks=(
        Quirk(
            raw="id",
            pattern=r"\d{4}-\d{2}-\d{2}",
            explanation="the second half of a record that a line end in its overview broke in two",
        ),
    ),
    # The public file breaks three records in two; the first half, with id and genres, counts as a title.
    pads_short_lines=True,
)

CUSTOMERS = Contract(
    table="customers",
    description="One customer: minutes watched, lifetime value, and where they came from",
    stems=("customer_segmentation_data", "customers"),
    columns=(
        Column(
            raw="customer_id",
            name="customer_id",
            kind=Kind.TEXT,
            required=True,
            nullable=False,
            pattern=r".*\S.*",
            example="an id",
            or_row_number=True,
        ),
        # Empty for a customer who never watched.
        Column(raw="minutes_watched", name="minutes_watched", kind=Kind.NUMBER, required=True, minimum=0),
        Column(raw="CLV", name="clv", kind=Kind.NUMBER, required=True, nullable=False, minimum=0),
        _code("region", "region_id", first=0, last=2),
        _code("channel", "channel_id", first=1, last=8),
        Column(raw="country", name="country", kind=Kind.TEXT),
    ),
    key=("customer_id",),
)

USERS = Contract(
    table="users",
    description="One user with a subscription (ids of the ratings)",
    stems=("users",),
    columns=(
        _id("user_id", "user_id", also=("userId",)),
        Column(raw="subscription", name="subscription", kind=Kind.TEXT, required=True),
        Column(raw="region", name="region", kind=Kind.TEXT, also=("country",)),
        Column(raw="joined_on", name="joined_on", kind=Kind.DATE),
    ),
    key=("user_id",),
)

WATCH_EVENTS = Contract(
    table="watch_events",
    description="One time that one user watched one title (MovieLens ids)",
    stems=("watch_events",),
    columns=(
        _id("user_id", "user_id", also=("userId",)),
        _id("movie_id", "movie_id", also=("movieId",)),
        Column(raw="watched_at", name="watched_at", kind=Kind.LOCAL_TIME, required=True, nullable=False),
        Column(raw="device", name="device", kind=Kind.TEXT, required=True),
        # Nobody watches one title for more than a day at a stretch.
        Column(
            raw="minutes_watched",
            name="minutes_watched",
            kind=Kind.NUMBER,
            required=True,
            nullable=False,
            minimum=0,
            maximum=1440,
        ),
    ),
    key=("user_id", "movie_id", "watched_at"),
)

CATALOGUE = Contract(
    table="catalogue",
    description="One title that the streaming service shows, with the scores of audience and critics",
    stems=("netflix_titles", "catalogue"),
    columns=(
        Column(
            raw="id",
            name="catalogue_id",
            kind=Kind.TEXT,
            required=True,
            nullable=False,
            pattern=r".*\S.*",
            example="an id",
            or_row_number=True,
            also=("title_id", "show_id"),
        ),
        Column(
            raw="Title",
            name="title",
            kind=Kind.TEXT,
            required=True,
            nullable=False,
            pattern=r".*\S.*",
            example="the name of a title",
        ),
        Column(raw="Genre", name="genres", kind=Kind.TEXT, also=("Genres",)),
        Column(raw="Tags", name="tags", kind=Kind.TEXT),
        Column(raw="Languages", name="languages", kind=Kind.TEXT),
        Column(
            raw="Series or Movie",
            name="kind",
            kind=Kind.TEXT,
            required=True,
            nullable=False,
            pattern=r"\s*(?i:series|movie)\s*",
            example="Series or Movie",
        ),
        Column(raw="Hidden Gem Score", name="hidden_gem_score", kind=Kind.NUMBER, minimum=0, maximum=10),
        Column(raw="Country Availability", name="countries", kind=Kind.TEXT),
        Column(raw="Runtime", name="runtime", kind=Kind.TEXT),
        Column(raw="Director", name="director", kind=Kind.TEXT),
        Column(raw="Writer", name="writer", kind=Kind.TEXT),
        Column(raw="Actors", name="actors", kind=Kind.TEXT),
        Column(raw="View Rating", name="view_rating", kind=Kind.TEXT),
        # The two figures that titles are compared by: a file must have both columns, a title need not.
        Column(raw="IMDb Score", name="imdb_score", kind=Kind.NUMBER, required=True, minimum=0, maximum=10),
        Column(
            raw="Rotten Tomatoes Score",
            name="rotten_tomatoes_score",
            kind=Kind.NUMBER,
            minimum=0,
            maximum=100,
        ),
        Column(raw="Metacritic Score", name="metacritic_score", kind=Kind.NUMBER, minimum=0, maximum=100),
        Column(raw="Awards Received", name="awards_received", kind=Kind.INTEGER),
        Column(raw="Awards Nominated For", name="awards_nominated_for", kind=Kind.INTEGER),
        # Text, because some copies of the file write dollars as $1,234.
        Column(raw="Boxoffice", name="boxoffice", kind=Kind.TEXT),
        Column(raw="Release Date", name="release_date", kind=Kind.DATE),
        Column(raw="Netflix Release Date", name="shown_since", kind=Kind.DATE, also=("Shown Since",)),
        Column(raw="Production House", name="production_house", kind=Kind.TEXT),
        Column(raw="IMDb Votes", name="imdb_votes", kind=Kind.INTEGER, required=True, minimum=0),
        Column(raw="Trailer Site", name="trailer_site", kind=Kind.TEXT),
        Column(raw="Summary", name="overview", kind=Kind.TEXT, also=("overview",)),
    ),
    key=("catalogue_id",),
)

CONTRACTS: Mapping[str, Contract] = MappingProxyType(
    {c.table: c for c in (RATINGS, LINKS, TITLES, CUSTOMERS, USERS, WATCH_EVENTS, CATALOGUE)}
)
"""Every raw table that can land, by its name."""

MOVIES_DATASET = Dataset(name="movies", tables=("ratings", "links", "titles"))
CUSTOMERS_DATASET = Dataset(name="customers", tables=("customers",))
VIEWING_DATASET = Dataset(name="viewing", tables=("users", "watch_events"))
CATALOGUE_DATASET = Dataset(name="catalogue", tables=("catalogue",))

DATASETS = (MOVIES_DATASET, CUSTOMERS_DATASET, VIEWING_DATASET, CATALOGUE_DATASET)
"""Every dataset that a source may hold."""
