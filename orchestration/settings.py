"""Settings: environment variables with the prefix `MATINEE_`, checked when they are read.

Belongs here: every setting of a run, its default and its meaning, and handing them to dbt.
Does not belong here: anything decided per segmentation (that is its YAML), the dashboard's own (`dashboard.settings`).
"""

import os
import re
import shlex
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[1]
NAMED_SOURCES = ("demo", "kaggle", "incoming")
_MOST_THREADS = 256
_MASTER = re.compile(r"local(\[(\*|[1-9]\d*)\])?|spark://[^\s:/,]+:\d+(,[^\s:/,]+:\d+)*|yarn|k8s://\S+")
_JAVA_MEMORY = re.compile(r"([1-9]\d*)([mg])", re.IGNORECASE)
_LEAST_JAVA_MEMORY = 512
"""MB; Spark refuses to start with less."""
SPARK_SAME_EVERYWHERE = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.jsonGenerator.ignoreNullFields": "false",
}
"""Options of Spark that decide what the tables hold: said, and not left to its version or the machine's clock."""
_HAVE_SETTINGS = {
    "spark.master": "MATINEE_SPARK_MASTER",
    "spark.driver.memory": "MATINEE_SPARK_MEMORY",
    "spark.sql.warehouse.dir": "MATINEE_WAREHOUSE",
}
"""Options of Spark that have a setting of their own, by which all else goes."""
_UNUSABLE = re.compile(r"[*?\[#\x00-\x1f\x7f\ud800-\udfff]|ducklake:", re.IGNORECASE)
"""What a reader of files takes for a pattern (polars, DuckDB) or for part of an address (dbt-duckdb, DuckDB)."""


def _a_tenth_of_memory() -> str:
    """Return a tenth of the machine's memory, 2 GB at least: machine learning and others want some, too."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    with suppress(OSError, ValueError):  # what a container may use; "max" where nothing is said
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return f"{max(memory // 10**7, 2_000)}MB"


class SettingsError(ValueError):
    """A setting has a value that cannot be used."""


class Settings(BaseSettings):
    """All settings; each field `x` is read from `MATINEE_X`."""

    model_config = SettingsConfigDict(env_prefix="MATINEE_", frozen=True, validate_default=True)

    warehouse: Path = PROJECT_ROOT / "warehouse"
    """Folder that holds everything a run makes."""
    source: str = "demo"
    """Where raw files come from: `demo`, `kaggle`, a folder or archive, a folder in storage (`s3://bucket/folder`), or
    `incoming`: the drop folder alone."""
    demo_scale: Literal["small", "medium", "full"] = "small"
    """Size of the demo world that the source `demo` makes."""
    threads: Annotated[int, Field(ge=1, le=_MOST_THREADS)] = min(os.cpu_count() or 1, _MOST_THREADS)
    """Threads for DuckDB and fits that run side by side."""
    memory_limit: str = _a_tenth_of_memory()
    """Memory that DuckDB may use; beyond it DuckDB spills to the warehouse folder."""
    max_rejected_share: Annotated[float, Field(ge=0, le=1)] = 0.01
    """A raw file with a larger share of bad lines is refused as a whole."""
    max_row_drop: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Largest share of the published rows of a landing table that may be gone without a warning."""
    today: date | None = None
    """Day that counts as today (else the day it is): no rating or view can be more than a day later."""
    schedule: str = "0 3 * * *"
    """Cron expression of the nightly refresh, in UTC: minute, hour, day, month, weekday; or `@daily` and the like."""
    hourly_schedule: str = "30 * * * *"
    """Cron expression, in UTC, of the refresh in between, which trains nothing."""
    keep_days: Annotated[int, Field(ge=0, le=36_500)] = 30
    """Days for which `matinee prune` keeps what is no longer used, and raw files that came through the drop folder."""

    exports: Path = PROJECT_ROOT / "exports"
    """Folder of the declared exports, a YAML file each."""
    minimum_members: Annotated[int, Field(ge=1)] = 50
    """Groups of fewer people leave neither by an export nor by a download of the dashboard."""

    long_tail: Annotated[float, Field(ge=0, le=1)] = 0
    """What being rare weighs in the recommended lists beside everything else: 0 nothing, 1 as much."""

    late_hours: Annotated[float, Field(ge=0.1)] = 2
    """Hours after its time until which a refresh may come: then results are late, and stale when the next is, too."""
    source_stale_hours: Annotated[float | None, Field(ge=1)] = None
    """Hours after which a source whose raw files stay the same counts as stale; left out, it may stay so for ever."""
    show_emails: bool = False
    """Whether ids that are e-mail addresses are shown on pages and in the terminal (`published.people`)."""

    engine: Literal["duckdb", "spark"] = "duckdb"
    """What builds the tables and applies models to everybody: `duckdb` on this machine, or `spark`."""
    spark_master: str | None = None
    """Where Spark works: `local[4]`, `spark://host:7077`, `yarn`, `k8s://…`; left out, here on as many threads."""
    spark_memory: str = "2g"
    """Memory of Spark's driver, which on `local[…]` does all the work, as Java writes it: `512m`, `4g`."""
    spark_options: str = ""
    """More options of Spark, `key=value` divided by blanks and quoted as in a shell."""
    learned_from: Annotated[int, Field(ge=100)] = 1_000_000
    """With Spark, entities that a segmentation learns from at most; everybody is placed."""
    recommender_learned_from: Annotated[int, Field(ge=100)] = 300_000
    """With Spark, users that the recommender learns from at most; lists are for everybody."""

    @field_validator("warehouse", "source", mode="before")
    @classmethod
    def _given(cls, value: object) -> object:
        if value == "":
            msg = "it is empty, which would be the folder you are in; leave it out for the default"
            raise ValueError(msg)
        return value

    @field_validator("warehouse")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        folder = value.expanduser().resolve()
        if found := _UNUSABLE.search(str(folder)):
            msg = (
                f"{found[0]!r} in the name of a folder means something else to the programs that read the warehouse; "
                "choose a folder without * ? [ # in its path"
            )
            raise ValueError(msg)
        return folder

    @field_validator("exports")
    @classmethod
    def _absolute_folder(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("source")
    @classmethod
    def _absolute_unless_named(cls, value: str) -> str:
        is_path = value not in NAMED_SOURCES and not value.startswith("s3://")
        return str(Path(value).expanduser().resolve()) if is_path else value

    @field_validator("spark_master")
    @classmethod
    def _is_a_master(cls, value: str | None) -> str | None:
        if value is not None and not _MASTER.fullmatch(value):
            msg = "expected local, local[4], local[*], spark://host:7077, yarn or k8s://https://host:port"
            raise ValueError(msg)
        return value

    @field_validator("spark_memory")
    @classmethod
    def _is_memory_of_java(cls, value: str) -> str:
        found = _JAVA_MEMORY.fullmatch(value)
        if not found or int(found[1]) * (1024 if found[2] in "gG" else 1) < _LEAST_JAVA_MEMORY:
            msg = f"expected an amount as Java writes it, {_LEAST_JAVA_MEMORY}m or more, such as 2g"
            raise ValueError(msg)
        return value

    @field_validator("spark_options")
    @classmethod
    def _are_options(cls, value: str) -> str:
        for option in shlex.split(value):
            key, is_given, _ = option.partition("=")
            if not is_given or not key.startswith("spark."):
                msg = f"{option!r} is no option of Spark; expected such as spark.executor.memory=8g, divided by blanks"
                raise ValueError(msg)
            if own := _HAVE_SETTINGS.get(key):
                msg = f"{key} is what {own} is for"
                raise ValueError(msg)
            if key in SPARK_SAME_EVERYWHERE:
                msg = f"{key} is decided by Matinee: tables are the same whatever builds them"
                raise ValueError(msg)
        return value

    def to_environment(self) -> dict[str, str]:
        """Return the environment variables that give these settings again, for dbt and for child processes."""
        return {
            f"MATINEE_{name.upper()}": str(value)
            for name, value in self.model_dump(exclude_none=True).items()
        }


_Apart = TypeVar("_Apart", bound=BaseSettings)


class AlarmSettings(BaseSettings):
    """Who is told when something is wrong; each field `x` is read from `MATINEE_X`.

    Apart from `Settings`: these hold secrets, which no child process, event or message gets.
    """

    model_config = SettingsConfigDict(env_prefix="MATINEE_", frozen=True, env_ignore_empty=True)

    alert_webhook: SecretStr | None = None
    """Address that alarms are posted to, as JSON."""
    alert_mail: str | None = None
    """Addresses that alarms are mailed to, divided by commas."""
    alert_warnings: bool = False
    """Whether warnings of a run that went well are told of, too."""
    smtp_host: str | None = None
    """Server that takes the mail."""
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    """Its port."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """How the way there is made safe."""
    smtp_user: str | None = None
    """User at the server; nobody signs in where it is left out."""
    smtp_password: SecretStr | None = None
    """That user's password."""
    smtp_from: str = "matinee@localhost"
    """Who the mail is from."""

    @field_validator("alert_webhook")
    @classmethod
    def _address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"https?://[^\s/]+\S*", value.get_secret_value()):
            msg = "expected an address that begins with https:// or http://"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _mail_has_a_server(self) -> Self:
        if self.alert_mail and not self.smtp_host:
            msg = "MATINEE_ALERT_MAIL is set, and no server: set MATINEE_SMTP_HOST, too"
            raise ValueError(msg)
        return self

    @property
    def recipients(self) -> list[str]:
        """Those whom mail goes to."""
        return [address.strip() for address in (self.alert_mail or "").split(",") if address.strip()]


class HoldoutSettings(BaseSettings):
    """Who is held out of all audiences; each field `x` is read from `MATINEE_HOLDOUT_X`. Apart, as above."""

    model_config = SettingsConfigDict(env_prefix="MATINEE_HOLDOUT_", frozen=True, env_ignore_empty=True)

    share: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of all people; at 0 nobody is."""
    salt: SecretStr = SecretStr("matinee")
    """Text that decides who: who knows it can tell who is held out."""
    redraw: bool = False
    """Whether another salt than that of what is published may decide anew who is held out."""


def load_alarm_settings() -> AlarmSettings:
    """Read from the environment who is told of alarms.

    Raises
    ------
    SettingsError
        When a value cannot be used; the message names the variable and not its value, which may be a secret.
    """
    return _load_apart(AlarmSettings)


def load_holdout_settings() -> HoldoutSettings:
    """Read from the environment who is held out.

    Raises
    ------
    SettingsError
        As above.
    """
    return _load_apart(HoldoutSettings)


def _load_apart(settings: type[_Apart]) -> _Apart:
    try:
        return settings()
    except ValidationError as error:
        said = []
        for problem in error.errors():
            prefix = settings.model_config["env_prefix"]
            variable = "".join(f"{prefix}{str(part).upper()}: " for part in problem["loc"])
            said.append(f"setting refused: {variable}{problem['msg'].removeprefix('Value error, ')}")
        raise SettingsError("; ".join(said)) from None


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment; overrides that are None are ignored.

    Raises
    ------
    SettingsError
        When a value cannot be used; the message names the variable and what is accepted.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        problems = (
            refusal(
                f"MATINEE_{'_'.join(str(part) for part in problem['loc']).upper()}",
                problem["input"],
                problem["msg"].removeprefix("Value error, "),
            )
            for problem in error.errors()
        )
        raise SettingsError("; ".join(problems)) from None


def refusal(variable: str, value: object, why: str) -> str:
    """Return the words for a setting that cannot be used."""
    return f"setting refused: {variable}={str(value)!r}: {why}"
