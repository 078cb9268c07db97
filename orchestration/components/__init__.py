"""Components that YAML files under `defs/` name."""

from orchestration.components.segmentation import SegmentationComponent

__all__ = ["SegmentationComponent"]
