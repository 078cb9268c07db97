{#-
    A text whose UTF-8 bytes were read as Windows-1252 ("AndrÃ©"), put right ("André"); NULL for every other text. It is
    certain only where each character is one of Windows-1252 and the bytes are UTF-8: a sound text with an accent never
    is, for its byte is not followed by one that UTF-8 wants there. A text that is garbled in part stays as it is.
-#}
{% macro repaired_mojibake(column) -%}
    {{ return(adapter.dispatch('repaired_mojibake')(column)) }}
{%- endmacro %}

{% macro duckdb__repaired_mojibake(column) -%}
    {%- set specials = windows_1252() -%}
    {#- Most texts hold no first byte of a UTF-8 sequence, C2 to F4, and need no second look. -#}
    case
        when regexp_matches({{ column }}, '[\x{C2}-\x{F4}]') then
            try(decode(unhex(nullif(list_aggregate(
                list_transform(
                    string_split({{ column }}, ''),
                    lambda letter: case
                        when unicode(letter) < 256 then printf('%02X', unicode(letter))
                        {%- for letter, byte in specials.items() %}
                        when letter = '{{ letter }}' then '{{ byte }}'
                        {%- endfor %}
                        else 'not a byte'
                    end
                ), 'string_agg', ''
            ), ''))))
    end
{%- endmacro %}

{% macro matineespark__repaired_mojibake(column) -%}
    case
        when regexp_matches({{ column }}, '[\x{C2}-\x{F4}]') then
            try_validate_utf8(cast(unhex(nullif(array_join(
                list_transform(
                    regexp_extract_all({{ column }}, '(?s)(.)', 1),
                    lambda letter: case
                        when unicode(letter) < 256 then format_string('%02X', unicode(letter))
                        {%- for letter, byte in windows_1252().items() %}
                        when letter = '{{ letter }}' then '{{ byte }}'
                        {%- endfor %}
                        else 'not a byte'
                    end
                ), ''
            ), '')) as varchar))
    end
{%- endmacro %}

{#- The bytes 80 to 9F are other characters in Windows-1252 than in Unicode; five of them are no character at all. -#}
{% macro windows_1252() -%}
    {{ return({
        '€': '80', '‚': '82', 'ƒ': '83', '„': '84', '…': '85', '†': '86', '‡': '87', 'ˆ': '88', '‰': '89', 'Š': '8A',
        '‹': '8B', 'Œ': '8C', 'Ž': '8E', '‘': '91', '’': '92', '“': '93', '”': '94', '•': '95', '–': '96', '—': '97',
        '˜': '98', '™': '99', 'š': '9A', '›': '9B', 'œ': '9C', 'ž': '9E', 'Ÿ': '9F'
    }) }}
{%- endmacro %}
