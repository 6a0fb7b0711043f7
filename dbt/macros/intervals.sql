{#-
    The ends of Wilson's interval of a rate: (p + z²/2n ± z·sqrt(p(1 - p)/n + z²/4n²)) / (1 + z²/n). Null where the rate
    or the count is. For a rate of 0 or 1 one end is the rate itself; floats are inexact.
-#}
{% macro wilson_low(rate, count) -%}
least({{ rate }}, greatest(0, {{ _wilson_end('-', rate, count) }}))
{%- endmacro %}


{% macro wilson_high(rate, count) -%}
greatest({{ rate }}, least(1, {{ _wilson_end('+', rate, count) }}))
{%- endmacro %}


{% macro _wilson_end(sign, rate, count) -%}
(
            {{ rate }} + pow({{ var('z') }}, 2) / (2 * {{ count }})
            {{ sign }} {{ var('z') }} * sqrt(
                {{ rate }} * (1 - {{ rate }}) / {{ count }}
                + pow({{ var('z') }}, 2) / (4 * pow({{ count }}, 2))
            )
        ) / (1 + pow({{ var('z') }}, 2) / {{ count }})
{%- endmacro %}
