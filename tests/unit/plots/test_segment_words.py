"""What is said of segments is what their figures bear out, and nothing where they bear out nothing."""

from datetime import datetime

import polars as pl
import pytest

from ml.plots import segment_words as words
from ml.segmentation.quality.table import Figure, quality_table
from ml.segmentation.spec import MeasureName


def lift(low: float, *, volume: float | None = 1.02, segment_id: int | None = None) -> pl.DataFrame:
    beside = {} if volume is None else {"random": 1.0, "volume": volume}
    return quality_table([Figure("lift", low + 0.06, low, low + 0.13, segment_id, beside)])


def test_every_measure_that_a_threshold_may_bind_has_words():
    assert set(words.MEASURES) == set(MeasureName.__args__)


@pytest.mark.parametrize(
    ("quality", "said"),
    [
        (
            lift(1.35),
            "Ranks held-out titles 1.41 times as well as overall popularity (1.35–1.48); segments of volume alone: "
            "1.02.",
        ),
        (
            lift(1.05, volume=1.1),
            "Ranks held-out titles 1.11 times as well as overall popularity (1.05–1.18); segments of volume alone: "
            "1.10; not shown to tell more than volume does.",
        ),
        (
            lift(0.97),
            "Not shown to rank held-out titles better than overall popularity does: 1.03 times as well as overall "
            "popularity (0.97–1.10).",
        ),
    ],
)
def test_a_lift_is_claimed_only_above_popularity_and_above_volume(quality, said):
    assert words.findings(quality, "users") == (said,)


def test_nothing_is_said_of_what_was_not_measured():
    assert words.findings(quality_table([Figure("lift", None), Figure("bootstrap_ari", None)]), "users") == ()
    assert words.badge(quality_table([Figure("jaccard", None, segment_id=0)]), 0).words == "Not measured"
    assert words.foretells_nothing(quality_table([Figure("lift", None, segment_id=0)]), 0) == ""
    assert words.findings(pl.DataFrame(), "users") == ()


@pytest.mark.parametrize(
    ("low", "high", "opening"),
    [(0.8, 0.9, "Comes back:"), (0.3, 0.9, "Not sure to come back:"), (0.2, 0.4, "Does not come back:")],
)
def test_a_segment_comes_back_only_where_the_whole_interval_is_above_the_bound(low, high, opening):
    (said,) = words.badge(quality_table([Figure("jaccard", (low + high) / 2, low, high, 3)]), 3).why
    assert said.startswith(opening)


def test_a_segment_foretells_choices_only_where_the_interval_is_above_one():
    assert words.badge(lift(1.2, segment_id=1), 1).why[0].startswith("Foretells choices:")
    assert words.foretells_nothing(lift(1.2, segment_id=1), 1) == ""
    assert words.badge(lift(0.9, segment_id=1), 1).why[0].startswith("Not shown to foretell choices:")
    assert words.foretells_nothing(lift(0.9, segment_id=1), 1).endswith("held-out lift 0.96 (0.90–1.03)")


@pytest.mark.parametrize(
    ("low", "high", "least_lift", "said", "level"),
    [
        (0.8, 0.9, 1.2, "Comes back; foretells choices", "sure"),
        (0.8, 0.9, 0.9, "Comes back; not shown to foretell choices", "partly"),
        (0.3, 0.9, 1.2, "Not sure to come back; foretells choices", "partly"),
        (0.3, 0.9, 0.9, "Not sure to come back; not shown to foretell choices", "unsure"),
        (0.2, 0.4, 1.2, "Does not come back; foretells choices", "unsure"),
    ],
)
def test_a_segment_has_one_badge_that_is_sure_only_where_all_that_was_measured_is(
    low, high, least_lift, said, level
):
    quality = pl.concat(
        [
            quality_table([Figure("jaccard", (low + high) / 2, low, high, 1)]),
            lift(least_lift, segment_id=1),
        ]
    )
    found = words.badge(quality, 1)
    assert (found.words, found.level, len(found.why)) == (said, level, 2)


def test_figures_stand_beside_nulls_and_thresholds():
    quality = quality_table(
        [Figure("lift", 1.2, 1.1, 1.3, None, {"volume": 1.02})], {"lift": 1.25, "largest_share": 0.5}
    )
    first, last = words.figures(quality)
    assert (first.value, first.interval, first.beside) == ("1.20", "1.10 to 1.30", ("", "1.02", ""))
    assert (first.threshold, first.passed) == ("at least 1.25", False)
    assert (last.value, last.threshold, last.passed) == ("not measured", "at most 50.0%", False)


def decided(*rows: tuple[str, str | None]) -> pl.DataFrame:
    schema = {"status": pl.String, "reason": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(decided_at=datetime(2026, 2, 1))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("promoted", None)], "Promoted: every declared threshold holds."),
        (
            [("promoted", None), ("refused", "bootstrap_ari 0.52, 0.80 asked for")],
            "New segments were refused and those in force serve on: agreement on resamples 0.52, 0.80 asked for.",
        ),
        (
            [("exempt", "lift 1.14, 1.25 asked for. They lift nobody")],
            "Published by exemption: lift over popularity 1.14, 1.25 asked for. They lift nobody.",
        ),
        ([], ""),
    ],
)
def test_the_last_decision_is_said_with_its_reason_and_its_day(rows, said):
    assert words.decision(decided(*rows)) == (said and f"{said} Decided on 01 February 2026.")
    assert words.is_sound(decided(*rows)) == said.startswith("Promoted:")


def test_a_rule_is_told_with_how_far_it_holds_or_why_there_is_none():
    fidelity = {"macro_f1": 0.865, "low": 0.83, "high": 0.9}
    known = {"rule": "Drama above 20 %", "precision": 0.968, "coverage": 0.5, "reason": None, **fidelity}
    assert words.rule(known) == (
        "Drama above 20 %",
        "97 of 100 whom it finds are members, and it finds 50 of 100 members; "
        "macro-F1 of all rules together 0.86 (0.83–0.90)",
    )
    assert words.rule({**known, "rule": None, "reason": "too few members"}) == ("", "too few members")


def moved(*rows: tuple) -> pl.DataFrame:
    names = {0: "Quiet", 1: "Loud", None: None}
    return pl.DataFrame(
        [
            {
                "from_segment_id": source,
                "to_segment_id": target,
                "entities": count,
                "share_of_from": share,
                "from_segment_name": names[source],
                "to_segment_name": names[target],
            }
            for source, target, count, share in rows
        ],
        schema_overrides={"from_segment_id": pl.Int32, "from_segment_name": pl.String},
    )


def test_moves_are_said_only_where_there_was_a_refresh_before():
    assert words.moves(moved((None, 0, 10, 1.0), (None, 1, 5, 1.0)), "users") == ()
    said = words.moves(moved((0, 0, 90, 0.9), (0, 1, 10, 0.1), (1, None, 5, 1.0), (None, 1, 7, 1.0)), "users")
    assert said == (
        "Of 100 users that were there before and are there now, 90 (90.0%) stayed in their segment; 7 came, 5 left.",
        "The largest move is from “Quiet” to “Loud”: 10, 10.0% of those that were there.",
    )


def happened(*rows: tuple) -> pl.DataFrame:
    columns = ["happened_at", "kind", "segment_id", "segment_name", "from_id", "into_id", "share"]
    return pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)


def test_events_are_those_of_the_last_time_with_its_day_and_first_segments_are_none():
    first = [
        (datetime(2026, 1, 1), "born", i, name, None, i, 0.5) for i, name in enumerate(["Quiet", "Loud"])
    ]
    assert words.events(happened(*first)) == ()
    then = datetime(2026, 2, 1)
    kept = [(then, "kept", i, name, i, i, 1.0) for i, name in enumerate(["Quiet", "Loud"])]
    took_over = "New segments took over last on 01 February 2026."
    assert words.events(happened(*first, *kept)) == (took_over, "All segments were kept.")
    split = (then, "split", 2, "New", 1, 2, 0.8)
    died = (then, "merged", 1, "Loud", 1, 0, 0.7)
    assert words.events(happened(*first, kept[0], split, died)) == (
        took_over,
        "Kept: Quiet.",
        "Split: “New” came mainly from “Loud” (80%).",
        "Merged: “Loud” went mainly into “Quiet” (70%).",
    )
    again = [(datetime(2026, 3, 1), "kept", i, name, i, i, 1.0) for i, name in ((0, "Quiet"), (2, "New"))]
    refreshes = happened(*first, kept[0], split, died, *again)
    assert words.events(refreshes)[1:] == ("All segments were kept.",)
    since = words.events(refreshes, datetime(2026, 1, 2))
    assert since == words.events(happened(*first, kept[0], split, died))[1:]
