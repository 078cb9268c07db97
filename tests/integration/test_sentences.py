"""Every generated sentence is borne out by the figures behind it, whatever the data is like."""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from ml.plots.segment_card import Card, card
from ml.segmentation.spec import Bounds, SegmentationSpec
from published.questions.segments import card_rows
from published.sets import PublishedSet, open_set
from tests.conftest import PROJECT_ROOT, Matinee, once

pytestmark = pytest.mark.long

PEOPLE, RATERS = 30, 10
"""Advice speaks of so many people at least, a card's favourites rest on so many raters."""
EACH = ("real", "demo", "service", "tiny", "alike")
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w:])")
_HOURS = 168


def write_ratings(folder: Path, rated: dict[int, list[int]], rng: np.random.Generator | None) -> None:
    """Write a folder of films and ratings; without a generator everybody gives the same stars."""
    folder.mkdir()
    genres = ("Drama", "Comedy", "War", "Action", "Horror")
    titles = "".join(f"{n},Film {n} ({1980 + n % 30}),{genres[n % 5]}\n" for n in range(1, 61))
    (folder / "movies.csv").write_text(f"movieId,title,genres\n{titles}", encoding="utf-8")
    rows = "".join(
        f"{user},{title},{rng.integers(1, 6) if rng else 3},{1_500_000_000 + 60 * title}\n"
        for user, titles in rated.items()
        for title in titles
    )
    (folder / "ratings.csv").write_text(f"userId,movieId,rating,timestamp\n{rows}", encoding="utf-8")


def write_tiny(folder: Path) -> None:
    """Two hundred people of a few titles each, and four who have rated everything: segments of a handful."""
    rng = np.random.default_rng(0)
    some = {user: sorted(rng.choice(np.arange(1, 61), 8, replace=False).tolist()) for user in range(1, 201)}
    write_ratings(folder, some | {user: list(range(1, 61)) for user in range(201, 205)}, rng)


def write_alike(folder: Path) -> None:
    """A hundred people who rated the same titles the same."""
    write_ratings(folder, {user: list(range(1, 21)) for user in range(1, 101)}, None)


@pytest.fixture(scope="module", params=EACH)
def published(request, matinee: Matinee, tmp_path_factory) -> PublishedSet:
    if request.param in ("real", "demo", "service"):
        warehouse = request.getfixturevalue(f"{request.param}_warehouse")
        return open_set(warehouse / "published")
    write = {"tiny": write_tiny, "alike": write_alike}[request.param]

    def run(folder: Path) -> None:
        files = folder.with_name(f"{folder.name}_files")
        write(files)
        answer = matinee("run", "--source", files, "--job", "segments", warehouse=folder)
        assert answer.exit_code == 0, answer.said

    return open_set(once(tmp_path_factory, f"sentences_{request.param}", run) / "published")


def cards(data: PublishedSet) -> list[tuple[str, dict, Card, dict[str, pl.DataFrame]]]:
    segments = data.ask("select * from segments order by segmentation, segment_id")
    rows = {name: card_rows(data, name) for name in segments["segmentation"].unique()}
    return [
        (row["segmentation"], row, card(row, rows[row["segmentation"]]), rows[row["segmentation"]])
        for row in segments.iter_rows(named=True)
    ]


def written_as(token: str, values: list[float]) -> bool:
    """Return whether a number in a sentence is one of the figures, as it is rounded there, or as a percentage."""
    digits = len(token.partition(".")[2])
    said = float(token.replace(",", ""))
    return any(
        abs(said - scale * value) <= 0.5 * 10**-digits + 1e-9 for value in values for scale in (1, 100)
    )


def test_every_number_of_advice_is_a_figure_behind_it_and_of_many(published):
    advice = published.ask("select * from strategic_recommendations")
    for row in advice.iter_rows(named=True):
        figures = json.loads(row["figures"])
        sentence = row["sentence"]
        for words in sorted((v for v in figures.values() if isinstance(v, str)), key=len, reverse=True):
            sentence = sentence.replace(words, "")
        values = [float(v) for v in figures.values() if isinstance(v, int | float)]
        if row["topic"] == "time of viewing":
            values += [figures["share"] * _HOURS, 1 - figures["quiet_events"] / figures["day_events"]]
            sentence = re.sub(r"\d+:\d+", "", sentence)
        sentence = sentence.replace("95 % interval", "")
        for token in _NUMBER.findall(sentence):
            assert written_as(token, values), (row["topic"], token, row["sentence"], figures)
        for people in ("members", "raters", "viewers", "users"):
            assert figures.get(people, PEOPLE) >= PEOPLE, row


def test_what_advice_calls_more_is_more(published):
    for row in published.ask("select * from strategic_recommendations").iter_rows(named=True):
        figures, sentence = json.loads(row["figures"]), row["sentence"]
        pairs = {("share", "base_share"), ("rater_share", "base_share"), ("mean_minutes", "highest_minutes")}
        for own, base in pairs:
            if own in figures and base in figures and row["topic"].startswith(("segment and", "upgrade")):
                assert figures[own] > figures[base], row
        if figures.get("mean_rating") is not None and figures.get("usual_rating") is not None:
            difference = figures["mean_rating"] - figures["usual_rating"]
            assert difference > 0 or "more than what they rate on average" not in sentence, row
            assert difference < 0 or "less content" not in sentence, row
            assert abs(difference) < 0.1 or "as much as" not in sentence, row
        if {"interval_low", "interval_high", "base_mean_clv"} <= figures.keys():
            assert not figures["interval_low"] <= figures["base_mean_clv"] <= figures["interval_high"], row


def test_a_card_speaks_of_differences_that_are_sure_and_of_likings_of_many(published):
    for name, segment, shown, rows in cards(published):
        profile = rows["segment_profiles"].filter(segment_id=segment["segment_id"])
        figures = {row["feature_label"]: row for row in profile.iter_rows(named=True)}
        for leaning in shown.leanings:
            row = figures[leaning.label]
            assert not row["index_low"] <= 100 <= row["index_high"], (name, leaning)
            assert abs(row["index"] - 100) >= 5, (name, leaning)
        for said in shown.does_not_mean:
            if said.startswith("Not shown to differ"):
                for label in said.partition(": ")[2].split("; "):
                    row = figures[label]
                    is_judged = "segment_claims" in rows and len(rows["segment_claims"])
                    assert is_judged or row["index_low"] <= 100 <= row["index_high"], (name, said)
        genres = rows.get("segment_genre_ratings", pl.DataFrame())
        for label, mean in shown.favourites:
            liked = genres.filter(segment_id=segment["segment_id"], genre_label=label).row(0, named=True)
            assert (liked["raters"] >= RATERS, liked["rater_mean_rating"]) == (True, mean)
        for title in rows.get("segment_titles", pl.DataFrame()).iter_rows(named=True):
            assert title["index_low"] > 100
            assert title["raters"] >= RATERS


def test_how_many_are_heavy_is_how_many_members_are(published):
    members = published.ask("select * from segment_members where level is not null")
    counted = members.group_by("segmentation", "segment_id", "level").len("members")
    told = published.ask("select * from segment_levels where members > 0")
    keys = ["segmentation", "segment_id", "level", "members"]
    assert told.select(keys).cast({"members": pl.UInt32}).sort(keys).equals(counted.select(keys).sort(keys))


def holds(wanted: str | Bounds, row: dict, others: pl.DataFrame) -> bool:
    """Say of a condition of the playbook, from the published profile alone, whether it holds."""
    low, high = row["index_low"], row["index_high"]
    if isinstance(wanted, Bounds):
        scale = row["base_mean"] / 100
        return (wanted.at_least is None or (low is not None and low * scale >= wanted.at_least)) and (
            wanted.at_most is None or (high is not None and high * scale <= wanted.at_most)
        )
    if wanted == "not_apart":
        return not row["is_apart"]
    is_over = low is not None and low > 100
    is_under = high is not None and high < 100
    end = {"highest": others["segment_mean"].max(), "lowest": others["segment_mean"].min()}.get(wanted)
    side = is_over if wanted in ("above", "highest") else is_under
    return side and (end is None or row["segment_mean"] == end)


def test_the_playbook_says_what_holds_and_marks_a_name_that_does_not(published):
    declared = PROJECT_ROOT.glob("orchestration/defs/segmentations/*/defs.yaml")
    specs = {
        file.parent.name: SegmentationSpec.model_validate(yaml.safe_load(file.read_text())["attributes"])
        for file in declared
    }
    for name, segment, shown, rows in cards(published):
        play = specs[name].playbook.get(segment["segment_name"])
        if play is None:
            assert not shown.audience
            assert not shown.name_doubt
            continue
        profile = rows["segment_profiles"]
        size = {"members": segment["members"], "share": segment["share"]}

        def is_so(when, profile=profile, segment=segment, size=size) -> bool:
            return all(
                size[column] >= (wanted.at_least or 0)
                if column in size
                else holds(
                    wanted,
                    profile.filter(segment_id=segment["segment_id"], feature=column).row(0, named=True),
                    profile.filter(feature=column),
                )
                for column, wanted in when.items()
            )

        for told, sayings in (
            (shown.audience, play.audience),
            (shown.content_strategy, play.content_strategy),
            (shown.marketing_strategy, play.marketing_strategy),
        ):
            for saying in sayings:
                assert (saying.say.rstrip(".") in (told or "")) == is_so(saying.when), (name, saying, told)
        assert bool(shown.name_doubt) != is_so(play.name_when), (name, segment["segment_name"])
