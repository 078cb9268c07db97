{#-
    What counts as interest in a title, `ratings`, `views` or `both`: the var `interactions`, where `auto` means ratings if
    somebody rated a title, else views. Looked up when a model's turn comes, as `genre_columns` is.
-#}
{% macro interaction_basis() -%}
    {%- set chosen = var('interactions') -%}
    {%- if chosen not in ['auto', 'ratings', 'views', 'both'] -%}
        {{ exceptions.raise_compiler_error(
            "interactions is '" ~ chosen ~ "'; it must be 'auto' (ratings where there are any, else views), 'ratings', "
            ~ "'views' or 'both'."
        ) }}
    {%- endif -%}
    {%- if chosen != 'auto' -%}
        {{ return(chosen) }}
    {%- endif -%}
    {%- set ratings = ref('user_title_ratings') -%}
    {%- if execute and load_relation(ratings)
        and run_query('select 1 from ' ~ ratings ~ ' limit 1').rows | length == 0 -%}
        {{ return('views') }}
    {%- endif -%}
    {{ return('ratings') }}
{%- endmacro %}

{#- How to speak of that interest: what people do, what they did, who they are, and what they give. -#}
{% macro interaction_words() -%}
    {{ return({
        'ratings': {'act': 'rate', 'acted': 'rated', 'people': 'raters', 'given': 'ratings'},
        'views': {'act': 'watch', 'acted': 'watched', 'people': 'viewers', 'given': 'views'},
        'both': {
            'act': 'rate or watch', 'acted': 'rated or watched', 'people': 'raters and viewers',
            'given': 'ratings and views'
        }
    }[interaction_basis()]) }}
{%- endmacro %}

{#- The devices that have a column in the features of viewing, in order. -#}
{% macro device_columns() -%}
    {{ return(column_names(ref('int_views__devices'), 'device_column', ['other'])) }}
{%- endmacro %}
