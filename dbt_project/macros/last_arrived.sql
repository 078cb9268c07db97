{#-
    Rows of a landing table of which no later arrival says something else: of several rows of a key those of the file that
    arrived last stay, all of them where they came in one file, and none where that file says that the key is deleted.
    Nothing but later files and deletions is looked up, so that a table of one file costs no more than reading it.
-#}
{% macro last_arrived(table, key) -%}
    (
        select landed.*
        from {{ table }} as landed
        left join (
            select
                {{ key | join(', ') }},
                max(2 * arrival + case when is_deleted then 1 else 0 end) as place
            from {{ table }}
            where arrival > 0 or is_deleted
            group by {{ key | join(', ') }}
        ) as later
            on {% for column in key %}landed.{{ column }} = later.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
        where coalesce(later.place, 0) <= 2 * coalesce(landed.arrival, 0)
    )
{%- endmacro %}
