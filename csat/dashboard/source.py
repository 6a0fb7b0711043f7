"""The dashboard's data source: it queries the warehouse, and refreshes when a new build of the marts is available.

One object serves every viewer. Checking the table of builds costs no query, and the rows of one build are cached, so
more viewers, or a viewer who returns to a page, cost no BigQuery query. The queries that viewers repeat run against a
new build before viewers see it, so nobody waits for its figures. The queries of a page are prefetched while the browser
still starts.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from csat.bigquery.client import Warehouse, WarehouseError, WarehouseUnreachableError
from csat.bigquery.query import Query, Rows
from csat.bigquery.tables import table_version
from csat.contract.settings import Settings
from csat.reporting import queries

# A table that is rebuilt by hand leaves no record of a build.
CACHED_FOR = timedelta(minutes=10)
_MAX_CACHED = 200
# A new build waits for at most this many queries, run one after the other, and starts none after this many seconds.
# Queries that ran once are not among them: that viewer has left, or will request them from the new build too.
_MAX_REFRESHED = 6
_REFRESH_SECONDS = 5.0
_CHECK_SECONDS = 2.0
_MISSES = 2  # one short check may fail on a busy machine
_PARALLEL_QUERIES = 8
_ANY_BUILD = ""
_Key = tuple[Any, ...]
_Cached = tuple[datetime, Future[Rows]]  # when the query started, and its rows, which may still be on their way
_UNREACHABLE = "the warehouse does not respond"


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Failure:
    """The test, or the model, that failed in a build after the one that is shown."""

    kind: str
    name: str
    model: str
    failed_at: datetime


@dataclass(frozen=True)
class State:
    """What is known of the marts. No version: they were never built, or the warehouse was never reached."""

    version: str = ""
    is_reachable: bool = True
    problem: str = ""  # BigQuery's message where it responds, but not with the builds
    data_up_to: datetime | None = None
    built_at: datetime | None = None
    failure: Failure | None = None
    first_date: date | None = None
    last_date: date | None = None

    def is_stale(self, now: datetime, target: timedelta) -> bool:
        """Whether the newest data are older than the freshness target."""
        return self.data_up_to is None or now - self.data_up_to > target


@dataclass(frozen=True)
class BoundQuery:
    """A query with its parameters."""

    query: Query
    parameters: Mapping[str, Any]
    cached_for: timedelta = CACHED_FOR  # or until the next build
    outlives_builds: bool = False  # for a filter's options, not for figures


def bind(query: Query, **parameters: Any) -> BoundQuery:
    """A query with its parameters."""
    return BoundQuery(query, parameters)


def bind_choices(query: Query, **parameters: Any) -> BoundQuery:
    """A query for a filter's options: a new option may appear CACHED_FOR later, and no viewer waits after a build."""
    return BoundQuery(query, parameters, outlives_builds=True)


class Source:
    """The marts as every viewer sees them; thread-safe."""

    def __init__(
        self,
        settings: Settings,
        warehouse: Warehouse | None = None,
        clock: Callable[[], datetime] = utc_now,
        refresher: Executor | None = None,
    ) -> None:
        timeouts = dict.fromkeys(
            ("bigquery_timeout_seconds", "bigquery_job_timeout_seconds"), settings.dashboard_query_seconds
        )
        self._warehouse = warehouse or Warehouse(settings.model_copy(update=timeouts))
        self._settings = settings
        self._clock = clock
        self._state = State()
        self._results = ""  # versions of the builds and of dbt's results, for which the failure is known
        self._checked_at: datetime | None = None
        self._checking = threading.Lock()
        self._missed = 0  # checks in a row
        self._cache: dict[_Key, _Cached] = {}
        # From the build before the one in _state, from that one, and from both or repeatedly; the most recent last
        self._requested_before: set[_Key] = set()
        self._requested: dict[_Key, BoundQuery] = {}
        self._repeated: dict[_Key, BoundQuery] = {}
        self._cache_lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_PARALLEL_QUERIES, thread_name_prefix="dashboard")
        self._refresher = refresher or ThreadPoolExecutor(1, thread_name_prefix="refresh")
        self._refresh: Future[State] | None = None

    def state(self) -> State:
        """The state of the marts, checked once in dashboard_refresh_seconds.

        It is the last known one where the warehouse does not respond, another viewer's check is running, or the rows of
        a new build are being queried. Never raises WarehouseError.
        """
        if not self._checking.acquire(blocking=self._checked_at is None):
            return self._state
        try:
            now = self._clock()
            pause = timedelta(seconds=self._settings.dashboard_refresh_seconds)
            is_refreshed = self._refresh is not None and self._refresh.done()
            if is_refreshed or self._checked_at is None or now - self._checked_at >= pause:
                self._state = self._check()
                self._checked_at = self._clock()
            return self._state
        finally:
            self._checking.release()

    def rows(self, state: State, *bound_queries: BoundQuery) -> list[Rows]:
        """The rows of each query, in their order; the queries run in parallel. Callers must not change the rows.

        Raises WarehouseError, at once where the warehouse is known to be unreachable.
        """
        results = [self._result(state, bound, is_request=True) for bound in bound_queries]
        return [result.result() for result in results]

    def prefetch(self, bound_queries: Callable[[State], Iterable[BoundQuery]]) -> None:
        """Run in the background what a viewer is about to request. Returns at once."""
        # A callback that raises is logged
        self._pool.submit(self._prefetch, bound_queries).add_done_callback(Future.result)

    def _prefetch(self, bound_queries: Callable[[State], Iterable[BoundQuery]]) -> None:
        state = self.state()
        with suppress(WarehouseError):  # the viewer's own request reports it
            for bound in bound_queries(state):
                self._result(state, bound)

    def _check(self) -> State:
        builds = self._settings.table("ops", "mart_builds")
        try:
            version = table_version(self._warehouse, builds, _CHECK_SECONDS)
            self._missed = 0
            if version is None:
                return State()
            if not self._state.version:
                return self._with_failure(self._read_state(version))
            if version != self._state.version and self._refresh is None:
                self._refresh = self._refresher.submit(self._refreshed, version)
            state = replace(self._refreshed_state() or self._state, is_reachable=True, problem="")
            return self._with_failure(state)
        except WarehouseUnreachableError:
            self._missed += 1
            is_known = bool(self._state.version) and self._state.is_reachable
            return replace(self._state, is_reachable=is_known and self._missed < _MISSES)
        except WarehouseError as error:
            return replace(self._state, is_reachable=True, problem=str(error))

    def _with_failure(self, state: State) -> State:
        """The state with what failed since its build; one query for each build, whether it failed or not."""
        failure = self._state.failure
        with suppress(WarehouseError):  # the figures can be shown without it
            tests = table_version(self._warehouse, self._settings.table("ops", "dbt_tests"), _CHECK_SECONDS)
            results = f"{state.version} {tests}"
            if state.version and results != self._results:
                rows = queries.FAILED_SINCE.rows(self._warehouse)
                failure = Failure(**rows[0]) if rows else None
                self._results = results
        return replace(state, failure=failure)

    def _refreshed_state(self) -> State | None:
        """The state of the new build; None where there is none, or its rows are not there yet."""
        if self._refresh is None or not self._refresh.done():
            return None
        refresh, self._refresh = self._refresh, None
        state = refresh.result()
        with self._cache_lock:
            self._requested_before, self._requested, self._repeated = set(self._requested), {}, {}
            for key in [key for key in self._cache if key[0] not in (_ANY_BUILD, state.version)]:
                del self._cache[key]
        return state

    def _refreshed(self, version: str) -> State:
        """The state of a new build, once the queries that viewers requested more than once have run on it."""
        state = self._read_state(version)
        with self._cache_lock:
            latest = list(reversed(self._repeated.values()))[:_MAX_REFRESHED]
        deadline = time.monotonic() + _REFRESH_SECONDS
        with suppress(WarehouseError):  # the viewer's own request reports it
            for bound in latest:
                if time.monotonic() < deadline:
                    self._result(state, bound).result()
        return state

    def _read_state(self, version: str) -> State:
        # The marts' dates can only be queried once there are marts
        known = self._pool.submit(queries.DATES.rows, self._warehouse) if self._state.version else None
        builds = queries.LAST_BUILD.rows(self._warehouse)
        if not builds:
            return State()
        [dates] = known.result() if known else queries.DATES.rows(self._warehouse)
        return State(version, data_up_to=builds[0]["watermark_to"], built_at=builds[0]["built_at"], **dates)

    def _result(self, state: State, bound: BoundQuery, *, is_request: bool = False) -> Future[Rows]:
        """The rows from the cache, or of a query that runs. Raises WarehouseError where neither is possible."""
        key, now = _key(state, bound), self._clock()
        with self._cache_lock:
            if is_request and key[0] == self._state.version:
                self._count_request(key[1:], bound)
            cached = self._cache.get(key)
            if cached is not None and (not state.is_reachable or now - cached[0] < bound.cached_for):
                return cached[1]
            if not state.is_reachable:
                raise WarehouseUnreachableError(_UNREACHABLE)
            result = self._pool.submit(self._query, key, bound, now, cached)
            _put(self._cache, key, (now, result))
            return result

    def _query(self, key: _Key, bound: BoundQuery, now: datetime, expired: _Cached | None) -> Rows:
        try:
            return bound.query.rows(self._warehouse, **bound.parameters)
        except BaseException:
            with self._cache_lock:
                if key in self._cache and self._cache[key][0] == now:
                    del self._cache[key]
                    if expired is not None:  # the last figures, if the warehouse is about to be unreachable
                        _put(self._cache, key, expired)
            raise

    def _count_request(self, key: _Key, bound: BoundQuery) -> None:
        if key in self._requested or key in self._requested_before:
            _put(self._repeated, key, bound)
        _put(self._requested, key, bound)


def _put(latest: dict[_Key, Any], key: _Key, value: Any) -> None:
    """Add the value as the most recent of at most _MAX_CACHED."""
    latest.pop(key, None)
    latest[key] = value
    if len(latest) > _MAX_CACHED:
        del latest[next(iter(latest))]


def _key(state: State, bound: BoundQuery) -> _Key:
    build = _ANY_BUILD if bound.outlives_builds else state.version
    return (build, bound.query, *((name, _hashable(value)) for name, value in bound.parameters.items()))


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
