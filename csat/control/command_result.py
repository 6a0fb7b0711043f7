"""The result of a command that ran where its caller does not see its output: in a Cloud Run job of Airflow's."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class CommandResult(BaseModel):
    """The JSON document of a command, under the id of the run that asked for it: `<name>:<run>`."""

    model_config = ConfigDict(frozen=True)

    result_id: str
    document: Any
