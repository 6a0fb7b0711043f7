"""Where the board's figures come from: the warehouse, asked again when a new build of the marts is there.

One object serves every viewer. A look at the table of builds costs no query; the answers of one build are kept, so
that more viewers, or a viewer who comes back to a page, ask BigQuery nothing. What viewers take again and again is
asked of a new build before they see it, so that its figures come at once and nobody waits for them; what a page is
going to ask is asked while the browser still starts.
"""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
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
# A new build waits for these, one after the other, but for no further one after so long. What was taken once is not
# among them: whoever looked is gone, or takes it of the next build too.
_MOST_RENEWED = 6
_RENEWAL_SECONDS = 5.0
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
        self,
        settings: Settings,
        warehouse: Warehouse | None = None,
        clock: Callable[[], datetime] = utc_now,
        renewer: Executor | None = None,
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
        self._taken: OrderedDict[tuple[Any, ...], Question] = OrderedDict()  # of the build in _state, the last one last
        self._times: Counter[tuple[Any, ...]] = Counter()  # taken of it, and one where taken of the build before
        self._asking: dict[tuple[Any, ...], Future[Rows]] = {}
        self._keeping = threading.Lock()
        self._pool = ThreadPoolExecutor(_PARALLEL_QUERIES, thread_name_prefix="board")
        self._renewer = renewer or ThreadPoolExecutor(1, thread_name_prefix="renewal")
        self._renewal: Future[State] | None = None

    def state(self) -> State:
        """The state of the marts, looked at once in dashboard_refresh_seconds.

        Where nobody answers, another viewer's look is under way, or the answers of a new build are being renewed, it is
        the last one known. Never raises WarehouseError.
        """
        if not self._looking.acquire(blocking=self._looked_at is None):
            return self._state
        try:
            now = self._clock()
            pause = timedelta(seconds=self._settings.dashboard_refresh_seconds)
            is_renewed = self._renewal is not None and self._renewal.done()
            if is_renewed or self._looked_at is None or now - self._looked_at >= pause:
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

    def foresee(self, questions: Callable[[State], Iterable[Question]]) -> None:
        """Ask in the background for what a viewer will want in a moment. Returns at once."""
        # A callback that raises is logged
        self._pool.submit(self._foresee, questions).add_done_callback(Future.result)

    def _foresee(self, questions: Callable[[State], Iterable[Question]]) -> None:
        state = self.state()
        with suppress(WarehouseError):  # the viewer who asks again is told
            for one in questions(state):
                self._answer(state, one, is_taken=False)

    def _look(self) -> State:
        builds = self._settings.table("ops", "mart_builds")
        try:
            version = table_version(self._warehouse, builds, _LOOK_SECONDS)
            if version is None:
                return State()
            if not self._state.version:
                return self._read_state(version)
            if version != self._state.version and self._renewal is None:
                self._renewal = self._renewer.submit(self._renewed, version)
            return replace(self._renewed_state() or self._state, is_reachable=True, problem="")
        except WarehouseUnreachableError:
            return replace(self._state, is_reachable=False)
        except WarehouseError as error:
            return replace(self._state, is_reachable=True, problem=str(error))

    def _renewed_state(self) -> State | None:
        """The state of the new build; none where there is none, or its answers are not there yet."""
        if self._renewal is None or not self._renewal.done():
            return None
        renewal, self._renewal = self._renewal, None
        state = renewal.result()
        with self._keeping:
            self._times = Counter(self._taken.keys())
            self._taken.clear()
            for key in [key for key in self._kept if key[0] not in (_ANY_BUILD, state.version)]:
                del self._kept[key]
        return state

    def _renewed(self, version: str) -> State:
        """The state of a new build, after its answers to what viewers took more than once."""
        state = self._read_state(version)
        with self._keeping:
            taken = [one for key, one in reversed(self._taken.items()) if self._times[key] > 1][:_MOST_RENEWED]
        deadline = time.monotonic() + _RENEWAL_SECONDS
        with suppress(WarehouseError):  # the viewer who asks again is told
            for one in taken:
                if time.monotonic() < deadline:
                    self._ask(_key(state, one), one)
        return state

    def _read_state(self, version: str) -> State:
        # The marts' dates can only be asked for once there are marts
        known = self._pool.submit(queries.DATES.rows, self._warehouse) if self._state.version else None
        builds = queries.LAST_BUILD.rows(self._warehouse)
        if not builds:
            return State()
        [dates] = known.result() if known else queries.DATES.rows(self._warehouse)
        return State(version, data_up_to=builds[0]["watermark_to"], built_at=builds[0]["built_at"], **dates)

    def _answer(self, state: State, one: Question, *, is_taken: bool = True) -> Rows:
        key = _key(state, one)
        with self._keeping:
            kept = self._kept.get(key)
            if is_taken and key[0] == self._state.version:
                self._note(key[1:], one)
        if kept is not None and (not state.is_reachable or self._clock() - kept[0] < one.kept_for):
            return kept[1]
        if not state.is_reachable:
            raise WarehouseUnreachableError(_AWAY)
        return self._ask(key, one)

    def _note(self, words: tuple[Any, ...], one: Question) -> None:
        self._times[words] += 1
        self._taken[words] = one
        self._taken.move_to_end(words)
        while len(self._taken) > _MOST_KEPT:
            oldest, _ = self._taken.popitem(last=False)
            del self._times[oldest]

    def _ask(self, key: tuple[Any, ...], one: Question) -> Rows:
        """The answer from the warehouse; where another thread is asking for it, what that one gets."""
        answer: Future[Rows] = Future()
        with self._keeping:
            asked = self._asking.setdefault(key, answer)
        if asked is not answer:
            return asked.result()
        try:
            now = self._clock()
            rows = one.query.rows(self._warehouse, **one.parameters)
        except BaseException as error:
            answer.set_exception(error)
            raise
        else:
            answer.set_result(rows)
            with self._keeping:
                self._kept[key] = (now, rows)
                while len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
            return rows
        finally:
            with self._keeping:
                del self._asking[key]


def _key(state: State, one: Question) -> tuple[Any, ...]:
    build = _ANY_BUILD if one.outlives_builds else state.version
    return (build, one.query, *((name, _hashable(value)) for name, value in one.parameters.items()))


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
