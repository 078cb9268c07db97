"""The second form of the demo world: a service's own files, whose planted groups can be found again."""

from hashlib import sha256
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
import yaml
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from ingest.demo import write_demo_world
from ingest.demo.audience import DEVICES, GROUPS
from ingest.demo.service import service_writers
from ingest.demo.shows import LABELS
from ingest.demo.sizes import Sizes
from tests.conftest import DEMO

SIZES = DEMO


def _write(folder: Path, seed: int = 0, sizes: Sizes = SIZES) -> dict[str, int]:
    return {name: write(folder / name) for name, write in service_writers(seed, sizes).items()}


def _hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("service")
    _write(folder)
    return folder


@pytest.fixture(scope="module")
def titles(service: Path) -> pl.DataFrame:
    return pl.read_ndjson(service / "titles.jsonl")


@pytest.fixture(scope="module")
def plays(service: Path, titles: pl.DataFrame) -> pl.DataFrame:
    """Plays in the order of the files, with their title and the planted group."""
    truth = pl.read_csv(service / "truth/viewing_groups.csv")
    rows = pl.read_parquet(service / "plays/*.parquet").with_columns(
        at=pl.from_epoch("started_ms", time_unit="ms")
    )
    return rows.join(titles, left_on="content", right_on="content_id").join(
        truth, on="account", maintain_order="left"
    )


def test_the_same_seed_writes_the_same_bytes_and_nothing_but_what_it_reports(
    service: Path, tmp_path: Path
) -> None:
    rows = _write(tmp_path)
    assert _hashes(tmp_path) == _hashes(service)
    assert set(rows) == set(_hashes(service))


def test_another_seed_writes_other_bytes_in_every_file_but_the_declaration(
    service: Path, tmp_path: Path
) -> None:
    _write(tmp_path, seed=1)
    other = _hashes(tmp_path)
    assert [name for name, digest in _hashes(service).items() if other[name] == digest] == ["service.yaml"]


def test_the_declaration_can_be_followed_on_the_files(service: Path) -> None:
    """Every column that it names is there, and every expression means something."""
    declared = yaml.safe_load((service / "service.yaml").read_text())
    readers = {"views": "read_parquet", "titles": "read_json", "users": "read_csv"}
    assert set(declared) == set(readers)
    types = {}
    for table, rule in declared.items():
        columns = ", ".join(f"{source} as {name}" for name, source in rule["columns"].items())
        read = f"{readers[table]}('{service / rule['files']}')"
        with duckdb.connect() as db:
            described = db.execute(f"describe select {columns} from {read}").fetchall()
        types[table] = {name: kind for name, kind, *_ in described}
    assert types["views"] == {
        "user_id": "VARCHAR",
        "title_id": "VARCHAR",
        "watched_at": "TIMESTAMP",
        "minutes_watched": "DOUBLE",
        "device": "VARCHAR",
    }
    assert types["titles"]["title_id"] == types["users"]["user_id"] == "VARCHAR"
    assert types["titles"]["genres"] == "VARCHAR[]"
    assert types["users"]["joined_on"] == "DATE"


def test_the_world_is_about_as_large_as_declared(
    service: Path, titles: pl.DataFrame, plays: pl.DataFrame
) -> None:
    accounts = pl.read_csv(service / "accounts.csv", separator=";")
    assert len(accounts) == SIZES.users == accounts["account"].n_unique()
    assert len(titles) == SIZES.shows == titles["content_id"].n_unique()
    assert len(plays) == pytest.approx(SIZES.plays, rel=0.1)
    assert 0.9 * SIZES.users < plays["account"].n_unique() < SIZES.users


def test_every_play_is_of_a_known_account_and_title(service: Path, plays: pl.DataFrame) -> None:
    assert len(plays) == len(pl.read_parquet(service / "plays/*.parquet"))
    accounts = pl.read_csv(service / "accounts.csv", separator=";", try_parse_dates=True)
    known = plays.join(accounts, on="account")
    assert len(known) == len(plays)
    assert (known["joined"] <= known["at"].dt.date()).all()


def test_plays_stand_in_the_file_of_their_month_in_the_order_of_time(
    service: Path, plays: pl.DataFrame
) -> None:
    files = sorted(path.stem for path in (service / "plays").iterdir())
    assert files == [f"2024-{month:02d}" for month in range(1, 13)]
    for month in files:
        at = pl.from_epoch(pl.read_parquet(service / f"plays/{month}.parquet")["started_ms"], time_unit="ms")
        assert at.is_sorted()
        assert at.dt.strftime("%Y-%m").unique().to_list() == [month]


def test_titles_have_one_to_three_labels_of_the_service_and_a_few_have_none(titles: pl.DataFrame) -> None:
    assert 12 <= len(LABELS) <= 16
    assert set(titles["tags"].explode().drop_nulls()) == {label.name for label in LABELS}
    assert all(len(tags) == len(set(tags)) for tags in titles["tags"].to_list())
    shares = titles["tags"].list.len().value_counts(normalize=True)
    by_count = dict(shares.sort("tags").iter_rows())
    assert set(by_count) == {0, 1, 2, 3}
    assert by_count[0] < 0.06
    assert by_count[3] > 0.1


def test_nobody_watches_longer_than_a_title_lasts_and_some_plays_are_previews_of_no_time(
    plays: pl.DataFrame,
) -> None:
    assert (plays["watched_seconds"] <= 60 * plays["length_minutes"].fill_null(1_000)).all()
    assert 0.03 < (plays["watched_seconds"] == 0).mean() < 0.08  # type: ignore[operator]


def test_titles_are_watched_again_and_a_few_by_many(plays: pl.DataFrame) -> None:
    assert plays.select("account", "content").is_duplicated().mean() > 0.2  # type: ignore[operator]
    by_title = plays["content"].value_counts(sort=True)["count"]
    assert by_title[: SIZES.shows // 10].sum() > 0.3 * len(plays)


def test_some_accounts_watch_far_more_than_most(plays: pl.DataFrame) -> None:
    volumes = plays["account"].value_counts()["count"]
    assert volumes.max() > 8 * volumes.median()  # type: ignore[operator]


def test_a_new_title_is_watched_most_when_it_is_new(plays: pl.DataFrame) -> None:
    days = plays.filter(pl.col("year") == 2024).with_columns(pl.col("at").dt.ordinal_day().alias("day"))
    first = (
        days.group_by("content").agg(first=pl.col("day").min()).filter(pl.col("first").is_between(20, 240))
    )
    age = days.join(first, on="content").select(pl.col("day") - pl.col("first")).to_series()
    assert age.is_between(0, 29).sum() > 1.5 * age.is_between(60, 89).sum()


def test_more_is_watched_in_winter(plays: pl.DataFrame) -> None:
    staying = plays.filter(pl.col("group") != "Lapsed Light Viewers")["at"].dt.month()
    assert staying.is_in([1, 12]).sum() > 1.3 * staying.is_in([6, 7]).sum()


def _features(plays: pl.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Volume, recency, active days, times, devices, and shares and entropy of genres, of each account."""
    hour, genres = pl.col("at").dt.hour(), [label.name for label in LABELS]
    end = pl.lit("2025-01-01").str.to_datetime()
    users = plays.group_by("account", "group").agg(
        pl.len().log1p().alias("plays"),
        pl.col("watched_seconds").sum().log1p(),
        (end - pl.col("at").max()).dt.total_days().log1p().alias("since"),
        pl.col("at").dt.date().n_unique().log1p().alias("active"),
        *((hour // 6 == part).mean().alias(f"part {part}") for part in range(4)),
        (pl.col("at").dt.weekday() >= 6).mean().alias("weekend"),
        *((pl.col("device_type") == device).mean().alias(device) for device in DEVICES),
        *(pl.col("tags").list.contains(genre).mean().alias(genre) for genre in genres),
    )
    shares = users.select(genres).to_numpy()
    shares = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
    entropy = -(shares * np.log(np.maximum(shares, 1e-9))).sum(axis=1)
    rest = users.drop("account", "group", *genres).to_numpy()
    return np.column_stack([rest, shares, shares.max(axis=1), entropy]), users["group"].to_list()


def test_kmeans_on_viewing_features_finds_the_groups_but_not_without_error(plays: pl.DataFrame) -> None:
    features, group = _features(plays)
    found = KMeans(len(GROUPS), n_init=5, random_state=0).fit_predict(
        StandardScaler().fit_transform(features)
    )
    assert 0.85 <= adjusted_rand_score(group, found) < 0.98


def test_every_group_has_its_planted_share_and_the_ids_tell_nothing_of_it(service: Path) -> None:
    truth = pl.read_csv(service / "truth/viewing_groups.csv")
    assert truth["account"].is_sorted()
    for group in GROUPS:
        members = truth["group"] == group.name
        assert members.mean() == pytest.approx(group.share, abs=0.005)
        assert members.arg_true().mean() == pytest.approx(len(truth) / 2, rel=0.15)


def test_a_group_is_known_by_its_titles_better_than_by_what_all_watch(plays: pl.DataFrame) -> None:
    """Else no recommender could be ahead of popularity."""
    popular = set(plays["content"].value_counts(sort=True)["content"][:20])
    for group in GROUPS:
        own = plays.filter(pl.col("group") == group.name)["content"]
        best = set(own.value_counts(sort=True)["content"][:20])
        assert own.is_in(list(best)).sum() > 1.4 * own.is_in(list(popular)).sum(), group.name


def test_an_unknown_form_is_refused_with_the_accepted_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'hotel'.*movies, service"):
        write_demo_world(tmp_path, scale="small", form="hotel")  # type: ignore[arg-type]
