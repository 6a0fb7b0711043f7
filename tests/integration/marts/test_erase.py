"""An erased customer is in no table, no log and no state file, and copies that land later bring nothing back."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from csat.bigquery.landing_counts import landed_partitions
from csat.bigquery.rejected import Rejected, unreplayed
from csat.cli.main import run
from csat.contract.settings import DatasetRole, get_settings
from csat.marts.reconcile import reconcile
from tests.integration.marts.conftest import Marts, at, survey_response

pytestmark = pytest.mark.integration

DAY, OTHER_DAY = date(2026, 11, 10), date(2026, 11, 12)
CASE = "abcdabcd-0000-4000-8000-00000000000a"
RESPONSE = "abcdabcd-0000-4000-8000-00000000000b"
ORDER = "abcdabcd-0000-4000-8000-00000000000c"
TEXT = "my-neighbour-walks-zebras"
CITY = "ZEBRAVILLE"
SECRETS = (TEXT, CITY, CASE, RESPONSE, ORDER, "4321.09")
LATER = datetime(2026, 11, 20, tzinfo=UTC)
PERSON: dict[str, Any] = {
    "response_id": RESPONSE,
    "case_id": CASE,
    "order_id": ORDER,
    "customer_city": CITY,
    "customer_remarks": TEXT,
    "item_price": "4321.09",
    "product_category": "Zebra food",
    "csat_score": 1,
}


def response(number: int, day: date, **changes: Any) -> dict[str, Any]:
    """A response of another customer, in one topic."""
    row = {"response_id": f"other-{number}", "customer_remarks": "fine", "kafka_topic_id": "t", **changes}
    return survey_response(number, at(day), **row)


def rejected(number: int, text: str, **changes: Any) -> dict[str, Any]:
    """A rejected message with these bytes."""
    columns = {
        name: None for name in survey_response(0, at(DAY)) if not name.startswith(("kafka", "ingested", "batch"))
    }
    payload = base64.b64encode(text.encode()).decode()
    return response(number, DAY) | columns | {"rejection_reason": "invalid", "payload": payload} | changes


def named_in(message: dict[str, Any]) -> str:
    return json.dumps({"case_id": message["case_id"].upper(), "customer_remarks": TEXT, "csat_score": "bad"})


@pytest.fixture(scope="module")
def world(make_marts: Callable[[], Marts]) -> Marts:
    """Marts with a customer's response, a copy of it on another day, rejected messages, and other customers."""
    made = make_marts()
    made.land([response(number, DAY) for number in range(3)] + [response(3, OTHER_DAY)])
    made.land([response(10, DAY, **PERSON), response(11, OTHER_DAY, **PERSON)])
    made.land([rejected(20, named_in(PERSON)), rejected(21, f"{{broken {RESPONSE} {TEXT}"), rejected(22, "{}")])
    made.build()
    return made


@pytest.fixture
def csat(world: Marts, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """Calls the command line with the settings of the marts."""
    for name, value in world.settings.as_environment().items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield lambda *arguments: run([*arguments, "--json"])
    get_settings.cache_clear()


def tables(world: Marts, *kinds: str) -> dict[str, str]:
    """Every row of every table of every dataset, as text; of these kinds only, if any is given."""
    found = {}
    for role in get_args(DatasetRole):
        dataset = f"{world.settings.project_id}.{world.settings.dataset(role)}"
        for table in world.warehouse.client.list_tables(dataset, timeout=60):
            if kinds and table.table_type not in kinds:
                continue
            rows = world.execute("select * from `{table}`", role, table.table_id)
            found[f"{role}.{table.table_id}"] = "\n".join(sorted(f"{row}" for row in rows))
    return found


def holders(world: Marts) -> set[str]:
    """Tables, and files of the state folder but the emulator's own, that have a secret."""
    found = {name for name, text in tables(world).items() if any(one in text for one in (*SECRETS, "Zebra"))}
    state = world.settings.state
    paths = [path for path in state.rglob("*") if path.is_file() and "bigquery" not in path.relative_to(state).parts]
    return found | {str(path) for path in paths if _has_secret(path)}


def _has_secret(path: Path) -> bool:
    content = path.read_bytes()
    return any(one.encode() in content for one in (*SECRETS, "Zebra"))


def test_dry_run_counts_and_changes_nothing(
    world: Marts, csat: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    before = tables(world, "TABLE")  # a view has the age of the data
    assert before
    assert csat("erase", "--case", CASE, "--dry-run") == 0
    shown = capfd.readouterr()
    document = json.loads(shown.out)
    assert (document["accepted"], document["rejected"], document["dates"]) == (2, 2, [])
    assert CASE not in shown.out + shown.err
    assert tables(world, "TABLE") == before
    assert {"raw.survey_responses", "candidate.fct_survey_responses", "marts.fct_survey_responses"} <= holders(world)


def test_unknown_id_is_an_error_without_the_id(csat: Callable[..., int], capfd: pytest.CaptureFixture[str]) -> None:
    unknown = CASE.replace("a", "b")
    assert csat("erase", "--order", unknown, "--yes") == 1
    shown = capfd.readouterr()
    assert json.loads(shown.out)["message"] == "no message names this order"
    assert unknown not in shown.out + shown.err


def test_erased_customer_is_nowhere_and_the_counts_stay(
    world: Marts, csat: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    before, landed = world.snapshot(), landed_partitions(world.warehouse)
    assert csat("erase", "--case", CASE, "--reason", "asked by mail", "--yes") == 0
    shown = capfd.readouterr()
    document = json.loads(shown.out)
    assert (document["accepted"], document["rejected"]) == (2, 2)
    assert (document["status"], document["dates"]) == ("partial", [DAY.isoformat(), OTHER_DAY.isoformat()])
    assert not any(secret in shown.out + shown.err for secret in SECRETS)
    world.build()
    assert holders(world) == set()
    assert landed_partitions(world.warehouse) == landed
    after = world.snapshot()
    assert {name for name in after if after[name] != before[name]} == {"fct_survey_responses"}
    [erased] = world.execute("select * from `{table}` where csat_score = 1", "marts", "fct_survey_responses")
    assert erased["response_id"].startswith("erased-")
    assert (erased["case_id"], erased["message_count"], erased["has_remarks"]) == ("erased", 2, False)
    assert {row["kafka_offset"] for row in unreplayed(world.warehouse, Rejected(), limit=10)} == {22}
    records = world.execute("select distinct kafka_offset, reason from `{table}`", "ops", "erasures")
    assert {row["kafka_offset"]: row["reason"] for row in records} == dict.fromkeys((10, 11, 20, 21), "asked by mail")


def test_messages_that_land_later_are_erased_by_the_build(world: Marts) -> None:
    """A copy, the replay of the rejected message, and one that is accepted after all."""
    read = {"ingested_at": LATER, "kafka_timestamp": LATER - timedelta(minutes=1)}
    world.land(
        [
            response(30, OTHER_DAY, **PERSON | read),
            rejected(31, named_in(PERSON), **read),
            response(32, DAY, **PERSON | {"response_id": "abcdabcd-0000-4000-8000-0000000000ff"} | read),
        ]
    )
    world.build()
    assert holders(world) == set()
    rows = world.execute("select message_count from `{table}` where csat_score = 1", "marts", "fct_survey_responses")
    assert sorted(row["message_count"] for row in rows) == [1, 3]
    after = world.snapshot()
    world.build(full_refresh=True)
    assert world.snapshot() == after


def test_repeated_erasure_changes_nothing(
    world: Marts, csat: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    before = world.snapshot()
    assert csat("erase", "--response", RESPONSE, "--yes") == 0
    document = json.loads(capfd.readouterr().out)
    assert (document["accepted"], document["rejected"], document["erased_before"]) == (0, 0, True)
    assert world.snapshot() == before


def test_reconciliation_finds_a_mart_that_still_has_an_erased_value(world: Marts) -> None:
    before = world.snapshot()
    world.execute(
        f"update `{{table}}` set customer_city = '{CITY}' where csat_score = 1 and message_count = 3",
        "marts",
        "fct_survey_responses",
    )
    found = reconcile(world.settings, on_progress=lambda line: None)
    assert [(one.mart, one.response_date) for one in found.differences] == [("fct_survey_responses", DAY)]
    assert world.snapshot() == before
    assert holders(world) == set()
