"""The page of what changed: which run it speaks of, and what it says where little is kept of it."""

import shutil

import duckdb
import polars as pl
import pytest

from tests.unit.dashboard.test_pages import open_page, said


@pytest.fixture
def with_runs(made_up, tmp_path):
    """A copy of the made-up warehouse whose runs end so many days before the last."""

    def copied(*days: int):
        shutil.copytree(made_up / "published", tmp_path / "published")
        table = tmp_path / "published" / "runs.parquet"
        before = " union all ".join(
            f"select 'run {day}' as run_id, timestamp '2026-01-02 03:02:00' - interval {day} day as ended_at"
            for day in (0, *days)
        )
        with duckdb.connect() as connection:
            connection.execute(
                f"create table runs as select other.run_id, other.ended_at, one.* exclude (run_id, ended_at)"
                f" from (from '{table}' limit 1) as one, ({before}) as other"
            )
            connection.execute(f"copy runs to '{table}' (format parquet)")
        return tmp_path

    return copied


def test_last_week_is_the_newest_run_that_is_a_week_older(with_runs):
    app = open_page("changes", with_runs(1, 6, 8, 9), since="Last week")
    assert not app.exception
    assert "25 December 2025" in " ".join(text.value for text in app.markdown)


def test_where_no_run_is_a_week_older_the_oldest_is_compared_and_the_page_says_so(with_runs):
    app = open_page("changes", with_runs(1, 2), since="Last week")
    assert "31 December 2025" in " ".join(text.value for text in app.markdown)
    assert "No run is a week older" in " ".join(text.value for text in app.caption)


def test_any_run_can_be_chosen(with_runs):
    app = open_page("changes", with_runs(1, 2, 3), since="Any run")
    app.selectbox(key="since_run").set_value(2).run()
    assert "30 December 2025" in " ".join(text.value for text in app.markdown)


def test_a_run_whose_set_is_gone_is_compared_by_the_history_of_its_members(with_runs):
    app = open_page("changes", with_runs(3))
    assert "no longer kept" in " ".join(text.value for text in app.caption)
    assert "Gone: Once here" in " ".join(text.value for text in app.markdown).replace("\\", "")
    moves = app.dataframe[0].value
    assert set(moves["from_segment_name"]) == {"Once here"}
    assert not app.metric


def test_a_first_run_says_that_there_is_nothing_to_compare_it_with(with_runs):
    assert "first run of this source" in said(open_page("changes", with_runs()))


def test_moves_of_few_are_suppressed_in_the_file(with_runs):
    app = open_page("changes", with_runs(3))
    small = app.dataframe[0].value["entities"] < 50
    assert small.any()
    assert any("suppressed and marked in the files" in caption.value for caption in app.caption)
    assert pl.Series(app.dataframe[0].value["entities"]).is_sorted(descending=True)
