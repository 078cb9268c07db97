with

listed as (

    select {{ unnest_list('genres_text') }} as raw_label
    from {{ ref('int_catalogue__titles') }}

)

select
    listed.raw_label,
    count(*) as titles
from listed
left join {{ ref('genre_labels') }} as labels on listed.raw_label = labels.raw_label
where
    labels.raw_label is null
    and listed.raw_label <> ''
group by listed.raw_label
