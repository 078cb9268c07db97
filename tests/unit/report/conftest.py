"""A small published set with plots, as a run leaves it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image, PngImagePlugin

from orchestration.tasks.audience_queries import PICTURES
from published.sets import open_set
from report.build import build_report_context
from report.context import RunFacts
from report.render import render_report

NAMES = ("Quiet Viewers (Churn Risk)", "New Explorers", "Loyalists")


@dataclass
class Warehouse:
    """Published tables and plots that a test may change before it asks for the page."""

    root: Path
    marts: dict[str, pl.DataFrame]
    run: RunFacts

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def plots(self) -> Path:
        return self.root / "plots"

    def write(self) -> None:
        self.published.mkdir(parents=True, exist_ok=True)
        for name, frame in self.marts.items():
            frame.write_parquet(self.published / f"{name}.parquet")

    def context(self):
        self.write()
        drawn = [self.plots / "audience" / f"{name}.png" for name in PICTURES]
        return build_report_context(open_set(self.published), self.plots, run=self.run, audience_plots=drawn)

    def page(self) -> str:
        return render_report(self.context())


def _segments() -> pl.DataFrame:
    with_playbook = pl.DataFrame(
        {
            "segmentation": "user_ratings",
            "segment_id": range(3),
            "segment_name": NAMES,
            "entity": "user_id",
            "audience": ["Close to leaving", "Casual newcomers", "Heavy viewers"],
            "content_strategy": ["Quality first", "Quick picks", "New releases"],
            "marketing_strategy": ["Win-back campaign", "Starter playlists", "Early access"],
            "members": [1_500, 60_000, 238_500],
            "share": [0.005, 0.2, 0.795],
        },
        schema_overrides={"segment_id": pl.Int32},
    )
    without = with_playbook.head(2).with_columns(
        pl.lit("customer_acquisition").alias("segmentation"),
        pl.lit("customer_id").alias("entity"),
        pl.Series("segment_name", ["Explorers", "Networkers"]),
        *(
            pl.lit(None, dtype=pl.String).alias(c)
            for c in ("audience", "content_strategy", "marketing_strategy")
        ),
    )
    return pl.concat([without, with_playbook])


def _genre_ratings() -> pl.DataFrame:
    rows = [
        # segment, genre, members, raters, published
        (0, "drama", 1_500, 600, 1.2),
        (0, "science_fiction", 1_500, 3, 0.01),
        (0, "war", 1_500, 0, 0.0),
        (1, "drama", 60_000, 54_000, 3.0),
        (1, "science_fiction", 60_000, 30_000, 1.75),
        (1, "war", 60_000, 3_000, 0.2),
        (2, "drama", 238_500, 238_500, 3.6),
        (2, "science_fiction", 238_500, 230_000, 3.4),
        (2, "war", 238_500, 120_000, 1.9),
    ]
    return pl.DataFrame(
        [
            {
                "segmentation": "user_ratings",
                "segment_id": segment,
                "segment_name": NAMES[segment],
                "genre": genre,
                "members": members,
                "raters": raters,
                "rater_share": raters / members,
                "published_mean_rating": published,
                "rater_mean_rating": published * members / raters if raters else None,
            }
            for segment, genre, members, raters, published in rows
        ]
    )


def _judgements() -> dict[str, pl.DataFrame]:
    of = pl.lit("customer_acquisition").alias("segmentation")
    starts = pl.DataFrame(
        {
            "k": 2,
            "method": "ward_then_kmeans",
            "is_anchored": True,
            "inertia": 22_653.66,
            "free_inertia": 22_288.4,
            "starts": 100,
            "best_start_share": 0.05,
            "start_agreement": 0.81,
            "free_agreement": 0.74,
            "left_rule": 0,
            "ward_k": 8,
            "ward_rows": 3_834,
        }
    )
    free = pl.DataFrame(
        {
            "group_id": [0, 1],
            "members": [58, 907],
            "nearest_segment_id": [1, 0],
            "nearest_segment_name": ["Networkers", "Explorers"],
            "shared_members": [58, 800],
        }
    )
    separation = pl.DataFrame(
        {
            "feature": "minutes_watched",
            "eta_squared": 0.003,
            "kruskal_p": 0.0751,
            "best_column": "channel",
            "best_eta_squared": 0.004,
            "best_kruskal_p": 0.0004,
        }
    )
    claims = pl.DataFrame(
        {
            "segment_id": [0, 1],
            "segment_name": ["Explorers", "Networkers"],
            "feature": "minutes_watched",
            "is_supported": [False, True],
            "sentence": [None, "Networkers watch less than everybody: 1,299 against 1,916."],
            "reason": ["rests on one member", None],
        }
    )
    frames = {
        "start_agreement": starts,
        "free_segments": free,
        "segment_separation": separation,
        "segment_claims": claims,
    }
    return {name: frame.select(of, pl.all()) for name, frame in frames.items()}


def _profiles() -> pl.DataFrame:
    def rows(segmentation: str, feature: str, means: list[float], base: float) -> list[dict]:
        return [
            {
                "segmentation": segmentation,
                "segment_id": i,
                "feature": feature,
                "segment_mean": mean,
                "base_mean": base,
                "index": 100 * mean / base,
            }
            for i, mean in enumerate(means)
        ]

    return pl.DataFrame(
        rows("user_ratings", "total_titles", [4.83, 17.7, 68.53], 50.0)
        + rows("user_ratings", "avg_drama", [1.2, 3.0, 3.6], 3.3)
        + rows("customer_acquisition", "minutes_watched", [2_767.64, 985.33], 1_916.03)
    )


def _marts() -> dict[str, pl.DataFrame]:
    k = [2, 3, 4]
    return {
        **_judgements(),
        "segments": _segments(),
        "segmentations": pl.DataFrame(
            {"segmentation": ["user_ratings", "customer_acquisition"], "place": [1, 2]}
        ),
        "segment_profiles": _profiles(),
        "segment_genre_ratings": _genre_ratings(),
        "k_metrics": pl.DataFrame(
            {
                "segmentation": "user_ratings",
                "k": k,
                "inertia": [7_649_659.0, 6_220_938.0, 5_443_210.0],
                "silhouette": [0.497, 0.208, float("nan")],
                "calinski_harabasz": [103_711.0, 94_292.0, 84_504.0],
                "davies_bouldin": [1.5, 1.42, 0.96],
                "size_min": [21_000, 1_500, 450],
                "size_max": [279_000, 238_500, 200_000],
                "is_elbow": [False, False, True],
                "is_published": [False, True, False],
            }
        ),
        "pca_loadings": pl.DataFrame(
            {
                "segmentation": "user_ratings",
                "component": [1, 1, 2, 2],
                "feature": ["avg_drama", "avg_science_fiction"] * 2,
                "loading": [0.163, 0.252, 0.334, -0.281],
                "explained_variance_ratio": [0.337, 0.337, 0.095, 0.095],
            }
        ),
        "data_funnel": pl.DataFrame(
            {
                "step_order": [1, 2, 3, 4, 5],
                "entity": ["titles", "titles", "ratings", "ratings", "users"],
                "step": [
                    "catalogue rows read",
                    "distinct titles",
                    "ratings read",
                    "ratings joined to a title",
                    "users with features",
                ],
                "row_count": [45_466, 42_991, 26_024_289, 25_900_000, 300_000],
            }
        ),
        "landing_manifest": pl.DataFrame(
            {
                "table_name": ["titles", "ratings"],
                "source": ["movies_metadata.csv", "ratings.csv"],
                "sha256": ["ab" * 32, "cd" * 32],
                "bytes": [7_574_748, 709_550_327],
                "rows_read": [45_466, 26_024_289],
                "rows_landed": [45_463, 26_024_289],
                "rows_rejected": [3, 0],
                "landed_at": [datetime(2025, 1, 1)] * 2,
            }
        ),
        "rejects": pl.DataFrame(
            {
                "source": ["movies_metadata.csv"] * 3,
                "table_name": ["titles"] * 3,
                "line": [19_731, 29_504, 35_588],
                "reason": ["id is not an integer"] * 3,
                "raw_text": ["1997-08-20,x", "2012-09-29,y", None],
                "is_known_quirk": [True, True, True],
            }
        ),
        "genre_counts": pl.DataFrame(
            {
                "genre": ["drama", "science_fiction", "war"],
                "genre_label": ["Drama", "Science Fiction", "War"],
                "catalogue_row_count": [10, 5, 2],
                "title_count": [10, 5, 2],
            }
        ),
    }


def write_plot(
    path: Path, *, title: str | None = None, size: tuple[int, int] = (60, 40), noise: int = 0
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((size[1], size[0], 3), 255, dtype=np.uint8)
    if noise:
        pixels = np.random.default_rng(noise).integers(0, 255, pixels.shape, dtype=np.uint8)
    text = PngImagePlugin.PngInfo()
    if title is not None:
        text.add_text("Title", title)
    Image.fromarray(pixels).save(path, pnginfo=text)


@pytest.fixture
def draw_plot():
    """Write a picture as a run writes plots."""
    return write_plot


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return made_up_warehouse(tmp_path)


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory):
    """What the page of the set says, for tests that change nothing of it."""
    return made_up_warehouse(tmp_path_factory.mktemp("as_it_is")).context()


@pytest.fixture(scope="session")
def html(context) -> str:
    """The page of the set, for tests that change nothing of it."""
    return render_report(context)


def made_up_warehouse(root: Path) -> Warehouse:
    """Write plots, and make up the tables of a set."""
    for segmentation in ("user_ratings", "customer_acquisition"):
        for name in ("elbow", "k_metrics", "pca_map_k3", "sizes", "heatmap", "distribution"):
            write_plot(root / "plots" / segmentation / f"{name}.png", title=f"{name} of {segmentation}")
    run = RunFacts(
        run_id="0f3c9a1e-0000-4000-8000-000000000000",
        source="the demo world (small)",
        finished_at=datetime(2025, 11, 21, 4, 30, tzinfo=UTC),
        recovery={"user_ratings": 0.934},
        descriptions={"user_ratings": "Viewers by how they rate each genre"},
    )
    return Warehouse(root, _marts(), run)
