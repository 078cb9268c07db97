"""`matinee evaluate`: one JSON object on standard output, everything else on standard error, codes that tell."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from ml.recommendation.models import MODEL_NAMES
from ml.recommendation.splits import SPLITS, stratified_split, time_split
from orchestration.commands.cli import app
from tests.unit.recommendation.worlds import catalogue, two_tastes

FIGURES = {"ndcg", "precision", "recall", "map", "coverage", "novelty", "seconds"}


@pytest.fixture
def files(tmp_path) -> tuple[Path, Path]:
    train, test = stratified_split(two_tastes(), test_share=0.25, rng=np.random.default_rng(42))
    train.write_csv(tmp_path / "train.csv")
    test.write_parquet(tmp_path / "test.parquet")
    return tmp_path / "train.csv", tmp_path / "test.parquet"


def run(train: Path, test: Path, *more: str):
    return CliRunner().invoke(app, ["evaluate", "--train", str(train), "--test", str(test), *more])


@pytest.mark.parametrize("model", [name for name in MODEL_NAMES if name not in ("blend", "content")])
def test_standard_output_is_one_json_object_with_both_baselines(files, model):
    done = run(*files, "--model", model)
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["model"], found["k"]) == (model, 10)
    assert set(found) >= FIGURES
    assert set(found["baselines"]) == {"popular", "recent_popular"}
    assert all(set(figures) >= FIGURES for figures in found["baselines"].values())
    assert "Learning from" in done.stderr


def test_the_default_is_the_blend_and_k_is_as_asked(files):
    found = json.loads(run(*files, "-k", "5").stdout)
    assert (found["model"], found["k"]) == ("blend", 5)
    assert set(found) >= FIGURES
    assert set(found["baselines"]) == {"popular", "recent_popular"}


def test_the_columns_of_movielens_are_understood(files, tmp_path):
    renamed = pl.read_csv(files[0]).rename({"user_id": "userId", "item_id": "movieId"})
    renamed.write_csv(tmp_path / "theirs.csv")
    one, two = (
        json.loads(run(train, files[1], "--model", "ease").stdout)
        for train in (files[0], tmp_path / "theirs.csv")
    )
    assert one["ndcg"] == two["ndcg"]


def test_a_file_of_genres_adds_content_and_genre_match(files, tmp_path):
    catalogue().write_csv(tmp_path / "titles.csv")
    found = json.loads(run(*files, "--model", "content", "--items", str(tmp_path / "titles.csv")).stdout)
    assert found["genre_match"] > found["baselines"]["popular"]["genre_match"]


def test_a_file_that_describes_other_titles_is_said(files, tmp_path):
    for name, item_id in (("theirs.csv", pl.col("item_id")), ("others.csv", pl.col("item_id") + 10_000)):
        catalogue().with_columns(item_id).write_csv(tmp_path / name)
    theirs, others = (
        run(*files, "--model", "ease", "--items", str(tmp_path / name))
        for name in ("theirs.csv", "others.csv")
    )
    assert "others.csv describes no title of the training file" in others.stderr
    assert "describes no title" not in theirs.stderr


def test_what_was_left_out_is_said(files, tmp_path):
    frame = pl.read_csv(files[0])
    hurt = pl.concat(
        [frame, frame.head(3), frame.head(2).with_columns(rating=pl.lit(None, dtype=pl.Float64))]
    )
    hurt.write_csv(tmp_path / "hurt.csv")
    done = run(tmp_path / "hurt.csv", files[1], "--model", "popular")
    assert "2 training rows without user, title or a rating" in done.stderr
    assert "3 training ratings were superseded" in done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("user_id,item_id\n1,2\n", "bad.csv: no column rating; found: user_id, item_id"),
        ("user_id,item_id,rating\n", "bad.csv: no ratings"),
        ("", "bad.csv: cannot be read as CSV"),
        ("user_id,item_id,rating\n1,2,good\n", "no row holds a rating"),
        ("user_id,item_id,rating\n1,99999,4\n", "share no title"),
        (
            "user_id,item_id,rating,timestamp\n1,2,4,yesterday\n",
            "the test ratings: timestamp: expected seconds",
        ),
    ],
)
def test_a_test_file_that_cannot_be_judged_ends_with_one_and_the_reason(files, tmp_path, content, message):
    (tmp_path / "bad.csv").write_text(content)
    done = run(files[0], tmp_path / "bad.csv")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert message in done.stderr


def test_an_absent_file_is_wrong_usage(files):
    done = run(files[0], Path("nowhere.csv"))
    assert done.exit_code == 2
    assert "'nowhere.csv' does not exist" in done.stderr


def test_an_unknown_model_is_wrong_usage_and_lists_the_names(files):
    done = run(*files, "--model", "magic")
    assert done.exit_code == 2
    assert all(name in done.stderr for name in MODEL_NAMES)


def test_content_without_a_file_of_genres_is_wrong_usage(files):
    assert run(*files, "--model", "content").exit_code == 2


@pytest.mark.parametrize("line", ["abc,1,3", "7,2,nan", "7,3,", f"{10**30},1,4", "é,1,2.5"])
def test_a_line_unlike_the_first_hundred_does_not_stop_the_rest(files, tmp_path, line):
    text = files[0].read_text().splitlines()
    rows = [",".join(row.split(",")[:3]) for row in text]
    (tmp_path / "odd.csv").write_text("\n".join([*rows, line]) + "\n")
    done = run(tmp_path / "odd.csv", files[1], "--model", "popular")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["users"] == 60


def test_tabs_divide_a_tsv_file(files, tmp_path):
    (tmp_path / "train.tsv").write_text(files[0].read_text().replace(",", "\t"))
    one, two = (run(train, files[1], "--model", "ease") for train in (files[0], tmp_path / "train.tsv"))
    assert json.loads(one.stdout)["ndcg"] == json.loads(two.stdout)["ndcg"]


@pytest.mark.parametrize(
    ("train", "test"),
    [("1,1,4\n1,2,3", "2,1,4"), ("1,1,4\n2,1,3", "3,1,4"), ("1,1,0\n1,2,0\n2,1,0", "2,2,0")],
)
def test_the_smallest_files_give_a_whole_json_object(tmp_path, train, test):
    for name, rows in (("train.csv", train), ("test.csv", test)):
        (tmp_path / name).write_text(f"user_id,item_id,rating\n{rows}\n")
    done = run(tmp_path / "train.csv", tmp_path / "test.csv")
    assert done.exit_code == 0, done.stderr

    def refuse(constant: str):
        raise AssertionError(constant)

    assert json.loads(done.stdout, parse_constant=refuse)["users"] == 1


def test_a_test_of_strangers_only_is_judged_on_what_is_popular(files, tmp_path):
    strangers = pl.read_parquet(files[1]).with_columns(pl.col("user_id") + 10_000)
    strangers.write_csv(tmp_path / "strangers.csv")
    found = json.loads(run(files[0], tmp_path / "strangers.csv", "--model", "ease").stdout)
    assert found["ndcg"] == found["baselines"]["popular"]["ndcg"] > 0


@pytest.mark.parametrize("by", SPLITS)
def test_one_file_is_cut_as_asked(tmp_path, by):
    two_tastes().write_csv(tmp_path / "ratings.csv")
    one, two = (
        CliRunner().invoke(
            app,
            ["evaluate", "--ratings", str(tmp_path / "ratings.csv"), "--split", by, "--model", "popular"],
        )
        for _ in range(2)
    )
    assert one.exit_code == 0, one.stderr
    found = json.loads(one.stdout)
    assert (found["split"], found["ndcg"]) == (by, json.loads(two.stdout)["ndcg"])


def test_a_cut_by_time_is_the_same_as_its_two_files(tmp_path):
    two_tastes().write_csv(tmp_path / "ratings.csv")
    for name, part in zip(("train", "test"), time_split(two_tastes(), test_share=0.25), strict=True):
        part.write_csv(tmp_path / f"{name}.csv")
    cut = run(tmp_path / "train.csv", tmp_path / "test.csv", "--model", "popular")
    whole = CliRunner().invoke(
        app,
        ["evaluate", "--ratings", str(tmp_path / "ratings.csv"), "--split", "time", "--model", "popular"],
    )
    assert json.loads(cut.stdout)["ndcg"] == json.loads(whole.stdout)["ndcg"]


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--train", "A"],
        ["--test", "A"],
        ["--ratings", "A", "--test", "A"],
        ["--ratings", "A", "--split", "x"],
    ],
)
def test_files_that_do_not_go_together_are_wrong_usage(files, options):
    written = [str(files[0]) if option == "A" else option for option in options]
    assert CliRunner().invoke(app, ["evaluate", *written]).exit_code == 2


def test_a_file_without_timestamps_cannot_be_cut_by_time(tmp_path):
    two_tastes().drop("timestamp").write_csv(tmp_path / "ratings.csv")
    done = CliRunner().invoke(
        app, ["evaluate", "--ratings", str(tmp_path / "ratings.csv"), "--split", "time"]
    )
    assert done.exit_code == 1
    assert "timestamp" in done.stderr


def test_the_blend_is_told_at_every_weight_of_being_rare_and_has_the_one_asked_for(files):
    plain, reaching = (
        json.loads(run(*files, "--long-tail", weight, "-k", "5").stdout) for weight in ("0", "0.4")
    )
    assert [step["weight"] for step in plain["long_tail_steps"]] == [0, 0.25, 0.5, 0.75, 1]
    by_weight = {step["weight"]: step for step in reaching["long_tail_steps"]}
    assert set(by_weight) == {0, 0.25, 0.4, 0.5, 0.75, 1}
    assert reaching["long_tail"] == by_weight[0.4]["long_tail"]
    assert plain["ndcg"] == by_weight[0]["ndcg"]


@pytest.mark.parametrize("options", [("--long-tail", "2"), ("--long-tail", "0.5", "--model", "ease")])
def test_a_weight_of_being_rare_that_cannot_be_is_wrong_usage(files, options):
    done = run(*files, *options)
    assert done.exit_code == 2
    assert "--long-tail" in done.stderr
