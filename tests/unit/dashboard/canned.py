"""A warehouse that holds rows of its own for every query of the dashboard, so that a page runs within a second."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from csat.bigquery.query import Rows
from csat.contract.settings import Settings
from csat.reporting import queries
from csat.reporting.figures import Tally, wilson_interval

CATEGORIES = ("Order Related", "Returns", "Refund Related", "Cancellation", "Payments related", "Others")
CHANNELS = ("Inbound", "Outcall", "Email")
SATISFIED = 0.82


class CannedWarehouse:
    """Rows by the name of a query; tests change them, or the dates that the marts cover."""

    def __init__(self, settings: Settings, now: datetime | None = None, days: int = 90, agents: int = 80) -> None:
        self.settings = settings
        self.now = now or datetime.now(UTC)
        self.last = self.now.date()
        self.first = self.last - timedelta(days=days - 1)
        self.data_up_to = self.now - timedelta(minutes=2)
        self.agents = _agents(agents)
        self.changed: dict[str, Callable[..., Rows]] = {}
        self.asked: list[str] = []
        self._names = {query.sql(settings): name for name, query in queries.QUERIES.items()}

    def rows(self, sql: str, **parameters: Any) -> Rows:
        name = self._names[sql]
        self.asked.append(name)
        answer = self.changed.get(name) or getattr(self, f"_{name}", None)
        return answer(**parameters) if answer else []

    def rows_of(self, name: str) -> Rows:
        """All rows of the query of this name that takes a limit and a category."""
        return [dict(row) for row in getattr(self, f"_{name}")(row_limit=100_000, category="")]

    def _dates(self) -> Rows:
        return [{"first_date": self.first, "last_date": self.last}]

    def _last_build(self) -> Rows:
        return self._builds(1)[:1]

    def _builds(self, row_limit: int) -> Rows:
        return [
            {
                "build_id": str(number),
                "status": "succeeded",
                "is_full_refresh": number == row_limit - 1,
                "built_at": self.data_up_to + timedelta(seconds=30) - number * timedelta(minutes=5),
                "build_seconds": 12.0 + number % 4,
                "watermark_to": self.data_up_to - number * timedelta(minutes=5),
                "touched_dates": [self.last, self.last - timedelta(days=1)],
                "response_count": 12_000 - number,
                "model_count": 9,
                "test_count": 88,
            }
            for number in range(row_limit)
        ]

    def _days(self, since: date, until: date, **_: Any) -> Rows:
        found = []
        for day in _dates(max(since, self.first), min(until, self.last)):
            count = 40 if day == self.last else 200 + day.toordinal() * 37 % 90
            found.append({"response_date": day, **_counts(count, SATISFIED + day.toordinal() % 5 / 100)})
        return found

    _category_days = _days

    def _days_up_to(self, **_: Any) -> Rows:
        return [{"response_count": 40, "response_count_yesterday": 44}]

    def _first_reply_time(self, **_: Any) -> Rows:
        return [{"median_first_reply_minutes": 6.5, "p90_first_reply_minutes": 180.0}]

    def _leaderboard(self, row_limit: int, **_: Any) -> Rows:
        return self.agents[:row_limit]

    def _agent(self, agent_id: str) -> Rows:
        facts = {"shift": "Morning", "tenure_bucket": ">90", "last_response_at": self.data_up_to}
        return [row | facts for row in self.agents if row["agent_id"] == agent_id]

    def _agent_leaderboards(self, since: date, until: date, agent_id: str, **_: Any) -> Rows:
        own = next(row for row in self.agents if row["agent_id"] == agent_id)
        days = list(_dates(max(since, self.first), until))
        return [
            own | {"leaderboard_date": day, **_counts(60 + day.toordinal() % 9, 0.8 + day.toordinal() % 7 / 100)}
            for day in days
        ]

    def _agent_mix(self, **_: Any) -> Rows:
        return [
            {"channel": channel, "category": category, "score_sum": 4 * number, **_counts(number, 0.8)}
            for number, (channel, category) in enumerate(((one, two) for one in CHANNELS for two in CATEGORIES), 1)
        ]

    def _categories(self, row_limit: int, **_: Any) -> Rows:
        rows = [self._category(name, 2_000 // number, number) for number, name in enumerate(CATEGORIES, 1)]
        return rows[:row_limit]

    def _sub_categories(self, row_limit: int, category: str, **_: Any) -> Rows:
        parts = [(name, f"{name} {part}") for name in CATEGORIES for part in ("late", "damaged")]
        rows = [
            self._category(name, 900 // number, number) | {"sub_category": part}
            for number, (name, part) in enumerate(parts, 1)
        ]
        return [row for row in rows if category in ("", row["category"])][:row_limit]

    def _category(self, name: str, count: int, number: int) -> dict[str, Any]:
        counts = _counts(count, SATISFIED - number / 100)
        return {
            "ranking_date": self.last,
            "category": name,
            "sub_category": None,
            "window_start": self.last - timedelta(days=27),
            "window_end": self.last,
            **counts,
            "csat_rate": counts["satisfied_count"] / count,
            "share": count / 5_000,
            "dissatisfied_count": count - counts["satisfied_count"],
            "volume_rank": number,
            "dissatisfied_rank": number,
            "previous_response_count": count + 3,
            "previous_csat_rate": 0.86,
            "csat_change": counts["satisfied_count"] / count - 0.86,
            "csat_change_z": -2.5,
            "is_significant": number == 1,
        }

    def _choices(self, **_: Any) -> Rows:
        pairs = ((channel, category) for channel in CHANNELS for category in CATEGORIES)
        return [
            {"channel": channel, "category": category, "response_count": 900 // number}
            for number, (channel, category) in enumerate(pairs, 1)
        ]

    def _series(self, since: date, until: date, grain: str, split: str, named: list[str], **_: Any) -> Rows:
        parts = {"": [""], "channel": list(CHANNELS), "category": [*named, "All other categories"]}[split]
        step = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}[grain]
        start = since - timedelta(days=since.weekday()) if grain == "week" else since
        at, rows = datetime(start.year, start.month, start.day, tzinfo=UTC), []
        while at.date() <= until and at <= self.now:
            rows += [_bucket(at, part, 30 + 7 * place + at.day % 9) for place, part in enumerate(parts)]
            at += step
        return [*rows, _bucket(None, None, sum(row["response_count"] for row in rows))]

    def _outcomes(self) -> Rows:
        seen = {"newest_ingested_at": self.data_up_to}
        return [
            {"outcome": "accepted", "is_accepted": True, "message_count": 12_000, "message_share": 0.999, **seen},
            {"outcome": "not UTF-8", "is_accepted": False, "message_count": 12, "message_share": 0.001, **seen},
        ]


def _agents(count: int) -> Rows:
    rng = random.Random(1)
    rows = []
    for number in range(count):
        responses = 150 - number if number < count * 3 // 4 else 15
        counts = _counts(responses, 0.95 - 0.3 * number / count)
        interval = wilson_interval(Tally(responses, counts["satisfied_count"]))
        assert interval is not None
        is_ranked = responses >= 20
        rows.append(
            {
                "agent_id": f"agent-{number:04}",
                "agent_name": f"{rng.choice(('Ada', 'Grace', 'Zoë', 'José'))} {rng.choice(('Ames', 'Núñez'))} {number}",
                "supervisor_name": f"Supervisor {number % 4}",
                "manager_name": f"Manager {number % 2}",
                **counts,
                "dissatisfied_count": responses - counts["satisfied_count"],
                "csat_rate": counts["satisfied_count"] / responses,
                "wilson_low": interval.low,
                "wilson_high": interval.high,
                "adjusted_csat_rate": counts["satisfied_count"] / responses,
                "expected_csat_rate": SATISFIED,
                "csat_difference": counts["satisfied_count"] / responses - SATISFIED,
                "csat_difference_low": interval.low - SATISFIED - 0.01,
                "csat_difference_high": interval.high - SATISFIED + 0.01,
                "average_score": 4.2,
                "is_ranked": is_ranked,
                "leaderboard_rank": number + 1 if is_ranked else None,
                "previous_rank": number + 2 if is_ranked else None,
                "rank_change": 1 if is_ranked else None,
                "tier": 1 + number // 20 if is_ranked else None,
                "responses_missing": 0 if is_ranked else 5,
                "median_first_reply_minutes": 6.5,
                "p90_first_reply_minutes": 180.0,
            }
        )
    return rows


def _counts(responses: int, rate: float) -> dict[str, int]:
    return {"response_count": responses, "satisfied_count": round(responses * rate)}


def _bucket(at: datetime | None, part: str | None, count: int) -> dict[str, Any]:
    return {
        "bucket": at,
        "part": part,
        **_counts(count, SATISFIED),
        "up_to_5_minutes_count": count // 2,
        "up_to_1_hour_count": count // 4,
        "up_to_24_hours_count": count // 8,
        "over_24_hours_count": count // 8,
        "median_first_reply_minutes": 6.5,
        "p90_first_reply_minutes": 180.0,
    }


def _dates(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
