"""What the health looks ask of BigQuery, by Google's own analyser."""

from csat.contract import landing
from csat.monitoring import recent_landing
from tests.unit.tools.sqlcheck.conftest import Check
from tools.sqlcheck.schemas import source_columns

COLUMNS = ", ".join(f"{name} {kind}" for name, kind in source_columns(landing.TABLE).items())
STATEMENTS = {
    "tables": f"create table `p`.`d`.`landing` ({COLUMNS}) partition by date({landing.PARTITION_COLUMN})",
    "recent": recent_landing._RECENT_SQL,
    "all": recent_landing._ALL_SQL,
    "waiting": recent_landing._WAITING_SQL,
}


def test_bigquery_would_accept_every_statement_of_a_health_check(check: Check) -> None:
    statements = [{"origin": name, "sql": sql.format(landing="p.d.landing")} for name, sql in STATEMENTS.items()]
    assert check({"project": "p", "statements": statements}).stdout.splitlines() == ["4 statements checked, 0 refused"]
