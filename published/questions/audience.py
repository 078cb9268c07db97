"""What is asked of the audience as a whole: genres, subscriptions, what the figures advise.

Belongs here: SQL over the published tables of audience and advice. Does not belong here: what one page alone asks.
"""

from dataclasses import dataclass

import polars as pl

from published.sets import PublishedSet


@dataclass(frozen=True)
class Interest:
    """What counts as interest in a title, and the words for it; see the mart `interaction_basis`.

    Attributes
    ----------
    basis : ratings, views or both.
    act, acted : what people do and did.
    people : who they are.
    given : what is counted.
    least_raters : people below whom a mean is greyed; 10 where a set does not say it.
    """

    basis: str = "ratings"
    act: str = "rate"
    acted: str = "rated"
    people: str = "raters"
    given: str = "ratings"
    least_raters: int = 10


def interest(data: PublishedSet) -> Interest:
    """Return what the figures of genres, titles and recommendations count; ratings where a set does not say it."""
    if not data.has("interaction_basis"):
        return Interest()
    return Interest(**data.ask("select * from interaction_basis").row(0, named=True))


def genre_popularity(data: PublishedSet) -> pl.DataFrame:
    """Return one row per genre, the most rated first."""
    return data.ask("select * from genre_popularity order by ratings desc, minutes desc, genre")


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
