"""Fixtures that every kind of test shares."""

import os
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[1]


def _real_data() -> Path:
    return Path(os.environ.get("MATINEE_REAL_DATA", PROJECT_ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def real_movies() -> Path:
    """The folder of the real MovieLens files; the test skips where it is absent."""
    folder = _real_data() / "movies"
    if not (folder / "ratings_small.csv").exists():
        pytest.skip(f"the real files are not here: {folder} (set MATINEE_REAL_DATA)")
    return folder
