"""`matinee audience`: audiences by rule checked before they are saved, listed, and pinned to a day.

Belongs here: its options and what it says. Does not belong here: what a rule means (`ml.audiences`), what is declared
and who is in it (`tasks.audiences`).
"""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.commands.shared import (
    FAILED,
    USAGE,
    WarehouseOption,
    answer,
    fail,
    failing,
    read_settings,
    say,
)

if TYPE_CHECKING:
    from orchestration.stores.layout import WarehouseLayout


class Action(StrEnum):
    """What is done."""

    check = "check"
    list = "list"
    snapshot = "snapshot"


def audience(
    action: Annotated[
        Action, typer.Argument(help="check a FILE before it is saved, list all, or pin one by its NAME.")
    ],
    of: Annotated[
        str | None, typer.Argument(metavar="FILE|NAME", help="The file to check, or the audience to pin.")
    ] = None,
    *,
    sql: Annotated[bool, typer.Option("--sql", help="With check: print the rule as one SELECT.")] = False,
    warehouse: WarehouseOption = None,
) -> None:
    """Check an audience by rule, list all of them, or pin one to the day.

    `check` counts on the warehouse as it is, by the rule alone, before priority and hold-out; exit code 1 where a name
    is not known. `snapshot` keeps the published members.
    """
    from ml.audiences.spec import AudienceError
    from orchestration.stores.layout import WarehouseLayout

    if (of is None) != (action is Action.list):
        fail("give `check FILE`, `list` or `snapshot NAME`", USAGE)
    layout = WarehouseLayout(read_settings(warehouse=warehouse).warehouse)
    with failing(AudienceError):
        if action is Action.list:
            _list(layout)
        elif action is Action.check:
            _check(layout, Path(of or ""), with_sql=sql)
        else:
            _snapshot(layout, of or "")


def _check(layout: "WarehouseLayout", file: Path, *, with_sql: bool) -> None:
    import duckdb

    from ml.audiences.compile import compile_audience
    from ml.audiences.members import waterfall
    from ml.audiences.spec import check_together
    from orchestration.tasks.audiences import (
        doubts,
        find_members,
        lack,
        read_audience,
        read_audiences,
        read_entities,
        tables_of,
    )

    spec = read_audience(file)
    others = read_audiences() | {spec.name: spec}
    check_together(others, read_entities())
    if not layout.database.exists():
        fail(f"nothing to count on in {layout.root}: run `matinee run` first.")
    try:
        connection = duckdb.connect(str(layout.database), read_only=True)
    except duckdb.IOException:
        fail(f"{layout.database} is being written. Try again when the run has ended.")
    with connection:
        compiled = compile_audience(spec, tables_of(connection), others)
        if with_sql:
            answer(compiled.sql)
            return
        _, kept = find_members(connection, compiled)
    steps = [
        (side, words, f"{left:,}", f"{gone:,}" if gone else "")
        for _, side, words, left, gone in waterfall(compiled.steps, kept).iter_rows()
    ]
    _table(("", "condition", "kept", "dropped"), steps)
    answer(f"{spec.name}: {kept[-1]:,} of {kept[0]:,} by the rule, before priority and hold-out.")
    for said in filter(None, [doubts(compiled, kept), lack(compiled, kept)]):
        say(f"warning: {said}")
    if compiled.doubts:
        raise typer.Exit(FAILED)


def _list(layout: "WarehouseLayout") -> None:
    from orchestration.tasks.audiences import published_table, read_audiences

    found = published_table(layout, "audiences")
    published = {} if found is None else {row["audience"]: row for row in found.iter_rows(named=True)}
    rows = []
    for name, spec in sorted(
        read_audiences().items(), key=lambda one: (one[1].priority or 1_000_000, one[0])
    ):
        now = published.get(name)
        sizes = ("not published yet", "") if now is None else (f"{now['members']:,}", f"{now['share']:.1%}")
        warning = (now or {}).get("warning")
        what = f"{spec.description}\nwarning: {warning}" if warning else spec.description
        rows.append((name, str(spec.priority or ""), *sizes, what))
    _table(("audience", "priority", "members", "share", "what"), rows)
    for folder in sorted(layout.audience_snapshots.glob("*/")):
        answer(
            f"Pinned of {folder.name}: {', '.join(sorted(path.stem for path in folder.glob('*.parquet')))}"
        )


def _snapshot(layout: "WarehouseLayout", name: str) -> None:
    import json

    import polars as pl

    from ml.audiences.spec import AudienceError, nearest
    from orchestration.stores.layout import write_atomically
    from orchestration.stores.versions import parquet_bytes
    from orchestration.tasks.audiences import published_table

    audiences, members = (published_table(layout, table) for table in ("audiences", "audience_members"))
    if audiences is None or members is None:
        fail(f"no audience is published in {layout.root} yet: run `matinee run` first.")
    if name not in audiences["audience"]:
        there_are = audiences["audience"].sort().to_list()
        raise AudienceError(f"no audience {name!r} is published{nearest(name, there_are)}")
    about = audiences.row(by_predicate=pl.col("audience") == name, named=True)
    file = layout.audience_snapshots / name / f"{layout.published.resolve().name.partition('-')[0]}.parquet"
    if file.exists():
        answer(f"{name} of this published set is pinned already: {file}")
        return
    own = members.filter(audience=name).select(pl.col("entity_id").alias(about["entity"]), "held_out")
    write_atomically(
        file.with_suffix(".json"), json.dumps(about | {"salt": None}, indent=1, ensure_ascii=False) + "\n"
    )
    write_atomically(file, parquet_bytes(own))
    answer(f"{name}: {len(own):,} members pinned in {file}, the rule beside them.")


def _table(headers: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*headers)
    table.columns[0].no_wrap = True  # a name is copied
    table.columns[0].min_width = max((len(row[0]) for row in rows), default=0)
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
