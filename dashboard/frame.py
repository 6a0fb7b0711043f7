"""What every page has around it: how fresh the data are, what the words mean, and what is said when there are none."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import streamlit as st

from csat.settings import Settings, get_settings
from dashboard import formats
from dashboard.definitions import definition, variables
from dashboard.palette import palette
from dashboard.queries import Rows
from dashboard.series import window_start
from dashboard.source import Question, Source, State, utc_now
from dashboard.tables import Html, joined, link
from warehouse.client import WarehouseError, WarehouseUnreachableError
from warehouse.mart_variables import ALL_TIME

AWAY = (
    "**The warehouse does not answer.** Nothing is lost: the page fills by itself as soon as it is back. "
    "`csat status` says what is wrong, `csat up` starts what is down."
)
AWAY_WITH_DATA = (
    "**The warehouse does not answer.** These are the last figures read; the page goes on by itself as soon as it is "
    "back. `csat status` says what is wrong."
)
EMPTY = (
    "**No figures yet.** The marts have not been built: they appear here by themselves after the first build. "
    "`csat status` shows how far the answers have come, `csat marts build` builds at once."
)


@dataclass(frozen=True)
class Board:
    """The marts at one moment, as a page reads them."""

    source: Source
    state: State

    def rows(self, *questions: Question) -> list[Rows]:
        """The answers, in the order of the questions. Raises WarehouseError."""
        return self.source.rows(self.state, *questions)

    def first_date_of(self, window: str) -> date:
        """Where a window that ends with the last date begins."""
        first, last = self.state.first_date, self.state.last_date
        assert first is not None
        assert last is not None
        return first if window == ALL_TIME else max(first, window_start(last, variables().window_days[window]))


@dataclass(frozen=True)
class Page:
    """A page: its place in the URL, what it shows, and the columns whose meaning is one click away, by their label.

    With `refresh` it is drawn again so often, not only after a build. `foresee` gives what it asks first, as far as its
    address tells: that is asked while the browser still starts.
    """

    title: str
    path: str
    show: Callable[[Board], None]
    terms: Mapping[str, str] = field(default_factory=dict)
    refresh: timedelta | None = None
    foresee: Callable[[State, Mapping[str, str]], Iterable[Question]] | None = None


@st.cache_resource(show_spinner=False)
def shared_source(_settings: Settings, address: str) -> Source:
    """One source for all viewers of the warehouse at this address."""
    return Source(_settings)


def _source() -> Source:
    settings = get_settings()
    return shared_source(settings, f"{settings.endpoint} {settings.project_id} {settings.dataset_prefix}")


def foresee(page: Page, address: Mapping[str, str]) -> None:
    """Begin to ask for what the page will show with these filters in its address. Returns at once."""
    if page.foresee is not None:
        questions = page.foresee
        _source().foresee(lambda state: questions(state, address))


def run(page: Page) -> None:
    """Show a page, or why there is nothing to show."""
    source = _source()
    state = source.state()
    st.title(page.title, anchor=False)
    _head(page, source, state)
    st.fragment(run_every=page.refresh)(_guarded_body)(page, Board(source, state))


def _guarded_body(page: Page, board: Board) -> None:
    try:
        _body(page, board)
    except WarehouseUnreachableError:
        st.info(AWAY, icon=":material/cloud_off:")
    except WarehouseError as error:
        _say_unreadable(str(error))


def _body(page: Page, board: Board) -> None:
    if board.state.last_date is not None:
        if not board.state.is_reachable:
            st.info(AWAY_WITH_DATA, icon=":material/cloud_off:")
        page.show(board)
    elif board.state.problem:
        _say_unreadable(board.state.problem)
    elif board.state.is_reachable:
        st.info(EMPTY, icon=":material/hourglass_empty:")
    else:
        st.info(AWAY, icon=":material/cloud_off:")


def _head(page: Page, source: Source, state: State) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="head"):
        _live_status(source, state)
        if page.terms:
            with st.popover("What the figures mean", icon=":material/menu_book:"):
                _terms(page.terms)


def _live_status(source: Source, state: State) -> None:
    """The line on freshness, which looks again by itself and renews the page with the marts and with the theme."""
    settings, drawn_in = get_settings(), palette()

    @st.fragment(run_every=settings.dashboard_refresh_seconds)
    def live() -> None:
        now_state = source.state()
        if now_state != state or palette() != drawn_in:
            st.rerun()
        st.html(status_line(now_state, timedelta(minutes=settings.freshness_minutes)))

    live()


def status_line(state: State, promise: timedelta) -> str:
    """How fresh the data are, as HTML: a badge in words and colour, and the time."""
    now = utc_now()
    text: str | Html = ""
    if state.data_up_to is not None:
        text = f"Data up to {formats.moment(state.data_up_to)}, {formats.age(now - state.data_up_to)}."
    if not state.is_reachable:
        kind, word = "away", "Not connected"
    elif state.data_up_to is None:
        kind, word = "empty", "No data"
    elif state.is_stale(now, promise):
        kind, word = "stale", "Stale"
        text = joined(text, f" Promised is {promise.total_seconds() / 60:g} min: ", link("why so old?", "pipeline"))
    else:
        kind, word = "fresh", "Fresh"
    return joined(
        Html(f'<p class="status" role="status"><span class="badge badge-{kind}">{word}</span> <span>'),
        text,
        Html("</span></p>"),
    )


def _terms(terms: Mapping[str, str]) -> None:
    numbers = variables()
    lines = [f"- **{label}**: {definition(column)}" for label, column in terms.items()]
    st.markdown("\n".join(lines))
    st.caption(
        f"k = {numbers.prior_answers} answers. A rank needs {numbers.minimum_answers} answers in the window, a "
        f"significant change {numbers.minimum_comparison_answers} in both windows. Intervals are 95 %. "
        "Days and hours are UTC."
    )


def _say_unreadable(problem: str) -> None:
    reason = problem.replace("`", " ").splitlines()[0]
    st.warning(f"**The figures could not be read.** `csat status` says more. BigQuery's own words: `{reason}`")
