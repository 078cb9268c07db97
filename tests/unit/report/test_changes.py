"""What a reader may rely on when the page says what changed since the last run."""

from datetime import UTC, datetime

import polars as pl
import pytest

from ml.plots.changes import ComparedSet, compare
from published.sets import open_set
from report.build import read_set

DEMO, FOLDER = "the demo world (small)", "/data/november"
AT = datetime(2025, 11, 20, 4, 30, tzinfo=UTC)


def segments(sizes: dict[str, int], segmentation: str = "user_ratings") -> pl.DataFrame:
    total = sum(sizes.values())
    return pl.DataFrame(
        {
            "segmentation": segmentation,
            "segment_id": range(len(sizes)),
            "segment_name": list(sizes),
            "members": list(sizes.values()),
            "share": [size / total for size in sizes.values()],
        }
    )


def funnel(users: int) -> pl.DataFrame:
    return pl.DataFrame({"step": ["users with features"], "row_count": [users]})


def manifest(names: dict[str, str], rejected: int = 0) -> pl.DataFrame:
    return pl.DataFrame(
        {"table_name": list(names), "source": list(names.values()), "rows_rejected": rejected}
    )


def metrics(ndcg: float) -> pl.DataFrame:
    rows = [("popularity", 0.9, False), ("ease", ndcg, True)]
    return pl.DataFrame(
        {"model": model, "metric": "ndcg@10", "value": value, "is_default": chosen}
        for model, value, chosen in rows
    )


def published(source: str | None = DEMO, **marts: pl.DataFrame) -> ComparedSet:
    return ComparedSet(source, AT, marts)


def test_a_first_run_says_that_there_is_nothing_to_compare_with():
    changes = compare(None, published())
    assert "first run" in changes.sentence
    assert changes.figures == changes.segmentations == ()


@pytest.mark.parametrize(("then", "now"), [(DEMO, FOLDER), (FOLDER, DEMO), (DEMO, "the demo world (medium)")])
def test_a_demo_world_is_never_compared_with_other_data_though_the_files_have_the_same_names(then, now):
    files = manifest({"ratings": "ratings.csv"})
    changes = compare(
        published(then, data_funnel=funnel(10), landing_manifest=files),
        published(now, data_funnel=funnel(20), landing_manifest=files),
    )
    assert f"read other data ({then}; this one: {now})" in changes.sentence
    assert changes.figures == ()


def test_a_set_that_does_not_say_where_it_came_from_is_not_compared():
    changes = compare(published(None, data_funnel=funnel(10)), published(data_funnel=funnel(20)))
    assert "did not record where its data came from" in changes.sentence
    assert changes.figures == ()


def test_the_same_files_from_another_folder_are_compared_and_both_folders_named():
    files = manifest({"ratings": "ratings.csv"})
    changes = compare(
        published("/data/october", landing_manifest=files, data_funnel=funnel(10)),
        published("/data/november", landing_manifest=files, data_funnel=funnel(12)),
    )
    assert "/data/october, then; /data/november, now" in changes.sentence
    assert changes.figures[0].difference == 2


def test_other_files_from_another_folder_are_not_compared():
    changes = compare(
        published("/a", landing_manifest=manifest({"ratings": "ratings.csv"})),
        published("/b", landing_manifest=manifest({"ratings": "ratings_small.csv"})),
    )
    assert "nothing is compared" in changes.sentence


def test_every_figure_stands_beside_the_one_of_the_last_run():
    names = {"ratings": "ratings.csv"}
    changes = compare(
        published(
            data_funnel=funnel(100),
            landing_manifest=manifest(names, 3),
            recommender_metrics=metrics(0.4111),
        ),
        published(
            data_funnel=funnel(120),
            landing_manifest=manifest(names, 1),
            recommender_metrics=metrics(0.4),
        ),
    )
    assert "20 November 2025 at 04:30 UTC" in changes.sentence
    assert [(figure.label, figure.before, figure.after, figure.difference) for figure in changes.figures] == [
        ("users", 100, 120, 20),
        ("lines rejected", 3, 1, -2),
        ("recommender's nDCG", 0.4111, 0.4, -0.011),
    ]


def test_a_figure_that_only_one_run_has_shows_no_difference():
    changes = compare(published(data_funnel=funnel(9)), published(recommender_metrics=metrics(0.4)))
    assert [(figure.before, figure.after, figure.difference) for figure in changes.figures] == [
        (9, None, None),
        (None, 0.4, None),
    ]


def test_segments_are_matched_by_name_and_the_one_that_moved_most_comes_first():
    changes = compare(
        published(segments=segments({"Quiet": 50, "Loyal": 50, "Same": 100})),
        published(segments=segments({"Loyal": 40, "Quiet": 160, "Same": 100})),
    )
    (change,) = changes.segmentations
    assert change.title == "User ratings"
    assert [(one.name, one.members_before, one.members_after) for one in change.segments] == [
        ("Quiet", 50, 160),
        ("Loyal", 50, 40),
    ]
    assert change.segments[0].points == pytest.approx(100 * (160 / 300 - 0.25))
    assert change.sentence == "Quiet moved most: 25.0% of all members then, 53.3% now."


def test_new_and_gone_segments_and_another_number_of_segments_are_named():
    changes = compare(
        published(segments=segments({"A": 50, "B": 50})),
        published(segments=segments({"A": 50, "C": 25, "D": 25})),
    )
    (change,) = changes.segmentations
    assert change.sentence == "3 segments instead of 2. New: C, D. Gone: B."
    assert {one.name: one.points for one in change.segments} == {"B": -50.0, "C": 25.0, "D": 25.0}


def test_a_segmentation_that_is_new_or_gone_is_named():
    changes = compare(
        published(segments=segments({"A": 1})), published(segments=segments({"X": 1, "Y": 2}, "by_taste"))
    )
    assert [(change.title, change.sentence.split(":")[0]) for change in changes.segmentations] == [
        ("By taste", "New"),
        ("User ratings", "Not in this run"),
    ]


def test_a_run_that_changed_nothing_says_so_and_lists_nothing():
    marts = {"segments": segments({"A": 1}), "data_funnel": funnel(1)}
    changes = compare(published(**marts), published(**marts))
    assert changes.sentence.endswith("Nothing changed: every figure is the same.")
    assert changes.figures == changes.segmentations == ()


def test_a_set_that_says_nothing_of_its_run_is_dated_by_its_folder(tmp_path):
    folder = tmp_path / "20251120T043000-0f3c9a1e"
    folder.mkdir()
    assert read_set(open_set(folder)) == ComparedSet(None, AT, {})
    assert read_set(None) is None


def test_a_set_comes_from_the_source_of_its_newest_run(tmp_path):
    runs = pl.DataFrame({"run_id": ["new", "old"], "source": [DEMO, FOLDER]})
    runs.write_parquet(tmp_path / "runs.parquet")
    assert read_set(open_set(tmp_path)).source == DEMO
