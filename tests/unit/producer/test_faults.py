"""Faults occur at their rates, are counted exactly, and are really in the messages."""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from csat.contract.errors import CsatError
from csat.contract.event import SurveyResponse
from csat.contract.landing import Rejection
from producer.fault_kinds import FAULT_KINDS, Fault
from producer.faults import FaultInjector, parse_fault_rates
from producer.message import Message
from producer.report import Tally

# Wherever a byte is taken for the middle, it lies within a character.
REMARKS = ["न" * 500 + "x" * (count % 7) for count in range(60)]
Pairs = list[tuple[Message, Message]]


def injected(fault: Fault, messages: list[Message], rate: float = 1.0) -> list[Message]:
    injector = FaultInjector({fault: rate}, 7, 0)
    return [*injector.inject(messages), *injector.rest()]


def pairs(fault: Fault, messages: list[Message]) -> Pairs:
    """Each of 200 messages, and the same with the fault."""
    return list(zip(messages[:200], injected(fault, messages[:200]), strict=True))


def times(message: Message) -> tuple[datetime, datetime, datetime]:
    event = json.loads(message.value)
    names = ("issue_reported_at", "issue_responded_at", "survey_answered_at")
    first, second, third = (datetime.fromisoformat(event[name]) for name in names)
    return first, second, third


def test_rates_decide_how_many_messages_have_a_fault(month: list[Message]) -> None:
    injector = FaultInjector(parse_fault_rates("late=0.1,malformed=0.05"), 7, 0)
    faults = Counter(message.fault for message in injector.inject(month))
    assert faults["late"] / 20_000 == pytest.approx(0.1, abs=0.01)
    assert faults["malformed"] / 20_000 == pytest.approx(0.05, abs=0.01)
    assert set(faults) == {None, "late", "malformed"}


def test_messages_keep_their_bytes_without_faults(month: list[Message]) -> None:
    injector = FaultInjector(parse_fault_rates("all=0.05"), 7, 0)
    passed = [message for message in (*injector.inject(month), *injector.rest()) if message.fault is None]
    assert set(passed) <= set(month)
    changed = sum(
        fault != "duplicate"
        for message in FaultInjector(parse_fault_rates("all=0.05"), 7, 0).inject(month)
        if (fault := message.fault) is not None
    )
    assert len(passed) + changed == 20_000


def test_same_seed_and_clock_give_the_same_faults(month: list[Message]) -> None:
    first, second = (list(FaultInjector(parse_fault_rates("all=0.1"), 7, 123).inject(month[:500])) for _ in range(2))
    assert first == second


def test_duplicates_are_added_copies_that_follow_their_originals(month: list[Message]) -> None:
    messages = injected(Fault.DUPLICATE, month[:2_000], rate=0.2)
    originals = {message.value: at for at, message in enumerate(messages) if message.fault is None}
    copies = [(at, message) for at, message in enumerate(messages) if message.fault == "duplicate"]
    assert len(originals) == 2_000
    assert len(copies) == len(messages) - 2_000
    assert 340 < len(copies) < 460
    assert all(originals[message.value] < at for at, message in copies)
    assert all(message.rejection is None for _, message in copies)


def test_late_messages_have_a_response_time_one_to_four_days_earlier(month: list[Message]) -> None:
    for before, after in pairs(Fault.LATE, month):
        moved = {old - new for old, new in zip(times(before), times(after), strict=True)}
        assert len(moved) == 1
        assert timedelta(days=1) <= moved.pop() <= timedelta(days=4)
        assert after.answered_ms == round(times(after)[2].timestamp() * 1000)


def test_malformed_messages_are_no_json_object_in_utf8(month: list[Message]) -> None:
    broken: dict[str | None, list[bytes]] = {}
    for _, after in pairs(Fault.MALFORMED, month):
        broken.setdefault(after.rejection, []).append(after.value)
    assert set(broken) == {"empty message", "not UTF-8", "not one JSON object"}
    assert set(broken["empty message"]) == {b""}
    assert not any(_is_utf8(value) for value in broken["not UTF-8"])
    assert all(_is_utf8(value) and not _is_json_object(value) for value in broken["not one JSON object"])


def test_malformed_messages_are_utf8_where_the_reason_is_not_that(make_message: Callable[..., bytes]) -> None:
    messages = [
        Message(b"key", make_message(customer_remarks=text).decode("unicode-escape").encode(), 0) for text in REMARKS
    ]
    for after in injected(Fault.MALFORMED, messages):
        assert _is_utf8(after.value) is (after.rejection != "not UTF-8")


def _is_utf8(value: bytes) -> bool:
    return value.decode(errors="replace").encode() == value


def _is_json_object(value: bytes) -> bool:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return isinstance(json.loads(value, parse_constant=refuse), dict)
    except ValueError:
        return False


def test_missing_field_messages_lack_exactly_the_field_of_the_reason(month: list[Message]) -> None:
    for before, after in pairs(Fault.MISSING_FIELD, month):
        (field,) = set(json.loads(before.value)) - set(json.loads(after.value))
        assert after.rejection == f"missing {field}"
        assert field not in {"order_id", "item_price", "customer_remarks", "schema_version"}


def test_wrong_type_messages_fail_in_the_field_of_the_reason(month: list[Message]) -> None:
    reasons = set()
    for before, after in pairs(Fault.WRONG_TYPE, month):
        old, new = json.loads(before.value), json.loads(after.value)
        (field,) = {name for name in old if old[name] != new[name]}
        reasons.add(after.rejection)
        assert after.rejection is not None
        assert after.rejection.startswith(f"invalid {field}: ")
    assert reasons == {
        "invalid csat_score: text",
        "invalid csat_score: number with a fraction",
        "invalid response_id: text that is no UUID",
        "invalid item_price: text",
        "invalid issue_reported_at: text that is no timestamp",
        "invalid survey_answered_at: number",
    }


def test_out_of_range_messages_have_a_score_below_1_or_above_5(month: list[Message]) -> None:
    for _, after in pairs(Fault.OUT_OF_RANGE, month):
        assert json.loads(after.value)["csat_score"] not in {1, 2, 3, 4, 5}
        assert after.rejection == "csat_score out of range"


def test_unknown_category_messages_fit_the_model(month: list[Message]) -> None:
    for _, after in pairs(Fault.UNKNOWN_CATEGORY, month):
        assert SurveyResponse.model_validate_json(after.value).category == "Drone delivery"
        assert after.rejection is None


def test_unsupported_version_messages_have_version_2(month: list[Message]) -> None:
    for _, after in pairs(Fault.UNSUPPORTED_VERSION, month):
        assert json.loads(after.value)["schema_version"] == 2
        assert after.rejection == "unsupported schema_version"


def test_response_before_report_messages_are_accepted_with_a_negative_time(month: list[Message]) -> None:
    for _, after in pairs(Fault.RESPONSE_BEFORE_REPORT, month):
        reported, responded, _ = times(after)
        assert timedelta(minutes=73) <= reported - responded <= timedelta(minutes=1_435)
        assert after.rejection is None


@pytest.mark.parametrize("fault", Fault)
def test_reasons_are_those_of_the_table(fault: Fault, month: list[Message]) -> None:
    found = {message.rejection for message in injected(fault, month[:100]) if message.fault is not None}
    expected = FAULT_KINDS[fault].rejections
    if not expected:
        assert found == {None}
        return
    patterns = "|".join(reason.of(r"\w+", ".+") for reason in expected)
    assert all(reason and re.fullmatch(patterns, reason) for reason in found)


def test_accepted_faults_are_these_four() -> None:
    accepted = {fault.value for fault, kind in FAULT_KINDS.items() if not kind.rejections}
    assert accepted == {"duplicate", "late", "unknown_category", "response_before_report"}
    assert set(FAULT_KINDS) == set(Fault)
    assert FAULT_KINDS[Fault.OUT_OF_RANGE].rejections == (Rejection.OUT_OF_RANGE,)


def test_report_counts_what_was_sent() -> None:
    tally = Tally()
    tally.add(Message(b"k", b"{}", 1_000))
    tally.add(Message(b"k", b"{}", 500, "late"))
    tally.add(Message(b"k", b"{}", 1_000, "duplicate"))
    tally.add(Message(b"k", b"", 9_000, "malformed", "empty message"))
    report = tally.report(1.5, was_interrupted=False).as_dict()
    assert report == {
        "sent": 4,
        "faults": {"duplicate": 1, "late": 1, "malformed": 1},
        "expected_accepted": 3,
        "expected_rejected": 1,
        "expected_distinct_responses": 2,
        "rejected_by_reason": {"empty message": 1},
        "seconds": 1.5,
        "first_survey_answered_at": "1970-01-01T00:00:00.500000+00:00",
        "last_survey_answered_at": "1970-01-01T00:00:01+00:00",
        "was_interrupted": False,
    }


def test_report_counts_exactly_the_faults_that_are_in_the_messages(month: list[Message]) -> None:
    tally, injector = Tally(), FaultInjector(parse_fault_rates("all=0.03"), 7, datetime(2026, 11, 2, tzinfo=UTC).second)
    messages = [*injector.inject(month), *injector.rest()]
    for message in messages:
        tally.add(message)
    report = tally.report(0, was_interrupted=False)
    values = {message.value for message in month}
    assert report.sent == 20_000 + report.faults["duplicate"]
    assert sum(report.faults.values()) - report.faults["duplicate"] == sum(m.value not in values for m in messages)
    assert report.expected_distinct_responses == 20_000 - report.expected_rejected
    assert sum(report.rejected_by_reason.values()) == report.expected_rejected


def test_rates_are_read_from_text() -> None:
    assert parse_fault_rates("late=0.25, duplicate=0.5") == {Fault.LATE: 0.25, Fault.DUPLICATE: 0.5}
    assert parse_fault_rates("") == {}


def test_all_sets_each_fault_that_is_not_named() -> None:
    rates = parse_fault_rates("all=0.01,late=0")
    assert len(rates) == 8
    assert Fault.LATE not in rates
    assert set(rates.values()) == {0.01}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("lates=0.1", "Unknown fault 'lates'"),
        ("late", "The rate of late is '', not a number"),
        ("late=1.5", "The rate of late is 1.5"),
        ("late=-0.1", "The rate of late is -0.1"),
        ("late=nan", "The rate of late is nan"),
        ("late=0.6,malformed=0.6", "The rates add up to 1.2"),
        ("all=0.2", "The rates add up to 1.8"),
    ],
)
def test_wrong_rates_are_refused_with_the_valid_names(text: str, problem: str) -> None:
    with pytest.raises(CsatError) as raised:
        parse_fault_rates(text)
    assert str(raised.value).startswith(problem)
    assert "duplicate, late, malformed, missing_field" in str(raised.value)
