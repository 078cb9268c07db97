"""What is asked of the audience as a whole: genres, subscriptions, what the figures advise.

Belongs here: SQL over the published tables of audience and advice. Does not belong here: what one page alone asks.
"""

import polars as pl

from published.sets import PublishedSet


def genre_popularity(data: PublishedSet) -> pl.DataFrame:
    """Return one row per genre, the most rated first."""
    return data.ask("select * from genre_popularity order by ratings desc, genre")


def subscription_regions(data: PublishedSet) -> pl.DataFrame:
    """Return one row per subscription and region, the largest first."""
    return data.ask(
        """
        select *
        from subscription_regions
        order by
            sum(users) over (partition by region) desc,
            sum(users) over (partition by subscription) desc,
            region,
            subscription
        """
    )


def strategic_recommendations(data: PublishedSet) -> pl.DataFrame:
    """Return what the figures advise, in words and with the figures, the most important first."""
    return data.ask("select * from strategic_recommendations order by rank")
