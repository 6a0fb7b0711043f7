"""The settings of a command that needs servers: it ends at once where one refuses connections."""

from csat.clients.listening import Server, require_listening
from csat.contract.settings import Settings, get_settings

KAFKA, BIGQUERY, AIRFLOW, DASHBOARD = Server.KAFKA, Server.BIGQUERY, Server.AIRFLOW, Server.DASHBOARD


def settings_with(*servers: Server) -> Settings:
    """The settings, once no server refuses. Call it before the imports of clients, which take longer.

    Raises RefusedError and SettingsError.
    """
    settings = get_settings()
    require_listening(settings, *servers)
    return settings
