"""The loss that a person was shown, beside the stream's state files: what is approved is what is accepted."""

from pydantic import BaseModel, ConfigDict


class ExpiredRange(BaseModel):
    """Records of one partition that Kafka deleted before they landed, from `first_offset` to before `end_offset`."""

    model_config = ConfigDict(frozen=True)

    kafka_topic: str
    kafka_topic_id: str
    kafka_partition: int
    first_offset: int
    end_offset: int

    def __str__(self) -> str:
        count = self.end_offset - self.first_offset
        return f"partition {self.kafka_partition}: {self.first_offset} to {self.end_offset - 1} ({count:,})"


class ShownLoss(BaseModel):
    """The loss under the id that it was shown with: a run of the DAG."""

    model_config = ConfigDict(frozen=True)

    shown_id: str
    ranges: tuple[ExpiredRange, ...]

    @property
    def count(self) -> int:
        """How many records."""
        return sum(one.end_offset - one.first_offset for one in self.ranges)
