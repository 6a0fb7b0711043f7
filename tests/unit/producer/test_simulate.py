"""The simulated responses have the real distribution, and depend only on the seed and the clock."""

import json
import statistics
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csat.contract.event import SurveyResponse
from producer.message import Message
from producer.simulate import Simulator

END = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
Events = list[dict[str, Any]]


def share(values: Iterable[bool]) -> float:
    return statistics.fmean(values)


def minutes(event: dict[str, Any]) -> float:
    reported, responded = (datetime.fromisoformat(event[f"issue_{step}_at"]) for step in ("reported", "responded"))
    return (responded - reported) / timedelta(minutes=1)


def test_same_seed_and_clock_give_the_same_history() -> None:
    first, second = (list(Simulator(3).history(300, END - timedelta(days=2), END)) for _ in range(2))
    assert first == second


def test_another_clock_gives_other_ids(simulator: Simulator) -> None:
    earlier, later = (
        {json.loads(message.value)["response_id"] for message in simulator.history(200, END - timedelta(days=1), end)}
        for end in (END, END + timedelta(milliseconds=1))
    )
    assert not earlier & later


def test_another_seed_gives_other_ids() -> None:
    first, second = (
        {json.loads(message.value)["response_id"] for message in Simulator(seed).history(200, END - timedelta(1), END)}
        for seed in (3, 4)
    )
    assert not first & second


def test_short_history_has_slow_responses_too(simulator: Simulator) -> None:
    day = [json.loads(message.value) for message in simulator.history(3_000, END - timedelta(days=1), END)]
    assert share(minutes(event) > 1_440 for event in day) == pytest.approx(0.036, abs=0.012)


def test_agents_stay_the_same_when_only_the_clock_moves() -> None:
    assert Simulator(3).agents == Simulator(3).agents
    assert Simulator(3).agents != Simulator(4).agents


def test_every_event_fits_the_model_and_has_its_fields_in_order(month: list[Message], events: Events) -> None:
    for message, event in zip(month[:5000], events, strict=False):
        parsed = SurveyResponse.model_validate_json(message.value)
        assert list(event) == list(SurveyResponse.model_fields)
        assert message.key == parsed.agent_id.encode()
        assert message.answered_ms == round(parsed.survey_answered_at.timestamp() * 1000)


def test_every_event_has_ids_of_its_own(events: Events) -> None:
    ids = [event[name] for event in events for name in ("response_id", "case_id", "order_id") if event[name]]
    assert len(ids) == len(set(ids))


def test_history_stays_within_its_bounds_and_is_in_order(month: list[Message]) -> None:
    times = [message.answered_ms for message in month]
    assert times == sorted(times)
    assert times[0] >= datetime(2026, 10, 5, 9, 30, tzinfo=UTC).timestamp() * 1000
    assert times[-1] <= datetime(2026, 11, 2, 9, 30, tzinfo=UTC).timestamp() * 1000


def test_history_fills_each_week_evenly(month: list[Message]) -> None:
    first = datetime(2026, 10, 5, 9, 30, tzinfo=UTC).timestamp() * 1000
    weeks = Counter(int((message.answered_ms - first) // (7 * 86_400_000)) for message in month)
    assert all(4_700 < weeks[week] < 5_300 for week in range(4))


def test_scores_have_the_real_shares(events: Events) -> None:
    scores = Counter(event["csat_score"] for event in events)
    shares = {score: count / len(events) for score, count in scores.items()}
    assert shares == pytest.approx({1: 0.131, 2: 0.015, 3: 0.030, 4: 0.131, 5: 0.694}, abs=0.012)
    assert shares[4] + shares[5] == pytest.approx(0.825, abs=0.012)


def test_channels_have_the_real_shares(events: Events) -> None:
    channels = Counter(event["channel"] for event in events)
    assert channels["Inbound"] / len(events) == pytest.approx(0.793, abs=0.012)
    assert channels["Outcall"] / len(events) == pytest.approx(0.172, abs=0.012)
    assert channels["Email"] / len(events) == pytest.approx(0.035, abs=0.006)


def test_categories_have_the_real_shares(events: Events) -> None:
    categories = Counter(event["category"] for event in events)
    assert categories["Returns"] / len(events) == pytest.approx(0.513, abs=0.012)
    assert categories["Order Related"] / len(events) == pytest.approx(0.270, abs=0.012)
    assert categories["Cancellation"] / len(events) == pytest.approx(0.026, abs=0.005)
    assert len(categories) == 12


def test_general_enquiry_is_in_three_categories(events: Events) -> None:
    found = {event["category"] for event in events if event["sub_category"] == "General Enquiry"}
    assert found == {"Returns", "Order Related", "Shopzilla Related"}


def test_first_reply_times_have_the_real_shares_and_a_heavy_tail(events: Events) -> None:
    times = [minutes(event) for event in events]
    assert share(time <= 5 for time in times) == pytest.approx(0.494, abs=0.02)
    assert share(5 < time <= 60 for time in times) == pytest.approx(0.293, abs=0.02)
    assert share(time > 1_440 for time in times) == pytest.approx(0.033, abs=0.008)
    assert statistics.median(times) < 8
    assert statistics.fmean(times) > 120
    assert min(times) == 0


def test_fast_replies_have_higher_csat_than_slow_ones(events: Events) -> None:
    fast = share(event["csat_score"] >= 4 for event in events if minutes(event) <= 5)
    slow = share(event["csat_score"] >= 4 for event in events if minutes(event) > 1_440)
    assert fast == pytest.approx(0.895, abs=0.02)
    assert slow == pytest.approx(0.574, abs=0.06)


def test_email_has_lower_csat_than_the_rest(events: Events) -> None:
    email = share(event["csat_score"] >= 4 for event in events if event["channel"] == "Email")
    assert email == pytest.approx(0.731, abs=0.06)


def test_responses_come_on_the_day_of_the_report_or_soon_after(events: Events) -> None:
    names = ("issue_reported_at", "survey_answered_at")
    days = [(dates[1] - dates[0]).days for event in events if (dates := [_date(event[name]) for name in names])]
    assert share(day == 0 for day in days) == pytest.approx(0.91, abs=0.025)
    assert share(day == 1 for day in days) == pytest.approx(0.07, abs=0.02)
    assert max(days) <= 5


def test_reports_follow_the_hours_of_the_day(events: Events) -> None:
    hours = Counter(datetime.fromisoformat(event["issue_reported_at"]).hour for event in events)
    assert hours[17] / len(events) == pytest.approx(0.071, abs=0.008)
    assert hours[3] / len(events) == pytest.approx(0.001, abs=0.001)


def test_reports_are_fewer_at_the_weekend(events: Events) -> None:
    days = Counter(datetime.fromisoformat(event["issue_reported_at"]).weekday() for event in events)
    assert days[0] / days[5] == pytest.approx(1.14, abs=0.1)


def test_gaps_have_the_real_rates(events: Events) -> None:
    assert share(event["customer_remarks"] is None for event in events) == pytest.approx(0.665, abs=0.015)
    assert share(event["order_id"] is None for event in events) == pytest.approx(0.212, abs=0.012)
    assert share(event["item_price"] is None for event in events) == pytest.approx(0.80, abs=0.012)


def test_order_details_are_missing_together_and_need_an_order(events: Events) -> None:
    for event in events:
        present = {event[name] is not None for name in ("product_category", "item_price", "customer_city")}
        assert len(present) == 1
        assert event["order_id"] is not None or present == {False}


def test_dissatisfied_customers_leave_more_remarks(events: Events) -> None:
    dissatisfied = share(event["customer_remarks"] is not None for event in events if event["csat_score"] == 1)
    content = share(event["customer_remarks"] is not None for event in events if event["csat_score"] == 4)
    assert dissatisfied == pytest.approx(0.489, abs=0.03)
    assert content == pytest.approx(0.237, abs=0.03)


def test_remarks_are_as_long_as_real_ones_and_as_odd(events: Events) -> None:
    remarks = [event["customer_remarks"] for event in events if event["customer_remarks"] is not None]
    lengths = statistics.quantiles(map(len, remarks), n=100)
    assert 14 <= lengths[49] <= 26
    assert 85 <= lengths[89] <= 130
    assert 250 <= lengths[98] <= 420
    assert share("??" in remark for remark in remarks) == pytest.approx(0.09, abs=0.05)
    assert any(not remark.isascii() for remark in remarks)
    assert {"Good", "Bad"} <= set(remarks)


def test_prices_are_skewed_and_bounded(events: Events) -> None:
    prices = [event["item_price"] for event in events if event["item_price"] is not None]
    assert min(prices) >= 0
    assert max(prices) <= 164_999
    assert statistics.median(prices) == pytest.approx(1_340, rel=0.15)
    assert statistics.fmean(prices) > 3_000


def test_agents_are_1371_with_skewed_volumes_and_the_real_teams(simulator: Simulator) -> None:
    weights = sorted(agent.weight for agent in simulator.agents)
    assert len({agent.agent_id for agent in simulator.agents}) == 1_371
    assert len({agent.agent_name for agent in simulator.agents}) == 1_371
    assert sum(weights) == pytest.approx(1)
    assert weights[1_233] / weights[685] == pytest.approx(1.9, abs=0.25)
    teams = Counter((agent.team.manager_name, agent.team.tenure_bucket, agent.team.shift) for agent in simulator.agents)
    assert teams["Jennifer Nguyen", "On Job Training", "Evening"] == 139
    assert Counter(agent.supervisor_name for agent in simulator.agents)["Zoe Yamamoto"] == 68


def test_an_agent_keeps_one_name_and_team_in_all_events(events: Events) -> None:
    names = ("agent_name", "supervisor_name", "manager_name", "tenure_bucket", "shift")
    known: dict[str, list[str]] = {}
    for event in events:
        team = [event[name] for name in names]
        assert known.setdefault(event["agent_id"], team) == team


def test_true_rates_spread_by_seven_and_a_half_points_around_the_real_rate(simulator: Simulator) -> None:
    truths = simulator.truths().values()
    assert 0.065 < statistics.pstdev(truth["true_csat_rate"] for truth in truths) < 0.085
    assert sum(truth["true_csat_rate"] * truth["weight"] for truth in truths) == pytest.approx(0.825, abs=0.008)


def test_scores_follow_the_true_rates(simulator: Simulator, events: Events) -> None:
    truths = simulator.truths()
    best = set(sorted(truths, key=lambda agent_id: truths[agent_id]["true_csat_rate"])[-137:])
    true = statistics.fmean(
        truths[event["agent_id"]]["true_csat_rate"] for event in events if event["agent_id"] in best
    )
    seen = share(event["csat_score"] >= 4 for event in events if event["agent_id"] in best)
    assert true > 0.90
    assert seen == pytest.approx(true, abs=0.025)


def test_live_events_have_the_current_time_and_differ_between_ticks(simulator: Simulator) -> None:
    first, second = (list(simulator.live(count, 20, END)) for count in (0, 20))
    for message in first + second:
        event = SurveyResponse.model_validate_json(message.value)
        assert event.survey_answered_at == END
        assert event.issue_reported_at <= event.issue_responded_at <= END
    assert len({message.value for message in first + second}) == 40


def _date(text: str) -> Any:
    return datetime.fromisoformat(text).date()
