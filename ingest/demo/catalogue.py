"""The catalogue of a streaming service: `netflix_titles.csv`, 23 columns, with critics' scores.

Belongs here: its draws, texts and quirks. Does not belong here: the rated films (`titles`); the two
catalogues share no ids, as the real ones do not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.demo.genres import GENRES, draw_genres
from ingest.demo.sizes import Sizes
from ingest.demo.streams import csv_file, stream
from ingest.demo.words import COMPANIES, FIRST_NAMES, PICKS_PER_TEXT, SURNAMES, Film, Picks

CATALOGUE_COLUMNS: Final = (
    "Title", "Genre", "Tags", "Languages", "Series or Movie", "Hidden Gem Score", "Country Availability",
    "Runtime", "Director", "Writer", "Actors", "View Rating", "IMDb Score", "Rotten Tomatoes Score",
    "Metacritic Score", "Awards Received", "Awards Nominated For", "Boxoffice", "Release Date",
    "Netflix Release Date", "Production House", "IMDb Votes", "Trailer Site",
)  # fmt: skip

_REAL_ROWS: Final = 15_480
_REPEATED: Final = 409 / _REAL_ROWS
_SERIES: Final = 3_783 / _REAL_ROWS
_MOJIBAKE: Final = 0.05
"""Of the titles, those with accents among them; about 1 % of all titles end up garbled."""
_IMPOSSIBLE_DATES: Final = 272 / _REAL_ROWS
"""Titles that the service shows before they are released."""
_MOST_VOTES: Final = 2_400_000
_EMPTY: Final = {
    "Genre": 1_710 / _REAL_ROWS, "Tags": 67 / _REAL_ROWS, "Languages": 1_935 / _REAL_ROWS,
    "Director": 4_708 / _REAL_ROWS, "Writer": 4_330 / _REAL_ROWS, "Actors": 1_925 / _REAL_ROWS,
    "View Rating": 7_024 / _REAL_ROWS, "Awards Received": 9_405 / _REAL_ROWS,
    "Awards Nominated For": 7_819 / _REAL_ROWS, "Release Date": 2_107 / _REAL_ROWS,
    "Production House": 10_331 / _REAL_ROWS, "Trailer Site": 8_286 / _REAL_ROWS,
}  # fmt: skip
_UNKNOWN_TO: Final = {"imdb": 2_099 / _REAL_ROWS, "tomatoes": 9_174 / _REAL_ROWS, "metacritic": 11_144 / _REAL_ROWS,
                      "boxoffice": 11_473 / _REAL_ROWS}  # fmt: skip
"""Share of the titles without the figure; the more people know a title, the sooner it has one."""

_GENRE_NAMES: Final = {"Science Fiction": "Sci-Fi", "Foreign": "Biography", "TV Movie": "Short"}
"""This catalogue labels as IMDb does; labels that IMDb lacks stand in for ones as frequent."""
_LANGUAGES: Final = (
    *["English"] * 12, *["Japanese"] * 3, "Spanish", "Spanish", "French", "French", "Korean", "German", "Hindi",
    "Mandarin", "Italian", "Russian", "Cantonese", "Arabic", "Swedish", "Thai", "Turkish", "Polish",
)  # fmt: skip
_COUNTRIES: Final = (
    "United Kingdom", "Czech Republic", "Japan", "Hungary", "Canada", "Singapore", "Thailand", "India", "Slovakia",
    "Australia", "Romania", "United States", "South Africa", "Lithuania", "Germany", "Russia", "Switzerland",
    "Belgium", "Malaysia", "Iceland", "Greece", "Israel", "France", "Hong Kong", "Mexico", "Italy", "Argentina",
    "Poland", "Brazil", "Netherlands", "Spain", "Colombia", "South Korea", "Turkey", "Sweden", "Portugal",
)  # fmt: skip
_MOVIE_RUNTIMES: Final = (
    *["1-2 hour"] * 78, *["> 2 hrs"] * 17, *["30-60 mins"] * 3, *["< 30 minutes"] * 2,
)  # fmt: skip
_SERIES_RUNTIME: Final = "< 30 minutes"
_VIEW_RATINGS: Final = (
    *["R"] * 21, *["PG-13"] * 14, *["Not Rated"] * 13, *["TV-MA"] * 11, *["TV-14"] * 8, *["PG"] * 7,
    "TV-PG", "TV-PG", "TV-PG", "TV-Y", "TV-Y7", "G", "TV-G", "Unrated",
)  # fmt: skip
_FIRST_DAY: Final = date(2015, 4, 14)
_LAST_DAY: Final = date(2021, 3, 4)
_ON_FIRST_DAY: Final = 2_407 / _REAL_ROWS


@dataclass(frozen=True)
class _Figures:
    """Numbers of every title, -1 where there is none; arrays of shape (titles,)."""

    votes: NDArray[np.int64]
    imdb: NDArray[np.float64]
    tomatoes: NDArray[np.int64]
    metacritic: NDArray[np.int64]
    boxoffice: NDArray[np.int64]
    gem: NDArray[np.float64]
    age_days: NDArray[np.int64]
    """Days between release and the day the service began to show the title."""


def write_catalogue(path: Path, seed: int, sizes: Sizes) -> int:
    """Write `netflix_titles.csv`; give the number of rows."""
    rows = 0
    with csv_file(path, CATALOGUE_COLUMNS, line_end="\n") as write_row:
        for row in _rows(seed, sizes.catalogue_rows):
            write_row(row)
            rows += 1
    return rows


def _rows(seed: int, rows: int) -> Iterator[list[str]]:
    """Give the rows; a repeated title comes back as the other kind, series or film, and elsewhere."""
    rng = stream(seed, "catalogue")
    repeated = round(rows * _REPEATED)
    titles = rows - repeated
    figures = _figures(rng, titles)
    genres = draw_genres(rng, titles)
    again = set(rng.choice(titles, size=repeated, replace=False).tolist())
    texts = stream(seed, "catalogue texts")
    for title in range(titles):
        picks = Picks(texts.integers(2**31, size=2 * PICKS_PER_TEXT).tolist())
        cells = _cells(title, picks, figures, genres[title])
        yield [cells[name] for name in CATALOGUE_COLUMNS]
        if title in again:
            cells = _elsewhere(cells, picks)
            yield [cells[name] for name in CATALOGUE_COLUMNS]


def _figures(rng: np.random.Generator, titles: int) -> _Figures:
    """Draw votes and scores: three scores that agree as the real ones do (r = 0.70, 0.72 and 0.90)."""
    fame = rng.standard_normal(titles)
    critics = rng.standard_normal(titles)
    audience = 0.75 * critics + 0.66 * rng.standard_normal(titles)
    votes = np.minimum(np.exp(7.6 + 2.6 * fame), _MOST_VOTES).astype(np.int64) + 5
    imdb = np.clip(np.round(6.5 + 1.1 * audience, 1), 1.0, 9.7)
    tomatoes = np.clip(np.rint(65 + 25 * (0.95 * critics + 0.31 * rng.standard_normal(titles))), 1, 100)
    metacritic = np.clip(np.rint(57 + 17 * (0.95 * critics + 0.31 * rng.standard_normal(titles))), 5, 100)
    boxoffice = np.exp(10 + 3 * rng.standard_normal(titles) + 2 * fame)
    gem = np.round(np.clip(8.4 - 0.32 * np.maximum(fame + 0.3, 0) * 6 + 0.25 * audience, 0.6, 9.8), 1)

    def known(share_without: float) -> NDArray[np.bool_]:
        known_ness = fame + 0.6 * rng.standard_normal(titles)
        return known_ness > np.quantile(known_ness, share_without)

    on_imdb = known(_UNKNOWN_TO["imdb"])
    age = (rng.exponential(4.5, size=titles) * 365).astype(np.int64)
    impossible = rng.random(titles) < _IMPOSSIBLE_DATES
    age[impossible] = -rng.integers(30, 700, size=int(impossible.sum()))
    return _Figures(
        votes=np.where(on_imdb, votes, -1),
        imdb=np.where(on_imdb, imdb, -1),
        tomatoes=np.where(known(_UNKNOWN_TO["tomatoes"]), tomatoes, -1).astype(np.int64),
        metacritic=np.where(known(_UNKNOWN_TO["metacritic"]), metacritic, -1).astype(np.int64),
        boxoffice=np.where(known(_UNKNOWN_TO["boxoffice"]), boxoffice, -1).astype(np.int64),
        gem=np.where(on_imdb, gem, -1),
        age_days=age,
    )


def _cells(title: int, picks: Picks, figures: _Figures, places: NDArray[np.int8]) -> dict[str, str]:
    """Write one title's cells."""
    ordered = sorted((place, GENRES[number]) for number, place in enumerate(places.tolist()) if place)
    genres = [_GENRE_NAMES.get(name, name) for _, name in ordered]
    languages = picks.some(_LANGUAGES, most=3)
    shown = _shown_on(picks)
    released = min(shown - timedelta(days=int(figures.age_days[title])), date(2022, 10, 14))
    series = picks.chance(_SERIES)
    received = 1 + picks.number(6) * picks.number(4)
    cells = {
        "Title": _garbled(picks, Film(picks, ordered[0][1], max(released.year, 1900)).title()),
        "Genre": ", ".join(genres),
        "Tags": ",".join(_tags(picks, genres, languages[0], series=series)),
        "Languages": ", ".join(languages),
        "Series or Movie": "Series" if series else "Movie",
        "Hidden Gem Score": _number(figures.gem[title]),
        "Country Availability": _countries(picks),
        "Runtime": _SERIES_RUNTIME if series else picks.one(_MOVIE_RUNTIMES),
        "Director": _people(picks, most=1),
        "Writer": _people(picks, most=3),
        "Actors": _people(picks, most=4),
        "View Rating": picks.one(_VIEW_RATINGS),
        "IMDb Score": _number(figures.imdb[title]),
        "Rotten Tomatoes Score": _number(figures.tomatoes[title]),
        "Metacritic Score": _number(figures.metacritic[title]),
        "Awards Received": str(received),
        "Awards Nominated For": str(received + picks.number(9)),
        "Boxoffice": "" if series else _number(figures.boxoffice[title]),
        "Release Date": released.isoformat(),
        "Netflix Release Date": shown.isoformat(),
        "Production House": ", ".join(name for name, _ in picks.some(COMPANIES, most=3)),
        "IMDb Votes": _number(figures.votes[title]),
        "Trailer Site": "Vimeo" if picks.chance(0.005) else "YouTube",
    }
    for name, share in _EMPTY.items():
        if picks.chance(share):
            cells[name] = ""
    return cells


def _elsewhere(cells: dict[str, str], picks: Picks) -> dict[str, str]:
    """Show a title again in other countries, from another day on, as the other kind."""
    series = cells["Series or Movie"] == "Movie"
    return cells | {
        "Series or Movie": "Series" if series else "Movie",
        "Runtime": _SERIES_RUNTIME if series else picks.one(_MOVIE_RUNTIMES),
        "Country Availability": _countries(picks),
        "Netflix Release Date": _shown_on(picks).isoformat(),
    }


def _shown_on(picks: Picks) -> date:
    """Pick the day the service began to show a title; many came on the first day of the record."""
    if picks.chance(_ON_FIRST_DAY):
        return _FIRST_DAY
    return _LAST_DAY - timedelta(days=min(picks.number(2_152), picks.number(2_152)))


def _garbled(picks: Picks, title: str) -> str:
    """Misread some titles' UTF-8 bytes as Windows-1252, as somebody did with some of the real ones."""
    if not picks.chance(_MOJIBAKE):
        return title
    try:
        return title.encode("utf-8").decode("cp1252")
    except UnicodeDecodeError:
        return title


def _tags(picks: Picks, genres: list[str], language: str, *, series: bool) -> list[str]:
    kind = "TV Programmes" if series else "Movies"
    tags = [f"{genre} {kind}" for genre in genres]
    return [*tags, f"{language} {kind}"] if picks.chance(0.6) else tags


def _countries(picks: Picks) -> str:
    """Pick one country, a few, or almost all, each list in an order of its own."""
    start, step = picks.number(len(_COUNTRIES)), picks.one((1, 5, 7, 11, 13, 17))
    wanted = picks.one((1, 1, 1, 3, 8, 15, 24, 33))
    return ",".join(_COUNTRIES[(start + step * place) % len(_COUNTRIES)] for place in range(wanted))


def _people(picks: Picks, most: int) -> str:
    return ", ".join(f"{picks.one(FIRST_NAMES)} {name}" for name in picks.some(SURNAMES, most=most))


def _number(value: float) -> str:
    """Write a number as the real file does: nothing if there is none, no ``.0``."""
    return "" if value < 0 else f"{float(value):.1f}".removesuffix(".0")
