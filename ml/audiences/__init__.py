"""Audiences: groups of people by rules that marketers write.

Belongs here: what a rule is, its SQL, how many each condition keeps, priority, hold-out, who entered and left. Does not
belong here: running SQL, files, Dagster.
"""
