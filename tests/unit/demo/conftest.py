"""One small demo world for all tests of it."""

from pathlib import Path

import pytest

from ingest.demo import DemoWorld, write_demo_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> DemoWorld:
    return write_demo_world(tmp_path_factory.mktemp("demo"), scale="small", seed=0)


@pytest.fixture(scope="session")
def folder(world: DemoWorld) -> Path:
    return world.folder
