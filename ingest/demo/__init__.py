"""The demo world: invented raw files with planted truth, in the shape of the real ones or in a service's own."""

from ingest.demo.sizes import Form, Scale
from ingest.demo.world import DemoWorld, write_demo_world

__all__ = ["DemoWorld", "Form", "Scale", "write_demo_world"]
