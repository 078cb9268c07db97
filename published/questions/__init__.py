"""What several readers ask of a set, by subject, each question once.

Belongs here: SQL that two of dashboard, report and commands ask alike, what a command asks, and what makes a subject
whole beside these. Does not belong here: what is one page's own view of a subject.
"""
