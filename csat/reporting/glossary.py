"""The terms of the dashboard in words for the people who read it, with the numbers of dbt_project.yml filled in.

dbt's descriptions of columns (dbt/models/columns.md) are for those who write queries: they define, this text explains.
"""

from functools import cache

from csat.reporting.definitions import variables
from csat.reporting.variables import mart_variables

_TERMS = {
    "Adjusted CSAT": "CSAT as if the agent had {prior} more responses at the average of all agents, so that a few "
    "lucky responses do not lead the list.",
    "Change": "CSAT minus CSAT of the previous period of equal length, in percentage points. Each of the two periods "
    "needs {comparison} responses, and the previous one has to be complete.",
    "Channel": "How the customer contacted support.",
    "CSAT": "The share of responses with a score of 4 or 5.",
    "Date": "The UTC day on which the customer answered the survey.",
    "DSAT": "Dissatisfied responses: those with a score of 1, 2 or 3.",
    "Expected CSAT": "The CSAT that the other agents have with the same mix of channels and categories. There is none "
    "where no other agent had such a case.",
    "First reply time": "The time from the customer's report to the first reply of an agent.",
    "Freshness": "The age of the newest response in the figures.",
    "Interval": "The range in which the true figure lies with a confidence of {confidence} %. The fewer responses, the "
    "wider it is.",
    "Median": "Half of the first replies are faster.",
    "Messages": "All messages of Kafka that landed, also duplicates and rejected ones.",
    "Needs attention": "An agent whose CSAT is significantly below expected, or a category whose CSAT dropped "
    "significantly. They come first; among equals, the most dissatisfied responses do.",
    "Newest": "When the stream read the newest of these messages.",
    "Not yet ranked": "Agents with fewer than {minimum} responses in the period.",
    "Outcome": "What became of a message: accepted, duplicate, or the reason why it was rejected.",
    "p90": "90 % of the first replies are faster.",
    "Period": "The days up to today that the figures include: {windows}, or all. Days begin at midnight UTC.",
    "Rank": "The place by adjusted CSAT. A rank needs {minimum} responses in the period.",
    "Rank change": "The places gained (▲) or lost (▼) since the previous period of equal length.",
    "Responses": "The surveys that customers answered. Each counts once.",
    "Score": "The average score, from 1 to 5. It is not CSAT.",
    "Share": "The part of all responses in the period.",
    "Significant": "A change so large that chance alone makes fewer than {chance} of 100 tested changes as large where "
    "nothing really changed.",
    "Sub-category": "A part of a category.",
    "Tier": "Agents of consecutive ranks. A tier ends before the first agent whose whole interval is below that of the "
    "tier's best-ranked agent; tier {tiers} has all others. It is no test of a difference.",
    "vs. expected": "CSAT minus expected CSAT, in percentage points, and its interval. It does not affect the rank.",
}


def explanation(term: str) -> str:
    """What a term means, in a sentence or two. Raises KeyError."""
    return _TERMS[term].format(**_numbers())


@cache
def _numbers() -> dict[str, str]:
    found = variables()
    chance = round(100 * found.chance)
    return {
        "prior": str(found.prior_responses),
        "minimum": str(found.minimum_responses),
        "comparison": str(found.minimum_comparison_responses),
        "confidence": str(100 - chance),
        "chance": str(chance),
        "tiers": str(mart_variables()["leaderboard_tiers"]),
        "windows": ", ".join(f"{days} days" for days in found.window_days.values()),
    }
