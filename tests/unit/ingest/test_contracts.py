"""The canonical tables hold together."""

from dataclasses import replace

import pytest

from ingest.contracts import CONTRACTS, RATINGS, Column, Kind
from ingest.layouts import known_layouts


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_a_contract_names_each_column_once_and_its_key_among_them(contract):
    names = [column.name for column in contract.columns]
    assert len(set(names)) == len(names)
    assert set(contract.key) <= set(names)


def test_a_changed_contract_has_another_fingerprint():
    wider = replace(RATINGS, columns=(*RATINGS.columns, Column(name="note", kind=Kind.TEXT)))
    assert wider.fingerprint != RATINGS.fingerprint
    assert replace(RATINGS).fingerprint == RATINGS.fingerprint


def test_another_way_to_read_has_another_fingerprint_and_another_place_has_not():
    rule = known_layouts()["movies_dataset"].tables["ratings"]
    assert rule.model_copy(update={"where": "rating > 1"}).fingerprint != rule.fingerprint
    assert rule.model_copy(update={"named": ("stars",)}).fingerprint == rule.fingerprint


@pytest.mark.parametrize(
    ("column", "expectation"),
    [
        (Column(name="a", kind=Kind.INTEGER, minimum=1), "a whole number, 1 or more"),
        (Column(name="a", kind=Kind.NUMBER, minimum=0.5, maximum=5), "a number from 0.5 to 5"),
        (Column(name="a", kind=Kind.SCORE, minimum=0, maximum=100), "a number from 0 to 100"),
        (Column(name="a", kind=Kind.DATE), "a date such as 1995-10-30 or 30 Oct 1995"),
        (Column(name="a", kind=Kind.TEXT, pattern="x", example="an x"), "an x"),
    ],
)
def test_an_expectation_reads_as_the_end_of_a_sentence(column, expectation):
    assert column.expectation == expectation
