"""What the health looks ask of BigQuery, by Google's own analyser."""

from csat import landing
from tests.unit.sqlcheck.conftest import Check
from warehouse import recent_landing

COLUMNS = ", ".join(
    f"{column.name} {landing.BIGQUERY_TYPES[column.kind].replace('INTEGER', 'int64')}" for column in landing.COLUMNS
)
STATEMENTS = {
    "tables": f"create table `p`.`d`.`landing` ({COLUMNS}) partition by date({landing.PARTITION_COLUMN})",
    "recent": recent_landing._RECENT_SQL,
    "all": recent_landing._ALL_SQL,
    "waiting": recent_landing._WAITING_SQL,
}


def test_bigquery_would_take_every_statement_of_a_look(check: Check) -> None:
    statements = [{"origin": name, "sql": sql.format(landing="p.d.landing")} for name, sql in STATEMENTS.items()]
    assert check({"project": "p", "statements": statements}).stdout.splitlines() == ["4 statements checked, 0 refused"]
