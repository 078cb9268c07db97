"""Components that YAML files under `defs/` name.

Belongs here: the names. Does not belong here: what a component makes (`segmentation`).
"""

from orchestration.components.segmentation import SegmentationComponent

__all__ = ["SegmentationComponent"]
