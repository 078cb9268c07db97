"""The declarations hold together."""

from dataclasses import replace

import pytest

from ingest.contracts import CONTRACTS, DATASETS, RATINGS, Column, Kind


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_a_contract_names_each_column_once_and_its_key_among_them(contract):
    names = [column.name for column in contract.columns]
    raw = [column.raw.casefold() for column in contract.columns]
    assert len(set(names)) == len(names)
    assert len(set(raw)) == len(raw)
    assert set(contract.key) <= set(names)
    assert {quirk.raw for quirk in contract.quirks} <= {column.raw for column in contract.columns}


def test_no_two_contracts_claim_the_same_file():
    stems = [stem for contract in CONTRACTS.values() for stem in contract.stems]
    assert len(set(stems)) == len(stems)


def test_every_table_belongs_to_exactly_one_dataset():
    assert sorted(table for dataset in DATASETS for table in dataset.tables) == sorted(CONTRACTS)


def test_a_changed_contract_has_another_fingerprint():
    wider = replace(RATINGS, columns=(*RATINGS.columns, Column(raw="note", name="note", kind=Kind.TEXT)))
    assert wider.fingerprint != RATINGS.fingerprint
    assert replace(RATINGS).fingerprint == RATINGS.fingerprint


@pytest.mark.parametrize(
    ("column", "expectation"),
    [
        (Column(raw="a", name="a", kind=Kind.INTEGER, minimum=1), "a whole number, 1 or more"),
        (Column(raw="a", name="a", kind=Kind.NUMBER, minimum=0.5, maximum=5), "a number from 0.5 to 5"),
        (Column(raw="a", name="a", kind=Kind.DATE), "a date such as 1995-10-30 or 30 Oct 1995"),
        (Column(raw="a", name="a", kind=Kind.TEXT, pattern="x", example="an x"), "an x"),
    ],
)
def test_an_expectation_reads_as_the_end_of_a_sentence(column, expectation):
    assert column.expectation == expectation
