"""The survey response event: its only definition, used by the producer, Spark, BigQuery and dbt."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

from csat.contract.names import VISIBLE_PATTERN

SUPPORTED_SCHEMA_VERSIONS = (1,)
LATEST_SCHEMA_VERSION = SUPPORTED_SCHEMA_VERSIONS[-1]

# What the stream accepts as an id, in either case, and as a timestamp; the whole text must match.
UUID_PATTERN = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# UUIDs that it does not accept: without hyphens, in braces, as a URN.
UUID_NOTATION_PATTERN = r"(?i)(urn:uuid:|\{)?[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?"
TIMESTAMP_PATTERN = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})"


class DataSubject(StrEnum):
    """Who a field is personal data of. An erasure removes the customer's (docs/privacy.md)."""

    CUSTOMER = "customer"
    EMPLOYEE = "employee"
    NOBODY = "nobody"


# A name that must be there is not blank; where it may be missing, a blank one is a missing one.
Name = Annotated[str, Field(pattern=VISIBLE_PATTERN)]
# A JSON number: pydantic would serialise a decimal as text.
Price = Annotated[
    Decimal,
    Field(ge=0, max_digits=12, decimal_places=2),
    PlainSerializer(float, return_type=float, when_used="json"),
]


class SurveyResponse(BaseModel):
    """One response to one survey, sent as a UTF-8 JSON object with the agent as the message key.

    Field order is column order, in Kafka, in the landing table and in the marts. Each field names its data subject.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    response_id: Annotated[UUID, DataSubject.CUSTOMER] = Field(
        description="Id of the response. A copy that is sent again keeps it."
    )
    schema_version: Annotated[int, DataSubject.NOBODY] = Field(
        default=LATEST_SCHEMA_VERSION, description="Version of the event schema."
    )
    case_id: Annotated[UUID, DataSubject.CUSTOMER] = Field(description="The support case that the survey asked about.")
    channel: Annotated[Name, DataSubject.NOBODY] = Field(
        description="Contact channel: Inbound, Outcall or Email today."
    )
    category: Annotated[Name, DataSubject.NOBODY] = Field(description="Issue category of the case; 12 today.")
    sub_category: Annotated[Name, DataSubject.NOBODY] = Field(
        description="Issue sub-category; unique only within its category."
    )
    order_id: Annotated[UUID | None, DataSubject.CUSTOMER] = Field(
        default=None, description="The order that the case is about, if any."
    )
    product_category: Annotated[str | None, DataSubject.CUSTOMER] = Field(
        default=None, description="Category of the ordered product."
    )
    item_price: Annotated[Price | None, DataSubject.CUSTOMER] = Field(
        default=None, description="Price of the item, in the shop's currency."
    )
    customer_city: Annotated[str | None, DataSubject.CUSTOMER] = Field(
        default=None, description="City of the customer, in upper case."
    )
    customer_remarks: Annotated[str | None, DataSubject.CUSTOMER] = Field(
        default=None, description="Free text by the customer; never logged."
    )
    issue_reported_at: Annotated[AwareDatetime, DataSubject.NOBODY] = Field(
        description="When the customer reported the issue."
    )
    issue_responded_at: Annotated[AwareDatetime, DataSubject.NOBODY] = Field(
        description="When an agent first replied. Before the report where the source lost the time of day."
    )
    survey_answered_at: Annotated[AwareDatetime, DataSubject.NOBODY] = Field(
        description="When the customer responded to the survey: the event time."
    )
    agent_id: Annotated[Name, DataSubject.EMPLOYEE] = Field(description="The agent who handled the case.")
    agent_name: Annotated[Name, DataSubject.EMPLOYEE] = Field(description="The agent's name at that time.")
    supervisor_name: Annotated[Name, DataSubject.EMPLOYEE] = Field(description="The agent's supervisor at that time.")
    manager_name: Annotated[Name, DataSubject.EMPLOYEE] = Field(
        description="The agent's manager at that time; not a level above the supervisor."
    )
    tenure_bucket: Annotated[Name, DataSubject.EMPLOYEE] = Field(
        description="The agent's tenure at that time, in days, or On Job Training."
    )
    shift: Annotated[Name, DataSubject.EMPLOYEE] = Field(description="The agent's shift at that time.")
    csat_score: Annotated[int, DataSubject.NOBODY] = Field(
        ge=1, le=5, description="The score, from 1 (very dissatisfied) to 5 (very satisfied)."
    )

    def to_message(self) -> tuple[bytes, bytes]:
        """Kafka key and value of this event."""
        return self.agent_id.encode(), self.model_dump_json().encode()
