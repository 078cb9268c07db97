{#-
    The id that stands for a number, as the source writes it: the text of landing's `ids` where there is one, else the
    number itself. `ids` is the alias of that table, joined on `ids.number`.
-#}
{% macro as_written(number) -%}
    coalesce(ids.id, cast({{ number }} as varchar))
{%- endmacro %}

{#-
    A table of ML about entities, by their ids as the source writes them; `columns` come after segmentation and entity_id.
    A title's id is text in its features already; a user's is the number that stands for it.
-#}
{% macro entities_as_written(table, columns) -%}
    select
        entities.segmentation,
        {{ as_written('entities.entity_id') }} as entity_id,
        {% for column in columns -%}
            entities.{{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ source('ml', table) }} as entities
    left join {{ source('landing', 'ids') }} as ids
        on case when entities.segmentation in ({{ user_segmentations() }}) then try_cast(entities.entity_id as bigint) end
            = ids.number
{%- endmacro %}
