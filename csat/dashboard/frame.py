"""What surrounds every page: the status line, the definitions, and the message where there are no data."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from csat.bigquery.client import WarehouseError, WarehouseUnreachableError
from csat.bigquery.query import Rows
from csat.contract.settings import Settings, get_settings
from csat.dashboard.palette import palette
from csat.dashboard.source import BoundQuery, Source, State, utc_now
from csat.dashboard.status import OPEN_ALERTS, status_line
from csat.reporting.comparison import has_previous
from csat.reporting.definitions import variables
from csat.reporting.glossary import explanation
from csat.reporting.series import window_start
from csat.reporting.variables import ALL_TIME

UNREACHABLE = (
    "**BigQuery is not reachable.** No data are lost: the page loads as soon as the connection is back. "
    "`csat status` shows the cause, `csat up` starts what is down."
)
UNREACHABLE_WITH_DATA = (
    "**BigQuery is not reachable.** These are the last figures read; the page refreshes as soon as the connection is "
    "back. `csat status` shows the cause."
)
EMPTY = (
    "**No figures yet.** They appear here after the first build of the marts. "
    "`csat status` shows how far the responses have come, `csat marts build` starts a build now."
)
# copy.js copies the address
_COPY_LINK = '<div class="copy-link"><button type="button">Copy link</button><span role="status"></span></div>'


@dataclass(frozen=True)
class Snapshot:
    """The marts at one moment, as a page reads them."""

    source: Source
    state: State

    def rows(self, *bound_queries: BoundQuery) -> list[Rows]:
        """The rows of each query, in their order. Raises WarehouseError."""
        return self.source.rows(self.state, *bound_queries)

    def has_previous(self, window: str) -> bool:
        """Whether the marts hold the whole period before this one."""
        return has_previous(window, *self._dates)

    def first_date_of(self, window: str) -> date:
        """The first date of a window that ends with the last date."""
        first, last = self._dates
        return first if window == ALL_TIME else max(first, window_start(last, variables().window_days[window]))

    @property
    def _dates(self) -> tuple[date, date]:
        assert self.state.first_date is not None
        assert self.state.last_date is not None
        return self.state.first_date, self.state.last_date


@dataclass(frozen=True)
class Page:
    """A page: its path in the URL, what it shows, and the terms that it explains.

    With `refresh` it is redrawn at that interval, not only after a build. `prefetch` returns the queries that the page
    runs first, as far as the filters in its address determine them: they run while the browser still starts. With
    `has_window` links between pages keep the period.
    """

    title: str
    path: str
    show: Callable[[Snapshot], None]
    terms: tuple[str, ...] = ()
    refresh: timedelta | None = None
    prefetch: Callable[[State, Mapping[str, str]], Iterable[BoundQuery]] = lambda *_: ()
    needs_marts: bool = True
    has_window: bool = False


@st.cache_resource(show_spinner=False)
def shared_source(_settings: Settings, address: str) -> Source:
    """One source for all viewers of the warehouse at this address."""
    return Source(_settings)


def _source() -> Source:
    settings = get_settings()
    return shared_source(settings, f"{settings.endpoint} {settings.project_id} {settings.dataset_prefix}")


def prefetch(page: Page, address: Mapping[str, str]) -> None:
    """Start the queries that the page will run with these filters in its address. Returns at once."""
    _source().prefetch(lambda state: (OPEN_ALERTS, *page.prefetch(state, address)))


def set_title(title: str) -> None:
    """Name the browser's tab and its entry of the history."""
    st.set_page_config(page_title=f"{title} · CSAT")


def run(page: Page) -> None:
    """Show a page, or the reason why there is nothing to show."""
    source = _source()
    state = source.state()
    set_title(page.title)
    st.title(page.title, anchor=False)
    _head(page, source, state)
    st.fragment(run_every=page.refresh)(_guarded_body)(page, Snapshot(source, state))


def _guarded_body(page: Page, snapshot: Snapshot) -> None:
    try:
        _body(page, snapshot)
    except WarehouseUnreachableError:
        st.info(UNREACHABLE, icon=":material/cloud_off:")
    except WarehouseError as error:
        _show_error(str(error))


def _body(page: Page, snapshot: Snapshot) -> None:
    if not page.needs_marts:
        page.show(snapshot)
    elif snapshot.state.last_date is not None:
        if not snapshot.state.is_reachable:
            st.info(UNREACHABLE_WITH_DATA, icon=":material/cloud_off:")
        page.show(snapshot)
    elif snapshot.state.problem:
        _show_error(snapshot.state.problem)
    elif snapshot.state.is_reachable:
        st.info(EMPTY, icon=":material/hourglass_empty:")
    else:
        st.info(UNREACHABLE, icon=":material/cloud_off:")


def _head(page: Page, source: Source, state: State) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="head"):
        _live_status(source, state)
        with st.container(horizontal=True, vertical_alignment="center", width="content", key="tools"):
            st.html(_COPY_LINK, width="content")
            if page.terms:
                with st.popover("Definitions", icon=":material/menu_book:"):
                    _terms(page.terms)


def _live_status(source: Source, state: State) -> None:
    """The status line. It checks periodically, and redraws the page after a new build or a change of theme."""
    settings, drawn_in = get_settings(), palette()

    @st.fragment(run_every=settings.dashboard_refresh_seconds)
    def live() -> None:
        now_state = source.state()
        if now_state != state or palette() != drawn_in:
            st.rerun()
        alerts = _open_alerts(source, now_state)
        st.html(status_line(now_state, timedelta(minutes=settings.freshness_minutes), alerts, utc_now()))

    live()


def _open_alerts(source: Source, state: State) -> Rows:
    """The open alerts; none where they cannot be read, which the freshness of the data or the page says."""
    try:
        return source.rows(state, OPEN_ALERTS)[0]
    except WarehouseError:
        return []


def _terms(terms: Iterable[str]) -> None:
    st.markdown("\n".join(f"- **{term}**: {explanation(term)}" for term in terms))


def _show_error(problem: str) -> None:
    reason = problem.replace("`", " ").splitlines()[0]
    st.warning(f"**The figures could not be read.** `csat status` shows more. BigQuery's message: `{reason}`")
