"""What is asked of customers: where they come from, what they are worth, what they watch.

Belongs here: SQL over the published tables of customers. Does not belong here: charts, pages.
"""

import polars as pl

from published.sets import PublishedSet


def discovery(data: PublishedSet) -> pl.DataFrame:
    """Return one row per region and channel, the largest regions and channels first."""
    return data.ask(
        """
        select *
        from customer_discovery
        order by
            sum(customers) over (partition by region) desc,
            sum(customers) over (partition by channel) desc,
            region,
            channel
        """
    )


def channels(data: PublishedSet) -> pl.DataFrame:
    """Return one row per channel, the largest first."""
    return data.ask("select * from customer_channels order by customers desc, channel")
