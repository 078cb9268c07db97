"""The command line: each command is the module of its name, or the folder whose `command.py` holds its options.

Belongs here: arguments, messages, exit codes, and what one command does for itself. Does not belong here: anything that
an asset needs too (`tasks`, `tools`), or that a page shows too (`published`).
"""
