"""What a reader of the report finds of the pictures of audience and catalogue."""

from orchestration.tasks import audience_queries
from report.context import PERSONAL_PLOTS

PICTURES = [name for name in audience_queries.PICTURES if name not in PERSONAL_PLOTS]


def test_the_pictures_stand_in_reading_order_and_say_their_finding(warehouse, draw_plot):
    shown = list(PICTURES)[::3]
    for name in sorted(shown):
        draw_plot(warehouse.plots / "audience" / f"{name}.png", title=f"Finding of {name}")
    context = warehouse.context()
    assert [picture.name for picture in context.audience_plots] == shown
    assert [picture.alt for picture in context.audience_plots] == [f"Finding of {name}" for name in shown]
    page = warehouse.page()
    assert 'id="audience"' in page
    assert all(f'alt="Finding of {name}"' in page for name in shown)


def test_without_pictures_there_is_no_section_of_them(context):
    assert context.audience_plots == ()
    assert "audience" not in [section.id for section in context.sections]
    assert not [what for what in context.absent if "audience" in what]


def test_a_plot_of_two_columns_width_is_set_across_both(warehouse, draw_plot):
    draw_plot(warehouse.plots / "audience" / "similar_titles.png", title="Wide", size=(1200, 300))
    draw_plot(warehouse.plots / "audience" / "recommenders.png", title="Narrow", size=(840, 300))
    page = warehouse.page()
    wide, narrow = (page.rindex("<figure", 0, page.index(f'alt="{alt}"')) for alt in ("Wide", "Narrow"))
    assert page[wide:].startswith('<figure class="spread">')
    assert page[narrow:].startswith("<figure><img")


def test_a_plot_made_narrower_to_fit_the_page_is_still_set_across_both(warehouse, draw_plot):
    for name in list(PICTURES)[:3]:
        draw_plot(warehouse.plots / "audience" / f"{name}.png", size=(1400, 1400), noise=1)
    pictures = warehouse.context().audience_plots
    assert len(pictures) == 3
    assert all(picture.is_wide for picture in pictures)
    assert min(picture.width for picture in pictures) < 900


def test_pictures_of_titles_and_of_recommenders_stand_in_their_own_sections(warehouse, draw_plot):
    for name in PICTURES:
        draw_plot(warehouse.plots / "audience" / f"{name}.png", title=f"Finding of {name}")
    context = warehouse.context()
    parts = [context.viewing_plots, context.catalogue_plots, context.recommender_plots]
    assert all(parts)
    assert sorted(picture.name for part in parts for picture in part) == sorted(PICTURES)
    page = warehouse.page()
    sections = {part.partition('"')[0]: part for part in page.split('<div id="')[1:]}
    for section, part in zip(("audience", "catalogue", "recommender"), parts, strict=True):
        assert all(f"Finding of {picture.name}" in sections[section] for picture in part)
    assert page.count('alt="Finding of ') == len(PICTURES)


def test_pictures_of_people_by_their_ids_are_not_mailed(warehouse, draw_plot):
    for name in PERSONAL_PLOTS:
        draw_plot(warehouse.plots / "audience" / f"{name}.png", title=f"Finding of {name}")
    assert set(audience_queries.PICTURES) >= PERSONAL_PLOTS
    assert "Finding of" not in warehouse.page()
