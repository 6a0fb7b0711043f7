"""The trigger that sees rows land."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from csat.documents import Documents
from csat.health import Health
from csat.settings import get_settings
from guard.marts import SURVEY_RESPONSES_LANDED, RowsCommittedTrigger, has_landed, new_rows

Make = Callable[..., Health]


@pytest.mark.parametrize(
    ("seen", "token", "rows", "landed", "count"),
    [
        (None, "a", 0, False, 0),
        (None, "a", 30, True, 30),
        (("a", 30), "a", 30, False, 0),
        (("a", 30), "a", 31, True, 1),
        (("a", 30), "b", 0, True, 0),
        (("a", 30), "b", 30, True, 30),
    ],
    ids=["nothing yet", "first look", "as before", "one more", "a new driver", "a new driver with as many rows"],
)
def test_rows_have_landed_when_the_count_or_the_driver_changed(
    make_health: Make, seen: tuple[str, int] | None, token: str, rows: int, landed: bool, count: int
) -> None:
    health = make_health(token=token, rows_committed=rows)
    assert (has_landed(health, seen), new_rows(health, seen)) == (landed, count)


def test_the_trigger_fires_for_rows_and_then_only_for_more(
    make_health: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSAT_STATE_DIR", str(tmp_path))
    get_settings.cache_clear()
    documents = Documents(get_settings().documents)
    documents.write_health(make_health(rows_committed=30, batch_id=3))

    async def take_two() -> list[Any]:
        events = RowsCommittedTrigger(every_seconds=0.01).run()
        first = await anext(events)
        second = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.2)
        assert not second.done()
        documents.write_health(make_health(rows_committed=70, batch_id=4))
        return [first.payload, (await second).payload]

    payloads = asyncio.run(asyncio.wait_for(take_two(), 20))
    get_settings.cache_clear()
    assert payloads == [{"rows": 30, "batch_id": 3}, {"rows": 40, "batch_id": 4}]


def test_the_trigger_can_be_made_from_what_it_serializes() -> None:
    path, arguments = RowsCommittedTrigger(every_seconds=7).serialize()
    module, name = path.rsplit(".", 1)
    assert path == "guard.marts.RowsCommittedTrigger"
    assert getattr(import_module(module), name)(**arguments).every_seconds == 7


def test_the_asset_of_landed_rows_is_watched() -> None:
    (watcher,) = SURVEY_RESPONSES_LANDED.watchers
    assert (SURVEY_RESPONSES_LANDED.name, SURVEY_RESPONSES_LANDED.uri) == (
        "survey_responses_landed",
        "x-csat://raw/survey_responses",
    )
    assert isinstance(watcher.trigger, RowsCommittedTrigger)
