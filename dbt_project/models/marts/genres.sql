-- What became of every label, and of the published genres that the data lacks though it has most of them.
{% set published = var('published_genres') %}

with

vocabulary as (

    select * from {{ ref('int_genres__vocabulary') }}

),

published as (

    {% for genre in published %}
        select '{{ genre }}' as genre
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

missing as (

    select
        'users' as used_for,
        published.genre,
        labels.genre_label,
        count(*) over () as genres_missing
    from published
    inner join {{ ref('genre_labels') }} as labels
        on
            published.genre = labels.genre
            and labels.genre_label = labels.raw_label
    left join vocabulary
        on
            published.genre = vocabulary.genre
            and vocabulary.used_for = 'users'
    where vocabulary.genre is null

),

judged as (

    select
        used_for,
        genre,
        genre_label,
        titles,
        title_share,
        case when is_set_aside then 'set aside' when genre_column = genre then 'kept' else 'other' end as standing
    from vocabulary
    union all
    select
        used_for,
        genre,
        genre_label,
        0 as titles,
        0 as title_share,
        'missing' as standing
    from missing
    where genres_missing <= {{ published | length // 2 }}

),

final as (

    select
        ---------- ids
        used_for,
        genre,

        ---------- text
        genre_label,
        standing,
        case standing
            when 'kept' then 'has columns of its own'
            when 'other' then 'counts as other: {{ var("most_genres") }} genres are more frequent'
            when 'set aside'
                then
                    'titles with it: ' || {{ say_count('titles') }} || ', fewer than '
                    || {{ say_number(100 * var('genre_least_share')) }} || ' % of a catalogue''s'
            else 'no title has it'
        end as reason,

        ---------- numbers
        cast(titles as bigint) as titles,
        cast(title_share as double) as title_share

    from judged

)

select * from final
