-- One select per genre reads two columns of the wide table; a join with the genres would carry all columns as often.
-- Through links a user has one rating per title; the direct join repeats titles and counts every rating.
{% set user_ratings = 'total_titles' if rating_join() == 'links' else 'total_ratings' %}

with

pairs as (

    {% for genre in genre_columns() %}
        select
            user_id,
            '{{ genre }}' as genre,
            cnt_{{ genre }} as ratings,
            avg_{{ genre }} as mean_rating,
            {{ user_ratings }} as user_ratings
        from {{ ref('int_interactions__user_genres') }}
        where cnt_{{ genre }} > 0
        {{ "union all" if not loop.last }}
    {% endfor %}

),

genres as (

    select * from {{ ref('int_genres__columns') }}

),

final as (

    select
        ---------- ids
        pairs.user_id,
        pairs.genre,

        ---------- text
        genres.genre_label,

        ---------- numbers
        pairs.ratings,
        pairs.ratings / pairs.user_ratings as share,
        pairs.mean_rating

    from pairs
    inner join genres on pairs.genre = genres.genre

)

select * from final
