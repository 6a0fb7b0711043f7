"""Every message is one landing row: accepted, or rejected with the first reason that applies."""

from datetime import UTC, datetime
from decimal import Decimal

from csat.contract import landing


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
    (lambda make_message: make_message(schema_version=...), "missing or wrong type in schema_version"),
    (lambda make_message: b"{}", "missing or wrong type in response_id"),
    (lambda make_message: make_message(response_id="1111"), "missing or wrong type in response_id"),
    (lambda make_message: make_message(order_id="not an id"), "missing or wrong type in order_id"),
    (lambda make_message: make_message(agent_id=None), "missing or wrong type in agent_id"),
    (lambda make_message: make_message(channel=...), "missing or wrong type in channel"),
    (lambda make_message: make_message(agent_name=7), "missing or wrong type in agent_name"),
    (lambda make_message: make_message(customer_remarks=["fine"]), "missing or wrong type in customer_remarks"),
    (lambda make_message: make_message(customer_remarks="\ud800"), "missing or wrong type in customer_remarks"),
    (lambda make_message: make_message(csat_score="5"), "missing or wrong type in csat_score"),
    (lambda make_message: make_message(csat_score=4.5), "missing or wrong type in csat_score"),
    (lambda make_message: make_message(csat_score=1e300), "missing or wrong type in csat_score"),
    (lambda make_message: make_message(csat_score="5.0"), "missing or wrong type in csat_score"),
    (lambda make_message: make_message(schema_version=1.5), "missing or wrong type in schema_version"),
    (lambda make_message: make_message(schema_version=2.0), "unsupported schema_version"),
    (lambda make_message: make_message(csat_score=6.0), "csat_score out of range"),
    (lambda make_message: make_message(csat_score=True), "missing or wrong type in csat_score"),
    (lambda make_message: make_message(csat_score=10**30), "missing or wrong type in csat_score"),
    (lambda make_message: make_message(item_price="much"), "missing or wrong type in item_price"),
    (lambda make_message: make_message(item_price="9.50"), "missing or wrong type in item_price"),
    (lambda make_message: make_message(item_price=9.999), "missing or wrong type in item_price"),
    (lambda make_message: make_message(item_price=1e11), "missing or wrong type in item_price"),
    (lambda make_message: make_message(survey_answered_at="2026-11-20"), "missing or wrong type in survey_answered_at"),
    (
        lambda make_message: make_message(survey_answered_at="2026-11-20T11:00Z"),
        "missing or wrong type in survey_answered_at",
    ),
    (
        lambda make_message: make_message(survey_answered_at="2026-11-20T11:00:00"),
        "missing or wrong type in survey_answered_at",
    ),
    (
        lambda make_message: make_message(survey_answered_at="2026-02-30T11:00:00Z"),
        "missing or wrong type in survey_answered_at",
    ),
    (
        lambda make_message: make_message(issue_reported_at="2026-11-20T24:00:00Z"),
        "missing or wrong type in issue_reported_at",
    ),
    (
        lambda make_message: make_message(issue_reported_at="0000-12-31T00:00:00Z"),
        "missing or wrong type in issue_reported_at",
    ),
    (
        lambda make_message: make_message(issue_reported_at="9999-12-31T23:59:59-01:00"),
        "missing or wrong type in issue_reported_at",
    ),
    (
        lambda make_message: make_message(survey_answered_at="2026-11-20T11:00:00Z\n"),
        "missing or wrong type in survey_answered_at",
    ),
    (
        lambda make_message: make_message(survey_answered_at=1_763_636_400),
        "missing or wrong type in survey_answered_at",
    ),
    (lambda make_message: make_message(csat_score=0), "csat_score out of range"),
    (lambda make_message: make_message(csat_score=6), "csat_score out of range"),
    (lambda make_message: make_message(item_price=-0.01), "item_price out of range"),
    (lambda make_message: make_message(survey_answered_at="2026-11-21T12:00:00.000001Z"), "answered in the future"),
]


def test_landing_row_names_the_first_reason_when_the_message_is_bad(land, make_message):
    messages = [make(make_message) for make, _ in REJECTED]
    rows = land(*messages)
    assert [row["rejection_reason"] for row in rows] == [reason for _, reason in REJECTED]


def test_landing_row_keeps_only_bytes_and_position_when_it_is_rejected(land, make_message):
    message = make_message(csat_score=9)
    [row] = land(message)
    assert bytes(row["payload"]) == message
    kept = {name for name, value in row.items() if value is not None}
    assert kept == {
        "kafka_topic",
        "kafka_partition",
        "kafka_offset",
        "kafka_timestamp",
        "ingested_at",
        "batch_id",
        "rejection_reason",
        "payload",
    }


ACCEPTED: list[dict[str, object]] = [
    {"survey_answered_at": "2026-11-21T12:00:00Z"},  # a day ahead is still accepted
    {"survey_answered_at": "2019-01-01T00:00:00Z"},
    {"issue_responded_at": "2026-11-19T10:00:00+05:30"},  # before its report
    {"category": "A category of tomorrow", "channel": "Chat"},
    {"item_price": 0},
    {"item_price": 1e3},
    {"item_price": 9_999_999_999.99},
    {"issue_reported_at": "0001-01-01T00:00:00Z", "issue_responded_at": "9999-12-31T23:59:59.999999999Z"},
    {"unknown_field": {"nested": [1, {"a": None}]}},
    {"customer_remarks": "'\"\\\u0000\u2028\u202e\n\t{}[],<script>" * 3},
    {"agent_id": ""},
]


def test_landing_row_is_accepted_when_the_event_is_unusual_but_valid(land, make_message):
    rows = land(*[make_message(**changes) for changes in ACCEPTED])
    assert [row["rejection_reason"] for row in rows] == [None] * len(ACCEPTED)
    texts = {"category", "channel", "customer_remarks", "agent_id"}
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


NASTY = [
    *["", " ", "\ttabs\r\nlines\x0b\x0c\x85\u2028\u2029", "\x00\x01\x1f\x7f\x80\x9f", "\ufeff\ufffe\uffff\U0010ffff"],
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


def _utc(year: int, month: int, day: int, hour: int, minute: int = 0, second: int = 0, micro: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, micro, UTC)
