"""The Kaggle download, against a stand-in that raises what kagglehub 1.0 and requests raise."""

import os
import sys
from types import ModuleType

import pytest
import requests
from kagglehub import exceptions as faults

from ingest.errors import IngestError
from ingest.kaggle import DATASET
from ingest.sources import resolve_source


def refused(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return faults.KaggleApiHTTPError(f"{status} Client Error.\n\nResource at URL", response=response)


@pytest.fixture
def kaggle(monkeypatch, tmp_path):
    """A kagglehub whose download does what `kaggle.answer` says: raise it, or leave a file."""
    monkeypatch.delenv("KAGGLEHUB_CACHE", raising=False)
    stand_in = ModuleType("kagglehub")
    stand_in.answer = None
    stand_in.asked = []

    def dataset_download(handle, path=None, *, force_download=False, output_dir=None):
        stand_in.asked.append((handle, path, os.environ.get("KAGGLEHUB_CACHE")))
        if stand_in.answer is not None:
            raise stand_in.answer
        file = tmp_path / path
        file.write_text("x")
        return str(file)

    stand_in.dataset_download = dataset_download
    monkeypatch.setitem(sys.modules, "kagglehub", stand_in)
    return stand_in


def test_each_file_is_downloaded_by_name_into_the_download_folder(kaggle, tmp_path):
    source = resolve_source("kaggle", download_dir=tmp_path / "kept")
    assert source.kind == "kaggle"
    assert [file.path.name for file in source.files.values()] == [
        "ratings.csv",
        "links.csv",
        "movies_metadata.csv",
    ]
    assert kaggle.asked == [
        (DATASET, name, str(tmp_path / "kept"))
        for name in ("ratings.csv", "links.csv", "movies_metadata.csv")
    ]
    assert "KAGGLEHUB_CACHE" not in os.environ


def test_a_cache_folder_that_the_user_has_set_is_kept(kaggle, monkeypatch, tmp_path):
    monkeypatch.setenv("KAGGLEHUB_CACHE", "/somewhere")
    resolve_source("kaggle", download_dir=tmp_path)
    assert kaggle.asked[0][2] == "/somewhere"


@pytest.mark.parametrize(
    "fault",
    [
        refused(401),
        refused(403),
        faults.UnauthenticatedError(),
        faults.CredentialError("A JWT Token is required"),
        ValueError("Invalid Kaggle credentials file at /home/me/.kaggle/kaggle.json"),
    ],
)
def test_missing_credentials_say_how_to_give_them(kaggle, fault):
    kaggle.answer = fault
    with pytest.raises(IngestError) as caught:
        resolve_source("kaggle")
    message = str(caught.value)
    for words in ("KAGGLE_USERNAME", "KAGGLE_KEY", "~/.kaggle/kaggle.json", "--source FOLDER"):
        assert words in message


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (refused(404), "the dataset has no ratings.csv, or no longer exists"),
        (refused(500), "Kaggle answered 500"),
        (requests.exceptions.ConnectionError("Name or service not known"), "Kaggle could not be reached"),
        (requests.exceptions.ReadTimeout("Read timed out."), "Kaggle could not be reached"),
        (requests.exceptions.ChunkedEncodingError("Connection broken"), "was interrupted"),
        (faults.DataCorruptionError("The X-Goog-Hash header\n\nindicated"), "was interrupted"),
        (requests.exceptions.JSONDecodeError("Expecting value", "", 0), "could not be read"),
        (OSError(28, "No space left on device"), "could not be saved (No space left on device)"),
        (faults.BackendError("boom"), "could not be downloaded (BackendError)"),
    ],
)
def test_a_failed_download_says_what_happened_and_how_to_do_without(kaggle, fault, words):
    kaggle.answer = fault
    with pytest.raises(IngestError) as caught:
        resolve_source("kaggle")
    message = str(caught.value)
    assert words in message
    assert "--source FOLDER" in message
    assert "\n" not in message


def test_a_download_that_leaves_no_file_is_an_error(kaggle, monkeypatch):
    monkeypatch.setattr(kaggle, "dataset_download", lambda handle, path: "/no/such/file")
    with pytest.raises(IngestError, match=r"Kaggle sent no ratings\.csv"):
        resolve_source("kaggle")
