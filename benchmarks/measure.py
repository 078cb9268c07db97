"""Wall time and memory of a command, and Matinee beside the plain notebook and the savvy script, run back to back.

Belongs here: running commands as subprocesses, what they cost, the comparison as a Markdown table.
Does not belong here: the work that is measured; any judgement by absolute seconds, which say more about
the machine than about the program. Only ratios of two runs on one machine are compared.

Memory: on Linux every process of the command's session is read from /proc ten times a second and the
resident sizes are summed; the answer is the larger of that and the kernel's own record of the largest
single process. Pages that processes share count once for each, so it is an upper bound. Elsewhere only the
kernel's record exists, and the result says so.
"""

import argparse
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parent
PROJECT_ROOT = BENCHMARKS.parent
PROC = Path("/proc")
SAMPLE_SECONDS = 0.1
SEGMENTATIONS = {"user_activity_and_ratings": 40, "user_ratings": 20}
GIB = 2**30
LONG_MODEL = 0.3
"""Seconds from which a model has a row of its own."""


class BenchmarkError(RuntimeError):
    """A measured command failed, or what it should have written is not there."""


@dataclass(frozen=True)
class Measurement:
    """What one command cost.

    Attributes
    ----------
    wall_seconds : from the start of the process to its end.
    cpu_seconds : user and system time of the command and the children it waited for.
    peak_rss_bytes : largest resident memory; `memory_method` says how it was found.
    load_before : one-minute load average when it started; well above 0, something else was running.
    """

    command: list[str]
    exit_code: int
    wall_seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    memory_method: str
    load_before: float


# ---------------------------------------------------------------- one command


class SessionMemory:
    """Watches the summed resident memory of all processes of one session (Linux only)."""

    def __init__(self, session: int) -> None:
        self.peak_bytes = 0
        self._session = session
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Stop watching and return the peak in bytes."""
        self._over.set()
        self._thread.join()
        return self.peak_bytes

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            resident = sum(self._resident(entry) for entry in PROC.iterdir() if entry.name.isdigit())
            self.peak_bytes = max(self.peak_bytes, resident)

    def _resident(self, process: Path) -> int:
        try:
            # The name of a program may hold spaces and brackets; what follows its last bracket is regular.
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # It ended between the listing and the reading.
            return 0
        return int(fields[21]) * self._page if int(fields[3]) == self._session else 0


def measure(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    cwd: Path | None = None,
) -> Measurement:
    """Run a command in a session of its own and say what it cost.

    Parameters
    ----------
    environment
        Variables added to this process's own.
    log
        File for what the command prints; the terminal when left out.
    """
    output = log.open("wb") if log else None
    load = os.getloadavg()[0]
    start = time.perf_counter()
    try:
        process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            cwd=cwd,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
        )
        memory = SessionMemory(process.pid) if PROC.is_dir() else None
        status, usage = _wait(process)
        wall = time.perf_counter() - start
    finally:
        if output:
            output.close()
    largest = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    summed = memory.stop() if memory else 0
    return Measurement(
        command=list(command),
        exit_code=os.waitstatus_to_exitcode(status),
        wall_seconds=wall,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_rss_bytes=max(largest, summed),
        memory_method="sum over the process tree" if memory else "largest single process",
        load_before=load,
    )


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, Any]:
    """Wait for the process; whatever interrupts us also ends it and all it started."""
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        os.killpg(process.pid, 15)
        process.wait()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    return status, usage


def must_succeed(measurement: Measurement, log: Path) -> Measurement:
    if measurement.exit_code != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise BenchmarkError(
            f"`{shlex.join(measurement.command)}` ended with exit code {measurement.exit_code}:\n{tail}"
        )
    return measurement


# ---------------------------------------------------------------- the opponents


def warm(source: Path) -> None:
    """Read the raw files once and compile what is imported, so that no run pays for a cold disk or for the first start.

    A shell that keeps Python from writing bytecode would have each start compile a thousand modules anew.
    """
    packages = Path(sysconfig.get_path("purelib"))
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", "-j", "0", str(packages), str(PROJECT_ROOT)],
        stdout=subprocess.DEVNULL,
        check=False,  # a package may hold a template that is no Python
    )
    for path in sorted(source.glob("*.csv")):
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass


def run_opponent(script: str, source: Path, out: Path) -> dict[str, Any]:
    name = script.partition("_")[0]
    result, log = out / f"{name}.json", out / f"{name}.log"
    files = ["--source", str(source), "--out", str(out / name), "--json", str(result)]
    command = [sys.executable, str(BENCHMARKS / f"{script}.py"), *files]
    found = {
        "measured": asdict(must_succeed(measure(command, log=log), log)),
        **json.loads(result.read_text()),
    }
    # Kept with its cost, so that a Matinee that fails next does not throw the longer run away.
    result.write_text(json.dumps(found, indent=2) + "\n")
    return found


def link_all_but_ratings(source: Path, to: Path) -> None:
    """Make a folder that holds links to the raw files of a source, but for the ratings."""
    to.mkdir()
    for file in source.glob("*.csv"):
        if file.name != "ratings.csv":
            (to / file.name).symlink_to(file.resolve())


def new_places(scratch: Path) -> dict[str, str]:
    """Return the variables that name a warehouse and a Dagster instance in a folder where there were none."""
    warehouse, home = scratch / "warehouse", scratch / "dagster"
    home.mkdir()
    shutil.copy(PROJECT_ROOT / ".dagster" / "dagster.yaml", home)
    return {"MATINEE_WAREHOUSE": str(warehouse), "DAGSTER_HOME": str(home)}


def run_matinee(source: Path, out: Path, command: str, *, keep: bool) -> dict[str, Any]:
    """Run Matinee into a warehouse and a Dagster instance that did not exist before, on the notebook's files."""
    log = out / "matinee.log"
    scratch = Path(tempfile.mkdtemp(prefix="matinee-", dir=out))
    same_files = scratch / "source"
    same_files.mkdir()
    for file in sorted(
        source.glob("*.csv")
    ):  # what else the folder holds, such as customers, the notebook never reads
        (same_files / file.name).symlink_to(file)
    environment = new_places(scratch)
    warehouse, home = map(Path, environment.values())
    arguments = [*shlex.split(command), "--source", str(same_files)]
    try:
        cost = must_succeed(measure(arguments, environment=environment, log=log, cwd=PROJECT_ROOT), log)
        return {
            "measured": asdict(cost),
            **json.loads((warehouse / "report" / "run.json").read_text()),
            "k_metrics": read_k_metrics(warehouse),
            "models": read_models(home),
        }
    finally:
        if not keep:
            shutil.rmtree(scratch)


def read_k_metrics(warehouse: Path) -> dict[str, list[dict[str, Any]]]:
    # Imported late: what is resident before a fork would count as the child's memory.
    from published.finding import current_set  # noqa: PLC0415
    from published.questions.segments import k_metrics  # noqa: PLC0415

    data = current_set(warehouse)
    return {name: k_metrics(data, name).to_dicts() for name in SEGMENTATIONS}


def read_models(home: Path) -> dict[str, dict[str, Any]]:
    """Return the seconds and rows of each model that dbt built in the last run."""
    import dagster as dg  # noqa: PLC0415

    with dg.DagsterInstance.from_config(str(home)) as instance:
        run_id = instance.get_runs(limit=1)[0].run_id
        made = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    found = {}
    for record in made:
        asset = record.event_log_entry.asset_materialization
        if asset and (seconds := asset.metadata.get("Execution Duration")):
            rows = asset.metadata.get("dagster/row_count")
            found[".".join(asset.asset_key.path)] = {"seconds": seconds.value, "rows": rows and rows.value}
    return found


# ---------------------------------------------------------------- the comparison


def compare_inertia(plain: dict[str, Any], matinee: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row per feature set and k: both inertias and Matinee's divided by the plain one."""
    rows = []
    for name in SEGMENTATIONS:
        ours = {row["k"]: row["inertia"] for row in matinee["k_metrics"][name]}
        theirs = {row["k"]: row["inertia"] for row in plain["segmentations"][name]["k_metrics"]}
        if missing := sorted(set(theirs) - set(ours)):
            raise BenchmarkError(f"Matinee fitted no k = {missing} for {name}; the sweeps cannot be compared")
        rows += [
            {
                "segmentation": name,
                "k": k,
                "plain": theirs[k],
                "matinee": ours[k],
                "ratio": ours[k] / theirs[k],
            }
            for k in sorted(theirs)
        ]
    return rows


def compare_sweeps(plain: dict[str, Any], matinee: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row per feature set: the seconds each spends from features to the indices of every k."""
    rows = []
    for name in SEGMENTATIONS:
        theirs = [stage["seconds"] for stage in plain["stages"] if stage["name"] == f"k sweep, {name}"]
        ours = [
            stage["seconds"]
            for stage in matinee["stages"]
            if stage["name"].startswith(name) and "k_metrics" in stage["name"]
        ]
        if len(theirs) != 1 or not ours:
            raise BenchmarkError(f"no stage holds the k sweep of {name}: its times cannot be compared")
        rows.append(
            {"segmentation": name, "plain": theirs[0], "matinee": sum(ours), "ratio": theirs[0] / sum(ours)}
        )
    return rows


def compare(plain: dict[str, Any], savvy: dict[str, Any], matinee: dict[str, Any]) -> dict[str, Any]:
    theirs, ours = plain["measured"], matinee["measured"]
    sweeps = compare_sweeps(plain, matinee)
    return {
        "ratio": theirs["wall_seconds"] / ours["wall_seconds"],
        "savvy_ratio": savvy["measured"]["wall_seconds"] / ours["wall_seconds"],
        "sweep_ratio": sum(row["plain"] for row in sweeps) / sum(row["matinee"] for row in sweeps),
        "sweeps": sweeps,
        "inertia": compare_inertia(plain, matinee),
        "machine": describe_machine(),
        "plain": plain,
        "savvy": savvy,
        "matinee": matinee,
    }


def describe_machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpus": os.cpu_count(),
        "memory_gib": round(memory / GIB, 1),
        "system": platform.system(),
        "architecture": platform.machine(),
    }


def shortfalls(
    result: dict[str, Any], *, at_least: float, sweep_at_least: float, inertia_at_most: float
) -> list[str]:
    """Return what misses the asked-for ratios, in words; empty when nothing does."""
    found = []
    if result["ratio"] < at_least:
        found.append(f"the whole run is {result['ratio']:.1f} × faster, asked for {at_least:g} ×")
    if result["sweep_ratio"] < sweep_at_least:
        found.append(f"the k sweep is {result['sweep_ratio']:.1f} × faster, asked for {sweep_at_least:g} ×")
    found += [
        f"inertia of {row['segmentation']} at k = {row['k']} is {row['ratio']:.5f} × the plain one, "
        f"allowed {inertia_at_most:g} ×"
        for row in result["inertia"]
        if row["ratio"] > inertia_at_most
    ]
    return found


# ---------------------------------------------------------------- as Markdown


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *rows))


def total_rows(result: dict[str, Any]) -> list[list[str]]:
    *seconds, memory = cost_rows(result["plain"]["measured"], result["matinee"]["measured"])
    sweeps = [sum(row[side] for row in result["sweeps"]) for side in ("plain", "matinee")]
    return [
        *seconds,
        ["k sweeps, wall", *_seconds_and_ratio(sweeps[0], sweeps[1])],
        *[
            [f"k sweep of {row['segmentation']}", *_seconds_and_ratio(row["plain"], row["matinee"])]
            for row in result["sweeps"]
        ],
        memory,
    ]


def cost_rows(theirs: dict[str, Any], ours: dict[str, Any]) -> list[list[str]]:
    """Return what a whole run costs on both sides: by the clock, of the processor, and in memory."""
    memory = [cost["peak_rss_bytes"] / GIB for cost in (theirs, ours)]
    return [
        ["whole run, wall", *_seconds_and_ratio(theirs["wall_seconds"], ours["wall_seconds"])],
        ["whole run, CPU", *_seconds_and_ratio(theirs["cpu_seconds"], ours["cpu_seconds"])],
        ["peak memory", f"{memory[0]:.2f} GiB", f"{memory[1]:.2f} GiB", f"{memory[0] / memory[1]:.1f} ×"],
    ]


def _seconds_and_ratio(plain: float, matinee: float) -> list[str]:
    return [f"{plain:,.1f} s", f"{matinee:,.1f} s", f"{plain / matinee:.1f} ×"]


def stage_rows(side: dict[str, Any]) -> list[list[str]]:
    """Return each stage with its share; what no stage covers (start, imports, bookkeeping) has a row too."""
    total = side["measured"]["wall_seconds"]
    stages = [(stage["name"].replace("__", "/"), stage["seconds"]) for stage in side["stages"]]
    rest = total - sum(seconds for _, seconds in stages)
    return [
        [name, f"{seconds:,.2f}", f"{seconds / total:.1%}"]
        for name, seconds in [*stages, ("start, imports and all between stages", rest), ("total", total)]
    ]


def to_markdown(result: dict[str, Any], *, back_to_back: bool) -> str:
    machine, counts = result["machine"], result["plain"]["counts"]
    how = "back to back" if back_to_back else "**not back to back**: the plain times come from an earlier run"
    loads = ", ".join(
        f"{result[side]['measured']['load_before']:.1f}" for side in ("plain", "savvy", "matinee")
    )
    beside_savvy = cost_rows(result["savvy"]["measured"], result["matinee"]["measured"])
    inertia = [
        [
            f"{row['segmentation']}, k = {row['k']}",
            f"{row['plain']:,.1f}",
            f"{row['matinee']:,.1f}",
            f"{row['ratio']:.5f}",
        ]
        for row in result["inertia"]
    ]
    return "\n\n".join(
        [
            f"{counts['ratings']:,} ratings, {counts['users']:,} users, {counts['catalogue_rows']:,} titles; "
            f"{machine['cpus']} CPUs, {machine['memory_gib']} GiB, {machine['system']} "
            f"{machine['architecture']}; {how}; load average at the start of each: {loads}. "
            f"Peak memory: {result['matinee']['measured']['memory_method']}.",
            table(["", "plain notebook", "Matinee", "ratio"], total_rows(result)),
            table(["", "savvy script", "Matinee", "ratio"], beside_savvy),
            "Stage by stage, Matinee:",
            table(["stage", "seconds", "share"], stage_rows(result["matinee"])),
            "Stage by stage, plain notebook:",
            table(["stage", "seconds", "share"], stage_rows(result["plain"])),
            "Inertia (lower is better):",
            table(["", "plain notebook", "Matinee", "Matinee ÷ plain"], inertia),
        ]
    )


# ---------------------------------------------------------------- command line


def run_command(options: argparse.Namespace) -> int:
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise BenchmarkError("no command given: measure.py run [--json FILE] -- COMMAND ...")
    measurement = measure(command)
    text = json.dumps(asdict(measurement), indent=2)
    if options.json:
        options.json.write_text(text + "\n")
    print(text)
    return measurement.exit_code


def compare_command(options: argparse.Namespace) -> int:
    source, out = options.source.resolve(), options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    warm(source)
    if options.plain_json:
        plain = json.loads(options.plain_json.read_text())
        if "measured" not in plain:
            raise BenchmarkError(
                f"{options.plain_json} is not the plain.json that an earlier comparison wrote"
            )
    else:
        plain = run_opponent("plain_notebook", source, out)
    print(f"plain notebook: {plain['measured']['wall_seconds']:,.1f} s", file=sys.stderr, flush=True)
    savvy = run_opponent("savvy_script", source, out)
    print(f"savvy script: {savvy['measured']['wall_seconds']:,.1f} s", file=sys.stderr, flush=True)
    matinee = run_matinee(source, out, options.matinee, keep=options.keep)
    result = compare(plain, savvy, matinee)
    (out / "compare.json").write_text(json.dumps(result, indent=2) + "\n")
    text = to_markdown(result, back_to_back=not options.plain_json)
    (out / "compare.md").write_text(text + "\n")
    print(text)
    missed = shortfalls(
        result,
        at_least=options.at_least,
        sweep_at_least=options.sweep_at_least,
        inertia_at_most=options.inertia_at_most,
    )
    for line in missed:
        print(f"falls short: {line}", file=sys.stderr)
    return 1 if missed else 0


def segments_command(options: argparse.Namespace) -> int:
    """Print what every step and every model of some length costs in a run, beside what the same costs by hand."""
    source, out = options.source.resolve(), options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    warm(source)
    result = run_matinee(source, out, options.matinee, keep=options.keep)
    cost = result["measured"]
    print(f"load average at the start: {cost['load_before']:.1f}\n")
    print(table(["stage", "seconds", "share"], stage_rows(result)))
    print(f"\nCPU {cost['cpu_seconds']:,.1f} s, peak memory {cost['peak_rss_bytes'] / GIB:.2f} GiB\n")
    models = sorted(result["models"].items(), key=lambda model: -model[1]["seconds"])
    rest = [model for _, model in models if model["seconds"] < LONG_MODEL]
    cells = [
        [name, f"{model['seconds']:,.2f}", f"{model['rows'] or 0:,}"]
        for name, model in models
        if model["seconds"] >= LONG_MODEL
    ]
    cells.append([f"{len(rest)} others", f"{sum(model['seconds'] for model in rest):,.2f}", ""])
    print(table(["dbt model", "seconds", "rows"], cells))
    floors = run_opponent("floors", source, out)
    cells = [
        [stage["name"], f"{stage['seconds']:,.2f}", f"{stage['cpu_seconds']:,.2f}"]
        for stage in floors["stages"]
    ]
    print("\n" + table(["by hand", "seconds", "CPU"], cells))
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure commands; compare Matinee with the plain notebook.")
    commands = parser.add_subparsers(required=True)

    one = commands.add_parser("run", help="measure one command: run [--json FILE] -- COMMAND ...")
    one.add_argument("--json", type=Path, help="where to write the measurement")
    one.add_argument("command", nargs=argparse.REMAINDER)
    one.set_defaults(act=run_command)

    matinee = argparse.ArgumentParser(add_help=False)
    matinee.add_argument("--source", type=Path, required=True, help="folder with the raw CSV files")
    matinee.add_argument("--out", type=Path, default=PROJECT_ROOT / "warehouse" / "benchmark")
    matinee.add_argument(
        "--matinee",
        default=f"{shlex.quote(str(Path(sys.executable).with_name('matinee')))} run --job segments --allow-rejects",
        help="Matinee's command without --source",
    )
    matinee.add_argument("--keep", action="store_true", help="keep the temporary warehouse in --out")

    judged = commands.add_parser("segments", parents=[matinee], help="what taste and judging cost in a run")
    judged.set_defaults(act=segments_command)

    both = commands.add_parser(
        "compare",
        parents=[matinee],
        help="the plain notebook, the savvy script, then Matinee, on the same folder",
    )
    both.add_argument(
        "--plain-json", type=Path, help="plain.json of an earlier comparison, to measure Matinee alone"
    )
    both.add_argument(
        "--at-least", type=float, default=0.0, help="exit 1 when the run is not so many × faster"
    )
    both.add_argument("--sweep-at-least", type=float, default=0.0, help="the same for the k sweeps alone")
    both.add_argument(
        "--inertia-at-most", type=float, default=1.001, help="exit 1 above this × the plain inertia"
    )
    both.set_defaults(act=compare_command)
    return parser


def main() -> int:
    options = parser().parse_args()
    try:
        return options.act(options)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
