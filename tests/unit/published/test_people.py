"""Addresses of people and of files in what is shown."""

import pytest

from published.people import hide_emails, hide_folders


def test_an_address_is_hidden_wherever_it_stands_and_two_people_stay_two():
    line = hide_emails('17,"ada@example.org",4.5;bo.lind+tv@mail.example.co.uk')
    assert "example" not in line
    assert line.startswith('17,"a***@… #')
    assert "4.5;b***@… #" in line
    assert hide_emails("ada@example.org") != hide_emails("ann@example.org")


@pytest.mark.parametrize(
    "text", ["", "862", "007", "7f3c-a1", "@ada", "a@b", "mail at example.org", "a @ b.org"]
)
def test_what_is_no_address_stays(text):
    assert hide_emails(text) == text


def test_the_setting_shows_addresses(monkeypatch):
    monkeypatch.setenv("MATINEE_SHOW_EMAILS", "true")
    assert hide_emails("ada@example.org") == "ada@example.org"
    monkeypatch.setenv("MATINEE_SHOW_EMAILS", "False")
    assert hide_emails("ada@example.org") != "ada@example.org"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/mnt/ann/movies", "movies"),
        ("/home/ann/my files/movies.zip", "movies.zip"),
        (r"C:\Users\ann\movies", "movies"),
        ("~/movies/", "movies"),
        ('it lies in "/srv/ann/ratings.csv" (line 3)', 'it lies in "ratings.csv" (line 3)'),
        ("the demo world (small)", "the demo world (small)"),
        ("Kaggle dataset rounakbanik/the-movies-dataset", "Kaggle dataset rounakbanik/the-movies-dataset"),
        ("14 / 12 and/or https://example.org/a", "14 / 12 and/or https://example.org/a"),
    ],
)
def test_files_are_named_without_where_they_lie(text, shown):
    assert hide_folders(text) == shown
