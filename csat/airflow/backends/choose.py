"""Selects the backend of the stream's process."""

from csat.airflow.backends.base import StreamBackend
from csat.airflow.backends.supervisord import SupervisordBackend
from csat.contract.settings import Settings
from csat.control.driver_token import token_file


def backend(settings: Settings) -> StreamBackend:
    """The backend that the settings select. Raises BackendError if one of its settings is missing."""
    if settings.is_on_dataproc:
        from csat.airflow.backends.dataproc import DataprocBackend  # it takes a second to import

        return DataprocBackend(settings)
    return SupervisordBackend(
        settings.supervisord, settings.state / "secrets" / "supervisord", token_file(settings.state)
    )
