"""The two files about films: `movies_metadata.csv` with its 24 columns, and `links.csv`.

Belongs here: layout, texts and quirks of both files. Does not belong here: the films themselves (`titles`).
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.demo.genres import GENRES, TMDB_GENRE_IDS
from ingest.demo.sizes import Sizes
from ingest.demo.streams import csv_file, stream, whole_file
from ingest.demo.titles import SHIFTED_ROWS, Items, Titles, repeated_rows
from ingest.demo.words import COMPANIES, PICKS_PER_TEXT, PLACES, Film, Picks

MOVIE_COLUMNS: Final = (
    "adult", "belongs_to_collection", "budget", "genres", "homepage", "id", "imdb_id", "original_language",
    "original_title", "overview", "popularity", "poster_path", "production_companies", "production_countries",
    "release_date", "revenue", "runtime", "spoken_languages", "status", "tagline", "title", "video",
    "vote_average", "vote_count",
)  # fmt: skip

_CELL: Final = {name: place for place, name in enumerate(MOVIE_COLUMNS)}
_SCRIPT_TITLE: Final = "The <script>alert(1)</script> Affair"
_SCRIPT_FILM: Final = 7
"""A well-known film, so that its title reaches every list, page and plot that must escape it."""

_JSON_GENRES: Final = 0.03
_LANGUAGES: Final = (
    ("en", "English", "US", "United States of America", 0.710),
    ("fr", "Français", "FR", "France", 0.054),
    ("it", "Italiano", "IT", "Italy", 0.034),
    ("ja", "日本語", "JP", "Japan", 0.030),
    ("de", "Deutsch", "DE", "Germany", 0.024),
    ("es", "Español", "ES", "Spain", 0.022),
    ("ru", "Pусский", "RU", "Russia", 0.018),
    ("hi", "हिन्दी", "IN", "India", 0.011),
    ("ko", "한국어/조선말", "KR", "South Korea", 0.010),
    ("zh", "普通话", "CN", "China", 0.009),
    ("sv", "svenska", "SE", "Sweden", 0.008),
    ("pt", "Português", "BR", "Brazil", 0.007),
    ("en", "English", "GB", "United Kingdom", 0.063),
)
_SHIFTED_DATES: Final = ("1997-08-20", "2012-09-29", "2014-01-01")
_EPOCH: Final = date(1970, 1, 1)
_FILMS_PER_CHUNK: Final = 4_096


def write_links(path: Path, titles: Titles, items: Items) -> int:
    """Write `links.csv`; give the number of rows."""
    known = titles.tmdb_id_known[items.film]
    tmdb = np.where(known, titles.tmdb_id[items.film].astype("U8"), "")
    with whole_file(path) as file:
        file.write(b"movieId,imdbId,tmdbId\r\n")
        for movie_id, imdb_id, tmdb_id in zip(
            items.movie_id.tolist(), items.imdb_id.tolist(), tmdb.tolist(), strict=True
        ):
            file.write(f"{movie_id},{imdb_id:07d},{tmdb_id}\r\n".encode())
    return len(tmdb)


def write_movies(path: Path, seed: int, sizes: Sizes, titles: Titles, items: Items) -> int:
    """Write `movies_metadata.csv`, in the order of the movieIds; give the number of rows."""
    rows = 0
    with csv_file(path, MOVIE_COLUMNS) as write_row:
        for row in _rows(seed, sizes, titles, items):
            write_row(row)
            rows += 1
    return rows


def _rows(seed: int, sizes: Sizes, titles: Titles, items: Items) -> Iterator[list[str]]:
    """Give the rows of the catalogue with all quirks of the real one, film by film."""
    _, first_item = np.unique(items.film, return_index=True)
    listed = np.argsort(first_item, kind="stable")
    listed = listed[titles.in_catalogue[listed]]
    quirks = _Quirks(stream(seed, "catalogue quirks"), sizes, listed)
    votes = _votes(stream(seed, "votes"), len(titles.tmdb_id))
    repeats: list[list[str]] = []
    for start in range(0, len(listed), _FILMS_PER_CHUNK):
        films = listed[start : start + _FILMS_PER_CHUNK]
        numbers = stream(seed, "film texts", start // _FILMS_PER_CHUNK).integers(
            2**31, size=(len(films), PICKS_PER_TEXT)
        )
        for film, picks in zip(films.tolist(), numbers.tolist(), strict=True):
            row = _row(film, Picks(picks), titles, int(votes[film]))
            quirks.spoil(film, row)
            if film in quirks.shifted:
                yield from _torn_in_two(row, quirks.shifted[film])
            else:
                yield row
            if film in quirks.repeated:
                repeats.append(_said_again(row, quirks.repeated[film]))
            if len(repeats) > 2:  # a repeat stands some way below the row it repeats
                yield repeats.pop(0)
    yield from repeats


class _Quirks:
    """Which films get which fault of the real file."""

    def __init__(self, rng: np.random.Generator, sizes: Sizes, listed: NDArray[np.int64]) -> None:
        def some(count: int) -> list[int]:
            return [int(film) for film in rng.choice(candidates, size=count, replace=False)]

        candidates = listed[listed != _SCRIPT_FILM]
        obscure = candidates[candidates > len(listed) // 2]
        shifted = rng.choice(obscure, size=SHIFTED_ROWS, replace=False).tolist()
        self.shifted = dict(zip(shifted, _SHIFTED_DATES, strict=True))
        candidates = np.setdiff1d(candidates, shifted)
        self.repeated = {film: 0.5 + place % 3 / 2 for place, film in enumerate(some(repeated_rows(sizes)))}
        candidates = np.intersect1d(candidates, obscure)
        self._wrong_imdb = set(some(max(2, round(0.002 * len(listed)))))
        self._empty = {
            _CELL["imdb_id"]: set(some(sizes.quirks(17, least=2))),
            _CELL["release_date"]: set(some(sizes.quirks(87, least=3))),
            _CELL["runtime"]: set(some(sizes.quirks(263, least=5))),
            _CELL["original_language"]: set(some(sizes.quirks(11, least=1))),
            _CELL["status"]: set(some(sizes.quirks(87, least=2))),
        }

    def spoil(self, film: int, row: list[str]) -> None:
        """Put the film's faults into its row."""
        if film in self._wrong_imdb:
            row[_CELL["imdb_id"]] = f"tt{int(row[_CELL['imdb_id']][2:]) % 7_000_000 + 100_000:07d}"
        for cell, films in self._empty.items():
            if film in films:
                row[cell] = ""
        if film == _SCRIPT_FILM:
            row[_CELL["title"]] = row[_CELL["original_title"]] = _SCRIPT_TITLE


def _said_again(row: list[str], factor: float) -> list[str]:
    """Repeat a row; mostly with another popularity, as the same film fetched on another day."""
    again = list(row)
    again[_CELL["popularity"]] = f"{float(row[_CELL['popularity']]) * factor:.6f}"
    return again


def _torn_in_two(row: list[str], shifted_id: str) -> list[list[str]]:
    """Tear a row inside its overview, as three rows of the real file are.

    The first half lacks every cell after the overview. The second begins with the rest of the overview, so
    that its cells stand nine places to the left: a date is the id, companies are the genres.
    """
    overview = _CELL["overview"]
    row[_CELL["release_date"]] = shifted_id
    companies = [dict(zip(("name", "id"), company, strict=True)) for company in COMPANIES[7::61]]
    row[_CELL["production_companies"]] = repr(companies)
    blank = [""] * len(MOVIE_COLUMNS)
    first = [*row[: overview + 1], *blank][: len(blank)]
    second = [" - Written by somebody else", *row[overview + 1 :], *blank][: len(blank)]
    return [first, second]


def _row(film: int, picks: Picks, titles: Titles, votes: int) -> list[str]:
    """Write one film's 24 cells."""
    places = titles.genres[film].tolist()
    genres = sorted((place, number) for number, place in enumerate(places) if place)
    released = _EPOCH + timedelta(days=int(titles.released[film]))
    code, language, country_code, country = _language(picks)
    names = Film(picks, GENRES[genres[0][1]] if genres else None, released.year)
    title = names.title()
    score = min(max(6.0 + 1.4 * float(titles.quality[film]) + (picks.number(21) - 10) / 10, 0.5), 10.0)
    earned = votes > 100 and picks.chance(0.7)
    languages = [(code, language), ("en", "English")] if picks.chance(0.2) else [(code, language)]
    cells = {
        "adult": "True" if picks.chance(0.0002) else "False",
        "belongs_to_collection": _collection(picks) if picks.chance(0.1) else "",
        "budget": str((1 + picks.number(120)) * 500_000) if picks.chance(0.2) else "0",
        "genres": _genres([number for _, number in genres], as_json=picks.chance(_JSON_GENRES)),
        "homepage": f"http://www.{picks.code(9).lower()}.example/film" if picks.chance(0.17) else "",
        "id": str(titles.tmdb_id[film]),
        "imdb_id": f"tt{titles.imdb_id[film]:07d}",
        "original_language": code,
        "original_title": names.original_title(code, title),
        "overview": _overview(picks, names),
        "popularity": f"{votes / 250 + (picks.number(4_000_000) + 1) / 1e6:.6f}",
        "poster_path": f"/{picks.code(27)}.jpg",
        "production_companies": repr(
            [{"name": name, "id": number} for name, number in picks.some(COMPANIES, most=4)]
            if picks.chance(0.75)
            else []
        ),
        "production_countries": repr([{"iso_3166_1": country_code, "name": country}]),
        "release_date": released.isoformat(),
        "revenue": str(picks.number(90_000_000) + votes * 20_000) if earned else "0",
        "runtime": f"{titles.runtime[film]:.1f}",
        "spoken_languages": repr(
            [{"iso_639_1": spoken, "name": name} for spoken, name in dict(languages).items()]
        ),
        "status": "Rumored" if picks.chance(0.005) else "Released",
        "tagline": names.tagline() if picks.chance(0.45) else "",
        "title": title,
        "video": "False",
        "vote_average": f"{score if votes else 0:.1f}",
        "vote_count": str(votes),
    }
    return [cells[name] for name in MOVIE_COLUMNS]


def _genres(numbers: list[int], *, as_json: bool) -> str:
    """Write genres as the real file does: a Python list of dicts; some rows as JSON."""
    genres = [{"id": TMDB_GENRE_IDS[number], "name": GENRES[number]} for number in numbers]
    return json.dumps(genres) if as_json else repr(genres)


def _language(picks: Picks) -> tuple[str, str, str, str]:
    """Pick a language by its real share, with a country where it is spoken."""
    chance = picks.number(100_000) / 100_000
    for code, language, country_code, country, share in _LANGUAGES:
        chance -= share
        if chance < 0:
            return code, language, country_code, country
    return _LANGUAGES[0][:4]


def _overview(picks: Picks, names: Film) -> str:
    """Write a plot; a few films have none, as in the real file."""
    if picks.chance(0.02):
        return picks.one(("", "", "", "No overview found.", " "))
    return names.plot()


def _collection(picks: Picks) -> str:
    return repr(
        {
            "id": 10_000 + picks.number(400_000),
            "name": f"{picks.one(PLACES)} Collection",
            "poster_path": f"/{picks.code(27)}.jpg",
            "backdrop_path": f"/{picks.code(27)}.jpg",
        }
    )


def _votes(rng: np.random.Generator, films: int) -> NDArray[np.int64]:
    """Draw vote counts, skewed as the real ones (median 10), higher for better known films."""
    counts = np.sort(np.exp(rng.normal(2.3, 1.9, size=films)) - 0.6)[::-1]
    by_fame = np.argsort(np.arange(films) / films + rng.normal(0, 0.08, size=films), kind="stable")
    votes = np.empty(films, dtype=np.int64)
    votes[by_fame] = np.maximum(counts, 0)
    return votes
