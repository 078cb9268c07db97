-- depends_on: {{ ref('user_genres') }}
with

members as (

    {{ user_members() }}

),

amounts as (

    {% if interaction_basis() != 'views' %}
        select
            user_id,
            'rating' as activity,
            cast(sum(ratings) as double) as amount
        from {{ ref('user_genres') }}
        group by user_id
        union all
    {% endif %}
    select
        user_id,
        'watching' as activity,
        sum(minutes) as amount
    from {{ ref('user_devices') }}
    group by user_id

),

placed as (

    select
        members.*,
        amounts.activity,
        amounts.amount,
        row_number() over (
            partition by members.segmentation, members.segment_id, amounts.activity
            order by amounts.amount desc, members.user_id asc
        ) as place
    from members
    inner join amounts on members.user_id = amounts.user_id

),

final as (

    select
        ---------- ids
        segmentation,
        segment_id,
        activity,
        cast(place as integer) as place,
        user_id,

        ---------- text
        segment_name,

        ---------- numbers
        amount

    from placed
    where place <= {{ var('most_active_per_segment') }}

)

select * from final
