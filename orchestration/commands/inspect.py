"""`matinee inspect`: what a source holds and what would become of it.

Belongs here: its options, the report for people. Does not belong here: the looking (`ingest.inspect`).
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.errors import IngestError, counted
from orchestration.commands.shared import DONE, FAILED, USAGE, answer, fail, failing, read_settings, say
from published.people import hide_emails

if TYPE_CHECKING:
    from rich.console import Console

    from ingest.facts import FileReport
    from ingest.inspect import Inspection


def inspect(
    path: Annotated[
        Path, typer.Argument(exists=True, help="A folder, file, archive or declaration, or the drop folder.")
    ],
    write: Annotated[
        Path | None,
        typer.Option("--write", help="Write the declaration to start from to this new YAML file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
    rows: Annotated[int, typer.Option(min=1, help="How many rows of each file to look at.")] = 10_000,
) -> None:
    """Tell what files hold, what Matinee would make of them, and what is wrong with them."""
    from ingest.inspect import inspect as look

    if write is not None and (write.exists() or write.suffix.lower() not in (".yaml", ".yml")):
        fail(f"{write}: give a new file that ends in .yaml.", USAGE)
    settings = read_settings()
    with failing(IngestError):
        found = look(
            path,
            folder=write.parent if write else None,
            rows=rows,
            max_rejected_share=settings.max_rejected_share,
            run_source=settings.source,
        )
    if as_json:
        answer(hide_emails(json.dumps(found.as_dict(), ensure_ascii=False, indent=1)))
    else:
        _show(found, is_written=write is not None)
    if write is not None:
        _write(write, found)
    raise typer.Exit(DONE if found.can_run else FAILED)


def _write(path: Path, found: "Inspection") -> None:
    if not any(file.table for file in found.files):
        say("Nothing to declare, so no declaration is written.")
        return
    try:
        path.write_text(found.declaration, encoding="utf-8")
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror or error}")
    then = f", then: matinee run --source {path}"
    if found.waits:
        then = "; as matinee.yaml in the drop folder it tells the next run how new files are read."
    say(f"Written: {path}. Look at its lines with a ?{then}")


def _show(found: "Inspection", *, is_written: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    guessed = [f"No known layout ({found.unknown.rstrip('.')}). A guess:"] if found.unknown else []
    for line in [*found.layouts, *guessed]:
        console.print(Text(line, style="bold"))
    for file in found.files:
        if file.table:
            _show_table(console, file)
    for meeting in found.meetings:
        share = meeting.found / meeting.ids if meeting.ids else 0
        way = " through links" if meeting.through_links else ""
        part = "" if meeting.of_all_titles else " (of the titles looked at)"
        counts = f"{meeting.found:,} of {meeting.ids:,} ({share:.1%})"
        sentence = f"\nTitles of {meeting.table} found in titles{way}{part}: {counts}"
        console.print(Text(sentence, style="" if share > 1 / 2 else "yellow"))
    unused = [file for file in found.files if not file.table]
    if unused:
        console.print("\nNot used:")
    for file in unused:
        more = f" and {file.files - 1} like it" if file.files > 1 else ""
        why = file.problem or "; ".join(file.notes)
        console.print(Text(f"  {file.name}{more}: {file.what}{': ' if file.what else ''}{why}"))
    if not (is_written and found.can_run):  # what was written says how to go on
        console.print(Text(f"\n{_verdict(found)}", style="bold"))


def _verdict(found: "Inspection") -> str:
    if not found.can_run:
        return "A run would refuse this." if found.files else "No file waits here."
    if found.waits:
        guessed = (
            "; what is guessed needs a matinee.yaml there, which --write starts" if found.unknown else ""
        )
        return f"The next run takes in what is not refused: matinee run --job update{guessed}."
    if found.unknown:
        return "Write it down with --write service.yaml, look at what was guessed, and run on that file."
    return f"This can run: matinee run --source {found.source}"


def _show_table(console: "Console", file: "FileReport") -> None:
    from rich.text import Text

    like = f" and {file.files - 1} more" if file.files > 1 else ""
    console.print(
        Text(f"\n{file.table}", style="bold").append(f"  {file.name}{like}  {file.what}", style="not bold")
    )
    width = max(map(len, file.columns), default=0)
    for column, raw in file.columns.items():
        doubt = Text(f"  ? {file.doubts[column]}" if column in file.doubts else "", style="yellow")
        console.print(Text(f"  {column:{width}} ← {raw}{_facts(file, column)}").append_text(doubt))
    for line in _lines(file):
        console.print(Text(f"  {hide_emails(line)}"))
    for reason in file.reasons:
        console.print(Text(f"    {hide_emails(reason)}"))
    if file.problem:
        console.print(Text(f"  refused: {hide_emails(file.problem)}", style="red"))


def _facts(file: "FileReport", column: str) -> str:
    """Tell what stands in a column."""
    facts = [f"{count:,} {kind}" for kind, count in file.ids.get(column, {}).items()]
    if column == "rating" and file.scale:
        step = f" in steps of {file.scale['step']:g}" if file.scale["step"] else ""
        facts += [f"{file.scale['least']:g} to {file.scale['most']:g}{step}"]
    if column == "genres" and file.genres:
        most = ", ".join(f"{genre} {count:,}" for genre, count in file.genres["most"].items())
        facts += [f"{file.genres['different']:,} different: {most}"]
    if column in file.times:
        facts += [" to ".join(moment[:16] for moment in file.times[column])]
    if column in file.unreadable:
        facts += [f"{counted(file.unreadable[column], 'cell')} cannot be read"]
    return f"  ({'; '.join(facts)})" if facts else ""


def _lines(file: "FileReport") -> list[str]:
    looked = "all" if file.is_whole else "the first"
    counts = f"{looked} {counted(file.rows, 'row')}: {file.rejected:,} rejected, {file.left_out:,} left out"
    unused = [f"not used: {', '.join(file.unused)}"] if file.unused else []
    return [*([counts] if file.rows else []), *unused, *file.notes]
