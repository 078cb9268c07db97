"""What `matinee score` writes opens safely in a spreadsheet, and gives ids back as they were."""

import polars as pl
import pytest

from orchestration.commands.frames import read_frame, write_frame


def scored(*ids: str) -> pl.DataFrame:
    return pl.DataFrame({"entity_id": ids, "segment_id": [0] * len(ids), "segment_name": ["One"] * len(ids)})


@pytest.mark.parametrize("name", ["members.csv", None])
def test_an_id_that_a_spreadsheet_would_run_is_guarded(tmp_path, capfdbinary, name):
    write_frame(scored('=HYPERLINK("http://a")', "@b", "c"), tmp_path / name if name else None)
    content = (tmp_path / name).read_bytes() if name else capfdbinary.readouterr().out
    assert [line[:2] for line in content.replace(b'"', b"").splitlines()[1:]] == [b"'=", b"'@", b"c,"]
    assert content.startswith(b"entity_id,")


def test_ids_that_are_numbers_stay_numbers(tmp_path):
    write_frame(scored("-5", "12"), tmp_path / "members.csv")
    assert (tmp_path / "members.csv").read_text().splitlines()[1:] == ["-5,0,One", "12,0,One"]


def test_parquet_keeps_ids_as_they_are(tmp_path):
    write_frame(scored("=1"), tmp_path / "members.parquet")
    assert pl.read_parquet(tmp_path / "members.parquet")["entity_id"].to_list() == ["=1"]


def test_a_column_that_is_asked_for_twice_is_read_once(tmp_path):
    (tmp_path / "in.csv").write_text("title_id,age\n007,1.5\n")
    assert read_frame(tmp_path / "in.csv", text=["title_id", "title_id"]).rows() == [("007", 1.5)]


def test_an_id_with_leading_zeros_keeps_them(tmp_path):
    (tmp_path / "in.csv").write_text("user_id,avg\n0012,1.5\n0013,2\n")
    frame = read_frame(tmp_path / "in.csv", text=["user_id"])
    assert frame.rows() == [("0012", 1.5), ("0013", 2.0)]
