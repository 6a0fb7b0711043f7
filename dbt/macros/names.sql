{#-
    The canonical form of a name (csat/contract/names.py): without invisible characters, one space for each run of white
    space and control characters, none at the ends, in composed characters (NFC). A blank name is `if_blank`, or null.

    The first condition spares all but a few names the rest: words of printable ASCII with one space between them.
-#}
{% macro canonical_name(column, if_blank=none) -%}
    {%- set attached = '[ \\x{34f}\\x{115f}\\x{1160}\\x{17b4}\\x{17b5}\\x{180b}-\\x{180d}\\x{180f}\\x{200c}\\x{200d}\\x{2800}\\x{3164}\\x{fe00}-\\x{fe0f}\\x{ffa0}\\x{1bca0}-\\x{1bca3}\\x{e0020}-\\x{e007f}\\x{e0100}-\\x{e01ef}]+' %}
    {%- set name %}if(
            regexp_contains({{ column }}, r'^[!-~]+( [!-~]+)*\z'),
            {{ column }},
            nullif(
                normalize(
                    regexp_replace(
                        regexp_replace(
                            regexp_replace(
                                {{ column }},
                                r'[\xad\x{61c}\x{180e}\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2060}-\x{206f}\x{feff}\x{fff0}-\x{fffb}\x{1d173}-\x{1d17a}\x{e0000}-\x{e001f}\x{e0080}-\x{e00ff}\x{e01f0}-\x{e0fff}]+',
                                ''
                            ),
                            r'[\x00-\x20\x7f-\xa0\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+',
                            ' '
                        ),
                        r'^{{ attached }}|{{ attached }}\z',
                        ''
                    ),
                    nfc
                ),
                ''
            )
        )
    {%- endset -%}
    {{ "coalesce(" ~ name ~ ", '" ~ if_blank ~ "')" if if_blank else name }}
{%- endmacro %}
