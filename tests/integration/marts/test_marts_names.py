"""A response and a name have one form in the marts, however messages write them."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import jinja2
import pytest

from csat.contract.names import canonical_name
from csat.contract.settings import ROOT
from tests.integration.marts import recount
from tests.integration.marts.checks import assert_same
from tests.integration.marts.conftest import Marts, Rows, at, survey_response

pytestmark = pytest.mark.integration

FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 2)
UPPER, LOWER = "AABBCCDD-EF01-4ABC-8DEF-0123456789AB", "aabbccdd-ef01-4abc-8def-0123456789ab"
NAMES: Rows = [
    {"category": "Returns", "agent_name": "Zoë Ames", "customer_city": "PUNE"},
    {"category": "Returns ", "agent_name": "Zoe\u0308  Ames", "customer_city": "PUNE\u200b"},
    {"category": "Returns\u00a0", "agent_name": "\u202bZoë\u202c Ames", "customer_city": " "},
    {"category": "\tRe\u00adturns\r\n", "agent_id": "a1\u2003", "agent_name": "Zoë\x1b Ames", "customer_city": None},
    {"category": "returns", "agent_name": "Zoë Ames", "supervisor_name": "SAM"},
    {"category": "", "agent_id": "\u200b", "agent_name": " "},
]
REMARKS = ["fine", "\u00a0\u200b\r\n", "", None, "👩\u200d🚀", "\x00"]


@pytest.fixture(scope="module")
def world(make_marts: Callable[[], Marts]) -> Marts:
    """Marts of names in all spellings, and of a response that is sent a second time in lower case, on another date."""
    made = make_marts()
    # The last agent's latest response, or the one before, gives the agent's names
    rows = [
        survey_response(number, at(FIRST, number), customer_remarks=remark, **changes)
        for number, (changes, remark) in enumerate(zip(NAMES, REMARKS, strict=True))
    ]
    made.land([*rows, survey_response(10, at(FIRST), response_id=UPPER, csat_score=1, agent_id="a2", agent_name="Ada")])
    made.build()
    later = {"kafka_timestamp": datetime(2026, 11, 3, tzinfo=UTC), "ingested_at": datetime(2026, 11, 3, tzinfo=UTC)}
    made.land([survey_response(11, at(SECOND), response_id=LOWER, csat_score=5, **later)])
    made.build()
    return made


def test_response_with_other_letters_is_the_same_response(world: Marts) -> None:
    found = [row for row in world.read("fct_survey_responses") if row["response_id"].lower() == LOWER]
    assert [(row["response_id"], row["csat_score"], row["message_count"]) for row in found] == [(LOWER, 1, 2)]


def test_spellings_that_look_the_same_are_one_name(world: Marts) -> None:
    rows = sorted(world.read("fct_survey_responses"), key=lambda row: row["survey_answered_at"])[:6]
    assert [row["category"] for row in rows] == [*["Returns"] * 4, "returns", "unknown"]
    assert [row["agent_id"] for row in rows] == [*["a1"] * 5, "unknown"]
    assert [row["agent_name"] for row in rows] == [*["Zoë Ames"] * 5, "unknown"]
    assert [row["customer_city"] for row in rows] == ["PUNE", "PUNE", None, None, None, None]
    assert {row["agent_id"]: row["agent_name"] for row in world.read("dim_agents")} == {
        "a1": "Zoë Ames",
        "a2": "Ada",
        "unknown": "unknown",
    }


def test_remark_of_spaces_and_invisible_characters_is_none(world: Marts) -> None:
    rows = sorted(world.read("fct_survey_responses"), key=lambda row: row["survey_answered_at"])[:6]
    assert [row["has_remarks"] for row in rows] == [True, False, False, False, True, False]


@pytest.mark.parametrize("table", recount.MARTS)
def test_recount_finds_no_difference(world: Marts, table: str) -> None:
    assert_same(world, table, recount.MARTS[table](world.landed))


def test_names_that_differ_in_case_only_are_a_warning_that_lists_them(world: Marts) -> None:
    name = "agg_category_daily_rules_hold"
    first, last = stored(world, name)
    assert (first["status"], first["failures"]) == ("warn", 1)
    found = "rule: one spelling in category, row_count: 2, found: Returns | returns, is_warning: True"
    assert first["message"].endswith(f": {found}")
    assert last["status"] == "warn"  # the second build replaced the first date too
    assert f"warning: {name} found 1 rows; csat_ops.dbt_tests lists them" in world.lines
    supervisors = stored(world, "dim_agents_rules_hold")[0]
    assert "one spelling in supervisor_name, row_count: 3, found: SAM | Sam" in supervisors["message"]


def test_values_that_are_not_known_are_a_warning_that_lists_them(world: Marts) -> None:
    first = stored(world, "fct_survey_responses_rules_hold")[0]
    assert (first["status"], first["failures"]) == ("warn", 1)
    assert first["message"].endswith(
        "known values of category, row_count: 2, found: returns | unknown, is_warning: True"
    )


def stored(world: Marts, test: str) -> Rows:
    """The results of a test, oldest first."""
    return world.execute(f"select * from `{{table}}` where test = '{test}' order by started_at", "ops", "dbt_tests")


# Scripts with marks, white space, symbols, kana; presentation forms; shorthand; music; emoji; tags, variation selectors
# and what is reserved beside them. Most of the rest are ideographs.
RANGES = [
    (0, 0x33FF),
    (0xF900, 0xFFFF),
    (0x1BC00, 0x1BCFF),
    (0x1D100, 0x1D1FF),
    (0x1F300, 0x1F3FF),
    (0xE0000, 0xE10FF),
]


def test_macro_agrees_with_python_for_each_character(world: Marts) -> None:
    """Inside a name, and at both ends; with a mark after it, which shows the composed form."""
    macro = jinja2.Template((ROOT / "dbt" / "macros" / "names.sql").read_text()).module
    name = macro.canonical_name("written")  # type: ignore[attr-defined]  # jinja2's modules have their macros
    codes = ", ".join(f"generate_array({first}, {last})" for first, last in RANGES)
    found = world.warehouse.rows(f"""
        with characters as (
            select code_points_to_string([code]) as one from unnest(array_concat({codes})) as code
        ),
        texts as (select concat(one, 'a', one, '\\u0301', one) as written from characters)
        select written, {name} as name from texts where {name} is distinct from written
    """)
    characters = [chr(code) for first, last in RANGES for code in range(first, last + 1)]
    texts = [f"{one}a{one}\u0301{one}" for one in characters]
    expected = {text: canonical_name(text) for text in texts if canonical_name(text) != text}
    assert {row["written"]: row["name"] for row in found} == expected
