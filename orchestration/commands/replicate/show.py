"""Comparisons as a table for people.

Belongs here: the table and its headings. Does not belong here: verdicts (`compare`).
"""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from orchestration.commands.replicate.compare import Comparison, Verdict

_SECTIONS = {
    "catalogue": "Catalogue",
    "tags": "Catalogue",
    "links": "Ids",
    "join": "Join",
    "activity": "Counts and ratings per genre, 40 columns",
    "ratings": "Ratings per genre, 20 columns",
    "segment": "The published segments",
    "exploration": "The file",
    "inertia": "K-Means from the rules",
    "free": "K-Means from random starts",
    "ward": "Ward",
    "separation": "What the segments explain",
}
"""First part of a figure's key to the heading it stands under."""
COLOURS: Mapping[Verdict, str] = {
    "ok": "green",
    "differs": "bold red",
    "needs the full file": "dim",
    "nothing to compare with": "dim",
}


def show(
    console: Console, title: str, rows: Sequence[Comparison], *, beside: Mapping[str, float] | None = None
) -> None:
    """Print figures under their headings, with `beside` as a further column."""
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
        colour = COLOURS[row.verdict]
        table.add_row(*cells, _number(row.ours), f"[{colour}]{row.verdict}[/]")
    console.print(table)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.3f}"
