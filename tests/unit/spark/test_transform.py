"""Every message is one landing row: accepted, or rejected with the first reason that applies."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from csat.contract import landing
from producer.fault_kinds import FAULT_KINDS


def test_landing_row_holds_the_event_when_it_is_valid(land, make_message, now):
    [row] = land(make_message(item_price=979.5, customer_remarks="fine ü 😀"))
    assert row == {
        "response_id": "11111111-1111-4111-8111-111111111111",
        "schema_version": 1,
        "case_id": "22222222-2222-4222-8222-222222222222",
        "channel": "Inbound",
        "category": "Returns",
        "sub_category": "Return request",
        "order_id": None,
        "product_category": None,
        "item_price": Decimal("979.50"),
        "customer_city": None,
        "customer_remarks": "fine ü 😀",
        "issue_reported_at": _utc(2026, 11, 20, 10, 0),
        "issue_responded_at": _utc(2026, 11, 20, 10, 5),
        "survey_answered_at": _utc(2026, 11, 20, 11, 0, 0, 123456),
        "agent_id": "agent-0001",
        "agent_name": "Ada",
        "supervisor_name": "Sam",
        "manager_name": "Max",
        "tenure_bucket": ">90",
        "shift": "Morning",
        "csat_score": 5,
        "kafka_topic": "messages",
        "kafka_topic_id": "topic-id",
        "kafka_partition": 2,
        "kafka_offset": 0,
        "kafka_timestamp": _utc(2026, 11, 20, 12, 0),
        "ingested_at": _utc(2026, 11, 20, 12, 0, 1),
        "batch_id": "query-7",
        "rejection_reason": None,
        "payload": None,
    }
    assert list(row) == [column.name for column in landing.COLUMNS]


REJECTED = [
    (lambda make_message: None, "empty message"),
    (lambda make_message: b"", "empty message"),
    (lambda make_message: make_message(agent_name="caf\xe9").replace(b"\\u00e9", b"\xe9"), "not UTF-8"),
    (lambda make_message: b" ", "not one JSON object"),
    (lambda make_message: b"null", "not one JSON object"),
    (lambda make_message: b"[]", "not one JSON object"),
    (lambda make_message: b"[" + make_message() + b"]", "not one JSON object"),
    (lambda make_message: make_message()[:-1], "not one JSON object"),
    (lambda make_message: make_message() + b"}", "not one JSON object"),
    (lambda make_message: make_message() + b"x", "not one JSON object"),
    (lambda make_message: make_message() + b",{}", "not one JSON object"),
    (lambda make_message: make_message() + make_message(), "not one JSON object"),
    (lambda make_message: make_message().replace(b'"', b"'"), "not one JSON object"),
    (lambda make_message: make_message(csat_score=float("nan")), "not one JSON object"),
    (lambda make_message: b"\xef\xbb\xbf" + make_message(), "not one JSON object"),
    (lambda make_message: make_message() + b',{"_end":"a guess"}', "not one JSON object"),
    (lambda make_message: make_message(schema_version=2), "unsupported schema_version"),
    (lambda make_message: make_message(schema_version=2, agent_id=...), "unsupported schema_version"),
    (lambda make_message: make_message(schema_version=...), "missing schema_version"),
    (lambda make_message: b"{}", "missing response_id"),
    (lambda make_message: make_message(response_id="1111"), "invalid response_id: text that is no UUID"),
    (lambda make_message: make_message(order_id="not an id"), "invalid order_id: text that is no UUID"),
    (lambda make_message: make_message(order_id="\ud800"), "invalid order_id: text that is no UUID"),
    (
        lambda make_message: make_message(order_id=" 22222222-2222-4222-8222-222222222222"),
        "invalid order_id: text that is no UUID",
    ),
    (
        lambda make_message: make_message(order_id="２2222222-2222-4222-8222-222222222222"),
        "invalid order_id: text that is no UUID",
    ),
    (lambda make_message: make_message(agent_id=None), "missing agent_id"),
    (lambda make_message: make_message(agent_name="\ud800"), "invalid agent_name: text that is not Unicode"),
    (lambda make_message: make_message(channel=...), "missing channel"),
    (lambda make_message: make_message(agent_name=7), "invalid agent_name: number"),
    (lambda make_message: make_message(agent_name=False), "invalid agent_name: boolean"),
    (lambda make_message: make_message(agent_name={"first": "Ada"}), "invalid agent_name: list or object"),
    (lambda make_message: make_message(customer_remarks=["fine"]), "invalid customer_remarks: list or object"),
    (
        lambda make_message: make_message(customer_remarks="\ud800"),
        "invalid customer_remarks: text that is not Unicode",
    ),
    (lambda make_message: make_message(csat_score="5"), "invalid csat_score: text"),
    (lambda make_message: make_message(csat_score=4.5), "invalid csat_score: number with a fraction"),
    (lambda make_message: make_message(csat_score=1e300), "csat_score out of range"),
    (lambda make_message: make_message(csat_score="5.0"), "invalid csat_score: text"),
    (lambda make_message: make_message(schema_version=1.5), "invalid schema_version: number with a fraction"),
    (lambda make_message: make_message(schema_version=2.0), "unsupported schema_version"),
    (lambda make_message: make_message(csat_score=6.0), "csat_score out of range"),
    (lambda make_message: make_message(csat_score=True), "invalid csat_score: boolean"),
    (lambda make_message: make_message(csat_score=10**30), "csat_score out of range"),
    (lambda make_message: make_message(csat_score=10**400), "csat_score out of range"),
    (lambda make_message: make_message(item_price="much"), "invalid item_price: text"),
    (lambda make_message: make_message(item_price="9.50"), "invalid item_price: text"),
    (lambda make_message: make_message(item_price=9.999), "invalid item_price: number with more than two decimals"),
    (lambda make_message: make_message(item_price=1e11), "item_price out of range"),
    (lambda make_message: make_message(item_price=-1.7e308), "item_price out of range"),
    (
        lambda make_message: make_message(survey_answered_at="2026-11-20"),
        "invalid survey_answered_at: text that is no timestamp",
    ),
    (
        lambda make_message: make_message(survey_answered_at="2026-11-20T11:00Z"),
        "invalid survey_answered_at: text that is no timestamp",
    ),
    (
        lambda make_message: make_message(survey_answered_at="2026-11-20T11:00:00"),
        "invalid survey_answered_at: text that is no timestamp",
    ),
    (
        lambda make_message: make_message(survey_answered_at="2026-02-30T11:00:00Z"),
        "invalid survey_answered_at: text that is no timestamp",
    ),
    (
        lambda make_message: make_message(issue_reported_at="2026-11-20T24:00:00Z"),
        "invalid issue_reported_at: text that is no timestamp",
    ),
    (lambda make_message: make_message(issue_reported_at="0000-12-31T00:00:00Z"), "issue_reported_at out of range"),
    (
        lambda make_message: make_message(issue_reported_at="9999-12-31T23:59:59-01:00"),
        "issue_reported_at out of range",
    ),
    (
        lambda make_message: make_message(survey_answered_at="2026-11-20T11:00:00Z\n"),
        "invalid survey_answered_at: text that is no timestamp",
    ),
    (lambda make_message: make_message(survey_answered_at=1_763_636_400), "invalid survey_answered_at: number"),
    (lambda make_message: make_message(csat_score=0), "csat_score out of range"),
    (lambda make_message: make_message(csat_score=6), "csat_score out of range"),
    (lambda make_message: make_message(item_price=-0.01), "item_price out of range"),
    (lambda make_message: make_message(agent_id=..., csat_score="5"), "missing agent_id"),
    (lambda make_message: make_message(survey_answered_at="2026-11-20T12:15:00.000001Z"), "answered in the future"),
]


def test_landing_row_names_the_first_reason_when_the_message_is_bad(land, make_message):
    rows = land(*[make(make_message) for make, _ in REJECTED])
    assert [row["rejection_reason"] for row in rows] == [reason for _, reason in REJECTED]


FOUND = "text|number|boolean|list or object|text that is (no UUID|no timestamp|not Unicode|blank)"
FOUND += "|UUID without hyphens, in braces or as a URN|number with (a fraction|more than two decimals)"
anything = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(name=st.sampled_from([column.name for column in landing.EVENT_COLUMNS]), value=anything | st.none())
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(name="customer_remarks", value="\udcff")
@example(name="item_price", value=1e308)
def test_reason_says_the_type_of_a_bad_value_and_never_the_value(land, make_message, name, value):
    message = make_message(**{name: value})
    rows = land(*[make_message()] * 40, message)
    reason = rows[-1]["rejection_reason"]
    kinds = f"missing {name}|invalid {name}: ({FOUND})|{name} out of range|unsupported schema_version"
    assert reason is None or re.fullmatch(f"{kinds}|answered in the future", reason)
    assert [row["rejection_reason"] for row in rows[:-1]] == [None] * 40
    assert land(message)[0]["rejection_reason"] == reason


def test_reason_of_a_deep_message_says_the_type_of_its_bad_value(land, make_message):
    deep = b',"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    bad = [{"csat_score": "5"}, {"agent_name": 7}, {"agent_name": True}, {"agent_name": []}, {"agent_name": None}]
    rows = land(*[make_message(**changes)[:-1] + deep for changes in bad])
    assert [row["rejection_reason"] for row in rows] == [
        "invalid csat_score: text",
        "invalid agent_name: number",
        "invalid agent_name: boolean",
        "invalid agent_name: list or object",
        "missing agent_name",
    ]


def test_every_fault_of_the_simulator_is_rejected_with_the_reason_that_it_announces(land, make_message):
    rng = np.random.default_rng(1)
    kinds = [kind for kind in FAULT_KINDS.values() if kind.rejections]
    spoiled = [kind.spoil(make_message(order_id=None), rng) for kind in kinds for _ in range(30)]
    rows = land(*[one.value for one in spoiled])
    assert [row["rejection_reason"] for row in rows] == [one.rejection for one in spoiled]


def test_landing_row_keeps_only_bytes_and_position_when_it_is_rejected(land, make_message):
    message = make_message(csat_score=9)
    [row] = land(message)
    assert bytes(row["payload"]) == message
    kept = {name for name, value in row.items() if value is not None}
    assert kept == {
        "kafka_topic",
        "kafka_topic_id",
        "kafka_partition",
        "kafka_offset",
        "kafka_timestamp",
        "ingested_at",
        "batch_id",
        "rejection_reason",
        "payload",
    }


ACCEPTED: list[dict[str, object]] = [
    {"survey_answered_at": "2026-11-20T12:15:00Z"},  # a quarter of an hour ahead is still accepted
    {"survey_answered_at": "2019-01-01T00:00:00Z"},
    {"issue_responded_at": "2026-11-19T10:00:00+05:30"},  # before its report
    {"category": "A category of tomorrow", "channel": "Chat"},
    {"item_price": 0},
    {"item_price": 1e3},
    {"item_price": 9_999_999_999.99},
    {"issue_reported_at": "0001-01-01T00:00:00Z", "issue_responded_at": "9999-12-31T23:59:59.999999999Z"},
    {"unknown_field": {"nested": [1, {"a": None}]}},
    {"customer_remarks": "'\"\\\u0000\u2028\u202e\n\t{}[],<script>" * 3},
    {"product_category": "", "customer_city": "\u00a0"},
]


def test_landing_row_is_accepted_when_the_event_is_unusual_but_valid(land, make_message):
    rows = land(*[make_message(**changes) for changes in ACCEPTED])
    assert [row["rejection_reason"] for row in rows] == [None] * len(ACCEPTED)
    texts = {"category", "channel", "customer_remarks", "product_category", "customer_city"}
    for row, changes in zip(rows, ACCEPTED, strict=True):
        sent = {name: value for name, value in changes.items() if name in texts}
        assert {name: row[name] for name in sent} == sent


TIMES = [
    ("2026-11-20T11:00:00Z", (2026, 11, 20, 11)),
    ("2026-11-20T11:00:00.1Z", (2026, 11, 20, 11, 0, 0, 100_000)),
    ("2026-11-20T11:00:00.123456789Z", (2026, 11, 20, 11, 0, 0, 123_456)),
    ("2026-11-20T11:00:00-05:30", (2026, 11, 20, 16, 30)),
    ("2024-02-29T23:59:59+14:00", (2024, 2, 29, 9, 59, 59)),
]


def test_landing_row_holds_the_time_in_utc_cut_to_microseconds(land, make_message):
    rows = land(*[make_message(issue_reported_at=text) for text, _ in TIMES])
    assert [row["issue_reported_at"] for row in rows] == [_utc(*parts) for _, parts in TIMES]


def test_landing_row_holds_the_exact_price(land, make_message):
    prices = ["0", "-0.0", "0.1", "0.29", "1.005e3", "4.35", "1e2", "8765432109.87", "9999999999.99"]
    rows = land(*[make_message(item_price=0.25).replace(b"0.25", text.encode()) for text in prices])
    assert [row["item_price"] for row in rows] == [Decimal(text) for text in prices]


def test_landing_row_takes_a_whole_number_however_json_writes_it(land, make_message):
    scores = ["5", "5.0", "5e0", "50e-1", "0.5E+1", "5.000"]
    rows = land(
        *[make_message(csat_score=5).replace(b'"csat_score": 5', f'"csat_score": {text}'.encode()) for text in scores]
    )
    rows += land(*[make_message(csat_score=5.0, schema_version=1.0)] * 100)
    assert {(row["csat_score"], row["schema_version"], row["rejection_reason"]) for row in rows} == {(5, 1, None)}
    assert all(type(row["csat_score"]) is int for row in rows)


BLANK = [
    *[
        "",
        " ",
        "\t\r\n\x0b\x0c\x85\u2028\u2029",
        "\x00\x01\x1b\x1f\x7f\x80\x9f",
        "\u00a0\u1680\u2003\u202f\u205f\u3000",
    ],
    *[
        "\u200b",
        "\u200c\u200d",
        "\u2060\ufeff",
        "\u00ad",
        "\u200e\u200f\u061c",
        "\u202e\u202d\u2066\u2069",
        "\u3164\uffa0",
    ],
]
REQUIRED_NAMES = {
    *("channel", "category", "sub_category", "agent_id", "agent_name", "supervisor_name", "manager_name"),
    *("tenure_bucket", "shift"),
}


def test_a_blank_name_is_rejected_alone_and_among_others(land, make_message):
    messages = [make_message(**{name: blank}) for name in sorted(REQUIRED_NAMES) for blank in BLANK]
    expected = [f"invalid {name}: text that is blank" for name in sorted(REQUIRED_NAMES) for _ in BLANK]
    assert [row["rejection_reason"] for row in land(*messages)] == expected
    assert [land(message)[0]["rejection_reason"] for message in messages] == expected


NOTATIONS = [
    *["22222222222242228222222222222222", "{22222222-2222-4222-8222-22222222222A}"],
    *["urn:uuid:22222222-2222-4222-8222-222222222222", "URN:UUID:2222222222224222822222222222222A"],
]


def test_a_uuid_in_another_notation_is_rejected_with_its_own_reason(land, make_message):
    for name in ("response_id", "case_id", "order_id"):
        reasons = {row["rejection_reason"] for row in land(*[make_message(**{name: form}) for form in NOTATIONS])}
        assert reasons == {f"invalid {name}: UUID without hyphens, in braces or as a URN"}


def test_a_uuid_lands_in_lower_case(land, make_message):
    ids = ("response_id", "case_id", "order_id")
    form = "aAbBcCdD-Ef01-4aBc-8DeF-0123456789aB"
    rows = land(*[make_message(**dict.fromkeys(ids, text)) for text in (form, form.upper(), form.lower())])
    assert [[row[name] for name in ids] for row in rows] == [["aabbccdd-ef01-4abc-8def-0123456789ab"] * 3] * 3


NASTY = [
    *["\ttabs\r\nlines\x0b\x0c\x85\u2028\u2029", "a\x00\x01\x1b[31m\x7f\x80\x9f", "\ufeff\ufffe\uffff\U0010ffff"],
    *["null", "NULL", "undefined", "NaN", "[NaN]", "-Infinity", "true", "0", "1e999", "1/0", "0x0", "\\", "\\u0000"],
    *["{}", "}{", "[", '"', "'", "`", '{"a":', ",{}", "\\N", "\\n", "%s%d", "${HOME}", "{{ 1 }}", "$(id)"],
    *["'; drop table survey_responses; --", "<script>alert(1)</script>", "../../etc/passwd", "=1+1", "@SUM(A1)"],
    *[
        "Ω≈ç√∫˜µ≤≥÷",
        "田中さんにあげて下さい",
        "الكل في المجمو عة",
        "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè",
        "👩🏽‍❤️‍💋‍👨🏿",
        "\u202etest\u202d",
        "ﷺ",
        "ı İ ß",
        "e\u0301 é",
    ],
    "x" * 100_000,
]


def test_landing_row_keeps_every_text_unchanged(land, make_message):
    texts = [column.name for column in landing.EVENT_COLUMNS if column.kind is landing.ColumnKind.TEXT]
    rows = land(*[make_message(**dict.fromkeys(texts, nasty)) for nasty in NASTY])
    assert [[row[name] for name in texts] for row in rows] == [[nasty] * len(texts) for nasty in NASTY]
    rows = land(*[make_message(customer_remarks=blank) for blank in BLANK])
    assert [row["customer_remarks"] for row in rows] == BLANK


def _utc(year: int, month: int, day: int, hour: int, minute: int = 0, second: int = 0, micro: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, micro, UTC)
