"""Spark: the one session of this process, its options, and words for what keeps it from working.

Belongs here: whether Spark can work as the settings say, opening and ending it. Does not belong here: what is done with
it (`orchestration.tasks.everybody`, dbt). Nothing is imported or started where `MATINEE_ENGINE` is `duckdb`.

Catalog and tables lie in `<warehouse>/spark`: embedded Derby lets one process in, and a folder that its catalog does
not know of is refused, so both are of one warehouse. What Spark and Java say goes to `<warehouse>/spark/spark.log`.
"""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.progress import doing
from orchestration.settings import SPARK_SAME_EVERYWHERE, Settings, SettingsError, refusal
from orchestration.stores.layout import WarehouseLayout

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LEAST_JAVA = 17
LEAST_ROOM = 2 * 10**9
"""Bytes that must be free for Spark's shuffle when it starts; how much a run takes grows with its rows."""
_PACKAGES = ("pyspark", "dbt-spark")
_WAITS = 3.0
"""Seconds for which a master may take to answer."""
_ROWS_AT_ONCE = 50_000
"""Rows of a block that is handed to Python."""
_CATALOG = "spark.hadoop.javax.jdo.option.ConnectionURL"
_NO_NAMES = set("[]{}*?\\;,")
"""What the path of a warehouse cannot hold: for Hadoop, Derby and the list of local folders it is no name."""
_SAYS_WHY_IN_ITS_LOG = ("JAVA_GATEWAY_EXITED", "SessionHiveMetaStoreClient")
_JAVA_VERSION = re.compile(r'version "(?:1\.)?(\d+)')

_open: list["SparkSession"] = []
"""The session of this process, or nothing."""
_java: list[Any] = []
"""The way to its Java process, or nothing."""
_one_at_a_time = threading.Lock()
"""Who opens it holds it: dbt asks for it from several threads."""


class SparkError(RuntimeError):
    """Spark could not do what it was asked; the message says why, and what helps."""


def spark_options(settings: Settings) -> dict[str, str]:
    """Return every option of a warehouse's session, those of `MATINEE_SPARK_OPTIONS` last."""
    layout = WarehouseLayout(settings.warehouse)
    home, is_here = layout.spark, _is_here(settings)
    options = {
        "spark.master": master(settings),
        "spark.app.name": "matinee",
        "spark.driver.memory": settings.spark_memory,
        "spark.driver.extraJavaOptions": f"-Dderby.stream.error.file={shlex.quote(str(home / 'derby.log'))}",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "WARN",
        "spark.local.dir": str(layout.temporary / "spark"),
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": str(home),
        _CATALOG: f"jdbc:derby:;databaseName={home / '.metastore'};create=true",
        **SPARK_SAME_EVERYWHERE,
        "spark.sql.legacy.createHiveTableByDefault": "false",
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(_ROWS_AT_ONCE),
        # A parallel sum adds in another order: blocks of rows run side by side instead.
        "spark.executorEnv.OMP_NUM_THREADS": "1",
    }
    if is_here:
        options |= {
            "spark.driver.host": "localhost",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.pyspark.python": sys.executable,
            "spark.sql.shuffle.partitions": str(4 * settings.threads),
        }
    given = (option.partition("=") for option in shlex.split(settings.spark_options))
    return options | {key: value for key, _, value in given}


def master(settings: Settings) -> str:
    """Return where Spark works."""
    return settings.spark_master or f"local[{settings.threads}]"


def check_spark(settings: Settings) -> None:
    """Refuse what Spark would stumble over later, before any work is done; nothing where it is not asked for.

    Raises
    ------
    SettingsError
        Names the setting, and what helps.
    """
    if settings.engine != "spark":
        return
    found = (_no_place(settings), _not_installed(), _no_java(), _no_answer(settings), _no_room(settings))
    for why in filter(None, found):
        raise SettingsError(refusal("MATINEE_ENGINE", "spark", why))


def session(settings: Settings) -> "SparkSession":
    """Return the session of this process, opened where there is none.

    Raises
    ------
    SparkError
        When it cannot be opened, or is that of another warehouse.
    """
    folder = spark_options(settings)["spark.sql.warehouse.dir"]
    if _open and (_open[0].conf.get("spark.sql.warehouse.dir") or "").removeprefix("file:") != folder:
        msg = f"this process works on another warehouse with Spark: {folder} needs a process of its own"
        raise SparkError(msg)
    with _one_at_a_time:
        if not _open:
            with doing("starting Spark"), in_words(settings):
                try:
                    _open.append(_opened(settings))
                    # Opens the catalog, which another process may hold.
                    _open[0].catalog.databaseExists("default")
                except Exception:
                    end_session()
                    raise
    return _open[0]


def _opened(settings: Settings) -> "SparkSession":
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415 - an extra
    from pyspark.java_gateway import launch_gateway  # noqa: PLC0415
    from pyspark.logger import PySparkLogger  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
    PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True  # errors are raised, and told of once
    layout, options = WarehouseLayout(settings.warehouse), spark_options(settings)
    path = list(sys.path)
    layout.spark.mkdir(parents=True, exist_ok=True)
    is_own = str(layout.spark) in options[_CATALOG] and "spark.hadoop.hive.metastore.uris" not in options
    if is_own and not has_catalog(layout):
        # One that was killed in the making opens no more, and a new one refuses the folders of tables it does not know.
        for folder in (layout.spark / ".metastore", *layout.spark.glob("*.db")):
            shutil.rmtree(folder, ignore_errors=True)
        _place(layout).write_text(str(layout.spark))
    # PySpark asks the environment alone, and takes whatever `python3` is first on the path where that says nothing.
    os.environ.setdefault("PYSPARK_PYTHON", options.get("spark.pyspark.python", "python3"))
    conf = SparkConf(loadDefaults=False).setAll(list(options.items()))
    if layout.spark_log.exists():  # what the session before said, to which another process may still write
        layout.spark_log.replace(layout.spark_log.with_suffix(".before.log"))
    with layout.spark_log.open("wb") as log:
        _java.append(launch_gateway(conf, {"stdout": log, "stderr": log}))
    SparkContext(conf=conf, gateway=_java[0])
    opened = SparkSession.builder.config(conf=conf).enableHiveSupport().getOrCreate()
    if not _is_here(settings):
        _send_ml(opened, layout)
    sys.path[:] = path  # PySpark adds what it sends to executors, in a folder that goes with the session
    return opened


def has_catalog(layout: WarehouseLayout) -> bool:
    """Whether Spark's catalog is there, whole (Derby writes this file last), and of this place, which it names."""
    place = _place(layout)
    is_whole = (layout.spark / ".metastore" / "service.properties").exists()
    return is_whole and place.exists() and place.read_text() == str(layout.spark)


def _place(layout: WarehouseLayout) -> Path:
    """Return the file that says where the catalog was made: there it looks for the tables of a warehouse that moved."""
    return layout.spark / ".place"


def end_session() -> None:
    """End the session of this process, where there is one, with its Java: machine learning needs the memory."""
    while _open:
        _open.pop().stop()
    while _java:
        import pyspark  # noqa: PLC0415 - an extra

        gateway = _java.pop()
        gateway.shutdown()
        gateway.proc.stdin.close()  # what its Java waits for
        gateway.proc.wait()
        pyspark.SparkContext._gateway = pyspark.SparkContext._jvm = None  # else it asks the Java that is gone


@contextmanager
def in_words(settings: Settings) -> Iterator[None]:
    """Say in words what Spark raises in a `with` block.

    Raises
    ------
    SparkError
        In place of whatever Spark raised.
    """
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(("pyspark", "py4j")):
            raise
        layout = WarehouseLayout(settings.warehouse)
        raise SparkError(_told(str(error), settings, layout)) from None


def _told(said: str, settings: Settings, layout: WarehouseLayout) -> str:
    local = spark_options(settings)["spark.local.dir"]
    log = layout.spark_log.read_text(errors="replace") if layout.spark_log.exists() else ""
    known = {
        "Another instance of Derby may have already booted": (
            f"another process, perhaps a `dbt build`, has the Spark tables of {layout.root} open: let it end first"
        ),
        "No space left on device": (
            f"Spark ran out of room in {local} or {layout.spark}: free some, or name a larger disk with "
            "MATINEE_SPARK_OPTIONS=spark.local.dir=FOLDER"
        ),
        "OutOfMemoryError": (
            f"Spark ran out of memory: MATINEE_SPARK_MEMORY is {settings.spark_memory}, give it more"
        ),
        **dict.fromkeys(
            ("TABLE_OR_VIEW_NOT_FOUND", "PATH_NOT_FOUND", "FAILED_READ_FILE"),
            f"another program changed a table in {layout.spark}: `matinee run --full-refresh` makes all anew",
        ),
        "Answer from Java side is empty": (
            f"Spark's Java process ended, mostly because the machine had no memory left (MATINEE_SPARK_MEMORY is "
            f"{settings.spark_memory}); more in {layout.spark_log}"
        ),
        "All masters are unresponsive": f"nobody answers at {master(settings)} (MATINEE_SPARK_MASTER)",
    }
    for sign, words in known.items():
        if sign in said or (sign in log and any(hides in said for hides in _SAYS_WHY_IN_ITS_LOG)):
            return words
    # What one of our own functions raised on an executor stands at the end of its traceback.
    raised = re.findall(r"^(?:\w+\.)*\w+Error: (.+)$", said, re.MULTILINE) if "Traceback" in said else []
    words = ["it does not say why", *said.strip().splitlines()[:1], *raised][-1]
    return f"Spark: {words} (more in {layout.spark_log})"


def _is_here(settings: Settings) -> bool:
    """Whether Spark works within this machine's process."""
    return master(settings).startswith("local")


def _send_ml(opened: "SparkSession", layout: WarehouseLayout) -> None:
    """Give the executors the functions that they apply; numpy, polars and the like they must have."""
    import ml  # noqa: PLC0415

    code = Path(ml.__path__[0])
    archive = shutil.make_archive(str(layout.spark / ".ml"), "zip", root_dir=code.parent, base_dir=code.name)
    opened.sparkContext.addPyFile(archive)


def _no_place(settings: Settings) -> str | None:
    if signs := sorted(set(str(settings.warehouse)) & _NO_NAMES):
        return f"it takes {' '.join(signs)} in {settings.warehouse} for a pattern or a list: name another warehouse"
    return None


def _not_installed() -> str | None:
    try:
        for package in _PACKAGES:
            version(package)
    except PackageNotFoundError as error:
        return f"{error.name} is not installed: pip install 'matinee[spark]'"
    return None


def _no_java() -> str | None:
    home = os.environ.get("JAVA_HOME")  # Spark looks there first, too
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    helps = f"install Java {LEAST_JAVA} or later, and let JAVA_HOME be its folder"
    if java is None:
        return f"there is no Java: {helps}"
    where = f"JAVA_HOME={home}" if home else java
    try:
        asked = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return f"there is no Java that runs ({where}): {helps}"
    found = _JAVA_VERSION.search(asked.stderr + asked.stdout)
    if found is None or int(found[1]) < LEAST_JAVA:
        is_of = f"Java {found[1]}" if found else "of an unknown version"
        return f"{where} is {is_of}: {helps}"
    return None


def _no_answer(settings: Settings) -> str | None:
    """Say that no master of a standalone cluster answers; what YARN and Kubernetes say comes from them."""
    address = master(settings)
    if not address.startswith("spark://"):
        return None
    for one in address.removeprefix("spark://").split(","):
        host, _, port = one.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout=_WAITS):
                return None
        except (OSError, OverflowError, UnicodeError):  # none there; no port; no name of a host
            continue
    return (
        f"nobody answers at MATINEE_SPARK_MASTER={address}: start the master, or give the address on its page"
    )


def _no_room(settings: Settings) -> str | None:
    folder = Path(spark_options(settings)["spark.local.dir"].partition(",")[0])
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(there).free
    if free >= LEAST_ROOM:
        return None
    return (
        f"{free / 10**9:.1f} GB are free in {there}, where Spark puts down what it sorts, {LEAST_ROOM / 10**9:.0f} GB "
        "are the least: free some, or name a larger disk with MATINEE_SPARK_OPTIONS=spark.local.dir=FOLDER"
    )
