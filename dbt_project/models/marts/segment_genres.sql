with

members as (

    {{ user_members() }}

),

genres as (

    select * from {{ ref('user_genres') }}

),

final as (

    select
        ---------- ids
        members.segmentation,
        members.segment_id,
        genres.genre,

        ---------- text
        members.segment_name,
        genres.genre_label,

        ---------- numbers
        cast(sum(genres.ratings) as bigint) as ratings

    from members
    inner join genres on members.user_id = genres.user_id
    group by members.segmentation, members.segment_id, genres.genre, members.segment_name, genres.genre_label

)

select * from final
