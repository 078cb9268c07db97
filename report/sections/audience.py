"""What the report says about the users themselves.

Belongs here: summing up rows of the marts. Does not belong here: segments, plots, the page.
"""

import polars as pl

from report.reading import Rows

UNKNOWN = "not known"


def plans(subscription_regions: pl.DataFrame | None) -> Rows:
    """Return the subscriptions, most users first, summed up over regions; without any known, none.

    Means are per user, None where nothing tells.
    """
    if subscription_regions is None or not subscription_regions["subscription"].drop_nulls().len():
        return ()
    per_user = [
        ((pl.col(name) * pl.col("users")).sum() / pl.col("users").filter(pl.col(name).is_not_null()).sum())
        .fill_nan(None)
        .alias(name)
        for name in ("mean_ratings", "mean_minutes")
    ]
    summed = (
        subscription_regions.filter(pl.col("users") > 0)
        .group_by(pl.col("subscription").fill_null(UNKNOWN))
        .agg(pl.col("users").sum(), *per_user)
        .with_columns((pl.col("users") / pl.col("users").sum()).alias("share"))
        .sort("users", "subscription", descending=[True, False])
    )
    return summed.rows(named=True)
