"""What the files of an unknown service are, by the names of their columns and by what stands in them.

Belongs here: the guess of a table, and which raw column or expression feeds which landing column; each with what a
person has to look at. Does not belong here: reading the files (`ingest.columns`), judging the guess by landing a sample
(`ingest.inspect`).

A guess is a start for a person: it is written down with its doubts, and never used by a run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.columns import Seen
from ingest.sql import identifier


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_USERS = _set("user users account member profile viewer subscriber customer person household client uid usr")
_TITLES = _set(
    "title titles item content movie film show asset video program programme series episode media work tconst"
)
_WATCHING = _set(
    "watch watched watches view viewed views viewing play played plays start started stream streams session"
)
_IDS = _set("id ids key uuid guid uid code number no nr sku tconst")
_FUSED = re.compile(rf"({'|'.join(sorted(_USERS | _TITLES, key=len, reverse=True))})(id|key|name|type)s?")
_NO_ID = _set(
    "name type kind count age plan genre genres rating score device country region language status year date time at "
    "imdb tmdb format duration runtime minutes description url original start started end"
)
_TIMES = ("time", "local time", "time with offset", "date", "day", "seconds", "milliseconds", "microseconds")
_NUMBERS = ("whole number", "number")
_EPOCHS = {
    "seconds": "make_timestamp({}::bigint * 1000000)",
    "milliseconds": "epoch_ms({}::bigint)",
    "microseconds": "make_timestamp({}::bigint)",
}


@dataclass
class Guess:
    """What a file may become.

    Parameters
    ----------
    table
        The canonical table.
    columns
        Canonical column → raw column or expression.
    doubts
        Canonical column → what a person has to look at.
    """

    table: str
    columns: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)


def words_of(name: str) -> list[str]:
    """Return the words of a column's name.

    Examples
    --------
    >>> words_of("accountId"), words_of("MOVIE_ID"), words_of("userid")
    (['account', 'id'], ['movie', 'id'], ['user', 'id'])
    """
    found = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    fused = [_FUSED.fullmatch(word) for word in found]
    return [
        part
        for word, split in zip(found, fused, strict=True)
        for part in (split.groups() if split else [word])
    ]


def guess_tables(columns: Sequence[Seen], name: str = "") -> list[Guess]:
    """Return what a file of this name with these columns may become: nothing, a table, or two of one file."""
    if all(re.fullmatch(r"column\d+", column.name) for column in columns):
        return _unnamed(columns)
    user, title = _id(columns, _USERS), _id(columns, _TITLES)
    rating = _pick(
        columns, "rating score stars star grade vote mark", _NUMBERS, but="count average mean imdb number"
    )
    if _customers(columns) and not title:
        return [_customers_guess(columns)]
    if user and title:
        moment = _moment(columns, "rated " + _WHEN)
        watched = [*words_of(name), *(words_of(moment.name) if moment else [])]
        guesses = [_ratings(user, title, rating)] if rating else []
        if guesses and moment:
            guesses[0].columns["rated_at"] = moment.name
        if _length(columns) or _end(columns) or (not rating and set(watched) & _WATCHING):
            guesses.append(_views(columns, user, title))
        return guesses
    called = _pick(
        columns, "title name headline", ("text",), but="user account member profile original file series"
    )
    genres = _genres(columns)
    own = title or _pick(columns, "id uuid key", but="imdb tmdb user account")
    if not user and called and (own or genres):
        return [_titles(columns, own if own is not called else None, called, genres)]
    others = [c for c in columns if set(words_of(c.name)) & _IDS and not set(words_of(c.name)) & _USERS]
    if not user and title and len(others) > 1:
        return [_links(columns, title, others)]
    own = user or _pick(columns, "id uuid key", but="imdb tmdb")
    facts = _users(columns, own) if own else None
    return [facts] if facts and (user or len(facts.columns) > 2) else []


def _unnamed(columns: Sequence[Seen]) -> list[Guess]:
    """Take user, title, rating and time from a file without names, where they stand in this order."""
    if len(columns) not in (3, 4) or [c for c in columns[3:] if c.kind not in _TIMES]:
        return []
    user, title, rating = columns[:3]
    if (
        rating.kind not in _NUMBERS
        or not rating.distinct <= _MOST_SCORES
        or title.kind not in ("whole number", "text")
    ):
        return []
    guess = _ratings(user, title, rating)
    if len(columns) > len(guess.columns):
        guess.columns["rated_at"] = columns[-1].name
    guess.doubts["user_id"] = "the first line names no columns: is the order user, title, rating, time?"
    return [guess]


# ---------------------------------------------------------------------- finding columns


def _pick(
    columns: Sequence[Seen], words: str, kinds: Sequence[str] = (), but: str = "", taken: Sequence[Seen] = ()
) -> Seen | None:
    """Return the column whose name has the earliest of these words."""
    wanted, unwanted = words.split(), set(but.split())
    found = [
        (min(wanted.index(word) for word in names if word in wanted), at)
        for at, column in enumerate(columns)
        for names in [set(words_of(column.name))]
        if names & set(wanted)
        and not names & unwanted
        and (not kinds or column.kind in kinds)
        and column not in taken
    ]
    return columns[min(found)[1]] if found else None


def _id(columns: Sequence[Seen], things: frozenset[str]) -> Seen | None:
    """Return the column that names one of these things: best with a word for an id, else by its word alone."""
    found = []
    for at, column in enumerate(columns):
        names = words_of(column.name)
        if not set(names) & things or (set(names) & _NO_ID and not set(names) & _IDS):
            continue
        if (
            column.kind in ("number", "labels", "flag")
            or set(names) & {"imdb", "tmdb"}
            or column.type == "JSON"
        ):
            continue
        is_id, is_alone = bool(set(names) & _IDS), len(names) == 1
        found.append(((-is_id, -is_alone, names[0] == "title", len(names), at), column))
    return min(found, key=lambda option: option[0])[1] if found else None


def _genres(columns: Sequence[Seen]) -> Seen | None:
    return _pick(
        columns, "genres genre listed tags tag categories category topics labels", ("labels", "text")
    )


def _length(columns: Sequence[Seen]) -> Seen | None:
    words = "minutes mins min seconds secs sec duration playtime watchtime length runtime elapsed ms watched hours"
    return _pick(columns, words, (*_NUMBERS, "duration"), but="started start at timestamp epoch")


def _end(columns: Sequence[Seen]) -> Seen | None:
    return _pick(columns, "end ended stop stopped finish finished", _TIMES)


def _moment(columns: Sequence[Seen], words: str) -> Seen | None:
    return _pick(columns, words, _TIMES, but="end ended stop stopped finish finished updated")


# ---------------------------------------------------------------------- tables


def _take(
    guess: Guess, columns: Sequence[Seen], wanted: Sequence[tuple[str, str, Sequence[str], str]]
) -> None:
    """Add plain columns to a guess; each raw column feeds one at most."""
    for name, words, kinds, but in wanted:
        used = [column for column in columns if column.name in guess.columns.values()]
        if name not in guess.columns and (found := _pick(columns, words, kinds, but, used)):
            guess.columns[name] = found.name


def _ids(guess: Guess, user: Seen, title: Seen) -> Guess:
    guess.columns |= {"user_id": user.name, "title_id": title.name}
    if not set(words_of(title.name)) & _IDS and title.name.lower() in ("title", "name"):
        guess.doubts["title_id"] = "names serve as ids: titles need the same spelling"
    return guess


def _ratings(user: Seen, title: Seen, rating: Seen) -> Guess:
    guess = _ids(Guess("ratings"), user, title)
    guess.columns["rating"] = rating.name
    if (rating.least or 0) < 0:
        guess.doubts["rating"] = (
            f"from {rating.least:g}: does a number below zero mean 'not rated'? Then add a where"
        )
    return guess


def _views(columns: Sequence[Seen], user: Seen, title: Seen) -> Guess:
    guess = _ids(Guess("views"), user, title)
    moment = _moment(columns, _WHEN)
    if moment:
        guess.columns["watched_at"], doubt = _local_time(moment)
        if doubt:
            guess.doubts["watched_at"] = doubt
    length, end = _length(columns), _end(columns)
    if length and length is not moment:
        guess.columns["minutes_watched"], doubt = _minutes(length)
        if doubt:
            guess.doubts["minutes_watched"] = doubt
    elif moment and end:
        start, stop = (_local_time(column)[0] for column in (moment, end))
        start, stop = (
            identifier(c.name) if c.name == said else said for c, said in ((moment, start), (end, stop))
        )
        guess.columns["minutes_watched"] = f"date_diff('second', {start}, {stop}) / 60"
        guess.doubts["minutes_watched"] = "from the start to the end, pauses included"
    _take(
        guess,
        columns,
        [("device", "device platform client app", ("text", "whole number"), "id version user")],
    )
    return guess


def _titles(columns: Sequence[Seen], own: Seen | None, name: Seen, genres: Seen | None) -> Guess:
    guess = Guess("titles", {"title_id": (own or name).name, "title": name.name})
    if own is None:
        guess.doubts["title_id"] = "no column of ids: names serve as ids"
    if genres:
        guess.columns["genres"] = genres.name
        if genres.distinct > _MOST_GENRES and genres.kind == "text" and not genres.has_commas:
            guess.doubts["genres"] = f"{genres.distinct:,} different in the sample: are these genres?"
    else:
        guess.doubts["title"] = "no column of genres: what compares genres stays empty"
    length = _pick(columns, "runtime minutes length duration mins", (*_NUMBERS, "duration"))
    if length and length.kind != "duration":
        guess.columns["runtime_minutes"], doubt = _minutes(length)
        if doubt:
            guess.doubts["runtime_minutes"] = doubt
    _take(guess, columns, _TITLE_FACTS)
    return guess


def _links(columns: Sequence[Seen], title: Seen, others: Sequence[Seen]) -> Guess:
    imdb = _pick(columns, "imdb tconst")
    other = next((column for column in others if column not in (title, imdb)), imdb or title)
    guess = Guess("links", {"rated_id": title.name, "title_id": other.name})
    if imdb and other is not imdb:
        guess.columns["imdb_id"] = imdb.name
    guess.doubts["rated_id"] = "the id in ratings and views; title_id is that in titles"
    return guess


def _users(columns: Sequence[Seen], own: Seen) -> Guess:
    guess = Guess("users", {"user_id": own.name})
    _take(guess, columns, _USER_FACTS)
    return guess


def _customers(columns: Sequence[Seen]) -> list[Seen]:
    """Return the four columns of customers, none where one is missing."""
    wanted = ("minutes watched", "clv ltv lifetime", "region", "channel")
    found = [column for words in wanted if (column := _pick(columns, words, _NUMBERS))]
    bounds = ((0, 2), (1, 8))  # of regions and channels
    fits = len(found) == len(wanted) and all(
        low <= (column.least or 0) and (column.most or 0) <= high
        for column, (low, high) in zip(found[2:], bounds, strict=True)
    )
    return found if fits else []


def _customers_guess(columns: Sequence[Seen]) -> Guess:
    names = ("minutes_watched", "clv", "region_id", "channel_id")
    guess = Guess("customers", dict(zip(names, (c.name for c in _customers(columns)), strict=True)))
    if own := _id(columns, _USERS):
        guess.columns["customer_id"] = own.name
    return guess


# ---------------------------------------------------------------------- expressions


def _local_time(column: Seen) -> tuple[str, str]:
    """Return where the viewer's own time comes from, and what is doubtful in it."""
    name = identifier(column.name)
    if column.kind in _EPOCHS:
        expression = _EPOCHS[column.kind].format(name)
        return (
            expression,
            f"{column.kind} since 1970, taken as the viewer's own clock; if UTC, hours are those of UTC",
        )
    if column.kind == "time with offset":
        zoned = name if "ZONE" in column.type else f"try_cast({name} as timestamptz)"
        said = f"cast({name} as timestamp)" if column.type == "TIMESTAMP" else f"timezone('UTC', {zoned})"
        return said, "UTC; write the viewers' own time zone for UTC, else hours are those of UTC"
    if column.kind in ("date", "day"):
        said = f"cast({name} as timestamp)" if column.kind == "date" else column.name
        return said, "days without an hour: the hours of the day will all be midnight"
    return column.name, ""


def _minutes(column: Seen) -> tuple[str, str]:
    """Return where minutes come from, by the unit that the name gives, else by how large the numbers are."""
    name, names = identifier(column.name), set(words_of(column.name))
    if column.has_commas:  # an expression reads the cells as they are
        name = f"replace({name}, ',', '.')::double"
    most = column.most or 0
    if column.kind == "duration":
        return column.name, ""
    for units, factor in _UNITS:
        if names & units:
            return f"{name}{factor}" if factor else column.name, ""
    if most > _MOST_SECONDS:
        return f"{name} / 60000", f"up to {most:,.0f}: taken as milliseconds"
    if most > _MOST_MINUTES:
        return f"{name} / 60", f"up to {most:,.0f}: taken as seconds"
    return column.name, f"up to {most:,.0f}: taken as minutes"


_UNITS = (
    (_set("minutes minute mins min"), ""),
    (_set("hours hour"), " * 60"),
    (_set("seconds second secs sec s"), " / 60"),
    (_set("ms milliseconds"), " / 60000"),
)
_WHEN = "watched viewed played started start begin timestamp time ts date created event at when"
_MOST_GENRES = 200
_MOST_SCORES = 101
_MOST_MINUTES = 1_000
_MOST_SECONDS = 200_000
_TITLE_FACTS: Sequence[tuple[str, str, Sequence[str], str]] = (
    ("imdb_id", "imdb tconst", ("text",), "score rating votes"),
    ("release_year", "year", ("whole number",), "added"),
    ("release_date", "released release premiere premiered", ("date", "time", "local time", "day"), "netflix"),
    ("original_language", "language lang", ("text",), ""),
    ("original_title", "original", ("text",), "language"),
    ("overview", "overview description summary plot synopsis", ("text",), ""),
    ("director", "director directors", ("text",), ""),
    ("actors", "cast actors", ("text",), ""),
    ("kind", "type kind", ("text",), ""),
    ("popularity", "popularity", _NUMBERS, ""),
    ("vote_average", "average", _NUMBERS, ""),
    ("vote_count", "votes", ("whole number",), "average"),
)
_USER_FACTS: Sequence[tuple[str, str, Sequence[str], str]] = (
    ("subscription", "subscription plan tier package", ("text", "whole number"), "date start end at"),
    ("region", "country region market territory state city", ("text", "whole number"), ""),
    ("joined_on", "joined join signup registered registration created since sign", _TIMES[:5], ""),
    ("ended_on", "ended end cancelled canceled cancellation left churned", _TIMES[:5], ""),
    ("age", "age", (), ""),
    ("gender", "gender sex", (), ""),
    ("occupation", "occupation job profession", ("text",), ""),
)
