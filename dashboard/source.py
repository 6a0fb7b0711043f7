"""Where the board's figures come from: the warehouse, asked again when a new build of the marts is there.

One object serves every viewer. A look at the table of builds costs no query; the answers of one build are kept, so
that more viewers, or a viewer who comes back to a page, ask BigQuery nothing.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from csat.settings import Settings
from dashboard import queries
from dashboard.queries import Query, Rows
from warehouse.client import Warehouse, WarehouseError, WarehouseUnreachableError
from warehouse.tables import table_version

# A table that is rebuilt by hand leaves no record of a build.
KEPT_FOR = timedelta(minutes=10)
_MOST_KEPT = 200
_LOOK_SECONDS = 2.0
_PARALLEL_QUERIES = 8
_ANY_BUILD = ""
_AWAY = "the warehouse does not answer"


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class State:
    """What is known of the marts. No version: they were never built, or the warehouse was never reached."""

    version: str = ""
    is_reachable: bool = True
    problem: str = ""  # BigQuery's words where it answers, but not with the builds
    data_up_to: datetime | None = None
    built_at: datetime | None = None
    first_date: date | None = None
    last_date: date | None = None

    def is_stale(self, now: datetime, promise: timedelta) -> bool:
        """Whether the newest data are older than promised."""
        return self.data_up_to is None or now - self.data_up_to > promise


@dataclass(frozen=True)
class Question:
    """A query with its parameters."""

    query: Query
    parameters: Mapping[str, Any]
    kept_for: timedelta = KEPT_FOR  # or until the next build
    outlives_builds: bool = False  # for what a viewer may choose among, not for figures


def question(query: Query, **parameters: Any) -> Question:
    """A query with its parameters."""
    return Question(query, parameters)


def choices_question(query: Query, **parameters: Any) -> Question:
    """A query for a filter's options: a new one may appear KEPT_FOR later, and no viewer waits after each build."""
    return Question(query, parameters, outlives_builds=True)


class Source:
    """The marts as every viewer sees them; safe to use from several threads."""

    def __init__(
        self, settings: Settings, warehouse: Warehouse | None = None, clock: Callable[[], datetime] = utc_now
    ) -> None:
        waits = dict.fromkeys(
            ("bigquery_timeout_seconds", "bigquery_job_timeout_seconds"), settings.dashboard_query_seconds
        )
        self._warehouse = warehouse or Warehouse(settings.model_copy(update=waits))
        self._settings = settings
        self._clock = clock
        self._state = State()
        self._looked_at: datetime | None = None
        self._looking = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], tuple[datetime, Rows]] = OrderedDict()
        self._keeping = threading.Lock()
        self._pool = ThreadPoolExecutor(_PARALLEL_QUERIES, thread_name_prefix="board")

    def state(self) -> State:
        """The state of the marts, looked at once in dashboard_refresh_seconds.

        Where nobody answers, or another viewer's look is under way, it is the last one known. Never raises
        WarehouseError.
        """
        if not self._looking.acquire(blocking=self._looked_at is None):
            return self._state
        try:
            now = self._clock()
            pause = timedelta(seconds=self._settings.dashboard_refresh_seconds)
            if self._looked_at is None or now - self._looked_at >= pause:
                self._state = self._look()
                self._looked_at = self._clock()
            return self._state
        finally:
            self._looking.release()

    def rows(self, state: State, *questions: Question) -> list[Rows]:
        """The answers, in the order of the questions, which are asked side by side. Nobody may change the rows.

        Raises WarehouseError, at once where the warehouse is known to be away.
        """
        answers = [self._pool.submit(self._answer, state, one) for one in questions]
        return [answer.result() for answer in answers]

    def _look(self) -> State:
        builds = self._settings.table("ops", "mart_builds")
        try:
            version = table_version(self._warehouse, builds, _LOOK_SECONDS)
            if version is None:
                return State()
            if version == self._state.version:
                return replace(self._state, is_reachable=True, problem="")
            return self._read_state(version)
        except WarehouseUnreachableError:
            return replace(self._state, is_reachable=False)
        except WarehouseError as error:
            return replace(self._state, is_reachable=True, problem=str(error))

    def _read_state(self, version: str) -> State:
        # The marts' dates can only be asked for once there are marts
        known = self._pool.submit(queries.DATES.rows, self._warehouse) if self._state.version else None
        builds = queries.LAST_BUILD.rows(self._warehouse)
        if not builds:
            return State()
        [dates] = known.result() if known else queries.DATES.rows(self._warehouse)
        with self._keeping:
            for key in [key for key in self._kept if key[0] != _ANY_BUILD]:
                del self._kept[key]
        return State(version, data_up_to=builds[0]["watermark_to"], built_at=builds[0]["built_at"], **dates)

    def _answer(self, state: State, one: Question) -> Rows:
        build = _ANY_BUILD if one.outlives_builds else state.version
        key = (build, one.query, *((name, _hashable(value)) for name, value in one.parameters.items()))
        now = self._clock()
        with self._keeping:
            kept = self._kept.get(key)
        if kept is not None and (not state.is_reachable or now - kept[0] < one.kept_for):
            return kept[1]
        if not state.is_reachable:
            raise WarehouseUnreachableError(_AWAY)
        rows = one.query.rows(self._warehouse, **one.parameters)
        with self._keeping:
            self._kept[key] = (now, rows)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return rows


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
