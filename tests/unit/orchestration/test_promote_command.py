"""`matinee promote`, as a person calls it."""

import numpy as np
import polars as pl
import pytest

from orchestration.stores.segmentations import ModelStore
from tests.conftest import Matinee
from tests.unit.orchestration.refreshes import Refreshes, habits, noise


@pytest.fixture
def refreshes(tmp_path):
    done = Refreshes(tmp_path)
    done.run(habits(np.arange(240) % 3), ari=1)
    done.run(noise(240), ari=0.3)
    return done


def test_what_was_refused_is_in_force_afterwards_and_it_is_said_when_the_tables_follow(
    refreshes, matinee: Matinee
):
    refused = next(name for name, what in refreshes.store.versions.items() if what == "refused last")
    done = matinee("promote", "habits", "--reason", "We need them now", warehouse=refreshes.root)
    assert done.exit_code == 0, done.said
    assert f"version {refused} is in force" in done.out
    assert "follow with the next `matinee run`" in done.out
    store = ModelStore(refreshes.store.folder, "current")
    assert store.home.name == refused
    assert store.read_table("segment_promotions")["reason"].to_list()[-1] == "We need them now"
    noise(20).write_csv(refreshes.root / "new.csv")
    scored = matinee("score", "habits", "--input", refreshes.root / "new.csv", warehouse=refreshes.root)
    expected = store.model().members(noise(20))["segment_id"]
    assert pl.read_csv(scored.out.encode())["segment_id"].to_list() == expected.to_list()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["habit", "--reason", "why"], "no trained segmentation 'habit'; there are: habits"),
        (["habits", "--version", "zzz", "--reason", "why"], "habits has no version 'zzz'; there are: "),
        (["habits", "--reason", " "], "--reason is empty"),
    ],
)
def test_what_cannot_be_promoted_changes_nothing_and_is_said(refreshes, matinee: Matinee, arguments, said):
    before = (refreshes.store.folder / "current.json").read_bytes()
    done = matinee("promote", *arguments, warehouse=refreshes.root)
    assert done.exit_code == 1
    assert said in done.error
    assert "Traceback" not in done.error
    assert (refreshes.store.folder / "current.json").read_bytes() == before
