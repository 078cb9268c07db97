"""Settings that were stored are the settings that were chosen."""

import json

import pytest

from ml.recommendation.als import Als
from ml.recommendation.blend import Blend
from ml.recommendation.content import Content, item_features
from ml.recommendation.declared import from_settings, to_settings
from ml.recommendation.ease import Ease
from ml.recommendation.errors import RecommendationError
from ml.recommendation.long_tail import towards_long_tail
from ml.recommendation.models import MODEL_NAMES, settings
from ml.recommendation.popularity import RecentPopular, Trend
from tests.unit.recommendation.worlds import catalogue, learned

FEATURES = item_features(catalogue(), learned().items)


def again(model):
    """The model after its settings went through JSON."""
    return from_settings(json.loads(json.dumps(to_settings(model))), FEATURES)


@pytest.mark.parametrize("name", [name for name in MODEL_NAMES if name not in ("blend", "content")])
def test_every_setting_of_every_model_comes_back_from_json(name):
    for model in settings(name, FEATURES).steps:
        assert again(model) == model


def test_content_comes_back_with_what_is_said_about_titles():
    assert again(Content(FEATURES)).features is FEATURES


def test_a_blend_comes_back_with_its_parts_weights_and_fallback():
    blend = Blend((Ease(100.0), Als(32), Trend(30.0)), (1.0, 0.5, 1.5), RecentPopular(30.0))
    assert again(blend) == blend


def test_a_blend_that_reaches_into_the_long_tail_comes_back_with_its_weight():
    blend = towards_long_tail(Blend((Ease(), Trend(30.0)), (1.0, 1.5), RecentPopular(30.0)), 0.25)
    assert again(blend) == blend


def test_what_is_said_about_titles_is_data_and_not_stored_as_a_setting():
    assert to_settings(Content(FEATURES)) == {"kind": "Content"}


@pytest.mark.parametrize("stored", [{"kind": "Oracle"}, {}, {"kind": "Content"}])
def test_settings_of_no_model_are_refused(stored):
    with pytest.raises(RecommendationError, match="train it again"):
        from_settings(stored)
