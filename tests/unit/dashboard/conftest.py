"""The dashboard reads the same made-up sets as tests of `published`."""

from tests.unit.published.conftest import SEGMENTS, data, made_up, publish, world

__all__ = ["SEGMENTS", "data", "made_up", "publish", "world"]
