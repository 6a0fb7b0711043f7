"""`csat erase`: makes the platform forget a customer."""

from typing import TYPE_CHECKING, Annotated

import typer

from csat.cli.output import Json, report_fields, say
from csat.cli.servers import BIGQUERY, settings_with

if TYPE_CHECKING:
    from csat.bigquery.erasures import ErasedId

_ID_HELP = "or the SHA-256 of its 32 digits in lower case"


def erase(
    case: Annotated[str, typer.Option(metavar="ID", help=f"Id of the support case, {_ID_HELP}.")] = "",
    response: Annotated[str, typer.Option(metavar="ID", help=f"Id of the response, {_ID_HELP}.")] = "",
    order: Annotated[str, typer.Option(metavar="ID", help=f"Id of the order, {_ID_HELP}.")] = "",
    reason: Annotated[
        str, typer.Option(help="Why; kept with the place of each message.")
    ] = "the customer asked for it",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be erased, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    is_json: Json = False,
) -> None:
    """Erase a customer's data from the landing table, the rejected messages and the marts. It cannot be undone."""
    which = _which({"case": case, "response": response, "order": order})
    settings = settings_with(BIGQUERY)
    from csat.bigquery.client import Warehouse
    from csat.marts import erase as erasing

    if dry_run or not yes:
        with Warehouse(settings) as warehouse:
            found = erasing.find(warehouse, which)
        if dry_run:
            report_fields("to erase", found.as_dict(), is_json)
            return
        count = found.accepted_count + found.rejected_count
        typer.confirm(f"Erase what {count:,} messages say of this {which.kind}, for good?", abort=True, err=True)
    report_fields("erased", erasing.erase(settings, which, reason, on_progress=say).as_dict(), is_json)


def _which(given: dict[str, str]) -> "ErasedId":
    """The one id that was given. Raises BadParameter, and CsatError where it is none."""
    from csat.bigquery.erasures import IdKind, erased_id

    texts = {kind: text for kind, text in given.items() if text}
    if len(texts) != 1:
        raise typer.BadParameter("give one of --case, --response and --order")
    [(kind, text)] = texts.items()
    return erased_id(IdKind(kind), text)
