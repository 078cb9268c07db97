"""Tables that grow: in whatever steps it arrives, they hold what they would hold had all of it been built at once."""

import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from .conftest import LINKS, MANIFEST_COLUMNS, TITLES, Warehouse, _write, land_made_up_rows
from .conftest import RATING_COLUMNS as COLUMNS

COMPARED = ("intermediate.int_ratings__last", "features.user_genre_stats", "features.user_taste")
ALL = ("+user_genre_stats", "+user_taste")
TEXT = "a text of the project"
USERS, MOVIES = range(1, 41), (11, 12, 13, 22)


@dataclass
class Nights:
    """A warehouse at which files arrive, and what has landed there."""

    folder: Path
    manifest: Any
    links: list[str] = field(default_factory=lambda: list(LINKS))
    titles: list[str] = field(default_factory=lambda: list(TITLES))
    files: list[list[str]] = field(default_factory=list)
    landed_at: str = "2024-01-01"

    def land(self) -> Warehouse:
        shutil.rmtree(self.folder / "landing", ignore_errors=True)
        land_made_up_rows(self.folder, {"ratings": [], "links": self.links, "titles": self.titles})
        ratings = self.folder / "landing" / "candidate" / "ratings"
        shutil.rmtree(ratings)
        for place, rows in enumerate(self.files):
            key = sha256("\n".join(rows).encode()).hexdigest()
            _write(ratings / key, COLUMNS, rows)
            (ratings / key / "made_up.parquet").rename(ratings / f"{place:05}-{key}.parquet")
            (ratings / key).rmdir()
        manifest = ratings.with_name("manifest")
        shutil.rmtree(manifest)
        keys = [path.stem.rpartition("-")[2] for path in ratings.iterdir()]
        rows = [
            f"('ratings', 'a.csv', '{key[:16]}', 1, 1, 1, 0, 0, '{{}}', timestamp '{self.landed_at}')"
            for key in keys
        ]
        _write(manifest, MANIFEST_COLUMNS, rows)
        return Warehouse(self.folder, self.manifest)

    def build(self, *args: str, select: Sequence[str] = ALL) -> Warehouse:
        warehouse = self.land()
        no_tests = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
        built = warehouse.dbt("build", "--select", *select, *no_tests, *args)
        assert built.success, built.message
        return warehouse

    def changed(self) -> set[int]:
        """Whom the build put in again; everybody where it built the table of last ratings anew."""
        warehouse = Warehouse(self.folder, self.manifest)
        (version,) = warehouse.query("select max(version) from state.built")[0]
        whole = "select whole_since = version from state.built where model = 'int_ratings__last'"
        if warehouse.query(whole)[0][0]:
            return set(USERS)
        changed = warehouse.query(f"select user_id from state.changed_users where version = {version}")
        return {user for (user,) in changed}

    def like_at_once(self, other: Path) -> None:
        """Hold that the tables are those of a warehouse where the same landed and nothing was built before."""
        grown = Warehouse(self.folder, self.manifest)
        at_once = Nights(other, self.manifest, self.links, self.titles, self.files).build()
        for table in COMPARED:
            query = f"select * from {table} order by all"
            assert grown.query(query) == at_once.query(query), table


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, manifest: Any) -> Nights:
    """A warehouse of forty users whose first ratings were built. Tests write to a copy."""
    nights = Nights(tmp_path_factory.mktemp("first"), manifest, files=[_ratings(random.Random(0), USERS)])
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MATINEE_SQL_HASH", TEXT)
        nights.build()
    return nights


@pytest.fixture
def nights(first: Nights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """The first one's warehouse, for one test alone."""
    monkeypatch.setenv("MATINEE_SQL_HASH", TEXT)
    return Nights(shutil.copytree(first.folder, tmp_path / "nights"), first.manifest, files=list(first.files))


def _ratings(rng: random.Random, users: Sequence[int]) -> list[str]:
    return [
        f"({user}, {movie}, {rng.choice([0.5, 3.0, 4.5])}, timestamp '2016-01-0{rng.randint(1, 3)} 10:00:00')"
        for user in users
        for movie in rng.sample(MOVIES, 2)
    ]


def _another_day(rng: random.Random, night: Nights) -> None:
    night.files.append(_ratings(rng, rng.sample([*USERS, 41, 42], 4)))


def _another_link(_: random.Random, night: Nights) -> None:
    night.links = [line.replace("(13, '0000013', null)", "(13, '0000013', 33)") for line in LINKS]


def _another_genre(_: random.Random, night: Nights) -> None:
    night.titles = [line.replace("['Comedy']", "['Drama']") for line in TITLES]


def _a_file_is_gone(_: random.Random, night: Nights) -> None:
    night.files = night.files[1:] or night.files


def _another_order(_: random.Random, night: Nights) -> None:
    night.files = night.files[::-1]


Change = Callable[[random.Random, Nights], None]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param((_another_day, _another_day), marks=pytest.mark.long),
        pytest.param((_another_day, _another_link), marks=pytest.mark.long),
        pytest.param((_another_genre, _another_day), marks=pytest.mark.long),
        pytest.param((_another_day, _another_order), marks=pytest.mark.long),
        pytest.param((_another_day, _a_file_is_gone), marks=pytest.mark.long),
    ],
    ids=lambda changes: " and ".join(change.__name__.strip("_") for change in changes),
)
def test_tables_that_grew_equal_tables_built_at_once(
    nights: Nights, tmp_path: Path, changes: Sequence[Change]
) -> None:
    rng = random.Random(1)
    for change in changes:
        change(rng, nights)
        nights.build()
    nights.like_at_once(tmp_path / "at once")


def test_only_users_in_whom_something_changed_are_put_in_again(nights: Nights) -> None:
    nights.files.append(_ratings(random.Random(2), [7, 8]))
    nights.build()
    assert nights.changed() == {7, 8}
    nights.build()
    assert nights.changed() == set()


def test_a_file_that_landed_again_under_its_name_is_taken_in_anew(nights: Nights) -> None:
    nights.landed_at = "2024-01-02"
    nights.build()
    assert nights.changed() == set(USERS)


@pytest.mark.long
def test_who_rated_a_title_that_is_another_now_is_put_in_again(nights: Nights) -> None:
    nights.files.append(["(5, 99, 4.0, timestamp '2016-01-09 10:00:00')"])
    nights.build()
    nights.links.append("(99, '0000099', 22)")
    nights.build()
    assert nights.changed() == {5}


def test_a_night_that_ended_after_the_first_table_is_made_up_for(nights: Nights, tmp_path: Path) -> None:
    for user in (3, 4):
        nights.files.append(_ratings(random.Random(user), [user]))
        nights.build(select=["+int_ratings__last"])
    nights.build()
    nights.like_at_once(tmp_path / "at once")


def test_a_correction_of_the_same_time_counts_and_goes_by_its_arrival(nights: Nights, tmp_path: Path) -> None:
    first = nights.files[0]
    nights.files.append([line.replace(" 4.5,", " 1.0,").replace(" 3.0,", " 1.0,") for line in first[:6]])
    nights.build()
    users = sorted(nights.changed())
    assert users == [1, 2, 3]
    rated = Warehouse(nights.folder, nights.manifest).query(
        "select max(rating) from intermediate.int_ratings__last where user_id <= 3"
    )
    assert rated == [(1.0,)]
    nights.like_at_once(tmp_path / "at once")


@pytest.mark.long
@pytest.mark.parametrize("why", ["another text", "by hand", "--full-refresh"])
def test_a_table_is_built_anew(nights: Nights, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    if why == "another text":
        monkeypatch.setenv("MATINEE_SQL_HASH", why)
    if why == "by hand":
        monkeypatch.delenv("MATINEE_SQL_HASH")
    nights.files.append(_ratings(random.Random(2), [7, 8]))
    nights.build(*(["--full-refresh"] if why.startswith("--") else []))
    assert nights.changed() == set(USERS)
