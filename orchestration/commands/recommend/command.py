"""`matinee recommend` at the command line.

Belongs here: its options, and how titles and users are shown. Does not belong here: which ones (`answers`).
"""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.errors import counted
from orchestration.commands.shared import WarehouseOption, answer, failing, read_settings, say
from published.people import hide_emails

if TYPE_CHECKING:
    import polars as pl


def recommend(
    *,
    user: Annotated[str | None, typer.Option(help="Id of a user.")] = None,
    like: Annotated[
        list[str] | None,
        typer.Option(help="A title somebody likes, by name or id; may be given several times."),
    ] = None,
    audience: Annotated[
        str | None,
        typer.Option(help="A title, by name or id: which users will most likely watch it and have not."),
    ] = None,
    genre: Annotated[str | None, typer.Option(help="Only titles of this genre, e.g. Drama.")] = None,
    n: Annotated[
        int | None,
        typer.Option(
            "-n", "--number", min=1, max=1_000_000, help="How many: 10 titles or 100 users when left out."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs to read.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="CSV or Parquet to write instead, with ids as the source writes them."),
    ] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Recommend titles to a user, or to somebody who likes a few titles.

    Each comes with its reason. With --audience, recommend users for a title.
    """
    if (user is not None) + bool(like) + (audience is not None) != 1:
        raise typer.BadParameter(
            "give one of --user ID, --like TITLE (several times, if you like) and --audience TITLE"
        )

    from ml.recommendation.errors import RecommendationError
    from orchestration.commands.recommend.answers import Recommender, RecommendError
    from orchestration.stores.layout import ModelNotFoundError, WarehouseLayout
    from orchestration.stores.recommender import RecommenderStore
    from published.errors import PublishedError

    layout = WarehouseLayout(read_settings(warehouse=warehouse).warehouse)
    with failing(RecommendError, RecommendationError, ModelNotFoundError, PublishedError, OSError):
        recommender = Recommender(RecommenderStore(layout.recommender, "current"), layout.published.resolve())
        if audience is not None:
            advice = recommender.for_title(audience, n or 100)
        elif user is not None:
            advice = recommender.for_user(user, n or 10, genre)
        else:
            advice = recommender.for_liked(like or [], n or 10, genre)
    for sentence in advice.said:
        say(sentence)
    if output is not None:
        from orchestration.commands.frames import write_frame

        write_frame(advice.rows, output)
        say(f"Written: {output}, {counted(len(advice.rows), 'row')}")
    elif as_json:
        is_utf = sys.stdout.encoding.lower().startswith("utf")
        answer(hide_emails(json.dumps(advice.rows.to_dicts(), ensure_ascii=not is_utf)))
    elif audience is not None:
        _show(advice.rows, user_id="user", score="score", segment_name="segment")
    else:
        _show(advice.rows, title="title", genres="genres", reason="why")


def _show(rows: "pl.DataFrame", **columns: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("", *columns.values())
    table.columns[0].justify = "right"
    for row in rows.iter_rows(named=True):
        cells = (f"{row[name]:.2f}" if name == "score" else hide_emails(row[name] or "") for name in columns)
        table.add_row(str(row["rank"]), *map(Text, cells))
    # A pipe has no width of its own; 80 columns would break every title in two.
    Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 140).print(table)
