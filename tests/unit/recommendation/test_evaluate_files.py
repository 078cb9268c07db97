"""Files of ratings in the shapes that people have them in give the figures of the plain ones."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from ml.recommendation.splits import stratified_split
from orchestration.commands.cli import app
from orchestration.commands.evaluate.files import read_ratings, with_ids_alike
from tests.unit.recommendation.worlds import two_tastes


@pytest.fixture(scope="module")
def halves() -> tuple[pl.DataFrame, pl.DataFrame]:
    return stratified_split(two_tastes(), test_share=0.25, rng=np.random.default_rng(7))


def judged(folder: Path, train: bytes | str, test: bytes | str) -> tuple[dict, str]:
    """Figures but for the seconds, and what was said."""
    for name, content in (("train", train), ("test", test)):
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    args = ["evaluate", "--train", str(folder / "train"), "--test", str(folder / "test"), "--model", "ease"]
    done = CliRunner().invoke(app, args)
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    return {
        name: value for name, value in found.items() if not isinstance(value, dict) and "sec" not in name
    }, done.stderr


@pytest.fixture(scope="module")
def plain(halves, tmp_path_factory) -> dict:
    return judged(tmp_path_factory.mktemp("plain"), *(half.write_csv() for half in halves))[0]


SHAPES = {
    "names of MovieLens 1M": lambda text: text.replace("user_id,item_id,rating", "UserID,MovieID,Rating"),
    "blanks in names": lambda text: text.replace("user_id,item_id", "User Id, Movie-ID"),
    "tabs, no header": lambda text: text.partition("\n")[2].replace(",", "\t"),
    "double colons": lambda text: text.partition("\n")[2].replace(",", "::"),
    "semicolons": lambda text: text.replace(",", ";"),
    "semicolons and decimal commas": lambda text: text.replace(",", ";").replace(".", ","),
    "bars": lambda text: text.replace(",", "|"),
    "the mark of UTF-8": lambda text: "\ufeff" + text,
    "Windows' line ends": lambda text: text.replace("\n", "\r\n"),
    "everything quoted": lambda text: "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()
    ),
    "words for nothing": lambda text: text + "\\N,1,3.0,1\n1,NULL,3.0,1\n1,1,NaN,1\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_figures_do_not_hang_on_how_a_file_is_written(halves, tmp_path, plain, shape):
    assert judged(tmp_path, *(SHAPES[shape](half.write_csv()) for half in halves))[0] == plain


@pytest.mark.parametrize("padded", ["both", "train", "half of train"])
@pytest.mark.parametrize("last", ["", "1,ab12,3.0,1\n"])
def test_an_id_with_leading_zeros_is_the_one_without(halves, tmp_path, padded, last):
    def written(half: pl.DataFrame, share: float) -> str:
        ids = pl.col("item_id").cast(pl.String)
        some = pl.int_range(pl.len()) < share * pl.len()
        return half.with_columns(item_id=pl.when(some).then(ids.str.zfill(8)).otherwise(ids)).write_csv()

    train, test = halves
    of_train, of_test = {"both": (1, 1), "train": (1, 0), "half of train": (0.5, 0)}[padded]
    control = judged(tmp_path, train.write_csv(), test.write_csv() + last)[0]
    assert judged(tmp_path, written(train, of_train), written(test, of_test) + last)[0] == control


def test_ids_of_both_files_are_typed_together():
    numbers = pl.DataFrame({"user_id": [1, 2], "item_id": [7, 9]})
    texts = pl.DataFrame({"user_id": ["02", "x"], "item_id": ["007", None]})
    one, two = with_ids_alike([numbers, texts])
    assert one["user_id"].to_list() == [1, 2]
    assert two["user_id"].to_list() == [2, 3]
    assert two["item_id"].to_list() == [7, None]


def test_a_file_whose_name_is_a_pattern_is_read_and_no_other(tmp_path):
    (tmp_path / "of[12].csv").write_text("user_id,item_id,rating\n1,1,5\n")
    (tmp_path / "of1.csv").write_text("user_id,item_id,rating\n2,2,3\n")
    assert read_ratings(tmp_path / "of[12].csv").rows() == [(1, 1, 5)]


def test_a_rating_of_minus_one_among_others_from_zero_is_no_rating_and_no_title_to_find(
    halves, tmp_path, plain
):
    train, test = (half.write_csv() for half in halves)
    unseen = "".join(f"{user},{900 + user},-1,1\n" for user in range(1, 9))
    found, said = judged(tmp_path, train + unseen, test + unseen)
    assert found == plain
    assert "16 ratings of -1" in said
    assert "not rated" in said


def test_a_scale_below_zero_weighs_as_the_same_scale_above_zero(halves, tmp_path):
    low, high = (
        [half.with_columns(rating=(pl.col("rating") - shift) * 2).write_csv() for half in halves]
        for shift in (3, 0.5)
    )
    lowest = min(half["rating"].min() for half in halves)
    assert lowest == 0.5
    below, said = judged(tmp_path, *low)
    assert below == judged(tmp_path, *high)[0]
    assert "Ratings go from -5 to" in said
