"""The download of The Movies Dataset from Kaggle.

Belongs here: kagglehub, and what to tell a person when a file cannot be had. Does not belong here: what the files hold.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import IngestError

DATASET = "rounakbanik/the-movies-dataset"

_BY_HAND = (
    f"download https://www.kaggle.com/datasets/{DATASET} with a browser, unpack it, "
    "and run with --source FOLDER"
)
_CREDENTIALS = (
    "Set KAGGLE_USERNAME and KAGGLE_KEY, or save the token from https://www.kaggle.com/settings as "
    f"~/.kaggle/kaggle.json, and run again; or {_BY_HAND}."
)


def download(names: Sequence[str], download_dir: Path | None) -> list[Path]:
    """Download files of the dataset, and return where they are.

    Raises
    ------
    IngestError
        When Kaggle does not give one of them.
    """
    paths = []
    with _kaggle_cache(download_dir):
        kagglehub = importlib.import_module("kagglehub")
        for name in names:
            with _kaggle_explained(name):
                path = Path(kagglehub.dataset_download(DATASET, path=name))
            if not path.is_file():
                raise _not_downloaded(f"Kaggle sent no {name}")
            paths.append(path)
    return paths


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
            where=f"Kaggle dataset {DATASET}",
        )
    return _not_downloaded(f"Kaggle answered {status or 'with an error'} for {name}")


def _no_access() -> IngestError:
    return IngestError(
        "Kaggle did not accept the credentials, or there are none.",
        next_step=_CREDENTIALS,
        where=f"Kaggle dataset {DATASET}",
    )


def _not_downloaded(problem: str) -> IngestError:
    return IngestError(
        f"{problem}.",
        next_step=f"Check the network and the room on the disk, and run again (what has arrived is kept); or "
        f"{_BY_HAND}.",
        where=f"Kaggle dataset {DATASET}",
    )
