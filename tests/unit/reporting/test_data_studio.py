"""The link to Data Studio: its text, and how it is rejected with the fix where it would not work."""

from collections.abc import Callable, Iterator

import pytest

from csat.cli.main import run
from csat.contract.errors import CsatError
from csat.contract.settings import get_settings
from csat.reporting.data_studio import link_problems, report_link

TEMPLATE = "0b8d1f9e-2a52-4a5f-9d3a-6d0f5d1c2b3a"
PLAIN = (
    "https://lookerstudio.google.com/reporting/create?c.mode=edit&ds.series.connector=bigQuery"
    "&ds.series.datasetId=csat_marts&ds.series.isPartitioned=true&ds.series.projectId=shop-data-1"
    "&ds.series.refreshFields=true&ds.series.tableId=response_series&ds.series.type=TABLE"
    "&r.reportName=Customer%20satisfaction"
)
OF_TEMPLATE = (
    f"https://lookerstudio.google.com/reporting/create?c.mode=edit&c.reportId={TEMPLATE}"
    "&ds.categories.connector=bigQuery&ds.categories.datasetId=csat_marts&ds.categories.projectId=shop-data-1"
    "&ds.categories.refreshFields=false&ds.categories.tableId=category_ranking&ds.categories.type=TABLE"
    "&ds.leaderboard.connector=bigQuery&ds.leaderboard.datasetId=csat_marts&ds.leaderboard.projectId=shop-data-1"
    "&ds.leaderboard.refreshFields=false&ds.leaderboard.tableId=agent_leaderboard&ds.leaderboard.type=TABLE"
    "&ds.series.connector=bigQuery&ds.series.datasetId=csat_marts&ds.series.isPartitioned=true"
    "&ds.series.projectId=shop-data-1&ds.series.refreshFields=false&ds.series.tableId=response_series"
    "&ds.series.type=TABLE&r.reportName=Customer%20satisfaction"
)


def test_without_a_template_the_link_creates_a_plain_page() -> None:
    assert report_link("shop-data-1", "csat_marts") == PLAIN


def test_with_a_template_the_link_binds_its_three_sources() -> None:
    assert report_link("shop-data-1", "csat_marts", TEMPLATE) == OF_TEMPLATE


@pytest.mark.parametrize("link", [PLAIN, OF_TEMPLATE])
def test_created_links_have_no_problems(link: str) -> None:
    assert link_problems(link) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda link: link.replace("https", "http"), "must begin with https://lookerstudio.google.com/reporting"),
        (lambda link: link.replace("lookerstudio.google.com", "example.com"), "must begin with https://lookerstudio"),
        (lambda link: link.replace("/create", "/u/0/create"), "must begin with"),
        (lambda link: link.replace("%20", "+"), "not percent-encoded"),
        (lambda link: link + "&r.reportName=" + "x" * 2_000, "characters, browsers and chats accept 2000"),
        (lambda link: link + "&c.mode=edit", "given twice"),
        (lambda link: link + "&c.theme=dark", "c.theme is not a parameter of the Linking API"),
        (lambda link: link.replace("c.mode=edit", "c.mode=admin"), "c.mode=admin: it must be view or edit"),
        (lambda link: link + "&c.reportId=x", "c.reportId=x: it must be the long id"),
        (lambda link: link.replace("shop-data-1", "Shop"), "ds.series.projectId=Shop: it must be a Google Cloud"),
        (lambda link: link.replace("csat_marts", "csat-marts"), "datasetId=csat-marts: it must be a BigQuery dataset"),
        (lambda link: link.replace("type=TABLE", "type=CUSTOM_QUERY"), "must be TABLE"),
        (lambda link: link.replace("isPartitioned=true", "isPartitioned=yes"), "must be true or false"),
        (lambda link: link.replace("&ds.series.connector=bigQuery", ""), "ds.series.connector=bigQuery is missing"),
        (lambda link: link.replace("&ds.series.projectId=shop-data-1", ""), "ds.series.projectId is missing"),
        (
            lambda link: link.replace("response_series", "agg_agent_daily"),
            "data_studio_report in dbt does not name this mart",
        ),
        (lambda link: link.replace("response_series", "agent_leaderboard"), "need the columns of response_series"),
        (lambda link: link.replace("ds.series.", "ds.hours."), "ds.hours: the template has no such data source"),
        (lambda link: link + f"&c.reportId={TEMPLATE}", "ds.leaderboard.* is missing"),
    ],
)
def test_a_broken_link_is_reported_with_the_fix(change: Callable[[str], str], problem: str) -> None:
    assert problem in "; ".join(link_problems(change(PLAIN)))


def test_no_link_is_created_for_an_invalid_project() -> None:
    with pytest.raises(CsatError, match="projectId=my project: it must be a Google Cloud project"):
        report_link("my project", "csat_marts")


@pytest.fixture(autouse=True)
def _local_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command reads the settings of a machine without Google Cloud."""
    for name in ("CSAT_TARGET", "CSAT_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def test_command_prints_a_link_and_checks_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dashboard-link", "--project", "shop-data-1", "--dataset", "csat_marts"]) == 0
    assert capsys.readouterr().out.strip() == PLAIN
    assert run(["dashboard-link", "--check", PLAIN]) == 0
    assert run(["dashboard-link", "--check", PLAIN.replace("edit", "admin")]) == 1
    assert "c.mode=admin: it must be view or edit" in capsys.readouterr().err


def test_command_names_the_fix_without_a_google_cloud_project(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dashboard-link"]) == 1
    assert "fix: --project or CSAT_PROJECT_ID" in capsys.readouterr().err
