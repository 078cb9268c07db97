"""What becomes of a streaming catalogue's file: ids, scores, dates, and lines that break the contract."""

from datetime import date

import pytest

from ingest.errors import IngestError
from ingest.sources import resolve_source

HEADER = "Title,Series or Movie,IMDb Score,IMDb Votes,Rotten Tomatoes Score,Release Date,Boxoffice\n"
GOOD = "Amber,Movie,7.1,1200,80,2001-05-04,\n"


def test_a_title_lands_typed_with_the_row_number_for_an_id(folder, rows):
    (row,) = rows(folder.land_text("catalogue", f"{HEADER}{GOOD}"))
    given = {name: value for name, value in row.items() if value is not None}
    assert given == {
        "catalogue_id": "1",
        "title": "Amber",
        "kind": "Movie",
        "imdb_score": 7.1,
        "imdb_votes": 1200,
        "rotten_tomatoes_score": 80,
        "release_date": date(2001, 5, 4),
    }


@pytest.mark.parametrize("name", ["id", "show_id", "TITLE_ID"])
def test_an_id_of_the_file_is_taken(folder, rows, name):
    landed = folder.land_text("catalogue", f"{name},{HEADER}s7,{GOOD}")
    assert [row["catalogue_id"] for row in rows(landed)] == ["s7"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Amber,Movie,71,1200,80,,", "IMDb Score: expected a number from 0 to 10, got '71'"),
        ("Amber,Movie,-1,1200,80,,", "IMDb Score: expected a number from 0 to 10, got '-1'"),
        ("Amber,Movie,good,1200,80,,", "IMDb Score: expected a number from 0 to 10, got 'good'"),
        ("Amber,Movie,inf,1200,80,,", "IMDb Score: expected a number from 0 to 10, got 'inf'"),
        ("Amber,Movie,7,-3,80,,", "IMDb Votes: expected a whole number, 0 or more, got '-3'"),
        ("Amber,Movie,7,1.5,80,,", "IMDb Votes: expected a whole number, 0 or more, got '1.5'"),
        ("Amber,Movie,7,1200,101,,", "Rotten Tomatoes Score: expected a number from 0 to 100, got '101'"),
        ("Amber,Movie,7,1200,-1,,", "Rotten Tomatoes Score: expected a number from 0 to 100, got '-1'"),
        ("Amber,Opera,7,1200,80,,", "Series or Movie: expected Series or Movie, got 'Opera'"),
        ("Amber,,7,1200,80,,", "Series or Movie: expected Series or Movie, got nothing"),
        ("  ,Movie,7,1200,80,,", "Title: expected the name of a title, got nothing"),
    ],
)
def test_a_bad_line_is_rejected_and_the_others_keep_their_numbers(folder, rows, rejects, line, reason):
    landed = folder.land_text("catalogue", f"{HEADER}{GOOD}{line}\n{GOOD}")
    assert [row["catalogue_id"] for row in rows(landed)] == ["1", "3"]
    assert [(row["line"], row["reason"]) for row in rejects(landed)] == [(3, reason)]


@pytest.mark.parametrize(
    ("score", "landed_as"),
    [("0", 0), ("100", 100), ("98%", 98), ("N/A", None), ("inf", None), ("1_0", None), ("", None)],
)
def test_a_critics_score_at_the_bounds_lands_and_an_unreadable_one_is_missing(folder, rows, score, landed_as):
    (row,) = rows(folder.land_text("catalogue", f"{HEADER}Amber,Movie,7,1200,{score},,\n"))
    assert row["rotten_tomatoes_score"] == landed_as


@pytest.mark.parametrize(
    ("cell", "landed_as"),
    [
        ("2008-12-12", date(2008, 12, 12)),
        ("12 Dec 2008", date(2008, 12, 12)),
        ("12/11/2008", None),
        ("2008-02-30", None),
        ("soon", None),
    ],
)
def test_a_date_names_its_month_or_is_written_from_year_to_day(folder, rows, cell, landed_as):
    (row,) = rows(folder.land_text("catalogue", f"{HEADER}Amber,Movie,7,1200,80,{cell},\n"))
    assert row["release_date"] == landed_as


def test_dollars_land_as_they_are_written(folder, rows):
    (row,) = rows(folder.land_text("catalogue", f'{HEADER}Amber,Movie,7,1200,80,,"$2,122,065 "\n'))
    assert row["boxoffice"] == "$2,122,065 "


def test_a_file_without_scores_of_the_audience_is_refused(folder):
    with pytest.raises(IngestError, match="IMDb Score"):
        folder.land_text("catalogue", "Title,Series or Movie,IMDb Votes\nAmber,Movie,3\n")


@pytest.mark.parametrize("name", ["netflix_titles.csv", "catalogue.csv", "Netflix_Titles.CSV"])
def test_a_catalogue_alone_is_a_source(folder, name):
    folder.write(name, f"{HEADER}{GOOD}")
    assert list(resolve_source(str(folder.root / "raw")).files) == ["catalogue"]


def test_every_line_of_the_public_file_lands(real_movies, folder, rows):
    landed = folder.land("catalogue", real_movies.parent / "catalogue" / "netflix_titles.csv")
    assert (landed.rows_landed, landed.rows_rejected) == (15_480, 0)
    scores = [row["imdb_score"] for row in rows(landed)]
    assert scores.count(None) == 2_099
