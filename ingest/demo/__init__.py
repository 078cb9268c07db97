"""The demo world: invented raw files with planted truth, in exactly the shape of the real ones."""

from ingest.demo.sizes import Scale
from ingest.demo.world import DemoWorld, write_demo_world

__all__ = ["DemoWorld", "Scale", "write_demo_world"]
