"""Hard texts and ids, from the message through the landing table to the marts: one run of the driver, one build."""

from typing import Any

import pytest

from csat.bigquery.tables import create_ops_tables
from csat.marts import build as marts
from tests.integration.conftest import World
from tests.integration.stream.conftest import Land

pytestmark = pytest.mark.integration

REMARKS = [
    "NUL \x00 and ESC \x1b[31m",
    "emoji 👩🏽\u200d❤️\u200d💋\u200d👨🏿 and 🏴\U000e0067\U000e0062\U000e007f",
    "e\u0301 is not é, and neither is composed",
    "a\r\nb\rc\nd\te\x85f\u2028g\u2029h",
    "العربية \u202eright to left\u202c \u2066isolated",
    "\ufeff\u200b\uffff\U0010ffff",
    " padded\u00a0",
    "",
    "\u00a0\u200b\n",
    "'\"\\`{{ 1 }} <b>&amp;</b> --; drop table x",
    "я" * 32_768,  # 64 kB
]
RETURNS = ["Returns", "Returns ", "Returns\u00a0", "\x1bReturns\u202c", "Re\u200bturns"]
UPPER, LOWER = "AABBCCDD-EF01-4ABC-8DEF-0123456789AB", "aabbccdd-ef01-4abc-8def-0123456789ab"
REJECTED = {
    "invalid agent_id: text that is blank": {"agent_id": " \u200b"},
    "invalid agent_name: text that is blank": {"agent_name": ""},
    "invalid agent_name: text that is not Unicode": {"agent_name": "\ud800"},
    "invalid customer_remarks: text that is not Unicode": {"customer_remarks": "a\udfff"},
    "invalid case_id: UUID without hyphens, in braces or as a URN": {"case_id": f"urn:uuid:{LOWER}"},
}


def numbered(number: int, **changes: Any) -> dict[str, Any]:
    """The changes with a response id of their own."""
    return {"response_id": f"00000000-0000-4000-8000-{number:012}"} | changes


def test_hard_texts_reach_the_marts(world: World, land: Land, make_message):
    create_ops_tables(world.warehouse)
    sent = [numbered(at, customer_remarks=remark) for at, remark in enumerate(REMARKS)]
    sent += [numbered(100 + at, category=name) for at, name in enumerate(RETURNS)]
    sent += [{"response_id": UPPER, "case_id": UPPER}, {"response_id": LOWER, "case_id": UPPER}]
    sent += [numbered(200 + at, **changes) for at, changes in enumerate(REJECTED.values())]
    world.send(*[make_message(**changes) for changes in sent])
    assert land(world) == 0

    rows = world.rows("*")
    assert [row["rejection_reason"] for row in rows] == [None] * (len(sent) - len(REJECTED)) + list(REJECTED)
    assert [row["customer_remarks"] for row in rows[: len(REMARKS)]] == REMARKS
    assert [row["category"] for row in rows[len(REMARKS) :][: len(RETURNS)]] == RETURNS  # as sent
    ids = [(row["response_id"], row["case_id"]) for row in rows if row["response_id"] == LOWER]
    assert ids == [(LOWER, LOWER)] * 2
    assert rb"\ud800" in rows[-3]["payload"]  # rejected messages keep their bytes

    marts.build(world.settings, on_progress=lambda line: None)
    staged = read(world, "stg_survey_responses")
    assert [row["customer_remarks"] for row in staged[: len(REMARKS)]] == REMARKS
    facts = read(world, "fct_survey_responses")
    assert [row["has_remarks"] for row in facts[: len(REMARKS)]] == [*[True] * 5, True, True, False, False, True, True]
    assert {row["category"] for row in facts} == {"Returns"}
    assert [row["message_count"] for row in facts if row["response_id"] == LOWER] == [2]
    assert {row["category"] for row in read(world, "category_ranking", "category")} == {"Returns"}


def read(world: World, table: str, order: str = "response_id") -> list[dict[str, Any]]:
    """The rows of a mart or a view in the order of a column."""
    return world.warehouse.rows(f"select * from `{world.settings.table('marts', table)}` order by {order}")
