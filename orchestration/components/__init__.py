"""Components that YAML files under `defs/` name.

Belongs here: the names. Does not belong here: what a component makes (`segmentation`, `audience`).
"""

from orchestration.components.audience import AudienceComponent
from orchestration.components.segmentation import SegmentationComponent

__all__ = ["AudienceComponent", "SegmentationComponent"]
