"""The one way to read what is published: its contract, finding a set, asking it.

Belongs here: what two readers need alike. Does not belong here: making a set (`orchestration.assets.publish`), what one
page alone asks (`dashboard.queries`, `report`).
"""
