"""The one way to BigQuery outside dbt: bounded waits, errors that name the setting."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from types import TracebackType
from typing import Any, Self

from google.api_core import exceptions
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.cloud import bigquery
from requests.exceptions import RequestException

from csat.bigquery import login as bigquery_login
from csat.contract.errors import CsatError
from csat.contract.google_errors import NETWORK, fix_of, is_login_unavailable, is_over_quota, text_of
from csat.contract.settings import GOOGLE_LOGIN_FIX, Settings, SettingsError

_PARAMETER_TYPES = {bool: "BOOL", int: "INT64", float: "FLOAT64", str: "STRING", datetime: "TIMESTAMP", date: "DATE"}


_Parameter = bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter


class WarehouseError(CsatError):
    """BigQuery could not be asked, or refused; the message says what to do."""


class WarehouseOverQuotaError(WarehouseError):
    """BigQuery refuses until a quota allows it again."""


class WarehouseUnreachableError(WarehouseError):
    """Nothing answers at BigQuery's address, or at that of Google's login."""


class _EmulatorCredentials(Credentials):
    """The emulator's token, read when it is first needed, and again when the emulator refuses it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._settings = settings

    def refresh(self, request: object) -> None:
        """Read the token. Raises RefreshError."""
        try:
            self.token = bigquery_login.token(self._settings)
        except SettingsError as error:
            raise RefreshError(str(error)) from error


def open_client(settings: Settings) -> bigquery.Client:
    """A client of BigQuery, or of the emulator where the settings name an endpoint."""
    if not settings.endpoint:
        return bigquery.Client(settings.project_id, location=settings.location)
    return bigquery.Client(
        settings.project_id,
        credentials=_EmulatorCredentials(settings),
        client_options={"api_endpoint": settings.endpoint},
        location=settings.location,
    )


class Warehouse:
    """A BigQuery connection of one program; a context manager."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._client: bigquery.Client | None = None

    @property
    def client(self) -> bigquery.Client:
        """The Google client, opened at first use."""
        if self._client is None:
            try:
                self._client = open_client(self.settings)
            except (GoogleAuthError, OSError) as error:
                if is_login_unavailable(error):
                    raise _login_error(error) from error
                raise WarehouseError(f"No Google credentials ({error})", GOOGLE_LOGIN_FIX) from error
        return self._client

    @property
    def retry(self) -> Any:
        """The client's retry, ended in time: its default asks a dead endpoint for 600 s."""
        return bigquery.DEFAULT_RETRY.with_deadline(self.settings.bigquery_timeout_seconds)

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query, as dictionaries by column name.

        Parameters are named (`@name`); a list becomes an array, and a parameter of the client is taken as it is. Raises
        WarehouseError.
        """
        config = bigquery.QueryJobConfig(
            query_parameters=[_parameter(name, value) for name, value in parameters.items()],
            maximum_bytes_billed=self.settings.bigquery_max_bytes_billed,
        )
        with self.errors():
            # One request where the answer comes in time and fits, instead of three
            result = self.client.query_and_wait(
                sql,
                job_config=config,
                retry=self.retry,
                job_retry=None,  # type: ignore[arg-type]  # it means none, and the client takes it
                api_timeout=self.settings.bigquery_timeout_seconds,
                wait_timeout=self.settings.bigquery_job_timeout_seconds,
            )
            return [dict(row.items()) for row in result]

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the client's errors into WarehouseError."""
        try:
            yield
        except (exceptions.RetryError, RequestException, ConnectionError, TimeoutError) as error:
            where = self.settings.endpoint or "Google's BigQuery"
            fix = (
                "start the stack with `csat up` or correct CSAT_BIGQUERY_ENDPOINT"
                if self.settings.endpoint
                else NETWORK
            )
            raise WarehouseUnreachableError(f"{where} does not answer", fix) from error
        except GoogleAuthError as error:
            if self.settings.endpoint:  # the stack never started: nothing would answer either
                raise WarehouseUnreachableError(str(error)) from error
            raise _login_error(error) from error
        except exceptions.GoogleAPIError as error:
            kind = WarehouseOverQuotaError if is_over_quota(error) else WarehouseError
            raise kind(f"BigQuery refused: {text_of(error)}", fix_of(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._client is not None:
            self._client.close()


def _login_error(error: BaseException) -> WarehouseError:
    if is_login_unavailable(error):
        return WarehouseUnreachableError(f"Google's login does not answer ({text_of(error)})", fix_of(error))
    return WarehouseError(f"Google refuses the login ({text_of(error)})", fix_of(error))


def _parameter(name: str, value: Any) -> _Parameter:
    if isinstance(value, _Parameter):
        return value
    if isinstance(value, Mapping):
        raise TypeError(f"parameter {name}: a mapping is no query parameter")
    if isinstance(value, list | tuple):
        kind = _PARAMETER_TYPES[type(value[0])] if value else "STRING"
        return bigquery.ArrayQueryParameter(name, kind, list(value))
    return bigquery.ScalarQueryParameter(name, _PARAMETER_TYPES[type(value)], value)
