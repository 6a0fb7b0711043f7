"""The stream as a batch of Serverless for Apache Spark (Dataproc): its configuration, and what its state means.

Written from Google's documentation of the API and of runtime 3.0; the tests start no batch.
https://docs.cloud.google.com/managed-spark/docs/concepts/versions/spark-runtime-3.0
"""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from csat.airflow.backends.base import BackendError, Process
from csat.airflow.backends.google_api import QUOTA
from csat.contract.settings import Settings
from csat.control.release import Release

if TYPE_CHECKING:
    from google.cloud.dataproc_v1.types import Batch

RUNTIME = "3.0"  # Spark 4.0.1, Scala 2.13, Java 21, Python 3.12
_TTL = timedelta(days=13)  # the default is four hours, the maximum 14 days. The guard restarts sooner
_CORES = "4"  # the minimum of a driver or an executor
_MEMORY = "4g"  # the local driver needs 1g
_PACKAGES = "packages"  # where the archive is unpacked, in the working directory of driver and executors
_EXIT_CODES = {"SUCCEEDED": 0, "FAILED": 1, "CANCELLED": 143}
_NEEDED = (
    "region",
    "code_uri",
    "stream_service_account",
    "state_files_uri",
    "checkpoint_uri",
    "kafka_bootstrap_servers",
)
_NOT_FOR_BATCHES = ("kafka_password", "kafka_oauth_client_secret", "kafka_ca_file")


def check_settings(settings: Settings) -> None:
    """Raise BackendError if a batch cannot run with these settings; the message names them."""
    missing = [_variable(name) for name in _NEEDED if not getattr(settings, name)]
    if missing:
        raise BackendError(
            f"the stream on Dataproc needs {', '.join(missing)}: make cloud-env writes them from Terraform's outputs"
        )
    secret = [_variable(name) for name in _NOT_FOR_BATCHES if getattr(settings, name)]
    if secret:
        raise BackendError(
            f"{', '.join(secret)} cannot be passed to a batch: whoever may see batches reads its properties, and "
            "this machine's files are not there. Use CSAT_KAFKA_OAUTH_SOURCE=google, or CSAT_STREAM_BACKEND=supervisord"
        )


def batch_id(settings: Settings, token: str) -> str:
    """The id of the batch with this token."""
    return f"{settings.dataproc_name}-{token}"


def new_batch(settings: Settings, release: Release, token: str) -> "Batch":
    """The batch of a driver with this token, as the API's message."""
    from google.cloud.dataproc_v1 import types

    by_account = types.AuthenticationConfig.AuthenticationType.SERVICE_ACCOUNT  # otherwise 3.0 runs as the caller
    execution = types.ExecutionConfig(
        service_account=settings.stream_service_account,
        ttl=_TTL,
        authentication_config=types.AuthenticationConfig(user_workload_authentication_type=by_account),
    )
    if settings.subnetwork:
        execution.subnetwork_uri = settings.subnetwork
    return types.Batch(
        labels={"stream": settings.dataproc_name, "token": token},
        pyspark_batch=types.PySparkBatch(
            main_python_file_uri=release.job,
            args=["--token", token],
            archive_uris=[f"{release.packages}#{_PACKAGES}"],
            jar_file_uris=list(release.jars),
        ),
        runtime_config=types.RuntimeConfig(version=RUNTIME, properties=properties(settings)),
        environment_config=types.EnvironmentConfig(execution_config=execution),
    )


def properties(settings: Settings) -> dict[str, str]:
    """The batch's Spark properties, csat's settings among them. No secret and no path of this machine."""
    variables = {_variable(name): str(value) for name, value in _changed(settings).items()} | {
        "PYTHONPATH": f"./{_PACKAGES}"
    }
    return {
        "spark.driver.cores": _CORES,
        "spark.driver.memory": _MEMORY,
        "spark.executor.cores": _CORES,
        "spark.executor.memory": _MEMORY,
        "spark.executor.instances": str(settings.dataproc_executors),
        "spark.dynamicAllocation.enabled": "false",  # it would remove executors during a batch
        "spark.executorEnv.PYTHONPATH": f"./{_PACKAGES}",
        **{f"spark.dataproc.driverEnv.{name}": value for name, value in variables.items()},
    }


def process_of(batch: "Batch") -> Process:
    """A batch as a process; the exit code follows from its state, not from what the driver returned."""
    state = batch.state.name
    about = ", ".join(part for part in (batch.name.rpartition("/")[2], batch.state_message.strip()) if part)
    fix = f"; fix: {QUOTA}" if "quota" in batch.state_message.lower() else ""
    return Process(
        state not in _EXIT_CODES, _EXIT_CODES.get(state), f"{state}, {about}{fix}", batch.labels.get("token", "")
    )


def _changed(settings: Settings) -> dict[str, object]:
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    return {
        name: value
        for name, value in values.items()
        if value != defaults[name] and not isinstance(value, SecretStr | Path)
    }


def _variable(name: str) -> str:
    return f"CSAT_{name.upper()}"
