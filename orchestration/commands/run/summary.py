"""What `matinee run` says at its end, read from what has landed and what was published, and the run file it leaves.

Belongs here: rejected lines, notes on files, the table of segments, genres left out, planted segments found again;
stage times. Does not belong here: the report.
"""

import json

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingest.errors import counted
from orchestration.commands.run.job import RunOutcome
from orchestration.stores.layout import WarehouseLayout, write_atomically
from orchestration.tasks.left_out import left_out
from orchestration.tasks.recovery import planted_recovery
from published.finding import current_set
from published.people import hide_emails
from published.questions.quality import check_counts, checks_in_words, failures_in_words
from published.questions.segments import segmentations, segments
from report.sections.quality import genres_left_out

_MOST_FILES = 5


def write_run_file(layout: WarehouseLayout, outcome: RunOutcome, seconds: float) -> None:
    """Write `report/run.json`: run id, stages and seconds."""
    facts = {
        "run_id": outcome.run_id,
        "seconds": round(seconds, 3),
        "stages": [{"name": stage.name, "seconds": round(stage.seconds, 3)} for stage in outcome.stages],
    }
    write_atomically(layout.report / "run.json", json.dumps(facts, indent=1) + "\n")


def show_outcome(layout: WarehouseLayout, outcome: RunOutcome, seconds: float, job: str) -> None:
    """Print rejected lines, the segments and where to look."""
    console = Console()
    for table, count in outcome.unexpected_rejects.items():
        kept = "marts.rejects" if job != "sql_layer" else layout.landing / "candidate" / "rejects"
        console.print(
            f"[yellow]Rejected {counted(count, 'line')} of {table}[/], kept with reasons in {kept}:"
        )
        _show_rejects(console, layout, table)
    _show_reading(console, layout)
    if outcome.kept:
        console.print(Text(outcome.kept), soft_wrap=True)
    if job == "sql_layer":
        console.print(f"Done in {seconds:.0f} s: {layout.database}")
        return
    made = _show_segments(console, layout)
    for sentence in genres_left_out(current_set(layout.root).ask("select * from genres")):
        console.print(Text(sentence), soft_wrap=True)
    for segmentation, index in planted_recovery(layout).items():
        console.print(f"Planted segments recovered by {segmentation}: adjusted Rand index {index:.3f}")
    counts = check_counts(current_set(layout.root))
    console.print(f"Checks: {checks_in_words(counts)}.", style="yellow" if counts["failed"] else "")
    for severity, said in failures_in_words(current_set(layout.root)):
        console.print(Text(f"  {severity}: {said}"), soft_wrap=True)
    if made:
        console.print(f"Done in {seconds:.0f} s.")
    else:
        others = {layout.recommender, layout.catalogue_similarity, layout.departure}
        names = sorted(path.name for path in layout.models.iterdir() if path not in others)
        why = " ".join(left_out(layout, names))
        console.print(
            Text(f"No segments were made, in {seconds:.0f} s. {why}", style="yellow"), soft_wrap=True
        )
    console.print(Text(f"Report: {layout.report / 'index.html'}"), soft_wrap=True)
    console.print(Text(f"Tables: {layout.published}"), soft_wrap=True)


def _show_segments(console: Console, layout: WarehouseLayout) -> bool:
    """Print the segments; return whether there are any."""
    published = current_set(layout.root)
    made = segmentations(published)
    for segmentation in sorted(made):
        table = Table("segment", "members", "share", title=segmentation, title_justify="left")
        table.columns[1].justify = table.columns[2].justify = "right"
        for row in segments(published, segmentation).iter_rows(named=True):
            table.add_row(Text(row["segment_name"]), f"{row['members']:,}", f"{row['share']:.1%}")
        console.print(table)
        for row in segments(published, segmentation).iter_rows(named=True):
            if row["name_doubt"]:
                console.print(Text(f"{row['segment_name']}: {row['name_doubt']}"), soft_wrap=True)
    return bool(made)


def _show_reading(console: Console, layout: WarehouseLayout) -> None:
    """Print as what the files were read, and what a person should know of how."""
    manifests = sorted((layout.landing / "candidate" / "manifest").glob("*.parquet"))
    rows = [row for path in manifests for row in pl.read_parquet(path).iter_rows(named=True)]
    layouts: dict[str, dict[str, None]] = {}
    for row in rows:
        layouts.setdefault(row["layout"], {})[row["source"]] = None
    for name, files in layouts.items():
        more = f" and {len(files) - _MOST_FILES} more" if len(files) > _MOST_FILES else ""
        console.print(Text(f"Read as {name}: {', '.join(list(files)[:_MOST_FILES])}{more}"), soft_wrap=True)
    for row in rows:
        for note in row["notes"]:
            console.print(Text(f"{row['source']}: {hide_emails(note)}"), soft_wrap=True)


def _show_rejects(console: Console, layout: WarehouseLayout, table: str, most: int = 5) -> None:
    files = list((layout.landing / "candidate" / "rejects").glob(f"{table}-*.parquet"))
    rejects = pl.concat(map(pl.read_parquet, files)).filter(~pl.col("is_known_quirk")).head(most)
    for row in rejects.iter_rows(named=True):
        console.print(
            Text(f"  {row['source']} line {row['line']}: {hide_emails(row['reason'])}"), soft_wrap=True
        )
