"""What several readers ask of a set, by subject, each question once.

Belongs here: SQL that two of dashboard, report and commands ask alike. Does not belong here: what one page alone asks.
"""
