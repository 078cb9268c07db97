"""Finding the raw files of a source: a folder, an archive, or the Kaggle dataset.

Here: which file holds which table, and what to tell a person when one cannot be had.
Not here: reading the files (`ingest.landing`), making the demo world (`ingest.demo`).
"""

from __future__ import annotations

import importlib
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from ingest.contracts import CONTRACTS, DATASETS, MOVIES_DATASET, Contract
from ingest.errors import IngestError
from ingest.rawfiles import RawFile, data_members

_T = TypeVar("_T")

KAGGLE = "kaggle"
KAGGLE_DATASET = "rounakbanik/the-movies-dataset"

# Within one folder the first ending that is found wins.
_ENDINGS = (".csv", ".parquet", ".csv.gz", ".csv.zip", ".zip", ".parquet.gz", ".parquet.zip")
_ENDINGS_ALLOWED = "Each may end in .csv, .csv.gz, .zip or .parquet."
_BY_HAND = (
    f"download https://www.kaggle.com/datasets/{KAGGLE_DATASET} with a browser, unpack it, "
    "and run with --source FOLDER"
)
_CREDENTIALS = (
    "Set KAGGLE_USERNAME and KAGGLE_KEY, or save the token from https://www.kaggle.com/settings as "
    f"~/.kaggle/kaggle.json, and run again; or {_BY_HAND}."
)


@dataclass(frozen=True)
class Source:
    """Where the raw files are.

    Parameters
    ----------
    kind
        Where they come from.
    description
        The same for a person.
    files
        Raw file by table name; the tables of one or more datasets, each complete.
    """

    kind: Literal["folder", "kaggle"]
    description: str
    files: Mapping[str, RawFile]


def resolve_source(source: str, *, download_dir: Path | None = None) -> Source:
    """Find the raw files of a source: of every dataset that it holds.

    Parameters
    ----------
    source
        ``kaggle``, or the path of a folder, of an archive, or of a single file.
    download_dir
        Where Kaggle's files are kept; kagglehub's own cache where None. A finished download is not repeated, an
        interrupted one is resumed.

    Returns
    -------
    Source
        The files by table.

    Raises
    ------
    IngestError
        When the source does not exist, cannot be had, holds no dataset, or holds one in part.

    Notes
    -----
    A folder is searched for files by name, whatever their case; in a folder ``ratings.csv`` goes before
    ``ratings_small.csv``. Tables that it lacks are looked for in its zip archives and then one level of subfolders
    down.
    """
    if source == KAGGLE:
        return _kaggle_source(download_dir)
    path = Path(source).expanduser()
    if not path.exists():
        raise IngestError(
            "there is no such file or folder.",
            next_step=f"Give --source a folder that holds the raw files, or '{KAGGLE}'.",
            where=str(path),
        )
    try:
        files = _find(path)
    except OSError as error:
        raise IngestError(
            f"it cannot be read ({error.strerror or error}).",
            next_step="Check its permissions, and run again.",
            where=str(path),
        ) from error
    if not files:
        raise _nothing_known(path)
    for dataset in DATASETS:
        missing = [table for table in dataset.tables if table not in files]
        if missing and len(missing) < len(dataset.tables):
            raise _missing_files(path, missing, files)
    return Source(kind="folder", description=str(path), files=files)


def _find(path: Path) -> dict[str, RawFile]:
    if path.is_file():
        return _in_archive(path) if zipfile.is_zipfile(path) else _among([path])
    files = _in_folder(path)
    for folder in sorted(child for child in path.iterdir() if child.is_dir() and child.name[0] not in "._"):
        for table, file in _in_folder(folder).items():
            if table not in files:
                files[table] = file
            elif files[table].path.parent not in (path, folder):
                raise IngestError(
                    f"two folders hold a file for '{table}': {files[table].path.parent.name} and {folder.name}.",
                    next_step="Point --source at the folder you mean.",
                    where=str(path),
                )
    return _in_declared_order(files)


def _in_folder(folder: Path) -> dict[str, RawFile]:
    paths = sorted(child for child in folder.iterdir() if child.is_file())
    files = _among(paths)
    for path in paths:
        if path.suffix.lower() == ".zip" and path not in {file.path for file in files.values()}:
            for table, file in _in_archive(path).items():
                files.setdefault(table, file)
    return files


def _among(paths: Sequence[Path]) -> dict[str, RawFile]:
    by_name: dict[str, Path] = {}
    for path in paths:
        by_name.setdefault(path.name.lower(), path)
    found = {table: _first(contract, by_name) for table, contract in CONTRACTS.items()}
    return {table: RawFile(path) for table, path in found.items() if path is not None}


def _in_archive(path: Path) -> dict[str, RawFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = data_members(archive)
    except zipfile.BadZipFile as error:
        raise IngestError(
            "the archive is cut off or damaged.",
            next_step="Download it again, and run again.",
            where=str(path),
        ) from error
    by_name: dict[str, str] = {}
    for member in sorted(members, key=lambda name: (name.count("/"), name)):
        by_name.setdefault(member.rsplit("/", 1)[-1].lower(), member)
    found = {table: _first(contract, by_name) for table, contract in CONTRACTS.items()}
    files = {table: RawFile(path, member) for table, member in found.items() if member is not None}
    return files or _among([path])


def _first(contract: Contract, by_name: Mapping[str, _T]) -> _T | None:
    names = (stem + ending for stem in contract.stems for ending in _ENDINGS)
    return next((by_name[name] for name in names if name in by_name), None)


def _in_declared_order(files: Mapping[str, RawFile]) -> dict[str, RawFile]:
    return {table: files[table] for table in CONTRACTS if table in files}


def _missing_files(path: Path, missing: Sequence[str], found: Mapping[str, RawFile]) -> IngestError:
    have = ", ".join(file.name for file in found.values())
    return IngestError(
        f"expected {_wanted_names(missing)}; found {have}.",
        next_step=f"{_ENDINGS_ALLOWED} Add what is missing, or point --source at the folder that holds the files, "
        "and run again.",
        where=str(path),
    )


def _nothing_known(path: Path) -> IngestError:
    expected = "; or ".join(f"{_wanted_names(dataset.tables)} ({dataset.name})" for dataset in DATASETS)
    return IngestError(
        f"found none of the files we know by name. Expected {expected}.",
        next_step=f"{_ENDINGS_ALLOWED} Point --source at the folder that holds the files, and run again.",
        where=str(path),
    )


def _wanted_names(tables: Sequence[str]) -> str:
    return ", ".join(
        f"{' or '.join(f'{stem}.csv' for stem in CONTRACTS[table].stems)} for '{table}'" for table in tables
    )


def _kaggle_source(download_dir: Path | None) -> Source:
    files = {}
    with _kaggle_cache(download_dir):
        kagglehub = importlib.import_module("kagglehub")
        for table in MOVIES_DATASET.tables:
            name = f"{CONTRACTS[table].stems[0]}.csv"
            with _kaggle_explained(name):
                path = Path(kagglehub.dataset_download(KAGGLE_DATASET, path=name))
            if not path.is_file():
                raise _not_downloaded(f"Kaggle sent no {name}")
            files[table] = RawFile(path)
    return Source(
        kind="kaggle",
        description=f"Kaggle dataset {KAGGLE_DATASET}",
        files=_in_declared_order(files),
    )


@contextmanager
def _kaggle_cache(download_dir: Path | None) -> Iterator[None]:
    """Let kagglehub keep its files in `download_dir`; its own setting, where there is one, goes first."""
    variable = "KAGGLEHUB_CACHE"
    if download_dir is None or variable in os.environ:
        yield
        return
    os.environ[variable] = str(download_dir)
    try:
        yield
    finally:
        del os.environ[variable]


@contextmanager
def _kaggle_explained(name: str) -> Iterator[None]:
    """Turn what kagglehub and requests raise into a sentence that says what to do next."""
    requests = importlib.import_module("requests")
    faults = importlib.import_module("kagglehub.exceptions")
    try:
        yield
    except IngestError:
        raise
    except (faults.UnauthenticatedError, faults.CredentialError) as error:
        raise _no_access() from error
    except ValueError as error:  # what kagglehub raises for a malformed kaggle.json
        if isinstance(error, requests.RequestException) or "credentials" not in str(error):
            raise _not_downloaded(f"Kaggle's answer for {name} could not be read") from error
        raise _no_access() from error
    except requests.HTTPError as error:
        raise _of_status(error, name) from error
    except (requests.exceptions.ChunkedEncodingError, faults.DataCorruptionError, EOFError) as error:
        raise _not_downloaded(f"the download of {name} was interrupted") from error
    except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
        raise _not_downloaded(f"Kaggle could not be reached for {name}, or the connection broke") from error
    except OSError as error:
        raise _not_downloaded(
            f"{name} could not be saved ({error.strerror or type(error).__name__})"
        ) from error
    except Exception as error:  # kagglehub promises no closed list
        raise _not_downloaded(f"{name} could not be downloaded ({type(error).__name__})") from error


def _of_status(error: Exception, name: str) -> IngestError:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status in (401, 403):
        return _no_access()
    if status == 404:
        return IngestError(
            f"the dataset has no {name}, or no longer exists.",
            next_step=f"Check the dataset's page; or {_BY_HAND}.",
            where=f"Kaggle dataset {KAGGLE_DATASET}",
        )
    return _not_downloaded(f"Kaggle answered {status or 'with an error'} for {name}")


def _no_access() -> IngestError:
    return IngestError(
        "Kaggle did not accept the credentials, or there are none.",
        next_step=_CREDENTIALS,
        where=f"Kaggle dataset {KAGGLE_DATASET}",
    )


def _not_downloaded(problem: str) -> IngestError:
    return IngestError(
        f"{problem}.",
        next_step=f"Check the network and the room on the disk, and run again (what has arrived is kept); or "
        f"{_BY_HAND}.",
        where=f"Kaggle dataset {KAGGLE_DATASET}",
    )
