"""The command line `matinee`: plain words in, plain words and exit codes out.

Belongs here: arguments, messages, exit codes. Does not belong here: any work; what is heavy to import is
imported by the command that needs it, so that `matinee --help` answers at once.

Exit codes: 0 done; 1 failed, nothing published was replaced; 2 wrong usage or setting; 3 done and
published, but raw lines were rejected that are not known faults of the file.
"""

import atexit
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

FAILED, USAGE, REJECTS = 1, 2, 3

app = typer.Typer(
    help="Audience segments for a streaming service, from raw files to a report.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)

WarehouseOption = Annotated[
    Path | None,
    typer.Option("--warehouse", help="Folder for everything a run makes [env: MATINEE_WAREHOUSE]."),
]
SourceOption = Annotated[
    str | None,
    typer.Option("--source", help="demo, kaggle, or a folder or archive of raw files [env: MATINEE_SOURCE]."),
]


@app.command()
def run(
    source: SourceOption = None,
    warehouse: WarehouseOption = None,
    job: Annotated[
        Literal["refresh", "segments", "sql_layer"],
        typer.Option(
            help="refresh: everything; segments: all but training the recommender; "
            "sql_layer: landing, cleaning and features only."
        ),
    ] = "refresh",
    allow_rejects: Annotated[
        bool, typer.Option("--allow-rejects", help="End with exit code 0 even when raw lines were rejected.")
    ] = False,
) -> None:
    """Run the whole graph: land, clean, segment, publish, report."""
    from orchestration.settings import SettingsError, load_settings

    try:
        settings = load_settings(source=source, warehouse=warehouse)
    except SettingsError as error:
        _fail(str(error), USAGE)
    started = time.perf_counter()
    # Each pass of the cycle collector walks all of dbt's and Dagster's objects, 20 s of a full-scale run; what is left
    # in cycles is some 70 MB.
    gc.disable()
    _say(f"Matinee: source {settings.source}, warehouse {settings.warehouse}")

    from orchestration.stores.layout import WarehouseError, WarehouseLayout, lock_warehouse
    from orchestration.tasks.landing import start_landing

    layout = WarehouseLayout(settings.warehouse)
    try:
        with lock_warehouse(layout, "matinee run"):
            start_landing(settings)

            from orchestration.commands.runs import run_job
            from orchestration.definitions import DeclarationError

            try:
                outcome = run_job(job, settings)
            except DeclarationError as error:
                _fail(str(error), USAGE)
    except WarehouseError as error:
        _fail(str(error), FAILED)
    seconds = time.perf_counter() - started
    if not outcome.success:
        for problem in outcome.problems or ("the run failed; `make dev` shows its log",):
            _say(f"error: {problem}")
        if layout.published.exists():
            _say(f"Published results stay readable: {layout.published}")
        raise typer.Exit(FAILED)
    from orchestration.commands.run_summary import show_outcome, write_run_file

    write_run_file(layout, outcome, seconds)
    show_outcome(layout, outcome, seconds, job)
    if outcome.unexpected_rejects and not allow_rejects:
        _say("Ends with exit code 3, because lines were rejected; with --allow-rejects it would be 0.")
        raise typer.Exit(REJECTS)


@app.command(name="demo-data")
def demo_data(
    out: Annotated[Path, typer.Option(help="Folder to write the raw files to.")],
    scale: Annotated[Literal["small", "medium", "full"], typer.Option(help="How large a world.")] = "small",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
    form: Annotated[
        Literal["movies", "service"],
        typer.Option(
            help="movies: the public files, with ratings; service: a service's own files, with plays."
        ),
    ] = "movies",
) -> None:
    """Write the demo world as raw files, in the shape of the public ones or of a service's own."""
    from ingest.demo import write_demo_world

    try:
        world = write_demo_world(out, scale=scale, seed=seed, form=form)
    except OSError as error:
        _fail(f"cannot write to {out}: {error.strerror or error}", FAILED)
    _say(f"The {world.scale} demo world, seed {world.seed}, in {world.seconds:.0f} s:")
    for file, rows in world.rows.items():
        _say(f"  {world.folder / file}  {rows:,} rows")


@app.command()
def score(
    segmentation: Annotated[str, typer.Argument(help="Name of a trained segmentation, e.g. user_ratings.")],
    input_file: Annotated[
        Path, typer.Option("--input", help="CSV or Parquet with the entity and the features.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", help="CSV or Parquet to write; standard output when left out.")
    ] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Tell the segment of new entities with the stored model; nothing is refitted."""
    from ml.errors import SegmentationError
    from orchestration.commands.score import ScoringError, score_file, write_frame
    from orchestration.settings import SettingsError, load_settings
    from orchestration.stores.layout import WarehouseLayout
    from orchestration.stores.models import ModelNotFoundError

    try:
        layout = WarehouseLayout(load_settings(warehouse=warehouse).warehouse)
        members = score_file(layout.models, segmentation, input_file)
        write_frame(members, output)
    except SettingsError as error:
        _fail(str(error), USAGE)
    except (ScoringError, SegmentationError, ModelNotFoundError, OSError) as error:
        _fail(str(error), FAILED)


@app.command()
def replicate(
    source: Annotated[
        str | None, typer.Option("--source", help="kaggle, or a folder or archive of the real files.")
    ] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Repeat the published analysis, faults included, and print every published figure beside ours."""
    from orchestration.commands.replicate.command import replicate_source
    from orchestration.settings import SettingsError, load_settings

    try:
        settings = load_settings(source=source, warehouse=warehouse)
    except SettingsError as error:
        _fail(str(error), USAGE)
    raise typer.Exit(replicate_source(settings))


@app.command()
def evaluate(
    *,
    train: Annotated[Path, typer.Option(help="CSV or Parquet with user_id, item_id, rating[, timestamp].")],
    test: Annotated[Path, typer.Option(help="The ratings to find, in the same form.")],
    model: Annotated[
        str, typer.Option(help="blend, ease, als, cosine, content, popular or recent_popular.")
    ] = "blend",
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Titles recommended to each user.")] = 10,
    items: Annotated[
        Path | None,
        typer.Option(help="CSV or Parquet with item_id and any of genres, tags, people, overview."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same figures.")] = 0,
) -> None:
    """Judge a recommender on held-out ratings, beside popularity; prints one JSON object."""
    from ml.recommendation.models import MODEL_NAMES, NEEDS_FEATURES
    from orchestration.commands.evaluate import EvaluationError, evaluate_files

    if model not in MODEL_NAMES:
        raise typer.BadParameter(f"{model!r}; there are: {', '.join(MODEL_NAMES)}", param_hint="--model")
    if model in NEEDS_FEATURES and items is None:
        raise typer.BadParameter(
            f"{model!r} needs --items, a file with genres or the like", param_hint="--model"
        )
    try:
        figures = evaluate_files(train, test, model, k=k, items=items, seed=seed, say=_say)
    except (EvaluationError, OSError) as error:
        _fail(str(error), FAILED)
    print(json.dumps(figures))  # noqa: T201 - for other programs to read


@app.command()
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
    """Recommend titles to a user, or to somebody who likes a few titles, each with its reason."""
    if (user is None) == (not like):
        raise typer.BadParameter("give either --user ID or --like TITLE (several times, if you like)")

    from ml.recommendation.errors import RecommendationError
    from orchestration.commands.recommend import Recommender, RecommendError
    from orchestration.commands.run_summary import show_titles
    from orchestration.settings import SettingsError, load_settings
    from orchestration.stores.layout import WarehouseLayout
    from orchestration.stores.recommender import RecommenderStore
    from orchestration.stores.versions import ModelNotFoundError

    try:
        layout = WarehouseLayout(load_settings(warehouse=warehouse).warehouse)
        recommender = Recommender(RecommenderStore(layout.recommender, "current"), layout.published.resolve())
        advice = (
            recommender.for_liked(like or [], n, genre)
            if user is None
            else recommender.for_user(user, n, genre)
        )
    except SettingsError as error:
        _fail(str(error), USAGE)
    except (RecommendError, RecommendationError, ModelNotFoundError, OSError) as error:
        _fail(str(error), FAILED)
    for sentence in advice.said:
        _say(sentence)
    if as_json:
        print(json.dumps(advice.titles.to_dicts(), ensure_ascii=False))  # noqa: T201 - for other programs
    else:
        show_titles(advice.titles)


@app.command()
def dashboard(
    *,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8501,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on; anything but this machine needs a proxy with login before it."
        ),
    ] = "127.0.0.1",
    minimum_members: Annotated[
        int, typer.Option(min=1, help="Groups of fewer people are left out of downloads.")
    ] = 50,
    warehouse: WarehouseOption = None,
) -> None:
    """Open the dashboard over the published results; runs go on beside it."""
    from importlib.util import find_spec

    from orchestration.settings import SettingsError, load_settings

    try:
        settings = load_settings(warehouse=warehouse)
    except SettingsError as error:
        _fail(str(error), USAGE)
    if find_spec("dashboard") is None:
        _fail("the dashboard is not installed: `pip install --editable .` in the project's folder", FAILED)
    os.environ |= {
        "MATINEE_WAREHOUSE": str(settings.warehouse),
        "MATINEE_MINIMUM_MEMBERS": str(minimum_members),
    }
    shown = f"[{host}]" if ":" in host else host
    _say(f"Matinee dashboard: http://{shown}:{port}  (Ctrl-C ends it)")
    # Takes this process's place: Ctrl-C and signals reach the server itself.
    os.execv(  # noqa: S606 - no shell
        sys.executable,
        [sys.executable, "-m", "dashboard", "--server.address", host, "--server.port", str(port)],
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the command line speaks


def _fail(message: str, code: int) -> NoReturn:
    _say(f"error: {message}")
    raise typer.Exit(code)


def main() -> None:
    """Entry point."""
    try:
        app()
    except SystemExit as asked:
        code = asked.code
    _leave(code if isinstance(code, int) else int(code is not None))


def _leave(code: int) -> NoReturn:
    """End the process as the interpreter does, but without taking its objects apart: 2 s after a run."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
