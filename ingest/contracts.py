"""The canonical tables: what the landing holds, whatever the files of a service look like.

Belongs here: declarations. To add a table, add a `Contract`; no other module needs to change.
Does not belong here: names of files and of raw columns (`ingest/layouts`, or a service's own declaration), how a cell
is read (`ingest.cells`), what is done with a bad line (`ingest.landing`). Cleaning that needs more than one line is
SQL's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Kind(Enum):
    """What the cells of a column hold: the noun for a person, and the DuckDB type of the landing column."""

    ID = ("an id", "BIGINT")
    INTEGER = ("a whole number", "BIGINT")
    NUMBER = ("a number", "DOUBLE")
    SCORE = ("a number, with % or without", "DOUBLE")
    MINUTES = ("a number of minutes, or a duration such as 01:30:00", "DOUBLE")
    TEXT = ("text", "VARCHAR")
    LABELS = ("labels such as ['Drama', 'War'], Drama|War or Drama, War", "VARCHAR[]")
    DATE = ("a date such as 1995-10-30 or 30 Oct 1995", "DATE")
    FLAG = ("True or False", "BOOLEAN")
    MOMENT = (
        "a time from 1971 to the day after it is read, such as 2017-06-05T20:15:00Z, or seconds or parts of them since "
        "1970-01-01",
        "TIMESTAMP",
    )
    LOCAL_TIME = (
        "a local time from 1971 to the day after it is read, such as 2017-06-05 20:15:00",
        "TIMESTAMP",
    )

    @property
    def noun(self) -> str:
        """What a person calls it."""
        return self.value[0]

    @property
    def sql_type(self) -> str:
        """The type of the landing column."""
        return self.value[1]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a landing table.

    Parameters
    ----------
    name
        Its name, which a declaration uses.
    kind
        What the cells hold.
    description
        What it means.
    required
        A source without it is refused, and a line with an unreadable cell in it is rejected. In a column that is
        not required such a cell is counted and becomes NULL.
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
    """

    name: str
    kind: Kind
    description: str = ""
    required: bool = False
    nullable: bool = True
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    example: str = ""
    or_row_number: bool = False

    @property
    def expectation(self) -> str:
        """What a cell must hold, as the end of a sentence: ``a number from 0.5 to 5``."""
        if self.pattern:
            return self.example
        noun = self.kind.noun.partition(",")[0]
        if self.minimum is not None and self.maximum is not None:
            return f"{noun} from {self.minimum:g} to {self.maximum:g}"
        if self.minimum is not None:
            return f"{noun}, {self.minimum:g} or more"
        return self.kind.noun


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The promise that every row of a landing table keeps.

    Parameters
    ----------
    table
        Name of the landing table.
    description
        What one row is.
    columns
        Its columns, in landing order.
    key
        Columns that identify a row. Repeats are allowed here; SQL resolves them.
    left_out
        SQL condition on the columns of rows that are possible and mean nothing: counted, and not landed.
    left_out_because
        Why, as a sentence.
    """

    table: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    left_out: str = ""
    left_out_because: str = ""

    @property
    def fingerprint(self) -> str:
        """Eight hex digits that change when the contract does, so that a file lands again under new rules."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:8]

    @property
    def required_columns(self) -> tuple[Column, ...]:
        """The columns without which a source of this table is refused."""
        return tuple(column for column in self.columns if column.required and not column.or_row_number)

    def column(self, name: str) -> Column:
        """Return the column of this name."""
        return next(column for column in self.columns if column.name == name)


def _id(name: str, description: str, *, nullable: bool = False) -> Column:
    return Column(name=name, kind=Kind.ID, description=description, required=True, nullable=nullable)


def _text(name: str, description: str, *, required: bool = False) -> Column:
    return Column(name=name, kind=Kind.TEXT, description=description, required=required)


def _number(name: str, description: str, *, kind: Kind = Kind.NUMBER, least: float | None = None) -> Column:
    return Column(name=name, kind=kind, description=description, minimum=least)


def _row_id(name: str) -> Column:
    return Column(
        name=name,
        kind=Kind.TEXT,
        description="Id as the source has it; the number of the row in its file, from 1, where it has none.",
        required=True,
        nullable=False,
        pattern=r".*\S.*",
        example="an id",
        or_row_number=True,
    )


_USER = "The user: an id of the source; see the table ids."
DELETED = Column(
    name="is_deleted",
    kind=Kind.FLAG,
    description="Whether the row says that what its key names is no more; NULL for no.",
)
"""In every table: such a row need say no more than its key."""

RATINGS = Contract(
    table="ratings",
    description="One rating of one title by one user",
    columns=(
        _id("user_id", _USER),
        _id("title_id", "The title rated: its id in titles, or a rated_id of links."),
        Column(
            name="rating",
            kind=Kind.NUMBER,
            description="How the user liked it, on the source's own scale.",
            required=True,
            nullable=False,
        ),
        Column(name="rated_at", kind=Kind.MOMENT, description="When (UTC)."),
        DELETED,
    ),
    key=("user_id", "title_id", "rated_at"),
)

LINKS = Contract(
    table="links",
    description="One id that ratings and views give a title, and its id in titles",
    columns=(
        _id("rated_id", "Id of the title in ratings and views."),
        _id("title_id", "Id of the title in titles.", nullable=True),
        # Text, because the zeros that IMDb ids are padded with count.
        _text("imdb_id", "Its IMDb id, a second id of what the first means."),
        DELETED,
    ),
    key=("rated_id",),
)

TITLES = Contract(
    table="titles",
    description="One title that users can rate or watch",
    columns=(
        _id("title_id", "Id of the title."),
        _text("imdb_id", "IMDb id."),
        _text("title", "Name.", required=True),
        Column(name="genres", kind=Kind.LABELS, description="Labels as the source has them, in its order."),
        _text("original_title", "Name in the original language."),
        _text("original_language", "Two-letter code."),
        Column(name="release_date", kind=Kind.DATE, description="Day of first release."),
        _number("release_year", "Year of first release.", kind=Kind.INTEGER),
        _number("runtime_minutes", "Length in minutes."),
        _number("popularity", "Popularity, on the source's own scale."),
        _number("vote_average", "Mean of public votes."),
        _number("vote_count", "Number of public votes.", kind=Kind.INTEGER),
        _number("budget", "Cost of making it."),
        _number("revenue", "What it earned."),
        _text("overview", "What it is about."),
        _text("tagline", "Its slogan."),
        Column(name="adult", kind=Kind.FLAG, description="Whether it is for adults only."),
        _text("kind", "movie or series."),
        _text("director", "Directors, divided by commas."),
        _text("actors", "Leading actors, divided by commas."),
        DELETED,
    ),
    key=("title_id",),
)

CUSTOMERS = Contract(
    table="customers",
    description="One customer: minutes watched, lifetime value, and where they came from",
    columns=(
        _row_id("customer_id"),
        # Empty for a customer who never watched.
        Column(name="minutes_watched", kind=Kind.NUMBER, required=True, minimum=0),
        Column(name="clv", kind=Kind.NUMBER, required=True, nullable=False, minimum=0),
        Column(name="region_id", kind=Kind.INTEGER, required=True, nullable=False, minimum=0, maximum=2),
        Column(name="channel_id", kind=Kind.INTEGER, required=True, nullable=False, minimum=1, maximum=8),
        _text("country", "Country as the source names it."),
        DELETED,
    ),
    key=("customer_id",),
)

USERS = Contract(
    table="users",
    description="One user, and what is known of them",
    columns=(
        _id("user_id", _USER),
        _text("subscription", "What the user pays for, as the source calls it."),
        _text("region", "Region or country as the source names it."),
        Column(name="joined_on", kind=Kind.DATE, description="Day on which the user joined."),
        Column(
            name="ended_on",
            kind=Kind.DATE,
            description="Day on which the subscription ended; empty while it runs.",
        ),
        _text("age", "Age or age group as the source has it."),
        _text("gender", "As the source has it."),
        _text("occupation", "As the source has it."),
        DELETED,
    ),
    key=("user_id",),
)

VIEWS = Contract(
    table="views",
    description="One time that one user watched one title",
    columns=(
        _id("user_id", _USER),
        _id("title_id", "The title watched: its id in titles, or a rated_id of links."),
        Column(
            name="watched_at",
            kind=Kind.LOCAL_TIME,
            description="When the viewing began, on the viewer's own clock.",
            required=True,
            nullable=False,
        ),
        _text("device", "What the user watched on, as the source calls it."),
        # Nobody watches one title for more than a day at a stretch.
        Column(
            name="minutes_watched",
            kind=Kind.MINUTES,
            description="Minutes watched, 0 to 1,440.",
            required=True,
            nullable=False,
            minimum=0,
            maximum=1440,
        ),
        DELETED,
    ),
    key=("user_id", "title_id", "watched_at"),
    left_out="minutes_watched = 0",
    left_out_because="nobody watched in a view of 0 minutes: a preview, or a title only opened",
)

CATALOGUE = Contract(
    table="catalogue",
    description="One title that the streaming service shows, with the scores of audience and critics",
    columns=(
        _row_id("catalogue_id"),
        Column(
            name="title",
            kind=Kind.TEXT,
            required=True,
            nullable=False,
            pattern=r".*\S.*",
            example="the name of a title",
        ),
        _text("genres", "Genre labels, divided by commas."),
        _text("tags", "The service's own labels, divided by commas."),
        _text("languages", "Languages spoken, divided by commas."),
        Column(
            name="kind",
            kind=Kind.TEXT,
            required=True,
            nullable=False,
            pattern=r"\s*(?i:series|movie)\s*",
            example="Series or Movie",
        ),
        Column(name="hidden_gem_score", kind=Kind.NUMBER, minimum=0, maximum=10),
        _text("countries", "Countries in which the title is shown, divided by commas."),
        _text("runtime", "Runtime as one of four buckets."),
        _text("director", "Directors, divided by commas."),
        _text("writer", "Writers, divided by commas."),
        _text("actors", "Leading actors, divided by commas."),
        _text("view_rating", "Whom the title is fit for."),
        # The two figures that titles are compared by: a source must have both columns, a title need not.
        Column(name="imdb_score", kind=Kind.NUMBER, required=True, minimum=0, maximum=10),
        Column(name="rotten_tomatoes_score", kind=Kind.SCORE, minimum=0, maximum=100),
        Column(name="metacritic_score", kind=Kind.SCORE, minimum=0, maximum=100),
        _number("awards_received", "Awards won.", kind=Kind.INTEGER),
        _number("awards_nominated_for", "Awards nominated for.", kind=Kind.INTEGER),
        # Text, because some copies of the file write dollars as $1,234.
        _text("boxoffice", "Dollars taken at the box office, as the source writes them."),
        Column(name="release_date", kind=Kind.DATE, description="Day of first release."),
        Column(name="shown_since", kind=Kind.DATE, description="Day on which the service began to show it."),
        _text("production_house", "Companies, divided by commas."),
        Column(name="imdb_votes", kind=Kind.INTEGER, required=True, minimum=0),
        _text("trailer_site", "Where the trailer is."),
        _text("overview", "What the title is about."),
        DELETED,
    ),
    key=("catalogue_id",),
)

CONTRACTS: Mapping[str, Contract] = MappingProxyType(
    {c.table: c for c in (RATINGS, LINKS, TITLES, CUSTOMERS, USERS, VIEWS, CATALOGUE)}
)
"""Every table that can land, by its name."""

DATASETS = (("ratings", "links", "titles"), ("users", "views"), ("customers",), ("catalogue",))
"""Tables that are of little use without each other: where a file of one is refused, the others do not change either."""
