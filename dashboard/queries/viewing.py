"""What is asked of viewing: devices, weeks, hours, ratings by genre.

Belongs here: SQL over the published tables of viewing and of ratings by genre. Does not belong here: charts, pages.
"""

import polars as pl

from published.sets import PublishedSet


def weeks(data: PublishedSet) -> pl.DataFrame:
    """Return one row per week and device."""
    return data.ask("select week, device, events, minutes, users from weekly_activity order by week, device")


def hours(data: PublishedSet) -> pl.DataFrame:
    """Return one row per weekday (1 = Monday) and hour."""
    return data.ask("select weekday, hour, events from viewing_hours order by weekday, hour")


def devices(data: PublishedSet) -> pl.DataFrame:
    """Return events, minutes and share of all minutes per device, the most watched on first."""
    return data.ask(
        """
        select
            device,
            cast(sum(events) as bigint) as events,
            sum(minutes) as minutes,
            sum(minutes) / nullif(sum(sum(minutes)) over (), 0) as share
        from weekly_activity
        group by device
        order by minutes desc, device
        """
    )


def users_by_device(data: PublishedSet, most: int = 25) -> pl.DataFrame:
    """Return the minutes per device of the users who watch most."""
    return data.ask(
        """
        with busiest as (
            select user_id, minutes
            from users
            where minutes > 0
            order by minutes desc, user_id
            limit $most
        )
        select user_id, user_devices.device, user_devices.minutes, user_devices.events, user_devices.share
        from busiest
        inner join user_devices using (user_id)
        order by busiest.minutes desc, user_id, user_devices.device
        """,
        most=most,
    )


def rating_boxes(data: PublishedSet) -> pl.DataFrame:
    """Return the exact box of the ratings of each genre, the highest mean first.

    `low` and `high` are the furthest ratings within one and a half boxes of the box, as Tukey draws them.
    """
    return data.ask(
        """
        with counted as (
            select
                genre_label,
                rating,
                ratings,
                sum(ratings) over (partition by genre_label order by rating) as below,
                sum(ratings) over (partition by genre_label) as total
            from genre_rating_counts
            where ratings > 0
        ),
        quartiles as (
            select
                genre_label,
                cast(any_value(total) as bigint) as ratings,
                min(rating) filter (where below >= 0.25 * total) as q1,
                min(rating) filter (where below >= 0.5 * total) as median,
                min(rating) filter (where below >= 0.75 * total) as q3,
                sum(rating * ratings) / any_value(total) as mean
            from counted
            group by genre_label
        )
        select
            quartiles.*,
            min(counted.rating) filter (where counted.rating >= q1 - 1.5 * (q3 - q1)) as low,
            max(counted.rating) filter (where counted.rating <= q3 + 1.5 * (q3 - q1)) as high
        from quartiles
        inner join counted using (genre_label)
        group by all
        order by mean desc, genre_label
        """
    )
