{#-
    The canonical form of a name (csat/contract/names.py): without invisible characters, one space for each run of white
    space and control characters, none at the ends, in composed characters (NFC). A blank name is `if_blank`, or null.

    The first condition spares all but a few names the rest: words of printable ASCII with one space between them.
-#}
{% macro canonical_name(column, if_blank=none) -%}
    {%- set name %}if(
            regexp_contains({{ column }}, r'^[!-~]+( [!-~]+)*\z'),
            {{ column }},
            nullif(
                normalize(
                    trim(
                        regexp_replace(
                            regexp_replace(
                                {{ column }},
                                r'[\xad\x{61c}\x{180e}\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2060}-\x{206f}\x{feff}]+',
                                ''
                            ),
                            r'[\x00-\x20\x7f-\xa0\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+',
                            ' '
                        ),
                        ' \u034f\u115f\u1160\u200c\u200d\u2800\u3164\ufe0e\ufe0f\uffa0'
                    ),
                    nfc
                ),
                ''
            )
        )
    {%- endset -%}
    {{ "coalesce(" ~ name ~ ", '" ~ if_blank ~ "')" if if_blank else name }}
{%- endmacro %}
