"""Audiences on a warehouse: which are declared, who is in them, and the account of all of them together.

Belongs here: reading declarations, running an audience's SQL, the tables `ml.audience…`. Does not belong here: what a
rule means (`ml.audiences`), Dagster.

    audiences/<name>/<run>/members.parquet, waterfall.parquet, audience.parquet    of the last run alone
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import yaml

from ingest.errors import counted
from ingest.sql import identifier, text_literal
from ml.audiences import holdout
from ml.audiences.compile import DEPARTURE, SEGMENT_MEMBERS, Compiled, Tables
from ml.audiences.members import (
    HOLDOUT,
    PRIORITY,
    WATERFALL,
    by_priority,
    carry_on,
    jump,
)
from ml.audiences.spec import AudienceError, AudienceSpec, check_together, parse_audience
from orchestration.settings import PROJECT_ROOT, HoldoutSettings, SettingsError
from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.versions import VersionedStore

COMPONENT, SEGMENTATION, GROUP = "AudienceComponent", "SegmentationComponent", "audiences"
_DEFS = PROJECT_ROOT / "orchestration" / "defs"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
AUDIENCES = {
    "audience": pl.String,
    "description": pl.String,
    "entity": pl.String,
    "priority": pl.Int32,
    "everybody": pl.Int64,
    "members": pl.Int64,
    "held_out": pl.Int64,
    "share": pl.Float64,
    "members_before": pl.Int64,
    "share_before": pl.Float64,
    "warning": pl.String,
    "sql": pl.String,
    "salt": pl.String,
}


def read_audiences(folder: Path = _DEFS) -> dict[str, AudienceSpec]:
    """Return the declared audiences by name.

    Raises
    ------
    AudienceError
        When one is declared wrongly, or they do not go together; the message names file and field.
    """
    found: dict[str, AudienceSpec] = {}
    for file in sorted(folder.glob("**/defs.yaml")):
        text = file.read_text(encoding="utf-8")
        for spec in _declared(file, text) if COMPONENT in text else ():
            if spec.name in found:
                raise AudienceError(f"{file}: there is an audience {spec.name!r} already")
            found[spec.name] = spec
    check_together(found, read_entities(folder))
    return found


def read_entities(folder: Path = _DEFS) -> dict[str, str]:
    """Return the entity of each declared segmentation; one that is declared wrongly is refused elsewhere."""
    found: dict[str, str] = {}
    for file in folder.glob("**/defs.yaml"):
        text = file.read_text(encoding="utf-8")
        with suppress(yaml.YAMLError, LookupError, TypeError):
            for part in yaml.load_all(text, _LOADER) if SEGMENTATION in text else ():
                if part["type"].endswith(SEGMENTATION):
                    found[part["attributes"]["name"]] = part["attributes"]["entity"]
    return found


def read_audience(file: Path) -> AudienceSpec:
    """Return the one audience that a file declares; raises AudienceError where it declares none or several."""
    try:
        specs = _declared(file, file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise AudienceError(f"{file}: cannot be read: {error}") from None
    if len(specs) != 1:
        msg = f"{file}: expected one audience, `type: orchestration.components.{COMPONENT}` with `attributes`"
        raise AudienceError(f"{msg}; there are {len(specs)}")
    return specs[0]


def _declared(file: Path, text: str) -> list[AudienceSpec]:
    try:
        parts = [part for part in yaml.load_all(text, _LOADER) if isinstance(part, dict)]
        return [
            parse_audience(part.get("attributes"))
            for part in parts
            if str(part.get("type", "")).endswith(COMPONENT)
        ]
    except yaml.YAMLError as error:
        raise AudienceError(f"{file}: is no YAML: {error}") from None
    except AudienceError as error:
        raise AudienceError(f"{file}: {error}") from None


def tables_of(connection: duckdb.DuckDBPyConnection, shown: Mapping[str, str] | None = None) -> Tables:
    """Return what rules can be about in a database; what is `shown` has another name there."""
    shown = shown or {}
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() where not internal"
    ).fetchall():
        columns.setdefault(table, {})[column] = kind
    columns |= {table: columns[f"main.{name}"] for table, name in shown.items()}

    def named(table: str) -> str:
        return shown.get(table, table)

    def values(table: str, column: str, segmentation: str | None = None) -> Collection[str]:
        name = identifier(column)
        where = f"{name} is not null" + (" and segmentation = ?" if segmentation else "")
        given = [segmentation] if segmentation else []
        found = connection.execute(f"select distinct {name} from {named(table)} where {where}", given)
        return {value for (value,) in found.fetchall()}

    def has_rows(table: str) -> bool:
        return bool(connection.execute(f"from {named(table)} limit 1").fetchall())

    return Tables(columns, values, has_rows, named)


def show_made(
    connection: duckdb.DuckDBPyConnection,
    layout: WarehouseLayout,
    segmentations: Iterable[str],
    defined: Callable[[], Mapping[str, str]],
) -> dict[str, str]:
    """Show what this run's ML has made by now under names of their own, and return these by those of the tables.

    The tables are filled when all of ML is done, for dbt, and audiences are a part of it. Until then they hold what the
    run before made: of what this one skipped, a table without rows is shown, as its contract (`defined`) has it.
    """
    stores = {
        SEGMENT_MEMBERS: [VersionedStore(layout.models / name) for name in segmentations],
        DEPARTURE: [VersionedStore(layout.departure)],
    }
    shown = {}
    for table, made in stores.items():
        name = table.split(".")[1]
        files = [
            store.table_path(name) for store in made if store.has_candidate and store.has(f"{name}.parquet")
        ]
        listed = ", ".join(text_literal(str(file)) for file in files)
        if files:
            connection.execute(f"create or replace temp view {name} as from read_parquet([{listed}])")
        else:  # on Spark the database has no such table before the first gather
            connection.execute(f"create or replace temp table {name} ({defined()[name]})")
        shown[table] = name
    return shown


def find_members(connection: duckdb.DuckDBPyConnection, compiled: Compiled) -> tuple[pl.DataFrame, list[int]]:
    """Return the entity_id of the members, and how many there are and are left after each step."""
    connection.execute(f"create or replace temp table judged as {compiled.judged}")
    kept = list(connection.execute(compiled.counted).fetchall()[0])
    members = connection.sql(f"{compiled.listed} order by 1").pl()
    connection.execute("drop table judged")
    return members, kept


def store_of(layout: WarehouseLayout, name: str) -> VersionedStore:
    """Return where an audience's members are."""
    return VersionedStore(layout.audiences / name)


def doubts(compiled: Compiled, kept: list[int]) -> str | None:
    """Return what is doubtful of an audience, in words; None where nothing is."""
    who = {0: "nobody is in it", kept[0]: "everybody is in it"}.get(kept[-1])
    return "; ".join([who, *compiled.doubts] if who else compiled.doubts) or None


def lack(compiled: Compiled, kept: list[int]) -> str | None:
    """Return for lack of which tables nobody is in an audience, in words; None where it is not that."""
    if kept[-1] or not compiled.lacking:
        return None
    return f"{counted(len(compiled.lacking), 'table')} without rows: {', '.join(compiled.lacking)}"


def store_members(
    store: VersionedStore, run_id: str, members: pl.DataFrame, steps: pl.DataFrame, facts: dict[str, Any]
) -> None:
    """Store what a run found of an audience: members, waterfall and, as one row, facts; no run before stays."""
    store.begin_candidate(run_id[:8])
    store.write_table("members", members)
    store.write_table("waterfall", steps)
    store.write_table("audience", pl.DataFrame([facts], schema={name: AUDIENCES[name] for name in facts}))
    store.prune()


def check_salt(layout: WarehouseLayout, settings: HoldoutSettings) -> None:
    """Refuse a salt that is not the one by which those of the published audiences were held out.

    Raises
    ------
    SettingsError
        The message says what to do.
    """
    published = published_table(layout, "audiences")
    salts = set() if published is None else set(published["salt"])
    if not settings.redraw and salts - {holdout.fingerprint(settings.salt.get_secret_value())}:
        msg = (
            "setting refused: MATINEE_HOLDOUT_SALT is not the salt by which those of the published audiences were held "
            "out: with another one other people are, and what was measured so far means nothing. Set it back; or, to "
            "draw them anew, set MATINEE_HOLDOUT_REDRAW=true for one run"
        )
        raise SettingsError(msg)


def account(
    layout: WarehouseLayout,
    specs: Mapping[str, AudienceSpec],
    settings: HoldoutSettings,
    connection: duckdb.DuckDBPyConnection,
    at: datetime,
) -> dict[str, pl.DataFrame]:
    """Return the tables of all audiences: who is where after priority, who is held out, who entered and left.

    What was before is read from the published set, so that a run that publishes nothing changes nothing.
    """
    salt = settings.salt.get_secret_value()
    stores = {name: store_of(layout, name) for name in specs}
    found = {name: store for name, store in stores.items() if store.has_candidate}
    listed = pl.DataFrame(
        [(name, spec.entity, spec.priority, spec.holdout or 0.0) for name, spec in specs.items()],
        schema={"audience": pl.String, "entity": pl.String, "priority": pl.Int32, "holdout": pl.Float64},
        orient="row",
    )
    rows = [store.read_table("members").with_columns(audience=pl.lit(name)) for name, store in found.items()]
    nobody = pl.DataFrame(schema={"audience": pl.String, "entity_id": pl.String})
    matches = pl.concat([nobody, *(each.select("audience", "entity_id") for each in rows)])
    matches = by_priority(matches, listed.drop("holdout")).join(
        listed.drop("priority"), on="audience", maintain_order="left"
    )
    of_all, of_one = (holdout.place_sql("entity_id", salt, name) for name in ("''", "audience"))
    connection.register("found", matches)
    matches = connection.sql(
        "select audience, entity, entity_id, taken_by, "
        f"{of_all} < ? or (holdout > 0 and {of_one} < holdout) as held_out from found order by audience, entity_id",
        params=[settings.share],
    ).pl()
    connection.unregister("found")

    members = matches.filter(pl.col("taken_by").is_null())
    sizes = dict.fromkeys(specs, (0, 0)) | {
        name: (size, held)
        for name, size, held in members.group_by("audience")
        .agg(pl.len(), pl.col("held_out").sum())
        .iter_rows()
    }
    before = published_table(layout, "audiences")
    were = {} if before is None else {row["audience"]: row for row in before.iter_rows(named=True)}
    audiences, falls = [], [pl.DataFrame(schema={"audience": pl.String, **WATERFALL})]
    for name, spec in specs.items():
        facts: dict[str, Any] = {
            "everybody": 0,
            "warning": stores[name].skipped if name not in found else None,
            "sql": None,
        }
        if name in found:
            facts = found[name].read_table("audience").row(0, named=True)
            fall = _with_priority(found[name].read_table("waterfall"), spec, *sizes[name])
            falls.append(fall.select(pl.lit(name).alias("audience"), pl.all()))
        was = were.get(name, {})
        said = [facts["warning"], jump(sizes[name][0], was.get("members"))]
        audiences.append(
            {
                "audience": name,
                "description": spec.description,
                "entity": spec.entity,
                "priority": spec.priority,
                **facts,
                "members": sizes[name][0],
                "held_out": sizes[name][1],
                "share": sizes[name][0] / facts["everybody"] if facts["everybody"] else 0.0,
                "members_before": was.get("members"),
                "share_before": was.get("share"),
                "warning": "; ".join(one for one in said if one) or None,
                "salt": holdout.fingerprint(salt),
            }
        )
    return {
        "audiences": pl.DataFrame(audiences, schema=AUDIENCES),
        "audience_matches": matches,
        "audience_waterfall": pl.concat(falls),
        "audience_history": carry_on(
            published_table(layout, "audience_history"), members.select("audience", "entity_id"), at
        ),
    }


def _with_priority(steps: pl.DataFrame, spec: AudienceSpec, members: int, held_out: int) -> pl.DataFrame:
    """Return a waterfall with its last steps: who goes to an audience of higher priority, and who is held out."""
    more = [("priority", PRIORITY, members)] if spec.priority else []
    left = steps["kept"][-1]
    for side, words, kept in [*more, ("hold-out", HOLDOUT, members - held_out)]:
        row = (len(steps) + 1, side, words, kept, left - kept)
        steps, left = pl.concat([steps, pl.DataFrame([row], schema=WATERFALL, orient="row")]), kept
    return steps


def published_table(layout: WarehouseLayout, table: str) -> pl.DataFrame | None:
    """Return a table of the published set, of an earlier one where that is damaged; None where there is none."""
    if not (layout.published / f"{table}.parquet").exists():
        return None
    earlier = sorted(
        layout.published_sets.glob("*/"), key=lambda folder: folder.stat().st_mtime, reverse=True
    )
    for folder in (layout.published, *earlier):
        try:
            return pl.read_parquet(folder / f"{table}.parquet")
        except Exception:  # noqa: S112 - of whatever class a damaged file raises
            continue
    return None
