"""Land, join as asked, compute and print: what `matinee replicate` does.

Belongs here: running the two joins in warehouses of their own and showing the comparison.
Does not belong here: the method (`ml.replication`), the figures and verdicts (`compare`).
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pandas as pd
from rich.console import Console
from rich.table import Table

from ingest.errors import IngestError
from ingest.rawfiles import RawFile, unpack
from ml.replication import activity_figures, catalogue_figures, ratings_figures
from orchestration import dbt
from orchestration.landing import land, switch_to
from orchestration.layout import WarehouseError, WarehouseLayout, lock_warehouse
from orchestration.replicate.compare import Comparison, compare, load_figures
from orchestration.settings import Settings

DONE, FAILED, USAGE = 0, 1, 2
_SECTIONS = {
    "catalogue": "Catalogue",
    "tags": "Catalogue",
    "join": "Join",
    "activity": "Counts and ratings per genre, 40 columns",
    "ratings": "Ratings per genre, 20 columns",
    "segment": "The five segments of the 20 columns, by titles per user",
}
"""First part of a figure's key to the heading it stands under."""
_COLOURS = {
    "ok": "green",
    "differs": "bold red",
    "needs the full file": "dim",
    "nothing to compare with": "dim",
}


def replicate_source(settings: Settings) -> int:
    """Run both joins on a source, print the figures and return the exit code: 1 when a figure is off."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    if settings.source == "demo":
        console.print(
            "The demo world is invented: replicate needs the real files (--source kaggle or a folder)."
        )
        return USAGE
    base = WarehouseLayout(settings.warehouse / "replicate")
    try:
        with lock_warehouse(base, "matinee replicate"):
            published, ratings_read = _figures("direct", settings, base)
            corrected, _ = _figures("links", settings, base)
    except (IngestError, WarehouseError, dbt.DbtError) as error:
        console.print(f"error: {error}", style="red", markup=False)
        return FAILED
    known = load_figures()
    as_published = compare(known, published, ratings_read=ratings_read, right_join=False)
    _show(
        console,
        "The published method, faults included (ratings.movieId joined to the catalogue's id)",
        as_published,
    )
    console.print(
        "\nMovieLens ids are not TMDB ids: the join above puts every rating on another film."
        " Below, the same figures through links.csv.\n"
    )
    through_links = compare(known, corrected, ratings_read=ratings_read, right_join=True)
    joined = [row for row in through_links if not row.figure.key.startswith(("catalogue.", "tags."))]
    _show(console, "The same figures through the right join", joined, beside=published)
    return _conclude(console, [*as_published, *joined])


def _figures(join: str, settings: Settings, base: WarehouseLayout) -> tuple[dict[str, float], int]:
    layout = WarehouseLayout(base.root / join)
    own = settings.model_copy(update={"warehouse": layout.root})
    os.environ.update(own.to_environment())
    landed = land(own)
    switch_to(landed, layout)
    # The key-meaning test would stop the direct join, as it should: here the fault is wanted.
    selection = ["--select", "+user_genre_stats", "--exclude", "tag:key_meaning"]
    failures = dbt.run_build([*selection, "--vars", f"rating_join: {join}"], layout)
    if failures:
        msg = f"dbt build: {'; '.join(failures)}"
        raise dbt.DbtError(msg)
    with duckdb.connect(str(layout.database), read_only=True) as connection:
        features = connection.sql("select * from features.user_genre_stats order by user_id").pl()
        genres = [row[0] for row in connection.execute("select genre_label from seeds.genres").fetchall()]
    figures = catalogue_figures(_raw_genres(landed.source.files["titles"], layout.temporary), genres)
    figures |= {
        "join.ratings": int(features["total_ratings"].sum()),
        "join.users": len(features),
        "join.pairs": int(features["total_titles"].sum()),
    }
    figures |= activity_figures(features) | ratings_figures(features)
    return figures, next(file.rows_read for file in landed.files if file.table == "ratings")


def _raw_genres(file: RawFile, temporary: Path) -> list[str]:
    """Read the genre cells as the published notebook did: straight from the file, bad rows and all."""
    packed = file.path.suffix in (".gz", ".zip")
    path = unpack(file, temporary / "catalogue.csv") if packed else file.path
    if path.suffix == ".parquet":
        return pd.read_parquet(path, columns=["genres"])["genres"].tolist()
    return pd.read_csv(path, usecols=["genres"], dtype=str)["genres"].tolist()


def _show(
    console: Console, title: str, rows: list[Comparison], *, beside: Mapping[str, float] | None = None
) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("figure")
    table.add_column("published", justify="right")
    table.add_column("expected here", justify="right")
    if beside is not None:
        table.add_column("direct join", justify="right")
    table.add_column("ours", justify="right")
    table.add_column("verdict")
    shown = None
    for row in rows:
        section = _SECTIONS[row.figure.key.partition(".")[0].rstrip("0123456789")]
        if section != shown:
            table.add_section()
            table.add_row(f"[bold]{section}[/]")
            shown = section
        cells = [row.figure.label, _number(row.figure.published), _number(row.expected)]
        if beside is not None:
            cells.append(_number(beside.get(row.figure.key)))
        colour = _COLOURS[row.verdict]
        table.add_row(*cells, _number(row.ours), f"[{colour}]{row.verdict}[/]")
    console.print(table)


def _conclude(console: Console, rows: list[Comparison]) -> int:
    counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in _COLOURS}
    console.print(", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count))
    return FAILED if counts["differs"] else DONE


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.3f}"
