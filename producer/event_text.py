"""Events as JSON text: several times faster than a model per event; a test compares them with the model."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from csat.contract.event import LATEST_SCHEMA_VERSION
from producer.agents import Agent
from producer.cases import MINUTE_MS, Cases, Integers
from producer.profile import Profile
from producer.responses import SATISFIED_SCORE, Responses

_IDS_PER_EVENT = 3
_UUID_BYTES, _UUID_DIGITS = 16, 32
_NO_DETAILS = '"product_category":null,"item_price":null,"customer_city":null'


@dataclass(frozen=True)
class Fragments:
    """Pieces of JSON text that many events share, by index."""

    cases: list[list[str]]
    agents: list[str]
    products: list[str]
    cities: list[str]
    remarks: dict[bool, list[str]]


def json_text(value: Any) -> str:
    """Compact JSON without escaped non-ASCII characters."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _members(**values: Any) -> str:
    return json_text(values)[1:-1]


def build_fragments(
    profile: Profile, agents: Sequence[Agent], cities: Sequence[str], remarks: dict[bool, list[str]]
) -> Fragments:
    """The shared pieces of one simulator."""
    return Fragments(
        cases=[
            [
                _members(channel=channel.name, category=kind.category, sub_category=kind.name)
                for channel in profile.channels
            ]
            for kind in profile.sub_categories
        ],
        agents=[
            _members(
                agent_id=agent.agent_id,
                agent_name=agent.agent_name,
                supervisor_name=agent.supervisor_name,
                manager_name=agent.team.manager_name,
                tenure_bucket=agent.team.tenure_bucket,
                shift=agent.team.shift,
            )
            for agent in agents
        ],
        products=[json_text(name) for name, _ in profile.product_categories],
        cities=[json_text(name) for name in cities],
        remarks={mood: [json_text(remark) for remark in texts] for mood, texts in remarks.items()},
    )


def event_texts(fragments: Fragments, rng: np.random.Generator, cases: Cases, responses: Responses) -> Iterator[str]:
    """One JSON object for each case and its response, with fields in the model's order."""
    responded = (cases.answered_ms - cases.delay_ms) // MINUTE_MS * MINUTE_MS
    times = (_time_texts(responded - cases.first_reply_minutes * MINUTE_MS), _time_texts(responded))
    ids = uuid_texts(rng, len(cases) * _IDS_PER_EVENT)
    columns = (cases.sub_category, cases.channel, responses.agent, responses.score, responses.has_order)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    details, remarks = _details(fragments, responses), _remarks(fragments, responses)
    for (kind, channel, agent, score, has_order), detail, remark, reported_at, responded_at, answered_at in zip(
        rows, details, remarks, *times, _time_texts(cases.answered_ms), strict=True
    ):
        order_id = next(ids)
        order = f'"{order_id}"' if has_order else "null"
        yield (
            f'{{"response_id":"{next(ids)}","schema_version":{LATEST_SCHEMA_VERSION},"case_id":"{next(ids)}",'
            f'{fragments.cases[kind][channel]},"order_id":{order},'
            f'{detail},"customer_remarks":{remark},"issue_reported_at":"{reported_at}",'
            f'"issue_responded_at":"{responded_at}","survey_answered_at":"{answered_at}",'
            f'{fragments.agents[agent]},"csat_score":{score}}}'
        )


def uuid_texts(rng: np.random.Generator, count: int) -> Iterator[str]:
    """Random UUIDs (version 4)."""
    raw = np.frombuffer(rng.bytes(count * _UUID_BYTES), dtype=np.uint8).reshape(count, _UUID_BYTES).copy()
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    digits = raw.tobytes().hex()
    for at in range(0, count * _UUID_DIGITS, _UUID_DIGITS):
        part = digits[at : at + _UUID_DIGITS]
        yield f"{part[:8]}-{part[8:12]}-{part[12:16]}-{part[16:20]}-{part[20:]}"


def _time_texts(times_ms: Integers) -> list[str]:
    texts: list[str] = np.datetime_as_string(times_ms.astype("datetime64[ms]"), unit="ms", timezone="UTC").tolist()
    return texts


def _details(fragments: Fragments, responses: Responses) -> Iterator[str]:
    columns = (responses.has_details, responses.product, responses.price, responses.city)
    for has_details, product, price, city in zip(*(column.tolist() for column in columns), strict=True):
        yield (
            f'"product_category":{fragments.products[product]},"item_price":{price},"customer_city":{fragments.cities[city]}'
            if has_details
            else _NO_DETAILS
        )


def _remarks(fragments: Fragments, responses: Responses) -> Iterator[str]:
    columns = (responses.has_remark, responses.remark, responses.score >= SATISFIED_SCORE)
    for has_remark, remark, is_happy in zip(*(column.tolist() for column in columns), strict=True):
        yield fragments.remarks[is_happy][remark] if has_remark else "null"
