"""`matinee evaluate` at the command line.

Belongs here: its options. Does not belong here: reading and judging the files (`files`).
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands.shared import answer, failing, say


def evaluate(
    *,
    train: Annotated[
        Path | None,
        typer.Option(exists=True, help="CSV or Parquet with user_id, item_id, rating[, timestamp]."),
    ] = None,
    test: Annotated[
        Path | None, typer.Option(exists=True, help="The ratings to find, in the same form.")
    ] = None,
    ratings: Annotated[
        Path | None,
        typer.Option(exists=True, help="In the place of both: one file, of which a quarter is held out."),
    ] = None,
    split: Annotated[
        str,
        typer.Option(help="With --ratings: a quarter of each user's, of each item's, or the newest (time)."),
    ] = "user",
    model: Annotated[
        str, typer.Option(help="blend, ease, als, cosine, content, popular or recent_popular.")
    ] = "blend",
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Titles recommended to each user.")] = 10,
    items: Annotated[
        Path | None,
        typer.Option(
            exists=True, help="CSV or Parquet with item_id and any of genres, tags, people, overview."
        ),
    ] = None,
    long_tail: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="With the blend: what being rare weighs beside everything else; 1 is as much."
        ),
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same figures.")] = 0,
) -> None:
    """Judge a recommender on held-out ratings, beside popularity.

    Prints one JSON object.
    """
    from ml.recommendation.models import DEFAULT_MODEL, MODEL_NAMES, NEEDS_FEATURES
    from ml.recommendation.splits import SPLITS
    from orchestration.commands.evaluate.files import EvaluationError, evaluate_files

    learned = ratings or train
    if learned is None or (ratings is None) != (train is not None) or (train is None) != (test is None):
        raise typer.BadParameter("either --train and --test, or --ratings", param_hint="--train")
    if split not in SPLITS:
        raise typer.BadParameter(f"{split!r}; there are: {', '.join(SPLITS)}", param_hint="--split")
    if model not in MODEL_NAMES:
        raise typer.BadParameter(f"{model!r}; there are: {', '.join(MODEL_NAMES)}", param_hint="--model")
    if model in NEEDS_FEATURES and items is None:
        raise typer.BadParameter(
            f"{model!r} needs --items, a file with genres or the like", param_hint="--model"
        )
    if long_tail and model != DEFAULT_MODEL:
        raise typer.BadParameter(f"goes with --model {DEFAULT_MODEL} only", param_hint="--long-tail")
    with failing(EvaluationError, OSError):
        figures = evaluate_files(
            learned, test, model, split=split, k=k, items=items, long_tail=long_tail, seed=seed, say=say
        )
    answer(json.dumps(figures))
