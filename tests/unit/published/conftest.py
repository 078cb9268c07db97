"""Published sets, written by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.published_set import write_published_set
from ml.recommendation.ease import Ease
from orchestration.stores.recommender import RecommenderStore
from published.finding import current_set
from published.sets import PublishedSet
from tests.unit.recommendation.worlds import learned

SEGMENTS = pl.DataFrame(
    {
        "segmentation": ["user_ratings"] * 3,
        "segment_id": pl.Series([0, 1, 2], dtype=pl.Int32),
        "segment_name": ["Quiet <b>Viewers</b>", "New Explorers", "Tiny"],
        "entity": ["user_id"] * 3,
        "audience": ["close to leaving", "newcomers", None],
        "content_strategy": ["short lists", "tonight", None],
        "marketing_strategy": ["win back", "push", None],
        "members": [600, 350, 49],
        "share": [0.6, 0.35, 0.049],
    }
)


@pytest.fixture
def publish(tmp_path: Path) -> Callable[..., Path]:
    """Publish tables as a run does, in a folder of their own with a link to it: `publish(segments=frame)`."""

    def publish(stamp: str = "20260102T030405-0123abcd", **tables: pl.DataFrame) -> Path:
        folder = tmp_path / "published.d" / stamp
        folder.mkdir(parents=True)
        for table, frame in tables.items():
            frame.write_parquet(folder / f"{table}.parquet")
        link = tmp_path / ".published"
        link.symlink_to(folder)
        link.replace(tmp_path / "published")
        return tmp_path

    return publish


@pytest.fixture
def data(publish) -> PublishedSet:
    return current_set(publish(segments=SEGMENTS))


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse whose published set has every table. Tests read it; those that break it copy it first."""
    warehouse = tmp_path_factory.mktemp("made_up")
    write_published_set(warehouse, users=600, titles=120)
    write_model(warehouse, current_set(warehouse).ask("select title_id, title, genres from titles"))
    return warehouse


def write_model(warehouse: Path, titles: pl.DataFrame) -> RecommenderStore:
    """Train a small recommender on these titles, as a run leaves one: one half of its 60 users rates even places."""
    described = titles.with_columns(
        title_key="title_id",
        title_id=pl.int_range(len(titles)),
        genres=pl.col("genres").str.replace_all(", ", "|"),
    )
    interactions = learned(items=len(titles))
    store = RecommenderStore(warehouse / "models" / "recommender")
    store.begin_candidate("abc")
    ids = pl.DataFrame(schema={"number": pl.Int64, "id": pl.String})
    store.write_model(
        Ease(20.0).fit(interactions, rng=np.random.default_rng(0)), interactions, described, ids
    )
    store.promote_candidate()
    return store


@pytest.fixture
def world(made_up: Path) -> PublishedSet:
    return current_set(made_up)
