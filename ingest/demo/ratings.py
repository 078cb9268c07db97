"""Who rates what, how high and when: `ratings.csv`, chunk by chunk.

Belongs here: choosing titles by genre and popularity, stars, times, and the streaming of the file.
Does not belong here: the declaration of the personas (`personas`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.demo.genres import GENRES
from ingest.demo.personas import PERSONAS, TASTES, Persona, Users, draw_users
from ingest.demo.sizes import Sizes
from ingest.demo.streams import stream, whole_file
from ingest.demo.titles import Items, Titles, draw_items, draw_titles

_RATINGS_PER_CHUNK: Final = 400_000
"""About 60 MB of arrays while a chunk is made."""

_TITLES_PER_TRY: Final = 1.4
_MIXED_TRY: Final = 0.1
"""Weight of a title with three genres or more for trying one: few try a western that is a war film too."""

_TASTE_PULL: Final = 15.0
_CALIBRATION_ROUNDS: Final = 60
_MOST_SHARE_OF_POOL: Final = 0.25
_PATIENT_ROUNDS: Final = 100
_STAR_NOISE: Final = 0.7
_DAY: Final = 86_400


@dataclass(frozen=True)
class Chooser:
    """What each kind of user picks from, as cumulative weights over the items.

    `cumulative` has shape (personas, tastes, items).
    """

    cumulative: NDArray[np.float64]
    of_genre: NDArray[np.float64]
    """Shape (genres, items): cumulative weights of the items that carry the genre."""
    genres: NDArray[np.int64]
    """Shape (4, items): numbers of each item's genres, filled up with `len(GENRES)` for none."""
    pool: NDArray[np.int64]
    """Shape (personas,): how many items a persona can pick from at all."""

    def most_ratings(self) -> NDArray[np.int64]:
        """Give the most ratings of one user per persona; beyond it the choice would stop being one."""
        return np.maximum((self.pool * _MOST_SHARE_OF_POOL).astype(np.int64), 1)


@dataclass(frozen=True)
class Setting:
    """All that is drawn before the first rating."""

    titles: Titles
    items: Items
    chooser: Chooser
    users: Users


def draw_setting(seed: int, sizes: Sizes) -> Setting:
    """Draw films, items, users and what they choose from."""
    titles = draw_titles(seed, sizes)
    items = draw_items(seed, sizes, titles)
    chooser = make_chooser(titles, items)
    return Setting(titles, items, chooser, draw_users(seed, sizes, chooser.most_ratings()))


def make_chooser(titles: Titles, items: Items) -> Chooser:
    """Weigh every item for every persona and taste, so that the persona's genre shares come out."""
    popularity = items.popularity
    has_genre = titles.genres[items.film] > 0
    preferred = np.where(titles.taste[items.film] == np.arange(len(TASTES))[:, None], _TASTE_PULL, 1.0)
    cumulative = np.empty((len(PERSONAS), len(TASTES), len(items.film)))
    pool = np.empty(len(PERSONAS), dtype=np.int64)
    for number, persona in enumerate(PERSONAS):
        weights = _weights(persona, popularity, has_genre)
        pool[number] = np.count_nonzero(weights)
        np.cumsum(weights * preferred, axis=1, out=cumulative[number])
    lean = np.where(has_genre.sum(axis=1) <= 2, 1.0, _MIXED_TRY)
    of_genre = np.cumsum(has_genre.T * (popularity * lean), axis=1)
    return Chooser(
        cumulative=cumulative / cumulative[:, :, -1:],
        of_genre=of_genre / of_genre[:, -1:],
        genres=_listed(titles.genres[items.film]),
        pool=pool,
    )


def _listed(places: NDArray[np.int8]) -> NDArray[np.int64]:
    """List the genres of each item by number; shape (4, items)."""
    best = np.argsort(places == 0, axis=1, kind="stable")[:, :4]
    listed = np.where(np.take_along_axis(places, best, axis=1) > 0, best, len(GENRES))
    return np.ascontiguousarray(listed.T)


def _weights(
    persona: Persona, popularity: NDArray[np.float64], has_genre: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Weigh each item by popularity and the product of the persona's liking for all its genres."""
    target = np.array([persona.genre_shares.get(genre, 0.0) for genre in GENRES])
    sought = target > 0
    weights = np.where(has_genre[:, ~sought].any(axis=1), 0.0, popularity)
    tags = has_genre[:, sought].astype(np.float64)
    for _ in range(_CALIBRATION_ROUNDS):
        share = weights @ tags / weights.sum()
        liking = np.clip(target[sought] / np.maximum(share, 1e-9), 0.2, 5.0)
        weights = weights * np.exp(tags @ (0.5 * np.log(liking)))
    return weights / weights.sum()


def write_ratings(path: Path, seed: int, setting: Setting, tell: Callable[[int], None]) -> int:
    """Write `ratings.csv`, ordered by user and movieId; give the number of rows."""
    rows = 0
    with whole_file(path) as file:
        file.write(b"userId,movieId,rating,timestamp\r\n")
        for frame in _chunks(seed, setting):
            frame.write_csv(file, include_header=False, line_terminator="\r\n")
            rows += len(frame)
            tell(rows)
    return rows


def _chunks(seed: int, setting: Setting) -> Iterator[pl.DataFrame]:
    """Make the ratings of some thousand users at a time, each chunk from a generator of its own."""
    chunk_of_user = np.cumsum(setting.users.ratings) // _RATINGS_PER_CHUNK
    starts = np.flatnonzero(np.diff(chunk_of_user, prepend=-1))
    ends = np.append(starts[1:], len(chunk_of_user))
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        rng = stream(seed, "ratings", number)
        user, item = _choose(rng, np.arange(start, end), setting)
        film = setting.items.film[item]
        yield pl.DataFrame(
            {
                "userId": user + 1,
                "movieId": setting.items.movie_id[item],
                "rating": _stars(rng, user, item, setting),
                "timestamp": _times(rng, user, film, setting),
            }
        )


def _choose(
    rng: np.random.Generator, members: NDArray[np.int64], setting: Setting
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose distinct items for each user, exactly as many as the user rates.

    Returns
    -------
    tuple of ndarray
        User numbers and item numbers, sorted by both.
    """
    users, film = setting.users, setting.items.film
    items, first, wanted = len(film), members[0], users.ratings[members]
    keys = _tries(rng, members, setting)
    closed = [keys[:0]]
    open_users = members
    rounds = 0
    # Each round draws what is missing and drops what was drawn before; a user who has enough is closed.
    while len(open_users):
        have = np.bincount(keys // items - first, minlength=len(members))
        drawn = _draw(rng, open_users, (wanted - have)[open_users - first], setting)
        # Nobody runs out of films: an early user who has seen them all may look ahead in the end.
        if rounds < _PATIENT_ROUNDS:
            user, item = drawn // items, drawn % items
            drawn = drawn[_takes_up(rng, user, item, setting) & _is_out(user, film[item], setting)]
        keys = _distinct(np.concatenate([keys, drawn]))
        complete = np.bincount(keys // items - first, minlength=len(members)) == wanted
        done = complete[keys // items - first]
        closed.append(keys[done])
        keys, open_users = keys[~done], open_users[~complete[open_users - first]]
        rounds += 1
    keys = np.sort(np.concatenate(closed))
    return keys // items, keys % items


def _tries(rng: np.random.Generator, members: NDArray[np.int64], setting: Setting) -> NDArray[np.int64]:
    """Give users a title or two of each genre they try, at most half of what they rate in all."""
    users, items = setting.users, len(setting.items.film)
    who, genre = np.nonzero(users.tries[members])
    titles = rng.geometric(1 / _TITLES_PER_TRY, size=len(who))
    user, genre = np.repeat(members[who], titles), np.repeat(genre, titles)
    chance = rng.random(len(user))
    item = np.empty(len(user), dtype=np.int64)
    for number, weights in enumerate(setting.chooser.of_genre):
        part = genre == number
        item[part] = np.searchsorted(weights, chance[part], side="right")
    keys = _distinct((user * items + item)[_is_out(user, setting.items.film[item], setting)])
    user = keys // items
    place = np.arange(len(keys)) - np.searchsorted(user, user)
    return keys[place < users.ratings[user] // 2]


def _takes_up(
    rng: np.random.Generator, user: NDArray[np.int64], item: NDArray[np.int64], setting: Setting
) -> NDArray[np.bool_]:
    """Tell whether the user takes up the title: all its genres have to please."""
    pleases = np.ones(len(user), dtype=np.float32)
    for liking in _by_genre(setting.users.liking, user, item, setting):
        pleases *= liking
    return rng.random(len(user), dtype=np.float32) < pleases


def _by_genre(
    values: NDArray[np.float32], user: NDArray[np.int64], item: NDArray[np.int64], setting: Setting
) -> Iterator[NDArray[np.float32]]:
    """Give the user's value for the item's first genre, then for its second, third and fourth."""
    row = user * values.shape[1]
    for genre in setting.chooser.genres:
        yield values.ravel()[row + genre[item]]  # several times as fast as an index per axis


def _is_out(user: NDArray[np.int64], film: NDArray[np.int64], setting: Setting) -> NDArray[np.bool_]:
    """Tell whether the film is out before the user rates for the last time."""
    return (setting.titles.released[film] + 1) * _DAY <= setting.users.last_rating_at[user]


def _distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort and drop repeats; several times as fast as `np.unique` on these keys."""
    keys = np.sort(keys)
    return keys[np.diff(keys, prepend=-1) != 0]


def _draw(
    rng: np.random.Generator, who: NDArray[np.int64], how_many: NDArray[np.int64], setting: Setting
) -> NDArray[np.int64]:
    """Draw items with replacement for the users `who`, as keys user x items + item."""
    users, cumulative = setting.users, setting.chooser.cumulative
    items = cumulative.shape[2]
    kind = users.persona[who].astype(np.int64) * len(TASTES) + users.taste[who]
    by_kind = np.argsort(kind, kind="stable")
    kind_of_draw = np.repeat(kind[by_kind], how_many[by_kind])
    user_of_draw = np.repeat(who[by_kind], how_many[by_kind])
    chance = rng.random(len(user_of_draw))
    item = np.empty(len(user_of_draw), dtype=np.int64)
    bounds = np.searchsorted(kind_of_draw, np.arange(len(PERSONAS) * len(TASTES) + 1))
    for number, weights in enumerate(cumulative.reshape(-1, items)):
        part = slice(bounds[number], bounds[number + 1])
        item[part] = np.searchsorted(weights, chance[part], side="right")
    return user_of_draw * items + item


def draw_items_for(rng: np.random.Generator, user: NDArray[np.int64], setting: Setting) -> NDArray[np.int64]:
    """Draw one item for each entry of `user` (sorted), with replacement: watching again is watching."""
    items = len(setting.items.film)
    keys = _draw(rng, *np.unique(user, return_counts=True), setting)
    for _ in range(_PATIENT_ROUNDS):
        liked = _takes_up(rng, keys // items, keys % items, setting)
        if liked.all():
            break
        again = _draw(rng, *np.unique(keys[~liked] // items, return_counts=True), setting)
        keys = np.concatenate([keys[liked], again])
    return np.sort(keys) % items


def _stars(
    rng: np.random.Generator, user: NDArray[np.int64], item: NDArray[np.int64], setting: Setting
) -> NDArray[np.float64]:
    """Rate: the persona's mean, the user's mood and likings, the film's quality, shared taste and some noise."""
    users, titles, film = setting.users, setting.titles, setting.items.film[item]
    base = np.array([p.rating for p in PERSONAS], dtype=np.float32)
    shared_taste = np.float32(0.25) * (users.taste[user] == titles.taste[film])
    noise = np.float32(_STAR_NOISE) * rng.standard_normal(len(user), dtype=np.float32)
    stars = base[users.persona[user]] + users.mood[user] + titles.quality[film] + shared_taste + noise
    for genre_stars in _by_genre(users.genre_stars, user, item, setting):
        stars += genre_stars
    step = np.where(users.whole_stars_only[user], 1.0, 0.5)
    return np.clip(np.rint(stars / step) * step, step, 5.0)


def _times(
    rng: np.random.Generator, user: NDArray[np.int64], film: NDArray[np.int64], setting: Setting
) -> NDArray[np.int64]:
    """Give each rating its second: while the user is active, but not before the film is out."""
    first, last = setting.users.first_rating_at[user], setting.users.last_rating_at[user]
    earliest = np.clip(setting.titles.released[film] * _DAY, first, last)
    return earliest + (rng.random(len(user)) * (last - earliest)).astype(np.int64)
