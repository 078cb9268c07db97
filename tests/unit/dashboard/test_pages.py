"""Every page and view renders, whatever the set lacks and whatever a person types."""

import shutil
from functools import cache
from pathlib import Path

import duckdb
import polars as pl
import pytest
import yaml
from streamlit.components.v2 import manifest_scanner
from streamlit.proto.SelectWidgetFilterMode_pb2 import SelectWidgetFilterMode
from streamlit.testing.v1 import AppTest

from dashboard.views import PAGES
from ml.audiences.spec import parse_audience
from published.finding import current_set
from published.questions import segments
from tests.conftest import PROJECT_ROOT

# Whenever a page is opened, Streamlit looks through all installed packages for components: half a second each time.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)

VIEWS = [
    ("overview", {}),
    ("overview", {"segmentation": "Title reception"}),
    ("segments", {}),
    ("segments", {"view": "One segment"}),
    ("segments", {"view": "Genres"}),
    ("segments", {"view": "Genres", "measure": "Share who rated it"}),
    ("segments", {"view": "Genres", "segmentation": "Title reception"}),
    ("segments", {"view": "Map"}),
    ("segments", {"view": "Can it be trusted?"}),
    ("changes", {}),
    ("changes", {"since": "Last week"}),
    ("members", {}),
    ("audiences", {}),
    ("audiences", {"audience": "loyal"}),
    ("audiences", {"audience_view": "Build one"}),
    ("leaving", {}),
    ("choose_k", {}),
    ("titles", {}),
    ("titles", {"titles": "By genre"}),
    ("recommend", {}),
    ("recommend", {"genre": "Drama"}),
    ("recommend", {"for": "For liked titles"}),
    ("customers", {}),
    ("customers", {"discovery": "Customers"}),
    ("viewing", {}),
    ("viewing", {"viewing": "Devices"}),
    ("viewing", {"viewing": "Ratings"}),
    ("viewing", {"viewing": "Subscriptions"}),
    ("data_health", {}),
]
TYPED = [
    '"',
    "'; drop table titles; --",
    "<script>alert(1)</script>",
    "%",
    "_",
    "\\",
    "[x](y)",
    "$1",
    "a\0b",
    " ",
    "é" * 200,
]


def open_page(page: str, warehouse: Path, **address: str | list[str]) -> AppTest:
    """Open a page as the app does, on the set that is published in a warehouse."""
    script = f"""
from pathlib import Path

from published.finding import current_set
from dashboard.views import PAGES

data = current_set(Path({str(warehouse)!r}))
next(entry for entry in PAGES if entry.path == {page!r}).show(data)
"""
    app = AppTest.from_string(script, default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def said(app: AppTest) -> str:
    """Return every message of a page."""
    return "\n".join(message.value for kind in (app.info, app.warning, app.error) for message in kind)


def test_the_pages_are_those_of_the_sidebar_in_its_order():
    assert [page.title for page in PAGES] == [
        "Overview", "Segments", "What changed", "Members", "Audiences", "Leaving", "Choose k", "Titles", "Recommend",
        "Customers", "Viewing", "Data health",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("page", "address"), VIEWS, ids=lambda part: "-".join(map(str, part)) if part else ""
)
def test_every_view_of_every_page_renders(made_up, page, address):
    app = open_page(page, made_up, **address)
    assert not app.exception
    assert app.title[0].value
    assert app.main.get("plotly_chart") or app.dataframe or said(app)


def test_the_page_of_k_says_of_which_run_its_figures_are(made_up):
    said_of_it = " ".join(caption.value for caption in open_page("choose_k", made_up).caption)
    trained = segments.trained_at(current_set(made_up), "user_ratings")
    assert f"fitted and judged at {trained:%Y-%m-%d %H:%M} UTC" in said_of_it


def test_an_audience_that_is_built_by_choosing_is_counted_and_is_a_file_that_a_run_reads(made_up):
    app = open_page("audiences", made_up, audience_view="Build one")
    app.number_input(key="audience_conditions").set_value(2)
    app.selectbox(key="of_0").set_value("user_ratings").run()
    app.multiselect(key="is_0_user_ratings").set_value(["Loyalists", "Premium Loyalists"])
    app.selectbox(key="side_1").set_value("exclude")
    app.selectbox(key="what_1").set_value("attribute").run()
    app.multiselect(key="values_1_subscription").set_value(["Basic"]).run()
    assert not app.exception
    spec = parse_audience(yaml.safe_load(app.code[0].value)["attributes"])
    assert [(side, one.kind) for side, one in spec.steps] == [
        ("include", "segment"),
        ("exclude", "attribute"),
    ]
    expected = current_set(made_up).ask(
        """
        select count(*)
        from segment_members inner join users on user_id = entity_id
        where segmentation = 'user_ratings' and segment_name in ('Loyalists', 'Premium Loyalists')
            and coalesce(subscription <> 'Basic', true)
        """
    )
    assert {metric.label: metric.value for metric in app.metric} == {"Found": f"{expected.item():,}"}


def test_an_audience_of_who_will_likely_leave_has_those_of_the_highest_scores(made_up):
    app = open_page("audiences", made_up, audience_view="Build one")
    app.selectbox(key="what_0").set_value("score").run()
    app.slider(key="decile_0").set_value(2).run()
    rule = yaml.safe_load(app.code[0].value)["attributes"]["include"]
    assert rule == [{"score": {"by": "decile", "at_most": 2}}]
    highest = current_set(made_up).ask("select count(*) from departure where score > 0.8")
    assert app.metric[0].value == f"{highest.item():,}"


def test_the_builder_tells_of_so_few_only_that_they_are_few(made_up):
    app = open_page("audiences", made_up, audience_view="Build one")
    app.selectbox(key="what_0").set_value("attribute").run()
    app.selectbox(key="column_0").set_value("minutes").run()
    most = current_set(made_up).ask("select quantile_disc(minutes, 0.98) from users").item()
    app.number_input(key="number_0_minutes").set_value(most).run()
    assert app.metric[0].value == "fewer than 50"
    assert not app.main.get("plotly_chart")


def test_a_name_that_no_file_may_have_is_refused_as_it_is_typed(made_up):
    app = open_page("audiences", made_up, audience_view="Build one")
    app.text_input(key="audience_name").set_value("../[x](y)").run()
    assert "name: String should match pattern" in said(app).replace("\\", "")
    assert not app.code


def test_the_page_of_leaving_says_how_many_how_surely_and_who(made_up, monkeypatch):
    monkeypatch.setenv("MATINEE_MINIMUM_MEMBERS", "600")
    app, data = open_page("leaving", made_up), current_set(made_up)
    users, mean = data.ask("select count(*), avg(score) from departure").row(0)
    told = app.markdown[0].value.replace("\\", "")
    assert f"{mean:.1%} of {users:,} users active of late" in told
    assert "AUC 0.80, recency alone 0.70" in told
    assert "30 days after 31 May 2026" in app.caption[0].value.replace("\\", "")
    shown = app.dataframe[0].value
    assert shown["score"].is_monotonic_decreasing
    assert shown["decile"].is_monotonic_increasing
    assert shown["reason"].notna().all()
    assert shown["segment"].isna().all()  # none has so many members that it may be named
    monkeypatch.setenv("MATINEE_MINIMUM_MEMBERS", "601")
    assert "Fewer than 601 users" in said(open_page("leaving", made_up))


def test_scores_that_were_not_published_are_told_with_the_figure_that_kept_them(made_up, tmp_path):
    folder = tmp_path / "published"
    shutil.copytree(made_up / "published", folder)
    scores, quality = (pl.read_parquet(folder / f"departure{of}.parquet") for of in ("", "_quality"))
    scores.clear().write_parquet(folder / "departure.parquet")
    quality.with_columns(passed=pl.col("measure") != "auc_gain").write_parquet(
        folder / "departure_quality.parquet"
    )
    app = open_page("leaving", tmp_path)
    assert "do not tell more than recency alone: AUC 0.80 beside 0.70" in said(app).replace("\\", "")
    assert not app.dataframe


@pytest.fixture(scope="module")
def bare(made_up, tmp_path_factory) -> Path:
    """A set of an older version: of all tables it has `segments` only."""
    warehouse = tmp_path_factory.mktemp("bare")
    folder = warehouse / "published"
    folder.mkdir()
    shutil.copy(made_up / "published" / "segments.parquet", folder)
    return warehouse


@pytest.fixture(scope="module")
def empty(made_up, tmp_path_factory) -> Path:
    """A set with every table and not a row."""
    warehouse = tmp_path_factory.mktemp("empty")
    folder = warehouse / "published"
    folder.mkdir()
    with duckdb.connect() as connection:
        for file in (made_up / "published").glob("*.parquet"):
            connection.execute(f"copy (from '{file}' limit 0) to '{folder / file.name}' (format parquet)")
    return warehouse


@pytest.fixture(scope="module")
def half_written(made_up, tmp_path_factory) -> Path:
    """A set of which every file but `segments` ends in the middle."""
    warehouse = tmp_path_factory.mktemp("half_written")
    folder = warehouse / "published"
    shutil.copytree(made_up / "published", folder)
    for file in folder.glob("*.parquet"):
        if file.stem != "segments":
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return warehouse


@pytest.mark.parametrize(
    ("page", "address"), VIEWS[::2], ids=lambda part: "-".join(map(str, part)) if part else ""
)
@pytest.mark.parametrize(("state", "words"), [("bare", "older"), ("half_written", "cannot be read")])
def test_a_page_says_in_words_what_its_set_lacks(request, state, words, page, address):
    app = open_page(page, request.getfixturevalue(state), **address)
    assert not app.exception
    lacks_nothing = page in ("overview", "segments")
    assert lacks_nothing or page == "data_health" or words in said(app)


def test_the_menu_leaves_out_what_has_nothing_to_show(made_up, empty, bare, catalogue_alone):
    def menu(warehouse: Path) -> list[str]:
        data = current_set(warehouse)
        return [page.path for page in PAGES if not page.is_empty(data)]

    assert menu(made_up) == menu(bare) == [page.path for page in PAGES]
    assert {"overview", "data_health"} <= set(menu(empty)) < {page.path for page in PAGES}
    assert {"titles", "recommend", "customers", "viewing"} & set(menu(catalogue_alone)) == {"titles"}


@pytest.mark.parametrize(
    ("page", "address"), VIEWS, ids=lambda part: "-".join(map(str, part)) if part else ""
)
def test_a_page_of_a_set_without_a_row_is_no_error(empty, page, address):
    assert not open_page(page, empty, **address).exception


def test_a_run_that_made_no_segments_says_so(empty):
    assert "This run made no segments" in said(open_page("overview", empty))


@pytest.mark.parametrize("typed", TYPED)
def test_any_search_for_a_title_is_answered(made_up, typed):
    for page, key in (("titles", "search"), ("recommend", "find")):
        app = open_page(page, made_up, **({"for": "For liked titles"} if key == "find" else {}))
        app.text_input(key=key).set_value(typed).run()
        assert not app.exception


def test_a_search_forgives_a_slip_and_says_when_nothing_is_like_it(made_up):
    app = open_page("titles", made_up)
    name = app.header[0].value
    app.text_input(key="search").set_value("The Advnetuer of Vell21").run()
    assert "Vell21" in app.header[0].value != name
    app.text_input(key="search").set_value("Qwertyuiop").run()
    assert "No title has all of these words" in said(app)


def test_what_is_not_known_of_a_similar_title_is_left_empty(made_up):
    app = open_page("titles", made_up)
    assert {table.proto.placeholder for table in app.dataframe} == {""}
    assert all(table.proto.HasField("placeholder") for table in app.dataframe)


def test_users_likely_to_watch_a_title_are_listed_when_asked_for_and_addresses_are_hidden(
    made_up, tmp_path, monkeypatch
):
    shutil.copytree(made_up, tmp_path, dirs_exist_ok=True)
    ids = pl.DataFrame({"number": list(range(100, 160)), "id": [f"u{i}@example.org" for i in range(60)]})
    ids.sort("id").write_parquet(tmp_path / "models" / "recommender" / "abc" / "ids.parquet")
    app = open_page("titles", tmp_path, search="Vell21")
    assert not any("user_id" in table.value for table in app.dataframe)
    app.toggle(key="likeliest").set_value(True).run()
    assert "their list is not given out" in said(app)
    monkeypatch.setenv("MATINEE_MINIMUM_MEMBERS", "10")
    app.run()
    assert not app.exception
    (listed,) = [table.value for table in app.dataframe if "user_id" in table.value]
    assert 10 < len(listed) < 50
    assert all("***@" in user for user in listed["user_id"])


def test_an_audience_whose_index_meant_something_else_is_not_shown(made_up, tmp_path):
    shutil.copytree(made_up, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "published" / "title_audience.parquet"
    older = pl.read_parquet(file).drop("index", "index_low", "index_high").rename({"raw_index": "index"})
    older.write_parquet(file)
    app = open_page("titles", tmp_path, search="Vell21")
    assert not app.exception
    assert "older Matinee" in said(app)


def test_markup_in_a_title_stays_text(made_up):
    app = open_page("titles", made_up, search="script")
    assert "\\<script\\>" in app.header[0].value


@pytest.mark.parametrize(("typed", "words"), [
    ("999999999", "There is no user 999999999. The nearest numbers are 600"),
    ("0", "There is no user 0"),
    ("abc", "There is no user abc. A user is known by an id such as 1."),
    ("-5", "There is no user \\-5"),
    ("1; drop table users", "There is no user 1; drop table users"),
    ("9" * 40, "There is no user 999"),
    ("²", "There is no user ²"),
    ("", "A user is known by an id such as 1."),
])  # fmt: skip
def test_an_unknown_user_is_told_so(made_up, typed, words):
    app = open_page("recommend", made_up)
    app.text_input(key="user").set_value(typed).run()
    assert not app.exception
    assert words in said(app)


def test_liked_titles_give_recommendations_with_reasons(made_up):
    app = open_page("recommend", made_up, **{"for": "For liked titles"})
    app.multiselect(key="liked").set_value(["21", "22"]).run()
    assert not app.exception
    assert any("because you like" in text.value for text in app.markdown)


def test_without_a_recommender_the_page_of_liked_titles_says_so(made_up, tmp_path):
    shutil.copytree(made_up, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "models")
    app = open_page("recommend", tmp_path, **{"for": "For liked titles", "liked": ["21"]})
    assert not app.exception
    assert "No recommender is trained here yet" in said(app).replace("\\", "")


def test_liked_titles_stay_chosen_when_another_is_searched(made_up):
    app = open_page("recommend", made_up, **{"for": "For liked titles"})
    app.multiselect(key="liked").set_value(["21"]).run()
    app.text_input(key="find").set_value("War Vell40").run()
    assert app.multiselect(key="liked").value == ["21"]


def test_liked_titles_stand_in_the_address(made_up):
    app = open_page("recommend", made_up, **{"for": "For liked titles"})
    app.multiselect(key="liked").set_value(["21", "22"]).run()
    assert app.query_params["liked"] == ["21", "22"]
    app.multiselect(key="liked").set_value([]).run()
    assert not app.query_params.get("liked")


def test_an_address_with_liked_titles_chooses_those_there_are(made_up):
    app = open_page(
        "recommend", made_up, **{"for": "For liked titles", "liked": ["22", "no such title", "21"]}
    )
    assert not app.exception
    assert app.multiselect(key="liked").value == ["22", "21"]
    assert any("because you like" in text.value for text in app.markdown)


def test_liked_titles_are_searched_in_one_field_and_never_all_chosen(made_up):
    app = open_page("recommend", made_up, **{"for": "For liked titles"})
    listed = app.multiselect(key="liked").proto
    assert listed.filter_mode == SelectWidgetFilterMode.FILTER_MODE_NONE
    assert listed.select_all == 0


@pytest.fixture(scope="module")
def catalogue_alone(made_up, tmp_path_factory) -> Path:
    """A set of a source that has a streaming catalogue and nothing else."""
    warehouse = tmp_path_factory.mktemp("catalogue_alone")
    folder = warehouse / "published"
    shutil.copytree(made_up / "published", folder)
    changed = {
        "data_funnel": "select 1 as step_order, 'titles' as entity, 'streaming titles' as step, 15327 as row_count",
        "titles": "select * replace (0 as rating_count, null as mean_rating) from '{table}'",
        "genre_popularity": (
            "select * replace (0 as ratings, 0 as raters, null as mean_rating, 0 as events, 0 as viewers) "
            "from '{table}'"
        ),
        **dict.fromkeys(
            ("recommendations", "recommender_metrics", "weekly_activity", "viewing_hours", "segment_devices",
             "user_devices", "genre_rating_counts", "subscription_regions",
             "customer_discovery", "customer_channels"),
            "from '{table}' limit 0",
        ),
    }  # fmt: skip
    with duckdb.connect() as connection:
        for name, sql in changed.items():
            table = folder / f"{name}.parquet"
            connection.execute(f"create table {name} as {sql.format(table=table)}")
            connection.execute(f"copy {name} to '{table}' (format parquet)")
    return warehouse


def test_the_overview_of_a_catalogue_alone_counts_its_titles_and_shows_no_empty_genres(catalogue_alone):
    app = open_page("overview", catalogue_alone)
    assert not app.exception
    assert {metric.label: metric.value for metric in app.metric}["Streaming titles"] == "15,327"
    assert "Genres" not in [header.value for header in app.header]
    assert "No genre was rated" not in " ".join(text.value for text in app.markdown)


def test_titles_that_nobody_rated_are_not_called_the_most_rated(catalogue_alone):
    app = open_page("titles", catalogue_alone)
    assert not app.exception
    assert "The titles with the most votes" in [box.label for box in app.selectbox]
    assert "Ratings here" not in [metric.label for metric in app.metric]


def test_before_the_first_run_the_app_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("MATINEE_WAREHOUSE", str(tmp_path))
    app = AppTest.from_file(str(PROJECT_ROOT / "dashboard" / "app.py"), default_timeout=60).run()
    assert not app.exception
    assert "Nothing is published" in app.info[0].value
    assert "matinee run" in app.code[0].value


def test_the_app_says_how_old_its_data_is(made_up, monkeypatch):
    monkeypatch.setenv("MATINEE_WAREHOUSE", str(made_up))
    app = AppTest.from_file(str(PROJECT_ROOT / "dashboard" / "app.py"), default_timeout=60).run()
    assert not app.exception
    assert "Published" in app.sidebar.warning[0].value
    assert "days ago" in app.sidebar.warning[0].value


def test_runs_are_compared_and_the_stages_of_the_last_one_are_listed(made_up):
    app = open_page("data_health", made_up)
    assert any("the newest run took" in text.value for text in app.markdown)
    (stages,) = (table.value for table in app.dataframe if "cpu_seconds" in table.value.columns)
    assert "landing" in stages["stage"].tolist()
    assert "publish" not in stages["stage"].tolist()


def test_one_run_is_compared_with_nothing(made_up, tmp_path):
    shutil.copytree((made_up / "published").resolve(), tmp_path / "published")
    account = tmp_path / "published" / "run_ledger.parquet"
    pl.read_parquet(account).filter(pl.col("run") == "run 0").write_parquet(account)
    app = open_page("data_health", tmp_path)
    assert not app.exception
    assert not any("the newest run took" in text.value for text in app.markdown)
    assert any("Runs are compared as soon as" in text.value for text in app.caption)


def test_a_small_segment_gives_no_list_of_members(made_up, tmp_path):
    shutil.copytree(made_up / "published", tmp_path / "published")
    with duckdb.connect() as connection:
        table = tmp_path / "published" / "segments.parquet"
        connection.execute(
            f"create table s as select * replace (cast(49 as bigint) as members) from '{table}'"
        )
        connection.execute(f"copy s to '{table}' (format parquet)")
    app = open_page("segments", tmp_path, view="One segment")
    assert "list is not given out" in said(app)
    assert "fewer than 50" in " ".join(caption.value for caption in app.caption)


def test_views_without_data_are_left_out(catalogue_alone):
    app = open_page("segments", catalogue_alone, segmentation="Title reception")
    assert "Genres" not in app.button_group(key="view").options
    assert "Map" in app.button_group(key="view").options
    assert not app.exception
    assert "View" not in [group.label for group in open_page("titles", catalogue_alone).button_group]


def test_an_audience_whose_rule_names_what_is_not_there_says_so_and_the_conditions_of_others_stand_in_full(
    made_up, tmp_path
):
    shutil.copytree(made_up, tmp_path, dirs_exist_ok=True)
    published = tmp_path / "published"
    steps = pl.read_parquet(published / "audience_waterfall.parquet")
    long = "watched at least 2 titles of Crime or Animation in the last 30 days or rated at least 1 title"
    is_loyal = pl.col("audience") == "loyal"
    steps.filter(is_loyal).with_columns(condition=pl.lit(long)).write_parquet(
        published / "audience_waterfall.parquet"
    )
    found = pl.read_parquet(published / "audiences.parquet")
    typo = "marts.users has no column 'subscripton'; nearest: subscription"
    found.with_columns(warning=pl.when(~is_loyal).then(pl.lit(typo))).write_parquet(
        published / "audiences.parquet"
    )
    (odd,) = found.filter(~is_loyal)["audience"]
    assert any(
        "has no column 'subscripton'" in one.value
        for one in open_page("audiences", tmp_path, audience=odd).info
    )
    loyal = open_page("audiences", tmp_path, audience="loyal")
    assert any(long in one.value for one in loyal.markdown)
