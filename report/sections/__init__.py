"""What the report says, by subject: frames in, plain values out.

Belongs here: a module for each section, and for each part of one that is an idea of its own (`cards`, `choice` and
`judgement` of a segmentation). Does not belong here: reading tables (`report.reading`), how a section looks
(`report/templates`).
"""
