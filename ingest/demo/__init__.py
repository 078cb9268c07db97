"""The demo world: invented raw files with planted truth, in the shape of the real ones or in a service's own."""

from ingest.demo.sizes import Form, Scale, Sizes
from ingest.demo.viewing import EFFECT
from ingest.demo.world import DemoWorld, write_demo_world, write_views_after

__all__ = ["EFFECT", "DemoWorld", "Form", "Scale", "Sizes", "write_demo_world", "write_views_after"]
