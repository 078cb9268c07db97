"""The errors that segmenting raises for input it cannot honestly work with.

Belongs here: the error types. Does not belong here: messages (they stand where the rule is checked).
"""


class SegmentationError(ValueError):
    """The data cannot give the segmentation that was asked for; the message says why and what to change."""


class UntrainableError(SegmentationError):
    """There is too little in the data to divide: no fault of the declaration, so other segmentations go on."""
