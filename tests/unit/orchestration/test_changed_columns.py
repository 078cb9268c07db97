"""Between two nights the columns of a raw file change: what can land lands and is told, what cannot changes nothing."""

from pathlib import Path

import polars as pl
import pytest

from ingest.errors import IngestError
from ingest.landing import switch
from orchestration.settings import Settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.landed_changes import changed_columns, compare
from orchestration.tasks.landing import land, stage

HEADER = ("user_id", "title_id", "watched_at", "minutes_watched", "device")
ROWS = [(f"u{n}", f"t{n % 3}", f"2026-01-{n:02} 20:00:00", str(30 + n), "TV") for n in range(1, 20)]
THEIRS = {
    "user_id": "account",
    "title_id": "content",
    "watched_at": "started",
    "minutes_watched": "minutes",
    "device": "appliance",
}
DECLARED = """
name: A service
views:
  files: views.csv
  columns: {user_id: account, title_id: content, watched_at: started, minutes_watched: minutes, device: appliance}
"""


class Service:
    """A folder with views, by a declaration or under the names of a known layout, and a warehouse."""

    def __init__(self, folder: Path, *, is_declared: bool) -> None:
        self.layout = WarehouseLayout(folder / "warehouse")
        self.names = THEIRS if is_declared else {name: name for name in HEADER}
        self.folder = folder / "source"
        self.folder.mkdir()
        self.source = self.folder
        if is_declared:
            self.source = self.folder / "service.yaml"
            self.source.write_text(DECLARED)

    def write(self, columns: dict[str, list[str]]) -> None:
        table = pl.DataFrame({self.names.get(name, name): cells for name, cells in columns.items()})
        table.write_csv(self.folder / "views.csv")

    def land(self) -> str:
        """Land, make it the candidate, and return what is said of its columns."""
        landed = land(Settings(warehouse=self.layout.root, source=str(self.source)))
        beside = compare(landed, self.layout)
        stage(landed, self.layout)
        before = beside.before.get("views")
        now = beside.now["views"].columns
        return changed_columns(now, before.columns) if before and before.columns and now else ""

    def views(self, which: str) -> pl.DataFrame:
        return pl.read_parquet(self.layout.landing / which / "views" / "*.parquet")


@pytest.fixture(params=["declared", "known"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Service:
    """A service after a night."""
    service = Service(tmp_path, is_declared=request.param == "declared")
    service.write(columns())
    service.land()
    switch(service.layout.landing)
    return service


def columns() -> dict[str, list[str]]:
    return {name: [row[place] for row in ROWS] for place, name in enumerate(HEADER)}


def test_a_column_that_was_added_is_told_of_and_changes_nothing(service: Service) -> None:
    service.write({**columns(), "mood": ["good"] * len(ROWS)})
    assert service.land() == "Columns of the raw file: mood is new."
    assert service.views("candidate").equals(service.views("current"))


@pytest.mark.parametrize("change", ["lost", "renamed"])
@pytest.mark.parametrize("column", ["user_id", "watched_at"])
def test_without_a_column_that_it_must_have_a_file_is_refused_and_the_last_results_stay(
    service: Service, column: str, change: str
) -> None:
    before = {which: (service.layout.landing / which).readlink() for which in ("candidate", "current")}
    written = columns()
    cells = written.pop(column)
    service.write({**written, "another": cells} if change == "renamed" else written)
    with pytest.raises(IngestError) as refused:
        service.land()
    said = str(refused.value)
    assert "views.csv" in said
    assert service.names[column] in said
    assert {which: (service.layout.landing / which).readlink() for which in before} == before


@pytest.mark.parametrize("change", ["lost", "renamed"])
def test_without_a_column_that_it_may_have_a_file_lands_and_it_is_told_or_where_declared_is_refused(
    service: Service, change: str
) -> None:
    written = columns()
    cells = written.pop("device")
    service.write({**written, "another": cells} if change == "renamed" else written)
    if service.names is THEIRS:  # who declares a column says that it is there
        with pytest.raises(IngestError, match=r"views\.csv.*appliance"):
            service.land()
        return
    assert (
        service.land()
        == {
            "lost": "Columns of the raw file: device is gone.",
            "renamed": "Columns of the raw file: device is now called another.",
        }[change]
    )
    views = service.views("candidate")
    assert views["device"].null_count() == len(ROWS)
    assert views.drop("device").equals(service.views("current").drop("device"))


def test_a_column_that_holds_something_else_is_refused_or_told(service: Service) -> None:
    before = (service.layout.landing / "current").readlink()
    service.write({**columns(), "minutes_watched": ["half an hour"] * len(ROWS)})
    with pytest.raises(IngestError, match=rf"views\.csv.*{service.names['minutes_watched']}"):
        service.land()
    assert (service.layout.landing / "current").readlink() == before
    service.write({**columns(), "device": ["7"] * len(ROWS)})
    name = service.names["device"]
    assert service.land() == f"Columns of the raw file: {name} held text and now holds numbers."
    assert service.views("candidate")["device"].to_list() == ["7"] * len(ROWS)
