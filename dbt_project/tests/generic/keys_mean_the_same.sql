{#-
    Fails when the two keys of a join come from different id spaces. Each side carries a second id of what it means; the
    join is judged by how many of its rows agree in it. Rows where one side has none cannot be compared, and a join of
    which too little can be compared is not taken for a good one; where a whole side has no second id there is nothing to
    judge by, which `keys_can_be_compared` says. A few disagreeing rows (`tolerated`) are the faults of
    single links, however small the join; only where they are the most of it do they count.
-#}
{% test keys_mean_the_same(model, left_meaning, right_meaning, most_disagreeing=0.02, least_comparable=0.5, tolerated=3) %}
with

judged as (

    select
        count(*) as joined,
        sum(case when {{ left_meaning }} is not null and {{ right_meaning }} is not null then 1 else 0 end) as compared,
        sum(case when {{ left_meaning }} = {{ right_meaning }} then 1 else 0 end) as agreeing,
        count({{ left_meaning }}) > 0 and count({{ right_meaning }}) > 0 as is_on_both_sides
    from {{ model }}

)

select
    *,
    case
        when compared < {{ least_comparable }} * joined then 'too few rows can be compared to judge the join'
        else 'the keys of the join mean different things'
    end as reason
from judged
where
    is_on_both_sides
    and (
        compared < {{ least_comparable }} * joined
        or (
            compared - agreeing > {{ most_disagreeing }} * compared
            and (compared - agreeing > {{ tolerated }} or compared - agreeing > 0.5 * compared)
        )
    )
{% endtest %}

{#- Fails where one side of a join has no second id at all, so that nothing shows whether its keys mean the same. -#}
{% test keys_can_be_compared(model, left_meaning, right_meaning) %}
select count(*) as joined
from {{ model }}
having count(*) > 0 and (count({{ left_meaning }}) = 0 or count({{ right_meaning }}) = 0)
{% endtest %}
