"""Responses to the surveys of cases, as columns: who handled the case, the score, the order, the remark."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from producer.cases import Cases, Floats, Integers, first_reply_buckets, pick, sigmoid
from producer.profile import Profile
from producer.remarks import REMARKS_PER_MOOD

Booleans = npt.NDArray[np.bool_]
SATISFIED_SCORE = 4


@dataclass(frozen=True)
class Responses:
    """Columns of equal length, in the order of the cases; agent, product, city and remark are indexes.

    Product, city and price count only where `has_details`, the remark only where `has_remark`.
    """

    agent: Integers
    score: Integers
    has_order: Booleans
    has_details: Booleans
    product: Integers
    city: Integers
    price: Floats
    has_remark: Booleans
    remark: Integers


@dataclass(frozen=True)
class ResponseModel:
    """What responses are drawn from: the profile, each agent's share and logit, each city's share."""

    profile: Profile
    agent_weights: Floats
    agent_logits: Floats
    city_shares: Floats

    def draw(self, rng: np.random.Generator, cases: Cases) -> Responses:
        """One response to each case."""
        count = len(cases)
        agent = pick(rng, self.agent_weights, count)
        score = self._scores(rng, cases, agent)
        has_order, has_details = self._orders(rng, cases)
        price = self.profile.price
        return Responses(
            agent=agent,
            score=score,
            has_order=has_order,
            has_details=has_details,
            product=pick(rng, [share for _, share in self.profile.product_categories], count),
            city=pick(rng, self.city_shares, count),
            price=np.clip(rng.lognormal(price.ln_mean, price.ln_sd, count), price.minimum, price.maximum).round(2),
            has_remark=rng.random(count) < by_score(self.profile.scores.remark_shares)[score],
            remark=rng.integers(REMARKS_PER_MOOD, size=count),
        )

    def _scores(self, rng: np.random.Generator, cases: Cases, agent: Integers) -> Integers:
        model, count = self.profile.scores, len(cases)
        logit = model.intercept + self.agent_logits[agent]
        logit += np.array([kind.effect for kind in self.profile.sub_categories])[cases.sub_category]
        logit += np.array([channel.effect for channel in self.profile.channels])[cases.channel]
        logit += np.array(model.bucket_effects)[first_reply_buckets(cases.first_reply_minutes)]
        satisfied, dissatisfied = (
            pick(rng, by_score(shares), count) for shares in (model.satisfied, model.dissatisfied)
        )
        return np.where(rng.random(count) < sigmoid(logit), satisfied, dissatisfied)

    def _orders(self, rng: np.random.Generator, cases: Cases) -> tuple[Booleans, Booleans]:
        """Whether there is an order, and whether its details are known, which requires an order."""
        kinds = self.profile.sub_categories
        order_shares = np.array([kind.order_id_share for kind in kinds])[cases.sub_category]
        detail_shares = np.array([kind.order_detail_share for kind in kinds])[cases.sub_category]
        draws = rng.random(len(cases))
        return draws < order_shares, draws < detail_shares


def by_score(shares: tuple[tuple[int, float], ...]) -> Floats:
    """The shares as an array whose index is the score."""
    array = np.zeros(max(score for score, _ in shares) + 1)
    for score, share in shares:
        array[score] = share
    return array
