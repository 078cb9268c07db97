"""Addresses of people in what is shown."""

import pytest

from published.people import hide_emails


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
