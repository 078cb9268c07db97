-- What the figures of genres, titles and recommendations count, and how to speak of it; no row where there is nothing.
{% set words = interaction_words() %}

select
    '{{ interaction_basis() }}' as basis,
    '{{ words.act }}' as act,
    '{{ words.acted }}' as acted,
    '{{ words.people }}' as people,
    '{{ words.given }}' as given,
    {{ var('least_raters') }} as least_raters
where exists (select 1 from {{ ref('user_interactions') }})
