"""Fixtures that every kind of test shares: the real files, the command line, and finished runs to look at."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings
from typer.testing import CliRunner

from ingest.demo import Sizes, write_demo_world
from tests.layout_files import write_world

PROJECT_ROOT = Path(__file__).resolve().parents[1]

DEMO = Sizes(
    users=600,
    ratings=20_000,
    title_rows=400,
    customers=1_000,
    catalogue_rows=300,
    watch_events=6_000,
    plays=12_000,
    shows=200,
)

# How long an example takes says more of what else the machine does than of the rule. `make test` tries a quarter of
# the examples that `make test-long` tries.
settings.register_profile("long", deadline=None)
settings.register_profile("short", deadline=None, max_examples=settings.default.max_examples // 4)
settings.load_profile("short")


def examples(count: int) -> int:
    """How many examples to try of a rule that needs so many."""
    return max(count * settings.default.max_examples // settings.get_profile("long").max_examples, 5)


def _real_data() -> Path:
    return Path(os.environ.get("MATINEE_REAL_DATA", PROJECT_ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def real_movies() -> Path:
    """The folder of the real MovieLens files; the test skips where it is absent."""
    folder = _real_data() / "movies"
    if not (folder / "ratings_small.csv").exists():
        pytest.skip(f"the real files are not here: {folder} (set MATINEE_REAL_DATA)")
    return folder


@dataclass(frozen=True)
class Answer:
    """What a command said, what of it on standard output and on standard error, and how it ended."""

    exit_code: int
    said: str
    out: str
    error: str


Matinee = Callable[..., Answer]


@pytest.fixture(scope="session")
def dagster_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _dagster_home(tmp_path_factory.mktemp("dagster_home"))


@pytest.fixture(scope="session")
def matinee(dagster_home: Path) -> Iterator[Matinee]:
    """The command line `matinee`, called in this process, so that Dagster and dbt are imported once.

    `matinee("run", "--source", folder, warehouse=folder)`; `home` names another Dagster instance.
    """
    before = dict(os.environ)

    def call(*args: object, warehouse: Path | None = None, home: Path = dagster_home) -> Answer:
        # Imported here: most tests never call it.
        from orchestration.commands.cli import app  # noqa: PLC0415

        os.environ["DAGSTER_HOME"] = str(home)
        placed = ["--warehouse", str(warehouse)] if warehouse else []
        result = CliRunner().invoke(app, [str(arg) for arg in args] + placed)
        gc.enable()  # a run switches it off for the rest of its process
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.output, result.stdout, result.stderr)

    yield call
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def demo_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fifth of the small demo world: as large as its planted truth needs to be found again."""
    return once(tmp_path_factory, "demo_world", lambda folder: write_demo_world(folder, scale=DEMO))


@pytest.fixture(scope="session")
def layout_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What folders in the shape of the known layouts are made of."""
    return once(tmp_path_factory, "layout_world", write_world)


@pytest.fixture(scope="session")
def demo_warehouse(matinee: Matinee, demo_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse after one good run on the demo world. Tests read it; they do not write to it."""
    return once(tmp_path_factory, "demo_warehouse", lambda folder: _good_run(matinee, demo_world, folder))


@pytest.fixture(scope="session")
def demo_home(demo_warehouse: Path) -> Path:
    """The Dagster instance that recorded the run of `demo_warehouse`, and no other."""
    return _home_beside(demo_warehouse)


@pytest.fixture(scope="session")
def real_warehouse(matinee: Matinee, real_movies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse after one good run on all of the real files. Tests read it; they do not write to it."""
    return once(
        tmp_path_factory, "real_warehouse", lambda folder: _good_run(matinee, real_movies.parent, folder)
    )


def _good_run(matinee: Matinee, source: Path, warehouse: Path) -> None:
    home = _home_beside(warehouse)
    home.mkdir()
    answer = matinee("run", "--source", source, warehouse=warehouse, home=_dagster_home(home))
    assert answer.exit_code == 0, answer.said


def _dagster_home(folder: Path) -> Path:
    shutil.copy(PROJECT_ROOT / ".dagster" / "dagster.yaml", folder)
    return folder


def _home_beside(warehouse: Path) -> Path:
    return warehouse.with_name(f"{warehouse.name}_dagster_home")


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Make a folder once for all processes that run tests side by side."""
    own = factory.getbasetemp()
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    made = root / f".{name}.made"
    with FileLock(root / f".{name}.lock"):
        if not made.exists():
            make(root / name)
            made.touch()
    return root / name
