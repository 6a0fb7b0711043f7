"""The order of rows: by a column in both directions, and by what needs attention."""

from typing import Any

from csat.reporting.attention import needs_attention
from csat.reporting.order import AS_QUERIED, ATTENTION, Order


def names(rows: list[dict[str, Any]]) -> str:
    return " ".join(row["name"] for row in rows)


def agent(name: str, high: float | None, dissatisfied: int, **other: Any) -> dict[str, Any]:
    row = {"name": name, "csat_difference_high": high, "dissatisfied_count": dissatisfied, "is_ranked": True}
    return row | other


def category(name: str, change: float | None, is_significant: bool, dissatisfied: int) -> dict[str, Any]:
    row = {"name": name, "csat_change": change, "is_significant": is_significant}
    return row | {"dissatisfied_count": dissatisfied}


def test_an_order_is_written_as_in_an_address() -> None:
    assert Order.of("csat_rate") == Order("csat_rate")
    assert Order.of("-csat_rate") == Order("csat_rate", is_descending=True)
    assert [str(Order("tier")), str(Order("tier").reverse)] == ["tier", "-tier"]


def test_unknown_values_are_last_in_both_directions_and_ties_keep_their_order() -> None:
    rows = [{"name": name, "n": n} for name, n in (("a", 2), ("b", None), ("c", 1), ("d", 2))]
    assert names(Order("n").sort(rows)) == "c a d b"
    assert names(Order("n", is_descending=True).sort(rows)) == "a d c b"
    assert AS_QUERIED.sort(rows) == rows


def test_names_are_ordered_as_a_reader_expects() -> None:
    rows = [{"name": name} for name in ("Zoë", "álvaro", "Bea")]
    assert names(Order("name").sort(rows)) == "álvaro Bea Zoë"


def test_agents_significantly_below_expected_come_first_then_the_most_dissatisfied() -> None:
    rows = [
        agent("above", 0.18, 50),
        agent("within", 0.0, 40),
        agent("below", -0.1, 10),
        agent("far-below", -0.4, 30),
        agent("unranked", -0.4, 60, is_ranked=False),
        agent("without", None, 5),
    ]
    assert names(ATTENTION.sort(rows)) == "far-below below unranked above within without"
    assert [needs_attention(row) for row in rows] == [False, False, True, True, False, False]


def test_categories_that_dropped_significantly_come_first() -> None:
    rows = [
        category("rose", 0.1, True, 90),
        category("fell", -0.02, True, 5),
        category("fell-by-chance", -0.2, False, 70),
        category("not-compared", None, False, 80),
    ]
    assert names(ATTENTION.sort(rows)) == "fell rose not-compared fell-by-chance"
