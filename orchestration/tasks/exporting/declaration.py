"""What an export is: a YAML file that says which audiences go where, in which columns, and what is too much.

Belongs here: the schema of these files, reading them, secrets in them. Does not belong here: who is in an audience, the
way to a destination.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ml.audiences.spec import no_such_field
from ml.recommendation.nearest import nearest_names
from orchestration.tasks.exporting.errors import ExportError

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_IS_SECRET = re.compile(r"auth|key|token|secret|cookie|password", re.IGNORECASE)
_HOLDS_SECRET = re.compile(r"(auth|key|token|secret|passw(or)?d|\bsig)\s*=\s*(?!\s|\$)", re.IGNORECASE)
"""As `?token=…` of an address and `password=…` of a database's."""
_TABLE = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)?"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_OURS = {"change", "audience", "user_id", "customer_id", "entity_id", "forgotten"}


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Column(_Declared):
    """One column beside the id; exactly one of its fields says what it holds, `as` what it is called."""

    attribute: str | None = None
    """A column of the published table `users`."""
    segment: str | None = None
    """The name of the member's segment in a segmentation."""
    level: str | None = None
    """The member's level there, such as light or heavy."""
    score: Literal["score", "decile", "reason"] | None = None
    """What the published table `departure` says."""
    recommendations: Annotated[int, Field(ge=1, le=20)] | None = None
    """The best titles: `title_1`, `title_id_1`, `title_2`, …"""
    email: str | None = None
    """An attribute that is an e-mail address: in lower case, without blanks, as SHA-256."""
    phone: str | None = None
    """An attribute that is a telephone number: with its country, as +441632960001, as SHA-256."""
    calling_code: Annotated[str, Field(pattern=r"[1-9]\d{0,2}")] | None = None
    """Country of numbers that are written without one, such as "44"."""
    name: Annotated[str | None, Field(alias="as", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")] = None

    @model_validator(mode="after")
    def _holds_one_thing(self) -> Self:
        if len(self._said) != 1:
            msg = "a column is one of attribute, segment, level, score, recommendations, email and phone"
            raise ValueError(msg)
        if self.name and self.recommendations:
            msg = "the titles of recommendations are called title_1, title_id_1, …; leave `as` out"
            raise ValueError(msg)
        return self

    @property
    def _said(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True, exclude={"name", "calling_code"})

    @property
    def kind(self) -> str:
        """Which of the fields is given."""
        return next(iter(self._said))

    @property
    def of(self) -> Any:
        """Its value."""
        return self._said[self.kind]

    @property
    def names(self) -> list[str]:
        """What the column is called; of recommendations, the columns."""
        if self.recommendations:
            places = range(1, self.recommendations + 1)
            return [f"{what}_{place}" for place in places for what in ("title", "title_id")]
        if self.kind in ("segment", "level"):
            return [self.name or f"{self.of}_{self.kind}"]
        return [self.name or (self.kind if self.is_hashed else str(self.of))]

    @property
    def is_hashed(self) -> bool:
        """Whether it is an address or a number that goes out as a hash."""
        return self.kind in ("email", "phone")


class Place(_Declared):
    """Where lists go: `folder`, `postgres` with `table`, or `webhook`."""

    folder: str | None = None
    """A folder, below the warehouse where it is relative; or an address that fsspec reads, such as s3://bucket/lists."""
    postgres: str | None = None
    """The address of a PostgreSQL database; its password comes from the environment."""
    table: Annotated[str, Field(pattern=rf"^{_TABLE}$")] | None = None
    """The table there; made with the first delivery, it is what the audience is."""
    webhook: str | None = None
    """An address that rows are posted to in batches, as JSON."""
    headers: Mapping[str, str] = {}
    """Headers of these posts."""
    batch: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Rows in a batch, at most."""

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        said = [name for name in ("folder", "postgres", "webhook") if getattr(self, name) is not None]
        if len(said) != 1:
            msg = "a destination is one of folder, postgres and webhook"
            raise ValueError(msg)
        if (self.postgres is None) != (self.table is None):
            msg = "postgres and table belong together"
            raise ValueError(msg)
        if "batch" in self.model_fields_set and self.webhook is None:
            msg = "batch is of a webhook"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _keeps_secrets(self) -> Self:
        for address in (self.folder, self.postgres, self.webhook):
            user, at, _ = urlsplit(address or "").netloc.rpartition("@")
            if (at and re.search(r":(?!\$)", user)) or _HOLDS_SECRET.search(address or ""):
                msg = "a password stands in the file; write $NAME for it, and set NAME in the environment"
                raise ValueError(msg)
        for name, value in self.headers.items():
            if _IS_SECRET.search(name) and not _VARIABLE.search(value):
                msg = f"the header {name} is a secret; write $NAME for it, and set NAME in the environment"
                raise ValueError(msg)
        return self

    @property
    def kind(self) -> Literal["folder", "postgres", "webhook"]:
        """Which of the three it is."""
        return "folder" if self.folder is not None else "postgres" if self.postgres is not None else "webhook"


class Export(_Declared):
    """One declared export; its name is that of its file."""

    name: str
    description: Annotated[str, Field(min_length=1)]
    audiences: Annotated[tuple[str, ...], Field(min_length=1)]
    columns: tuple[Column, ...] = ()
    format: Literal["csv", "jsonl", "parquet", "ads"] = "csv"
    """What files are. `ads` is CSV of hashes alone, who is added and who is removed in files of their own."""
    destination: Place
    least: Annotated[int, Field(ge=1)] = 100
    """Fewer members than this of any of the audiences are not sent: the destination's minimum."""
    most_removed: Annotated[float, Field(ge=0, le=1)] = 0.3
    """A larger share of what was sent is not removed at once."""
    horizon_days: Annotated[int, Field(ge=1, le=365)] = 30
    """Days after somebody was first sent in which outcomes count for the proof."""
    schedule: bool = False
    """Whether the nightly and hourly refresh sends it."""

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            msg = f"{value!r} is no name of an export: small letters, digits and _ only, a letter first"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [name for column in self.columns for name in column.names]
        if twice := sorted({name for name in names if names.count(name) > 1 or name in _OURS}):
            msg = f"two columns would be called {', '.join(twice)}; rename one with `as`"
            raise ValueError(msg)
        if "format" in self.model_fields_set and self.destination.kind != "folder":
            msg = "format is of files in a folder"
            raise ValueError(msg)
        if self.is_ads and (not self.columns or not all(column.is_hashed for column in self.columns)):
            msg = "the format ads takes columns of email and phone, and no others"
            raise ValueError(msg)
        if self.is_ads and len(self.audiences) > 1:
            msg = "the format ads takes one audience: its files do not say which one somebody is in"
            raise ValueError(msg)
        return self

    @property
    def is_ads(self) -> bool:
        """Whether it goes out as hashes alone."""
        return self.format == "ads"

    @property
    def value_names(self) -> list[str]:
        """What its columns are called."""
        return [name for column in self.columns for name in column.names]

    @property
    def fingerprint(self) -> str:
        """Of what decides how a delivery looks and where it goes: another one begins with everything anew."""
        said = self.model_dump(mode="json", include={"audiences", "columns", "format", "destination"})
        said["destination"] = {
            name: said["destination"][name] for name in ("folder", "postgres", "table", "webhook")
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def read_exports(folder: Path) -> dict[str, Export]:
    """Return the declared exports by their names; none where there is no such folder.

    Raises
    ------
    ExportError
        When a file is wrong; the message names file and field, and what is accepted.
    """
    found: dict[str, Export] = {}
    for file in sorted(folder.glob("*.y*ml")):
        export = _read(file)
        if export.name in found:
            raise ExportError(
                f"{file}: there is an export {export.name} already, in a file of the same name."
            )
        found[export.name] = export
    return found


def find_export(folder: Path, name: str) -> Export:
    """Return one declared export.

    Raises
    ------
    ExportError
        When there is none of this name; the message names the nearest.
    """
    exports = read_exports(folder)
    if name in exports:
        return exports[name]
    near = nearest_names(name, list(exports)) or list(exports)
    known = f"there are: {', '.join(near)}" if near else f"none is declared in {folder}"
    raise ExportError(f"no export {name!r}; {known}.")


def _read(file: Path) -> Export:
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
        if not isinstance(said, dict):
            raise ExportError(f"{file}: expected an export: description, audiences, destination.")
        if "name" in said:
            raise ExportError(f"{file}: name: an export is called as its file; leave it out.")
        return Export(**{"name": file.stem, **said})
    except ValidationError as error:
        # Never what was given: it may be a password.
        told = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'export'}: "
            + (
                no_such_field(Export, problem["loc"])
                if problem["type"] == "extra_forbidden"
                else problem["msg"].removeprefix("Value error, ")
            )
            for problem in error.errors()
        )
        raise ExportError(f"{file}: {told}.") from None
    except (OSError, UnicodeDecodeError, TypeError, yaml.YAMLError) as error:
        at = getattr(error, "problem_mark", None)
        where = f", line {at.line + 1}" if at else ""
        raise ExportError(f"{file}{where}: it is no YAML that can be read.") from None


def filled(text: str) -> str:
    """Return a text with each `$NAME` as the environment has it.

    Raises
    ------
    ExportError
        When one is not set.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if not os.environ.get(name):
            raise ExportError(f"the environment variable {name} is not set, which the export names.")
        return os.environ[name]

    return _VARIABLE.sub(value, text)
