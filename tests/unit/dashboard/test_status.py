"""The status line of every page, and the runbook that it links to."""

import re
from datetime import timedelta
from typing import Any

import pytest

from csat.bigquery.client import WarehouseError
from csat.bigquery.query import Rows
from csat.contract.alerts import ALERTS, AlertKey
from csat.contract.settings import ROOT
from csat.dashboard.status import severity_badge
from csat.dashboard.views import PAGES, runbook
from tests.dashboard_page import OpenPage
from tests.unit.dashboard.canned import CannedWarehouse

NAMES = ("overview", "agents", "categories", "over_time", "pipeline")


def alert(canned: CannedWarehouse, key: str, severity: str) -> dict[str, Any]:
    opened_at = canned.now - timedelta(hours=2, minutes=5)
    return {"opened_at": opened_at, "alert_key": key, "about": "", "severity": severity, "text": "no heartbeat"}


@pytest.mark.parametrize("name", NAMES)
def test_a_critical_alert_is_on_every_page_and_nothing_is_green(
    page: OpenPage, canned: CannedWarehouse, name: str
) -> None:
    both = [alert(canned, "stream_down", "critical"), alert(canned, "marts_stale", "warning")]
    canned.changed["open_alerts"] = lambda: both
    seen = page(name)
    status = "".join(re.findall('<p class="status" role="status">(.*?)</p>', seen.html))
    assert f"✖</span> Critical</span> {ALERTS[AlertKey.STREAM_DOWN].meaning} Opened 2\u202fh ago." in status
    assert 'href="runbook?alert=stream_down"' in status
    assert "See the pipeline, 1 more" in status
    assert "Fresh" in status
    assert "badge-fresh" not in status


def test_a_warning_leaves_fresh_data_green(page: OpenPage, canned: CannedWarehouse) -> None:
    canned.changed["open_alerts"] = lambda: [alert(canned, "marts_stale", "warning")]
    html = page("overview").html
    assert "badge-warning" in html
    assert "badge-fresh" in html


def test_severities_differ_in_colour_icon_and_word() -> None:
    seen = {re.sub("<.*?>", "", severity_badge(severity)) for severity in ("warning", "critical")}
    assert seen == {"▲ Warning", "✖ Critical"}
    styles = (ROOT / "csat" / "dashboard" / "style.css").read_text()
    rules = {kind: re.findall(rf"\.badge-{kind}\b.*?{{(.*?)}}", styles) for kind in ("ok", "warning", "critical")}
    assert all(rules.values())
    assert len({str(rule) for rule in rules.values()}) == 3


def test_alerts_that_cannot_be_read_hide_no_figures(page: OpenPage, canned: CannedWarehouse) -> None:
    def refuse() -> Rows:
        raise WarehouseError("BigQuery refused: no such table")

    canned.changed["open_alerts"] = refuse
    seen = page("overview")
    assert "badge-fresh" in seen.html
    assert "CSAT, 28 days" in seen.cards


def test_every_alert_has_its_section_of_the_runbook() -> None:
    assert set(runbook.sections()) == {str(key) for key in AlertKey}
    assert all(section.startswith(f"## {key}\n") for key, section in runbook.sections().items())
    assert "](" not in runbook.runbook().replace("](http", "").replace("](#", "")


def test_the_runbook_is_there_without_a_warehouse(page: OpenPage, canned: CannedWarehouse) -> None:
    def refuse() -> Rows:
        raise WarehouseError("BigQuery refused: no")

    canned.changed["last_build"] = canned.changed["open_alerts"] = refuse
    shown = page("runbook", alert="stream_down").app.markdown
    assert [text.value.splitlines()[0] for text in shown] == ["## stream_down"]
    assert "The runbook has no section &lt;b&gt;." in page("runbook", alert="<b>").html
    assert "## poison_batch" in page("runbook").app.markdown[0].value


def test_the_page_of_the_runbook_has_a_path() -> None:
    assert "runbook" in {one.path for one in PAGES}
