"""What is in force is switched as a whole, also where the run that began to is killed in the midst of it."""

import json
from pathlib import Path

import polars as pl
import pytest

from orchestration.settings import Settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks import switching
from orchestration.tasks.landing import land, stage

NAMES = ("user_ratings", "user_taste")
RATINGS = "user_id,title_id,rating,rated_at\n{},31,2.5,1260759144\n"
STEPS = [
    ("switch_symlink", 1),
    ("store.switch", 1),
    ("VersionedStore.promote_candidate", 1),
    ("VersionedStore.promote_candidate", 2),
    ("switch_symlink", 3),
    ("PlotStore.promote_candidate", 1),
]
"""Functions and at which call of each the run is killed."""


class Killed(BaseException):
    """Stands for the end of the process."""


class Night:
    """A warehouse in which the first night is in force and the second is made."""

    def __init__(self, root: Path) -> None:
        self.layout = WarehouseLayout(root / "warehouse")
        self.source = root / "source"
        self.source.mkdir()
        self.make("first")
        switching.put_in_force(self.layout, *self.written("first"), NAMES)
        self.make("second")

    def make(self, night: str) -> None:
        """Land, train and draw as a night does, without putting anything in force."""
        (self.source / "ratings.csv").write_text(RATINGS.format(len(night)))
        stage(land(Settings(warehouse=self.layout.root, source=str(self.source))), self.layout)
        for name in NAMES:
            store = switching.ModelStore(self.layout.models / name)
            store.begin_candidate(night)
            (store.home / "plots").mkdir()
        switching.PlotStore(self.layout, switching.AUDIENCE).save_candidate({"hours": night.encode()})

    def written(self, night: str) -> tuple[Path, Path]:
        """Write the night's tables, and return the folder and the one that it becomes."""
        unfinished, finished = (self.layout.published_sets / f"{dot}{night}" for dot in (".", ""))
        unfinished.mkdir(parents=True)
        manifests = (self.layout.landing / "candidate" / "manifest").glob("*.parquet")
        pl.concat(map(pl.read_parquet, manifests)).write_parquet(unfinished / "landing_manifest.parquet")
        return unfinished, finished

    def in_force(self) -> set[str]:
        """Which nights the parts in force are of."""
        landing = self.layout.landing
        nights = {self.layout.published.resolve().name}
        nights |= {
            json.loads((self.layout.models / name / "current.json").read_text())["version"] for name in NAMES
        }
        nights |= {(self.layout.plots / name).resolve().parent.name for name in NAMES}
        nights.add((self.layout.plots / switching.AUDIENCE / "hours.png").read_text())
        is_second = (landing / "current").resolve() == (landing / "candidate").resolve()
        return nights | {"second" if is_second else "first"}


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


def kill_at(monkeypatch: pytest.MonkeyPatch, function: str, call: int) -> None:
    """Make one call of a function of `switching` the last thing that happens."""
    owner: object = switching
    *owners, name = function.split(".")
    for part in owners:
        owner = getattr(owner, part)
    real, calls = getattr(owner, name), iter(range(1, 100))

    def killed(*args: object) -> object:
        if next(calls) == call:
            raise Killed
        return real(*args)

    monkeypatch.setattr(owner, name, killed)


@pytest.mark.parametrize(("function", "call"), STEPS)
def test_a_switch_that_was_killed_is_finished_before_the_next_night_lands(
    night: Night, monkeypatch: pytest.MonkeyPatch, function: str, call: int
) -> None:
    assert night.in_force() == {"first"}
    with monkeypatch.context() as patch:
        kill_at(patch, function, call)
        with pytest.raises(Killed):
            switching.put_in_force(night.layout, *night.written("second"), NAMES)
    land(Settings(warehouse=night.layout.root, source=str(night.source)))
    assert night.in_force() == {"second"}
    assert not night.layout.switching.exists()


@pytest.mark.parametrize("content", [None, "", "[]", '{"published": "third", "segmentations": []}'])
def test_where_no_set_was_finished_nothing_is_switched(night: Night, content: str | None) -> None:
    if content is not None:
        night.layout.switching.write_text(content)
    switching.finish_switch(night.layout)
    assert night.in_force() == {"first"}
    assert not night.layout.switching.exists()
