"""The planted personas can be found again, by the very features that the persona segmentation uses."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.preprocessing import StandardScaler

from ingest.demo.genres import GENRES
from ingest.demo.personas import PERSONAS


@dataclass(frozen=True)
class Viewers:
    counts: NDArray[np.int64]
    mean_ratings: NDArray[np.float64]
    titles: NDArray[np.int64]
    persona: NDArray[np.int64]


@pytest.fixture(scope="module")
def viewers(folder: Path) -> Viewers:
    """Mean rating per user and genre through links, one rating per title, 0 where never rated."""
    of_genre = [f"filter (contains(replace(genres, '\"', ''''), '''{genre}'''))" for genre in GENRES]
    means = ", ".join(f"coalesce(avg(rating) {filtered}, 0)" for filtered in of_genre)
    counts = ", ".join(f"count(*) {filtered}" for filtered in of_genre)
    query = f"""
        with titles as (
            select distinct on (id) try_cast(id as bigint) as title_id, genres
            from read_csv('{folder}/movies_metadata.csv', header = true, all_varchar = true)
        ),
        latest as (
            select userId as user_id, tmdbId as title_id, arg_max(rating, timestamp) as rating
            from read_csv('{folder}/ratings.csv') join read_csv('{folder}/links.csv') using (movieId)
            group by all
        )
        select {means}, {counts}, count(*), any_value(persona)
        from latest join titles using (title_id)
        join read_csv('{folder}/truth/personas.csv') using (user_id)
        group by user_id order by user_id
        """
    with duckdb.connect() as db:
        rows = db.execute(query).fetchall()
    names = [persona.name for persona in PERSONAS]
    return Viewers(
        counts=np.array([row[len(GENRES) : 2 * len(GENRES)] for row in rows]),
        mean_ratings=np.array([row[: len(GENRES)] for row in rows], dtype=np.float64),
        titles=np.array([row[-2] for row in rows]),
        persona=np.array([names.index(row[-1]) for row in rows]),
    )


@pytest.fixture(scope="module")
def clusters(viewers: Viewers) -> NDArray[np.int64]:
    features = StandardScaler().fit_transform(viewers.mean_ratings)
    return KMeans(5, n_init=10, random_state=0).fit(features).labels_.astype(np.int64)


def test_kmeans_on_mean_ratings_finds_the_personas(viewers: Viewers, clusters: NDArray[np.int64]) -> None:
    assert adjusted_rand_score(viewers.persona, clusters) >= 0.83


def test_the_personas_are_not_found_without_error(viewers: Viewers, clusters: NDArray[np.int64]) -> None:
    assert adjusted_rand_score(viewers.persona, clusters) < 0.97


def test_clusters_ranked_by_titles_are_the_personas_in_order(
    viewers: Viewers, clusters: NDArray[np.int64]
) -> None:
    rank = np.argsort([viewers.titles[clusters == cluster].mean() for cluster in range(5)])
    majority = [int(np.bincount(viewers.persona[clusters == cluster]).argmax()) for cluster in rank]
    assert majority == [0, 1, 2, 3, 4]


def test_personas_have_the_published_shares_and_order_of_titles(viewers: Viewers) -> None:
    shares = np.bincount(viewers.persona) / len(viewers.persona)
    np.testing.assert_allclose(shares, [0.136, 0.215, 0.266, 0.246, 0.136], atol=0.003)
    means = np.array([viewers.titles[viewers.persona == number].mean() for number in range(5)])
    published = np.array([persona.titles_per_user for persona in PERSONAS])
    np.testing.assert_allclose(means / means[0], published / published[0], rtol=0.15)


def test_user_ids_tell_nothing_of_the_persona(viewers: Viewers) -> None:
    assert abs(np.corrcoef(np.arange(len(viewers.persona)), viewers.persona)[0, 1]) < 0.05


def test_raters_give_plausible_stars(viewers: Viewers) -> None:
    quiet, loyal = (viewers.mean_ratings[viewers.persona == number] for number in (0, 3))
    drama = GENRES.index("Drama")
    assert 2.0 < quiet[:, drama].mean() < 3.0
    assert 3.2 < loyal[:, drama].mean() < 4.2
    assert loyal[:, drama].std() > 0.2


def test_viewers_overlap_as_real_ones_do(viewers: Viewers, clusters: NDArray[np.int64]) -> None:
    """The published silhouette is 0.109; viewers all alike within their persona gave 0.43."""
    features = StandardScaler().fit_transform(viewers.mean_ratings)
    assert 0.1 < silhouette_score(features, clusters) < 0.25


def test_clusters_explain_about_the_published_share_of_variance(viewers: Viewers) -> None:
    features = StandardScaler().fit_transform(np.hstack([viewers.counts, viewers.mean_ratings]))
    published = {2: 7_649_659, 3: 6_220_938, 4: 5_443_210, 5: 4_994_238}
    for k, inertia in published.items():
        found = 1 - KMeans(k, n_init=2, random_state=0).fit(features).inertia_ / features.size
        assert found == pytest.approx(1 - inertia / (40 * 265_848), abs=0.05), k


def test_numbers_of_titles_are_as_skewed_as_real_ones(viewers: Viewers) -> None:
    assert viewers.titles.std() > 1.2 * viewers.titles.mean()


def _share_that_rated(viewers: Viewers) -> NDArray[np.float64]:
    """Share of each persona's members who have rated each genre; shape (personas, genres)."""
    rated = viewers.counts > 0
    return np.array([rated[viewers.persona == number].mean(axis=0) for number in range(len(PERSONAS))])


def test_only_premium_loyalists_seek_every_genre(viewers: Viewers) -> None:
    share = _share_that_rated(viewers)
    assert (share[4] > 0.7).all()
    assert (share[:4, GENRES.index("Western")] < 0.2).all()


def test_members_differ_in_the_genres_they_avoid_and_try(viewers: Viewers) -> None:
    share = _share_that_rated(viewers)
    for number, persona in enumerate(PERSONAS):
        sought = np.isin(GENRES, list(persona.genre_shares))
        assert (share[number, ~sought] > 0.01).all()
        assert share[number, sought].mean() < 0.99
