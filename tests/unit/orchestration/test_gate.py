"""The gate: new segments take over where their figures hold; else those in force serve on, whatever comes next."""

import re
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from ingest.forgetting import Person
from orchestration.stores.segmentations import ModelDamagedError, ModelStore
from orchestration.tasks.forgetting_places import forget_models
from orchestration.tasks.promotion import PromotionError, kept_decision, promote
from orchestration.tasks.segmentation import draw_plots, profile_segments
from tests.unit.orchestration.refreshes import START, Refreshes, habits, noise, spec

LATER = START.replace(year=2028)
GOOD, BAD = habits(np.arange(240) % 3), noise(240)


@pytest.fixture
def refreshes(tmp_path):
    """One good refresh of 240 users in three groups."""
    done = Refreshes(tmp_path)
    assert done.run(GOOD, ari=1).status == "promoted"
    return done


def statuses(refreshes: Refreshes) -> list[str]:
    return refreshes.table("segment_promotions")["status"].to_list()


def test_segments_of_random_features_are_refused_in_words_and_good_ones_are_not(tmp_path):
    refreshes = Refreshes(tmp_path)
    assert refreshes.run(GOOD).status == "promoted"
    decision = refreshes.run(BAD)
    assert decision.is_refused
    assert re.fullmatch(r"bootstrap_ari 0\.[0-7]\d, 0\.80 asked for", decision.reason)


def test_what_was_in_force_serves_on_when_a_candidate_is_refused(refreshes):
    model, segments = ModelStore(refreshes.store.folder, "current").model(), refreshes.table("segments")
    frame = pl.concat([noise(240), habits(np.array([1, 2]), first=900)])
    refreshes.run(frame, ari=0.3)
    now = ModelStore(refreshes.store.folder, "current")
    assert now.model().to_json() == model.to_json()
    assert refreshes.table("segments").equals(segments)
    members = refreshes.table("segment_members").drop("segmentation")
    assert members.equals(model.members(frame)), "new users, too, by the model that serves"
    assert refreshes.table("segment_quality").filter(measure="bootstrap_ari")["passed"].all()


def test_nothing_in_force_changes_before_a_run_publishes(refreshes):
    before = (refreshes.store.folder / "current.json").read_bytes()
    refreshes.run(BAD, ari=0.3, is_published=False)
    assert (refreshes.store.folder / "current.json").read_bytes() == before


def test_a_candidate_refused_day_after_day_leaves_one_decision_and_one_that_serves(refreshes):
    for _ in range(3):
        assert refreshes.run(BAD, ari=0.3).is_refused
    assert statuses(refreshes) == ["promoted", "refused"]
    versions = refreshes.store.versions
    assert sorted(versions.values()) == ["in force", "refused last"]
    assert refreshes.run(noise(240, seed=1), ari=0.2).is_refused
    assert statuses(refreshes) == ["promoted", "refused", "refused"]


def test_the_same_data_again_decide_nothing_new(refreshes):
    before = {name: refreshes.table(name) for name in ("segment_promotions", "membership_history")}
    refreshes.run(GOOD, ari=1)
    assert all(refreshes.table(name).equals(table) for name, table in before.items())


def test_first_segments_that_fall_short_are_provisional_and_stay_so(tmp_path):
    refreshes = Refreshes(tmp_path)
    assert [refreshes.run(BAD, ari=0.3).status for _ in range(2)] == ["provisional"] * 2
    assert statuses(refreshes) == ["provisional"]


@pytest.mark.parametrize("status", ["provisional", "promoted_by_hand"])
def test_segments_that_served_on_and_come_out_of_a_training_again_are_no_candidate_against_themselves(
    tmp_path, refreshes, status
):
    if status == "provisional":
        (tmp_path / "first").mkdir()
        refreshes = Refreshes(tmp_path / "first")
        refreshes.run(BAD, ari=0.3)
    else:
        refreshes.run(BAD, ari=0.3)
        promote(refreshes.store, None, "The campaign needs them", LATER)
        refreshes.runs = 30
    assert refreshes.serve(BAD)
    account = {name: refreshes.table(name) for name in ("segment_promotions", "segment_history")}
    assert refreshes.run(BAD, ari=0.3).status == status
    assert all(refreshes.table(name).equals(table) for name, table in account.items())
    assert "refused last" not in refreshes.store.versions.values()


def test_members_who_move_while_the_old_model_serves_are_in_the_account(refreshes):
    refreshes.run(BAD, ari=0.3)
    history = refreshes.table("membership_history")
    assert history["left_at"].is_not_null().any()
    assert refreshes.table("segment_migration")["entities"].sum() == 240
    assert refreshes.table("segment_history").filter(pl.col("kind") != "born").is_empty(), "no new segments"


def test_where_the_clock_went_back_the_account_of_members_goes_on_after_the_last_that_it_tells_of(refreshes):
    last = refreshes.table("membership_history")["entered_at"].max()
    refreshes.runs = -12
    assert refreshes.serve(_moved(6))
    history = refreshes.table("membership_history")
    assert history["left_at"].drop_nulls().unique().to_list() == [last + timedelta(seconds=1)]
    assert history["left_at"].null_count() == len(GOOD)
    assert refreshes.run(GOOD, ari=1).status == "promoted"
    assert refreshes.table("membership_history")["left_at"].null_count() == len(GOOD)


def test_where_the_features_of_those_in_force_are_no_more_new_ones_are_provisional_with_the_reason(refreshes):
    decision = refreshes.run(BAD.rename({"habit_2": "habit_new"}), ari=0.3)
    assert decision.status == "provisional"
    assert "no habit_2 any more" in decision.reason


def test_a_bad_candidate_of_other_columns_is_refused_while_the_table_has_those_in_force(refreshes):
    model = ModelStore(refreshes.store.folder, "current").model()
    frame = pl.concat([GOOD, BAD.select(pl.col("^habit_.*$").name.prefix("random_"))], how="horizontal")
    assert refreshes.run(frame, ari=0.3, columns="random_*").is_refused
    members = refreshes.table("segment_members").drop("segmentation")
    assert members.equals(model.members(frame))


@pytest.mark.parametrize("content", ["{", '{"format": 99}', "[]"])
def test_a_damaged_model_in_force_is_replaced_and_who_is_who_is_kept(refreshes, content):
    names = refreshes.table("segments")
    (ModelStore(refreshes.store.folder, "current").home / "model.json").write_text(content)
    assert refreshes.run(habits(np.arange(240) % 3, seed=1), ari=1).status == "promoted"
    assert refreshes.table("segments").equals(names)


@pytest.mark.parametrize("table", ["segments", "membership_history"])
def test_a_damaged_table_of_those_in_force_is_said_with_its_file_and_they_stay(refreshes, table):
    in_force = ModelStore(refreshes.store.folder, "current")
    in_force.table_path(table).write_bytes(b"PAR1 cut off")
    with pytest.raises(ModelDamagedError, match=rf"{table}\.parquet: .*or remove .*current\.json"):
        refreshes.run(habits(np.arange(240) % 3, seed=1), ari=1)
    assert ModelStore(refreshes.store.folder, "current").home == in_force.home


@pytest.mark.parametrize("name", ["model.json", "explored.json", "segment_quality.parquet"])
@pytest.mark.parametrize("content", ["{", None])
def test_a_damaged_model_cannot_serve_on(refreshes, name, content):
    file = ModelStore(refreshes.store.folder, "current").home / name
    file.unlink() if content is None else file.write_text(content)
    assert refreshes.run(BAD, ari=0.3).status == "provisional"


def test_a_person_puts_refused_segments_in_force_and_the_next_tables_show_it(refreshes):
    refused = refreshes.run(BAD, ari=0.3)
    moved_before = refreshes.table("membership_history")
    assert promote(refreshes.store, None, "The campaign needs them", LATER) == refused.version
    refreshes.runs = 30  # the next run is later than the promotion
    assert refreshes.run(BAD, ari=0.3).status == "promoted_by_hand"
    last = refreshes.table("segment_promotions").row(-1, named=True)
    assert last["version"] == refused.version
    assert (last["status"], last["reason"]) == ("promoted_by_hand", "The campaign needs them")
    assert statuses(refreshes) == ["promoted", "refused", "promoted_by_hand"]
    model = ModelStore(refreshes.store.folder, "current").model()
    members = refreshes.table("segment_members").drop("segmentation")
    assert members.equals(model.members(BAD))
    history = refreshes.table("membership_history")
    ended = moved_before.filter(pl.col("left_at").is_not_null())
    assert history.join(ended, on=ended.columns[1:]).height == ended.height, "what was known is kept"
    assert history.filter(pl.col("left_at").is_null()).height == 240
    events = refreshes.table("segment_history").filter(pl.col("happened_at") == LATER)
    assert events.height >= 3, "what became of the segments is told once"
    assert refreshes.run(BAD, ari=0.3).status == "promoted_by_hand"
    assert statuses(refreshes)[-1] == "promoted_by_hand"


def test_a_person_goes_back_to_what_was_in_force(refreshes):
    refreshes.run(BAD, ari=0.3)
    in_force = ModelStore(refreshes.store.folder, "current").home.name
    promote(refreshes.store, None, "Try them", LATER)
    promote(refreshes.store, in_force, "They were no good", LATER.replace(month=2))
    refreshes.runs = 30
    assert refreshes.run(BAD, ari=0.3).is_refused
    assert statuses(refreshes) == ["promoted", "refused", *["promoted_by_hand"] * 2, "refused"]


@pytest.mark.parametrize(
    ("version", "reason", "said"),
    [
        (None, "why", "no version was refused.*there are: [0-9a-f]{12} .in force"),
        ("nonsense", "why", "no version 'nonsense'; there are: [0-9a-f]{12} .in force"),
        ("current", "why", "is in force already"),
    ],
)
def test_what_cannot_be_promoted_is_said_with_what_there_is(refreshes, version, reason, said):
    if version == "current":
        version = ModelStore(refreshes.store.folder, "current").home.name
    with pytest.raises(PromotionError, match=said):
        promote(refreshes.store, version, reason, LATER)


def test_a_promotion_needs_a_reason(refreshes):
    refreshes.run(BAD, ari=0.3)
    with pytest.raises(PromotionError, match="--reason is empty"):
        promote(refreshes.store, None, "  ", LATER)


def test_twelve_refreshes_with_a_tenth_of_the_users_moving_keep_every_id_and_count_the_moves(tmp_path):
    refreshes, rng = Refreshes(tmp_path), np.random.default_rng(5)
    groups = np.arange(600) % 3
    refreshes.run(habits(groups), ari=1)
    named = refreshes.table("segments")
    segment_of = _segments(refreshes, groups)
    for month in range(12):
        moving, before = rng.choice(600, 60, replace=False), groups.copy()
        groups = groups.copy()
        groups[moving] = (groups[moving] + rng.integers(1, 3, 60)) % 3
        assert refreshes.run(habits(groups, seed=month + 1), ari=1).status == "promoted"
        assert refreshes.table("segments").equals(named)
        assert _segments(refreshes, groups) == segment_of, "an id stands for the same group"
        for was, now, share in (
            refreshes.table("segment_migration")
            .select("from_segment_id", "to_segment_id", "share_of_from")
            .iter_rows()
        ):
            there = before == segment_of.index(was)
            truth = (groups[there] == segment_of.index(now)).mean()
            assert share == pytest.approx(truth, abs=0.01)


def _segments(refreshes: Refreshes, groups: np.ndarray) -> list[int]:
    """The segment in which most users of each group are."""
    segments = refreshes.table("segment_members")["segment_id"].to_numpy()
    return [int(np.bincount(segments[groups == group]).argmax()) for group in range(3)]


def test_between_nights_what_is_in_force_places_todays_users_and_nothing_is_decided(refreshes):
    model, before = ModelStore(refreshes.store.folder, "current"), refreshes.table("segment_members")
    text, decided = model.model().to_json(), refreshes.table("segment_promotions")
    frame = pl.concat([GOOD, habits(np.array([1, 2]), first=900)])
    assert refreshes.serve(frame)
    now = ModelStore(refreshes.store.folder, "current")
    assert now.model().to_json() == text
    assert now.home.name.split("-")[0] == model.home.name.split("-")[0]
    assert refreshes.table("segment_promotions").equals(decided)
    members = refreshes.table("segment_members")
    assert members.filter(pl.col("entity_id").cast(pl.Int64) < 900).equals(before)
    assert len(members) == len(before) + 2
    assert refreshes.run(GOOD, ari=1).status == "promoted", "the next night trains as ever"
    assert statuses(refreshes) == ["promoted"]


def test_where_nothing_is_in_force_or_a_feature_of_it_is_gone_nothing_can_serve(tmp_path, refreshes):
    (tmp_path / "empty").mkdir()
    assert not Refreshes(tmp_path / "empty").serve(GOOD)
    assert not refreshes.serve(GOOD.drop("habit_2"))


def test_what_is_in_force_serves_until_one_member_in_twenty_is_new_gone_or_elsewhere(refreshes):
    few = len(GOOD) // 25
    assert refreshes.has_little_changed(GOOD.sample(fraction=1, shuffle=True, seed=1))
    assert refreshes.has_little_changed(GOOD.with_columns(pl.col("habit_1") + 0.01)), "nobody is elsewhere"
    assert refreshes.has_little_changed(GOOD[few:])
    assert not refreshes.has_little_changed(GOOD[2 * few :])
    assert refreshes.has_little_changed(_moved(few))
    assert refreshes.serve(_moved(few))
    assert not refreshes.has_little_changed(_moved(2 * few)), "moves that are few each night add up"


def test_a_feature_that_moved_trains_anew_though_members_stay_where_they_were(refreshes):
    wide = pl.concat([habits(np.arange(2_000) % 3, seed=seed, first=2_000 * seed) for seed in range(2)])
    assert refreshes.run(wide, ari=1).status == "promoted"
    assert refreshes.has_little_changed(wide)
    assert not refreshes.has_little_changed(wide.with_columns(pl.col("habit_1") + 0.7))


def test_segments_are_trained_by_another_declaration_of_a_feature_that_is_new_and_where_there_are_none(
    refreshes, tmp_path
):
    assert not refreshes.has_little_changed(GOOD, columns="habit_1")
    assert not refreshes.has_little_changed(GOOD.with_columns(habit_3=BAD["habit_1"])), "a new feature"
    (tmp_path / "first").mkdir()
    assert not Refreshes(tmp_path / "first").has_little_changed(GOOD)


def test_what_was_refused_is_not_trained_again_before_much_changed(refreshes):
    assert not refreshes.has_little_changed(BAD)
    assert refreshes.run(BAD, ari=0.3).is_refused
    assert refreshes.has_little_changed(BAD)


def test_a_refusal_stands_while_what_is_in_force_only_serves(refreshes):
    refused = refreshes.run(BAD, ari=0.3)
    assert refreshes.serve(BAD)
    assert kept_decision(refreshes.store) == refused
    promote(refreshes.store, None, "The campaign needs them", LATER)
    assert refreshes.serve(BAD)
    assert kept_decision(refreshes.store).status == "serves"


def test_while_segments_serve_that_are_provisional_it_is_said_of_them(tmp_path):
    refreshes = Refreshes(tmp_path)
    provisional = refreshes.run(GOOD, ari=0)
    assert refreshes.serve(GOOD)
    assert kept_decision(refreshes.store) == provisional


def test_segments_that_cannot_tell_what_they_were_trained_on_are_trained_anew(refreshes):
    file = ModelStore(refreshes.store.folder, "current").table_path("trained_on")
    file.write_bytes(b"PAR1 and no more")
    assert not refreshes.has_little_changed(GOOD)
    file.unlink()
    assert not refreshes.has_little_changed(GOOD)


@pytest.mark.parametrize("name", ["k_metrics.parquet", "start_agreement.parquet", "free_segments.parquet"])
@pytest.mark.parametrize("content", ["PAR1 cut off", None])
def test_segments_of_which_a_table_of_their_training_is_damaged_do_not_serve(refreshes, name, content):
    file = ModelStore(refreshes.store.folder, "current").home / name
    file.unlink() if content is None else file.write_text(content)
    assert not refreshes.serve(GOOD)


def test_somebody_who_is_forgotten_leaves_segments_to_be_trained_anew(refreshes):
    forget_models(refreshes.layout, [Person("customer", "7", 7)])
    assert refreshes.has_little_changed(GOOD), "users are no customers"
    forget_models(refreshes.layout, [Person("user", "7", 7)])
    assert not refreshes.has_little_changed(GOOD)


def test_the_tree_is_that_of_the_training_whoever_has_left_or_come_since(tmp_path):
    refreshes = Refreshes(tmp_path)
    refreshes.run(GOOD, ari=1, method="ward_then_kmeans")
    grown = ModelStore(refreshes.store.folder, "current").tree()
    trained = refreshes.table("segment_members")["segment_id"].to_list()
    assert grown is not None
    assert grown[1].tolist() == trained
    assert refreshes.serve(GOOD.tail(-8))
    serving, file = (
        ModelStore(refreshes.store.folder, "current"),
        tmp_path / f"features-{refreshes.runs}.parquet",
    )
    declared = spec("habit_*", method="ward_then_kmeans")
    profile_segments(declared, serving, (file,))
    assert "dendrogram" in draw_plots(declared, serving, (file,))


def _moved(users: int) -> pl.DataFrame:
    """Users of whom so many do what those of another group do."""
    groups = np.arange(240) % 3
    groups[:users] = (groups[:users] + 1) % 3
    return habits(groups)
