"""`csat stream …`: decisions about a stream that must not continue by itself."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from csat.cli.output import Json, report_fields
from csat.cli.servers import BIGQUERY, KAFKA, settings_with

if TYPE_CHECKING:
    from csat.kafka.offsets import Gap

app = typer.Typer(help="Decide about a stream that must not continue by itself.", no_args_is_help=True)

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command("adopt-topic")
def adopt_topic(yes: Yes = False, is_json: Json = False) -> None:
    """Read the topic that replaced the last one, from its first record. Landed rows stay."""
    settings, now = settings_with(KAFKA, BIGQUERY), datetime.now(UTC)
    from csat.bigquery.client import Warehouse
    from csat.monitoring.decisions import adopt, find_change

    change = find_change(settings, now)
    before, after = (f"{topic.name} with id {topic.topic_id}" for topic in (change.before, change.after))
    if not yes:
        typer.confirm(f"Read topic {after} instead of {before}?", abort=True, err=True)
    with Warehouse(settings) as warehouse:
        moved = adopt(settings, warehouse, change, now)
    document = {"topic": after, "instead_of": before, "old_checkpoint": moved}
    report_fields("adopted", document, is_json)


@app.command("show-loss")
def show_loss(
    shown_id: Annotated[str, typer.Option("--as", help="Keep it for `accept-loss --shown`; default: not kept.")] = "",
    is_json: Json = False,
) -> None:
    """Show the records that Kafka deleted before they landed, whose loss nobody has accepted."""
    settings, now = settings_with(KAFKA, BIGQUERY), datetime.now(UTC)
    from csat.bigquery.client import Warehouse
    from csat.monitoring.decisions import find_expired, keep_shown

    with Warehouse(settings) as warehouse:
        gaps = find_expired(settings, warehouse, now)
    if shown_id:
        keep_shown(settings, gaps, shown_id)
    report_fields("expired", _loss(gaps), is_json)


@app.command("accept-loss")
def accept_loss(
    reason: Annotated[str, typer.Option(help="Why the records are lost; kept with the loss.")],
    shown_id: Annotated[
        str, typer.Option("--shown", help="Accept what `show-loss --as` kept, no more; default: all.")
    ] = "",
    yes: Yes = False,
    is_json: Json = False,
) -> None:
    """Continue after records that Kafka deleted before they landed, and record the gap as accepted."""
    settings, now = settings_with(KAFKA, BIGQUERY), datetime.now(UTC)
    from csat.bigquery.client import Warehouse
    from csat.monitoring.decisions import accept_loss as accept
    from csat.monitoring.decisions import find_expired, find_shown

    with Warehouse(settings) as warehouse:
        gaps = find_expired(settings, warehouse, now)
        if shown_id:
            gaps = find_shown(settings, gaps, shown_id)
        count = sum(gap.count for gap in gaps)
        if not yes:
            typer.confirm(f"Accept that {count:,} records of {gaps[0].kafka_topic} are lost?", abort=True, err=True)
        moved = accept(settings, warehouse, gaps, reason, now)
    report_fields("accepted", {**_loss(gaps), "old_checkpoint": moved}, is_json)


def _loss(gaps: "list[Gap]") -> dict[str, object]:
    places = {f"partition {gap.kafka_partition}": f"{gap.first_offset} to {gap.end_offset - 1}" for gap in gaps}
    return {"lost": sum(gap.count for gap in gaps), **places}
