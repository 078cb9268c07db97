with

judged as (

    select * from {{ source('recommender', 'recommender_user_ndcg') }}

),

members as (

    {{ user_members() }}

),

final as (

    select
        ---------- ids
        judged.model,
        members.segmentation,
        members.segment_id,

        ---------- text
        members.segment_name,

        ---------- numbers
        count(*) as users,
        avg(judged.ndcg) as ndcg

    from judged
    inner join members on judged.user_id = members.user_id
    group by judged.model, members.segmentation, members.segment_id, members.segment_name

)

select * from final
