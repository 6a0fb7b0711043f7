"""The distribution of the real responses: profile.json as frozen values."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

Group = TypeVar("Group")

PROFILE_FILE = Path(__file__).with_name("profile.json")

# Inclusive upper bounds, in minutes, of the first reply time buckets; the last bucket has none.
FIRST_REPLY_BUCKETS = {"<=5m": 5, "5-15m": 15, "15-60m": 60, "1-4h": 240, "4-24h": 1440, ">24h": None}
# The source's longest reply times end on the fourth day.
LONGEST_FIRST_REPLY_MINUTES = 4 * 24 * 60
# Differences between agents lower the mean of a logistic model: this restores the real 82.5 %.
INTERCEPT_SHIFT = 0.087


@dataclass(frozen=True)
class Channel:
    """A channel: rising first reply times as (share of responses, minutes), and its effect on the satisfied logit."""

    name: str
    effect: float
    response_quantiles: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class SubCategory:
    """A sub-category of one category; channel shares are in the order of the profile's channels."""

    category: str
    name: str
    share: float
    effect: float
    channel_shares: tuple[float, ...]
    order_id_share: float
    order_detail_share: float


@dataclass(frozen=True)
class Team:
    """Agents who share manager, tenure and shift, and the effect of tenure and shift on the satisfied logit."""

    manager_name: str
    tenure_bucket: str
    shift: str
    agents: int
    effect: float


@dataclass(frozen=True)
class Scores:
    """The score model: the satisfied logit's constants, scores with their shares, remarks by score."""

    intercept: float
    bucket_effects: tuple[float, ...]
    agent_effect_sd: float
    satisfied: tuple[tuple[int, float], ...]
    dissatisfied: tuple[tuple[int, float], ...]
    remark_shares: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Price:
    """Item prices: log-normal, truncated at both ends."""

    ln_mean: float
    ln_sd: float
    minimum: float
    maximum: float


@dataclass(frozen=True)
class Profile:
    """The whole profile; shares are fractions of 1, times of day are UTC."""

    responses_per_day: int
    volume_shape: float
    csat_rate: float
    channels: tuple[Channel, ...]
    sub_categories: tuple[SubCategory, ...]
    teams: tuple[Team, ...]
    supervisors: tuple[tuple[str, int], ...]
    hour_shares: tuple[float, ...]
    weekday_weights: tuple[float, ...]
    scores: Scores
    remark_length_quantiles: tuple[tuple[float, float], ...]
    product_categories: tuple[tuple[str, int], ...]
    city_shares: tuple[tuple[str, float], ...]
    price: Price


@cache
def load_profile() -> Profile:
    """The profile beside this module."""
    document = json.loads(PROFILE_FILE.read_text(encoding="utf-8"))
    exact, sample = document["exact"], document["sample"]
    counts = {int(score): count for score, count in exact["score_counts"].items()}
    return Profile(
        responses_per_day=exact["responses_per_day"]["mean"],
        volume_shape=exact["responses_per_agent"]["gamma_shape"],
        csat_rate=(counts[4] + counts[5]) / sum(counts.values()),
        channels=_channels(sample),
        sub_categories=_sub_categories(exact, sample),
        teams=_teams(sample, exact["agents"]),
        supervisors=tuple(_topped_up(sample["agents_by_supervisor"], exact["agents"]).items()),
        hour_shares=tuple(sample["reported_at_hour_share"]),
        weekday_weights=tuple(sample["weekday_weight_monday_first"]),
        scores=_scores(sample),
        remark_length_quantiles=_quantiles(sample["remark_length_quantiles"]),
        product_categories=tuple(exact["product_category_counts"].items()),
        city_shares=tuple(sample["city_share_top30"].items()),
        price=Price(*(sample["item_price"][name] for name in ("ln_mean", "ln_sd", "min", "max"))),
    )


def _quantiles(quantiles: dict[str, float]) -> tuple[tuple[float, float], ...]:
    return tuple((float(share), value) for share, value in quantiles.items())


def _numbered(shares: dict[str, float]) -> tuple[tuple[int, float], ...]:
    return tuple((int(score), share) for score, share in shares.items())


def _channels(sample: dict[str, Any]) -> tuple[Channel, ...]:
    effects = sample["satisfied_logit"]["channel"]
    return tuple(
        Channel(name, effects[name], ((0.0, 0.0), *_quantiles(quantiles), (1.0, LONGEST_FIRST_REPLY_MINUTES)))
        for name, quantiles in sample["first_reply_minutes_quantiles_by_channel"].items()
    )


def _sub_categories(exact: dict[str, Any], sample: dict[str, Any]) -> tuple[SubCategory, ...]:
    effects = sample["satisfied_logit"]["sub_category"]
    channels = list(sample["first_reply_minutes_quantiles_by_channel"])
    total = sum(count for counts in exact["sub_category_counts"].values() for count in counts.values())
    return tuple(
        SubCategory(
            category=category,
            name=name,
            share=count / total,
            effect=effects.get(f"{category} | {name}", effects["other"]),
            channel_shares=tuple(sample["channel_share_by_category"][category].get(channel, 0) for channel in channels),
            order_id_share=sample["order_id_share_by_category"][category],
            order_detail_share=sample["order_detail_share_by_category"][category],
        )
        for category, counts in exact["sub_category_counts"].items()
        for name, count in counts.items()
    )


def _topped_up(counts: dict[Group, int], total: int) -> dict[Group, int]:
    """Counts of a sample that lacks a few agents, which are added to the largest group."""
    largest = max(counts, key=lambda group: counts[group])
    return counts | {largest: counts[largest] + total - sum(counts.values())}


def _teams(sample: dict[str, Any], total: int) -> tuple[Team, ...]:
    logit = sample["satisfied_logit"]
    counts = {tuple(team): agents for *team, agents in sample["agents_by_manager_tenure_shift"]}
    return tuple(
        Team(manager, tenure, shift, agents, logit["tenure"][tenure] + logit["shift"][shift])
        for (manager, tenure, shift), agents in _topped_up(counts, total).items()
    )


def _scores(sample: dict[str, Any]) -> Scores:
    logit = sample["satisfied_logit"]
    return Scores(
        intercept=logit["intercept"] + INTERCEPT_SHIFT,
        bucket_effects=tuple(logit["response_bucket"][bucket] for bucket in FIRST_REPLY_BUCKETS),
        agent_effect_sd=logit["agent_effect_sd"],
        satisfied=_numbered(sample["score_given_satisfied"]),
        dissatisfied=_numbered(sample["score_given_unsatisfied"]),
        remark_shares=_numbered(sample["remark_share_by_score"]),
    )
