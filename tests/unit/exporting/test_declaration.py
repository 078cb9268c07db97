"""An export is declared by a file; a wrong one is refused in words, and no secret stands in it or in the words."""

import pytest

from orchestration.tasks.exporting.declaration import filled, find_export, read_exports
from orchestration.tasks.exporting.errors import ExportError

GOOD = """
description: People who watch much
audiences: [loyal]
columns: [{attribute: region}, {segment: user_taste, as: taste}, {recommendations: 2}]
destination: {folder: exported}
"""


@pytest.fixture
def declare(tmp_path):
    def declare(text: str, name: str = "loyal"):
        (tmp_path / f"{name}.yaml").write_text(text)
        return find_export(tmp_path, name)

    return declare


def test_an_export_is_called_as_its_file_and_has_the_columns_it_names(declare):
    export = declare(GOOD)
    assert export.name == "loyal"
    assert export.value_names == ["region", "taste", "title_1", "title_id_1", "title_2", "title_id_2"]


def test_an_unknown_export_is_answered_with_the_nearest_and_without_a_folder_there_is_none(declare, tmp_path):
    declare(GOOD)
    with pytest.raises(ExportError, match="no export 'loial'; there are: loyal"):
        find_export(tmp_path, "loial")
    assert read_exports(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("audiences: [loyal]", "audiences: []", "audiences: Tuple should have at least 1 item"),
        ("{attribute: region}", "{attribute: region, segment: x}", "a column is one of attribute"),
        ("as: taste", "as: region", "two columns would be called region"),
        ("as: taste", "as: change", "two columns would be called change"),
        ("{folder: exported}", "{foldr: a}", "destination.foldr: there is no such field; nearest: folder"),
        (
            "attribute: region",
            "atribute: region",
            "columns.0.atribute: there is no such field; nearest: attr",
        ),
        ("{folder: exported}", "{folder: a, webhook: b}", "a destination is one of"),
        ("{folder: exported}", "{postgres: $DB}", "postgres and table belong together"),
        ("{folder: exported}", '{postgres: $DB, table: "a; drop b"}', "destination.table"),
        (
            "{folder: exported}",
            "{postgres: 'postgresql://me:hunter2@db/x', table: t}",
            "a password stands in",
        ),
        ("{folder: exported}", "{postgres: 'host=db password = hunter2', table: t}", "a password stands in"),
        ("{folder: exported}", "{postgres: 'postgresql://me@db/x?password=hunter2', table: t}", "a password"),
        ("{folder: exported}", "{webhook: 'https://x/y?a=1&api_key=hunter2'}", "a password stands in"),
        ("description: People", "name: other\ndescription: People", "an export is called as its file"),
        ("{folder: exported}", "{webhook: 'https://x', headers: {Authorization: hunter2}}", "is a secret"),
        ("{folder: exported}", "{folder: exported}\nformat: xml", "format: Input should be 'csv'"),
        ("{folder: exported}", "{folder: exported}\nformat: ads", "the format ads takes columns of email"),
        ("{folder: exported}", "{folder: exported}\nleast: 0", "least: Input should be greater"),
        ("{folder: exported}", "{folder: exported", "it is no YAML that can be read"),
    ],
)
def test_a_wrong_declaration_is_refused_naming_file_and_field(declare, before, after, says):
    with pytest.raises(ExportError) as caught:
        declare(GOOD.replace(before, after))
    assert "loyal.yaml" in str(caught.value)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_another_place_or_column_is_another_delivery_and_another_limit_is_not(declare):
    first = declare(GOOD).fingerprint
    assert declare(GOOD.replace("exported", "elsewhere")).fingerprint != first
    assert declare(GOOD.replace("as: taste", "as: liking")).fingerprint != first
    assert declare(GOOD + "least: 7\nschedule: true\n").fingerprint == first


def test_two_files_of_one_name_are_refused_for_one_would_take_the_place_of_the_other(declare, tmp_path):
    declare(GOOD)
    (tmp_path / "loyal.yml").write_text(GOOD)
    with pytest.raises(ExportError, match=r"loyal\.yml: there is an export loyal already"):
        read_exports(tmp_path)


@pytest.mark.parametrize(
    "place",
    ["{webhook: 'https://x/y?token=$TOKEN'}", "{postgres: 'host=db password=$PASSWORD', table: t}"],
)
def test_an_address_that_names_its_secret_is_taken(declare, place):
    declare(GOOD.replace("{folder: exported}", place))


def test_secrets_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("CRM_TOKEN", "hunter2")
    monkeypatch.delenv("CRM_USER", raising=False)
    assert filled("Bearer $CRM_TOKEN and ${CRM_TOKEN}!") == "Bearer hunter2 and hunter2!"
    with pytest.raises(ExportError, match="the environment variable CRM_USER is not set"):
        filled("$CRM_USER:$CRM_TOKEN")
