"""`csat dashboard-link`: the report of the marts in Data Studio."""

from typing import Annotated

import typer

from csat.cli.output import say
from csat.contract.errors import CsatError
from csat.contract.settings import get_settings


def dashboard_link(
    project: Annotated[str, typer.Option(help="Google Cloud project of the marts; default: CSAT_PROJECT_ID.")] = "",
    dataset: Annotated[str, typer.Option(help="Dataset of the marts; default: <CSAT_DATASET_PREFIX>_marts.")] = "",
    template: Annotated[str, typer.Option(help="Report to copy; default: a plain page. See docs/dashboard.md.")] = "",
    check: Annotated[str, typer.Option(help="Print what is wrong with this link instead of making one.")] = "",
) -> None:
    """Print the link that creates the report in Data Studio for whoever opens it; needs no login here."""
    from csat.reporting.data_studio import link_problems, report_link

    if check:
        problems = link_problems(check)
        for problem in problems:
            say(problem)
        say("the link is valid" if not problems else f"{len(problems)} problems")
        raise typer.Exit(1 if problems else 0)
    settings = get_settings()
    if settings.is_local and not project:
        raise CsatError("Data Studio does not reach this machine", "--project or CSAT_PROJECT_ID of Google Cloud")
    print(report_link(project or settings.project_id, dataset or settings.dataset("marts"), template))
