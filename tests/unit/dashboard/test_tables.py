from csat.dashboard.tables import (
    Card,
    Column,
    Scale,
    cards,
    drawn_interval,
    heading,
    joined,
    lines,
    link,
    name,
    note,
    scale_of,
    table,
)

EVIL = '<img src=x onerror="alert(1)">'
SAFE = "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;"


def test_table_names_its_rows_and_columns_for_screen_readers() -> None:
    html = table("Two agents", [Column("Agent", lambda row: row["name"], is_figure=False)], [{"name": "Ada"}])
    assert '<caption class="visually-hidden">Two agents</caption>' in html
    assert '<th scope="col" class="text importance-1">Agent</th>' in html
    assert '<th scope="row" class="text importance-1">Ada</th>' in html
    assert 'role="region" aria-label="Two agents" tabindex="0"' in html


def test_names_from_messages_are_escaped_everywhere() -> None:
    columns = [
        Column(EVIL, lambda _: lines(EVIL, EVIL, narrow=EVIL)),
        Column("x", lambda _: link(EVIL, "agents", agent=EVIL)),
        Column("y", lambda _: link(name(EVIL), "agents")),
    ]
    html = "".join(
        [
            table(EVIL, columns, [{}]),
            cards([Card(EVIL, EVIL, (EVIL,))]),
            heading(EVIL, EVIL),
            note(EVIL),
            joined(EVIL),
        ]
    )
    assert "<img" not in html
    assert html.count(SAFE) == 17


def test_link_contains_the_filters_of_the_view_and_no_empty_ones() -> None:
    assert (
        link("Ada & Co", "agents", agent="a 1", window="")
        == '<a href="agents?agent=a+1" target="_self">Ada &amp; Co</a>'
    )


def test_scale_starts_at_the_tenth_below_the_lowest_interval() -> None:
    assert scale_of([{"wilson_low": 0.87}, {"wilson_low": 0.52}]) == Scale(0.5)
    assert scale_of([{"wilson_low": 0.93}], mark=0.82) == Scale(0.8)
    assert scale_of([]) == Scale(0.0)


def test_interval_is_drawn_to_scale() -> None:
    html = drawn_interval({"wilson_low": 0.6, "wilson_high": 0.9, "csat_rate": 0.8}, Scale(0.5), mark=0.7)
    assert 'class="reach" style="left:20.0%;width:60.0%"' in html
    assert 'class="dot" style="left:60.0%"' in html
    assert 'class="mark" style="left:40.0%"' in html


def test_a_name_has_a_title_and_a_direction_of_its_own() -> None:
    assert name("Ada & Co") == '<bdi class="name" title="Ada &amp; Co">Ada &amp; Co</bdi>'


def test_a_blank_name_has_a_text_to_click() -> None:
    assert ">(no name)</bdi></a>" in link(name(" "), "agents", agent="a")
