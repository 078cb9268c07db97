"""`matinee recommend` at the command line.

Belongs here: its options, and how titles are shown. Does not belong here: which titles (`answers`).
"""

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.commands.shared import WarehouseOption, answer, failing, read_settings, say

if TYPE_CHECKING:
    import polars as pl


def recommend(
    *,
    user: Annotated[str | None, typer.Option(help="Id of a user.")] = None,
    like: Annotated[
        list[str] | None,
        typer.Option(help="A title somebody likes, by name or id; may be given several times."),
    ] = None,
    genre: Annotated[str | None, typer.Option(help="Only titles of this genre, e.g. Drama.")] = None,
    n: Annotated[int, typer.Option("-n", "--number", min=1, max=1000, help="How many titles.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs to read.")] = False,
    warehouse: WarehouseOption = None,
) -> None:
    """Recommend titles to a user, or to somebody who likes a few titles.

    Each comes with its reason.
    """
    if (user is None) == (not like):
        raise typer.BadParameter("give either --user ID or --like TITLE (several times, if you like)")

    from ml.recommendation.errors import RecommendationError
    from orchestration.commands.recommend.answers import Recommender, RecommendError
    from orchestration.stores.layout import ModelNotFoundError, WarehouseLayout
    from orchestration.stores.recommender import RecommenderStore
    from published.errors import PublishedError

    layout = WarehouseLayout(read_settings(warehouse=warehouse).warehouse)
    with failing(RecommendError, RecommendationError, ModelNotFoundError, PublishedError, OSError):
        recommender = Recommender(RecommenderStore(layout.recommender, "current"), layout.published.resolve())
        advice = (
            recommender.for_liked(like or [], n, genre)
            if user is None
            else recommender.for_user(user, n, genre)
        )
    for sentence in advice.said:
        say(sentence)
    if as_json:
        is_utf = sys.stdout.encoding.lower().startswith("utf")
        answer(json.dumps(advice.titles.to_dicts(), ensure_ascii=not is_utf))
    else:
        _show_titles(advice.titles)


def _show_titles(titles: "pl.DataFrame") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("", "title", "genres", "why")
    table.columns[0].justify = "right"
    for row in titles.iter_rows(named=True):
        table.add_row(
            str(row["rank"]), *(Text(row[column] or "") for column in ("title", "genres", "reason"))
        )
    # A pipe has no width of its own; 80 columns would break every title in two.
    Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 140).print(table)
