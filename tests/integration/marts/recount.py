"""An independent recount of the marts, from their definitions and the landing rows, in pandas and plain Python.

Written independently of the SQL: no daily tables, no window functions, every window computed separately. The variables
of dbt_project.yml that the definitions name are the only input from the project.
"""

import math
import unicodedata
from collections import defaultdict
from datetime import date, timedelta
from typing import Any, SupportsFloat, cast

import pandas as pd  # noqa: TID253  # a test may take the time

from csat.reporting.variables import mart_variables, window_days

_NUMBERS = mart_variables()
K, MINIMUM, Z = (_NUMBERS[name] for name in ("prior_responses", "minimum_responses", "z"))
COMPARABLE, TIERS = (_NUMBERS[name] for name in ("minimum_comparison_responses", "leaderboard_tiers"))
SMOOTHING = timedelta(days=_NUMBERS["smoothing_days"])
WINDOWS = window_days()
VERSUS_EXPECTED = ("expected_csat_rate", "csat_difference", "csat_difference_low", "csat_difference_high")
NAMES = ("agent_id", "agent_name", "supervisor_name", "manager_name", "channel", "category", "sub_category")
Rows = list[dict[str, Any]]
Mix = dict[tuple[str, str], tuple[int, int]]  # by channel and category: responses, and those that are satisfied


def responses(landed: Rows) -> pd.DataFrame:
    """One row per accepted response: the earliest message in Kafka."""
    accepted = pd.DataFrame([row for row in landed if not row.get("rejection_reason")])
    accepted["response_id"] = accepted["response_id"].str.lower()
    for column in NAMES:
        accepted[column] = [name(text) or "unknown" for text in accepted[column]]
    accepted = accepted.sort_values(["kafka_timestamp", "kafka_partition", "kafka_offset"])
    first = accepted.drop_duplicates("response_id").copy()
    first["day"] = [moment.date() for moment in first["survey_answered_at"]]
    first["hour"] = [moment.replace(minute=0, second=0, microsecond=0) for moment in first["survey_answered_at"]]
    first["satisfied"] = first["csat_score"] >= 4
    minutes = (first["issue_responded_at"] - first["issue_reported_at"]).dt.total_seconds() / 60
    first["minutes"] = minutes.where(minutes >= 0)
    return first


def name(text: str) -> str:
    """The canonical form of a name, by the categories of Unicode."""
    kinds = [(one, unicodedata.category(one)) for one in text]
    spaced = [
        " " if kind in ("Cc", "Zs", "Zl", "Zp") else one for one, kind in kinds if kind != "Cf" or one == "\u200d"
    ]
    return unicodedata.normalize("NFC", " ".join("".join(spaced).split(" ")).strip(" \u200d"))


def rankings(accepted: pd.DataFrame) -> list[tuple[date, str, int | None]]:
    """Every ranking: (last day, window, its days)."""
    first, last = accepted["day"].min(), accepted["day"].max()
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [(day, name, length) for day in days for name, length in WINDOWS.items()] + [(last, "all", None)]


def within(accepted: pd.DataFrame, end: date, length: int | None) -> pd.DataFrame:
    """The responses of a window."""
    start = end - timedelta(days=length - 1) if length else accepted["day"].min()
    return accepted[(accepted["day"] >= start) & (accepted["day"] <= end)]


def has_before(accepted: pd.DataFrame, end: date, length: int | None) -> bool:
    """Whether the whole window before this one is after the first day, which is not complete."""
    return length is not None and end - timedelta(days=2 * length) >= accepted["day"].min()


def wilson(satisfied: int, count: int) -> tuple[float, float]:
    """The roots p of (p - rate)² = z² p (1 - p) / n."""
    rate = satisfied / count
    a, b, c = 1 + Z**2 / count, -(2 * rate + Z**2 / count), rate**2
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def versus_expected(window: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """By agent: the CSAT that the other agents have for the agent's cases, and the difference from it with its ends."""
    mixes: dict[str, Mix] = defaultdict(dict)
    totals: Mix = defaultdict(lambda: (0, 0))
    for key, rows in window.groupby(["agent_id", "channel", "category"])["satisfied"]:
        agent, channel, category = cast("tuple[str, str, str]", key)
        count, satisfied = mixes[agent][channel, category] = (len(rows), int(rows.sum()))
        before = totals[channel, category]
        totals[channel, category] = (before[0] + count, before[1] + satisfied)
    result: dict[str, dict[str, float | None]] = {}
    for agent, mix in mixes.items():
        others = {kind: (totals[kind][0] - own[0], totals[kind][1] - own[1]) for kind, own in mix.items()}
        result[agent] = dict.fromkeys(VERSUS_EXPECTED)
        if all(count for count, _ in others.values()):
            result[agent] |= zip(VERSUS_EXPECTED, difference(mix, others), strict=True)
    return result


def difference(mix: Mix, others: Mix) -> list[float]:
    """What VERSUS_EXPECTED names.

    The variance of the difference is that of the agent's rate plus those of the others' rates, weighted. The distance
    of an interval's end from its rate stands for z standard deviations on its side.
    """
    count, satisfied = (sum(counts[place] for counts in mix.values()) for place in (0, 1))
    rate, (low, high) = satisfied / count, wilson(satisfied, count)
    weights = [own / count for own, _ in mix.values()]
    rates = [good / number for number, good in others.values()]
    ends = [wilson(good, number) for number, good in others.values()]
    parts = list(zip(weights, rates, ends, strict=True))
    expected = sum(weight * other for weight, other, _ in parts)
    below = math.hypot(rate - low, *(weight * (end[1] - other) for weight, other, end in parts))
    above = math.hypot(high - rate, *(weight * (other - end[0]) for weight, other, end in parts))
    return [expected, rate - expected, rate - expected - below, rate - expected + above]


def agent_leaderboard_rows(window: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The agents of one window with their figures, rank and tier."""
    agents: dict[str, dict[str, Any]] = {}
    rate = window["satisfied"].mean()
    expected = versus_expected(window)
    newest_first = window.sort_values(["survey_answered_at", "response_id"], ascending=[False, True])
    for agent, rows in newest_first.groupby("agent_id"):
        count, satisfied = len(rows), int(rows["satisfied"].sum())
        latest = rows.iloc[0]
        low, high = wilson(satisfied, count)
        median, p90 = rows["minutes"].quantile([0.5, 0.9])
        agents[str(agent)] = {
            "agent_name": latest["agent_name"],
            "supervisor_name": latest["supervisor_name"],
            "manager_name": latest["manager_name"],
            "response_count": count,
            "satisfied_count": satisfied,
            "csat_rate": satisfied / count,
            "average_score": rows["csat_score"].mean(),
            "adjusted_csat_rate": (satisfied + K * rate) / (count + K),
            "wilson_low": low,
            "wilson_high": high,
            **expected[str(agent)],
            "leaderboard_rank": None,
            "tier": None,
            "is_ranked": count >= MINIMUM,
            "responses_missing": max(0, MINIMUM - count),
            "median_first_reply_minutes": number(median),
            "p90_first_reply_minutes": number(p90),
        }
    _rank(agents)
    return agents


def _rank(agents: dict[str, dict[str, Any]]) -> None:
    def place(agent: str) -> tuple[float, int, str]:
        return (-round(agents[agent]["adjusted_csat_rate"], 9), -agents[agent]["response_count"], agent)

    tier, leader_low = 0, math.inf
    for rank, agent in enumerate(sorted((a for a in agents if agents[a]["is_ranked"]), key=place), 1):
        if agents[agent]["wilson_high"] < leader_low and tier < TIERS:
            tier, leader_low = tier + 1, agents[agent]["wilson_low"]
        agents[agent] |= {"leaderboard_rank": rank, "tier": tier}


def leaderboard(landed: Rows) -> Rows:
    """agent_leaderboard."""
    accepted, result = responses(landed), []
    found = {
        (end, name): agent_leaderboard_rows(within(accepted, end, length)) for end, name, length in rankings(accepted)
    }
    for end, name, length in rankings(accepted):
        is_compared = has_before(accepted, end, length)
        before = found.get((end - timedelta(days=length or 0), name), {}) if is_compared else {}
        start = end - timedelta(days=length - 1) if length else accepted["day"].min()
        for agent, figures in found[end, name].items():
            rank, previous = figures["leaderboard_rank"], before.get(agent, {}).get("leaderboard_rank")
            key = {"leaderboard_date": end, "agent_id": agent, "window_id": name}
            ends = {"window_start": start, "window_end": end, "previous_rank": previous}
            change = previous - rank if previous is not None and rank is not None else None
            result.append({**key, **ends, **figures, "rank_change": change})
    return result


def _levels(window: pd.DataFrame) -> dict[tuple[str, str | None], tuple[int, int]]:
    counts: dict[tuple[str, str | None], tuple[int, int]] = {}
    for category, rows in window.groupby("category"):
        counts[str(category), None] = (len(rows), int(rows["satisfied"].sum()))
    for (parent, sub_category), rows in window.groupby(["category", "sub_category"]):
        counts[str(parent), str(sub_category)] = (len(rows), int(rows["satisfied"].sum()))
    return counts


def _compare(count: int, satisfied: int, before: tuple[int, int] | None) -> dict[str, Any]:
    names = ("previous_response_count", "previous_csat_rate", "csat_change", "csat_change_z", "is_significant")
    if before is None:
        return dict.fromkeys(names)
    if min(count, before[0]) < COMPARABLE:
        return dict.fromkeys(names) | dict(zip(names, (before[0], before[1] / before[0]), strict=False))
    change = satisfied / count - before[1] / before[0]
    pooled = (satisfied + before[1]) / (count + before[0])
    error = math.sqrt(pooled * (1 - pooled) * (1 / count + 1 / before[0]))
    z = change / error if error else None
    return {
        "previous_response_count": before[0],
        "previous_csat_rate": before[1] / before[0],
        "csat_change": change,
        "csat_change_z": z,
        "is_significant": None if z is None else abs(z) >= Z,
    }


def categories(landed: Rows) -> Rows:
    """category_ranking."""
    accepted, result = responses(landed), []
    for end, name, length in rankings(accepted):
        window = within(accepted, end, length)
        now = _levels(window)
        has_previous = has_before(accepted, end, length)
        before = _levels(within(accepted, end - timedelta(days=length or 0), length)) if has_previous else {}
        for (category, sub_category), (count, satisfied) in now.items():
            peers = {key: value for key, value in now.items() if (key[1] is None) == (sub_category is None)}
            by_volume = sorted(peers, key=lambda key: (-peers[key][0], key[0], key[1] or ""))
            by_dissatisfied = sorted(
                peers, key=lambda key: (peers[key][1] - peers[key][0], peers[key][0], key[0], key[1] or "")
            )
            start = end - timedelta(days=length - 1) if length else accepted["day"].min()
            result.append(
                {"ranking_date": end, "window_id": name, "category": category, "sub_category": sub_category}
                | {"window_start": start, "window_end": end, "response_count": count, "satisfied_count": satisfied}
                | {
                    "share": count / len(window),
                    "csat_rate": satisfied / count,
                    "dissatisfied_count": count - satisfied,
                }
                | {"volume_rank": by_volume.index((category, sub_category)) + 1}
                | {"dissatisfied_rank": by_dissatisfied.index((category, sub_category)) + 1}
                | _compare(count, satisfied, before.get((category, sub_category)))
            )
    return result


def series(landed: Rows) -> Rows:
    """response_series."""
    accepted, result = responses(landed), []
    accepted["bucket"] = pd.cut(accepted["minutes"], [-1, 5, 60, 1440, math.inf], labels=False)
    kinds = {cast("tuple[str, str]", kind): rows for kind, rows in accepted.groupby(["channel", "category"])}
    for key, rows in accepted.groupby(["hour", "channel", "category"]):
        hour, channel, category = cast("tuple[pd.Timestamp, str, str]", key)
        same = kinds[channel, category]
        week = same[(same["hour"] > hour - SMOOTHING) & (same["hour"] <= hour)]
        buckets = rows["bucket"].value_counts()
        median, p90 = rows["minutes"].quantile([0.5, 0.9])
        result.append(
            {"response_date": hour.date(), "response_hour": hour, "channel": channel, "category": category}
            | {"response_count": len(rows), "satisfied_count": int(rows["satisfied"].sum())}
            | {"csat_rate": rows["satisfied"].mean()}
            | {"up_to_5_minutes_count": buckets.get(0, 0), "up_to_1_hour_count": buckets.get(1, 0)}
            | {"up_to_24_hours_count": buckets.get(2, 0), "over_24_hours_count": buckets.get(3, 0)}
            | {"unknown_first_reply_count": int(rows["minutes"].isna().sum())}
            | {"median_first_reply_minutes": number(median), "p90_first_reply_minutes": number(p90)}
            | {"smoothed_response_count": len(week) / (SMOOTHING / timedelta(hours=1))}
            | {"smoothed_csat_rate": week["satisfied"].mean()}
        )
    return result


def number(value: SupportsFloat) -> float | None:
    """The value, or None for NaN."""
    return None if math.isnan(value) else float(value)


MARTS = {"agent_leaderboard": leaderboard, "category_ranking": categories, "response_series": series}
