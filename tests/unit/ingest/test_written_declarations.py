"""What `matinee inspect --write` writes of a known layout lands as its folder does."""

import pyarrow.parquet as pq
import pytest

from ingest.inspect import inspect
from ingest.landing import land
from ingest.layouts import known_layouts
from ingest.sources import resolve_source
from tests.layout_files import write_layout

COUNTS = ("rows_read", "rows_landed", "rows_rejected", "rows_left_out", "known_quirks", "unreadable", "notes")


def what_lands(source, landing) -> dict:
    landed = land(resolve_source(str(source)), landing)
    return {
        file.table: (
            {name: getattr(file, name) for name in COUNTS},
            pq.read_table(file.path),
            pq.read_table(file.rejects_path),
        )
        for file in landed
    }


@pytest.mark.parametrize("layout", known_layouts())
def test_the_written_declaration_of_a_layout_lands_the_same_rows_rejects_and_notes(
    layout, layout_world, tmp_path
):
    folder = write_layout(layout, layout_world, tmp_path / "files")
    found = inspect(folder, folder=folder)
    assert found.layouts[0].startswith(f"{known_layouts()[layout].name}: ")
    declaration = folder / "service.yaml"
    declaration.write_text(found.declaration)
    assert what_lands(declaration, tmp_path / "second") == what_lands(folder, tmp_path / "first")
