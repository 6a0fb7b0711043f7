"""Every setting with its meaning and default. The environment variable is CSAT_ and the field name in capitals.

`.env` in the current folder is read too. `make generated` writes `.env.example` from this module.
"""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from csat.contract.errors import CsatError
from csat.contract.kafka_access import KafkaSettings

# BigQuery allows 1,500 load jobs per table and day: one every 57.6 s. 75 s leaves a fifth for retries and restarts.
MIN_CLOUD_TRIGGER_SECONDS = 75
LOAD_JOBS_A_DAY = 1_500
MAX_BATCH_HOURS = 12 * 24  # a day less than the batch's time to live, which is a day less than Dataproc's maximum
# Ten years. The marts have a partition for each date, and BigQuery modifies at most 4,000 in one job.
MAX_DAYS_OLD = 3_650
MIN_FREE_BYTES = 2 * 1024**3  # of the disk that holds the state folder
ROOT = Path(__file__).parents[2]

DatasetRole = Literal["raw", "candidate", "marts", "ops", "scratch"]

GOOGLE_KEY_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
GOOGLE_KEY = Path(".google/credentials/google_credentials_project.json")  # in the home folder, found without a variable
GOOGLE_LOGIN_FIX = (
    f"put a service account's key at ~/{GOOGLE_KEY}, name another one in {GOOGLE_KEY_VARIABLE}, or run "
    "`gcloud auth application-default login`"
)


class SettingsError(CsatError):
    """A setting is missing or wrong; the message names it and the fix."""


class Settings(KafkaSettings, BaseSettings):
    """All settings, frozen. Units are in the names; ports are of 127.0.0.1."""

    model_config = SettingsConfigDict(
        env_prefix="CSAT_",
        env_file=".env",
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # it holds the secrets
    )

    target: Literal["local", "gcp"] = Field("local", description="Where it runs: one machine, or Google Cloud.")
    project_id: str = Field("csat-local", description="Google Cloud project, or the emulator's project name.")
    location: str = Field("US", description="BigQuery location of datasets and jobs.")
    dataset_prefix: str = Field("csat", description="Datasets are <prefix>_raw, _candidate, _marts, _ops, _scratch.")
    state_dir: Path = Field(ROOT / ".csat", description="Folder of the local stack's data, logs and secrets.")

    bigquery_endpoint: str = Field("", description="BigQuery's REST endpoint; empty: the emulator, or Google's.")
    bigquery_timeout_seconds: float = Field(30, gt=0, description="Timeout of one BigQuery API call.")
    bigquery_job_timeout_seconds: float = Field(300, gt=0, description="Timeout of one BigQuery job.")
    bigquery_max_bytes_billed: int = Field(20_000_000_000, gt=0, description="Maximum bytes billed per query.")

    marts_look_back_days: int = Field(
        90, ge=1, description="Last days that builds read and build; the nightly reconciliation covers older ones."
    )

    marts_every_seconds: float = Field(
        0,
        ge=0,
        description="Minimum seconds between builds that new rows trigger; 0: 30 locally, 900 on Google Cloud.",
    )

    staging_uri: str = Field(
        "gs://csat-staging", description="Folder of a batch's Parquet files until they are loaded."
    )
    checkpoint_uri: str = Field("", description="Spark's checkpoint folder; empty: in the state folder.")
    state_files_uri: str = Field(
        "", description="Folder of desired_state.json and heartbeat.json; empty: in the state folder."
    )
    trigger_seconds: float = Field(0, ge=0, description="Seconds between batches; 0: 5 locally, 90 on Google Cloud.")
    max_offsets_per_trigger: int = Field(200_000, ge=1, description="Maximum messages per batch.")
    max_minutes_ahead: float = Field(
        15,
        ge=0,
        le=24 * 60,
        description="Maximum minutes by which a response's time may be ahead of the clocks of Kafka and the stream.",
    )
    max_days_old: int = Field(
        MAX_DAYS_OLD,
        ge=1,
        le=MAX_DAYS_OLD,
        description="Maximum days between a response's time and its reading by the stream; older ones are rejected.",
    )
    heartbeat_seconds: float = Field(
        0, ge=0, description="Seconds between heartbeats; 0: 5 locally, 15 on Google Cloud."
    )
    jars_dir: Path = Field(ROOT / ".venvs" / "jars", description="Folder of the jars that `make setup` downloads.")
    spark_master: str = Field("local[2]", description="Spark master of the local stream.")
    spark_driver_memory: str = Field(
        "1g", pattern=r"^\d+[kmgt]$", description="Heap of the Spark driver, allocated in full at start."
    )
    spark_driver_java_options: str = Field("", description="Additional JVM options of the Spark driver.")

    stream_backend: Literal["", "supervisord", "dataproc"] = Field(
        "", description="What runs the stream's process; empty: supervisord locally, dataproc on Google Cloud."
    )
    region: str = Field("", description="Region of the stream's batches on Dataproc, such as europe-west1.")
    code_uri: str = Field("", description="Folder, gs://…, to which `make cloud-deploy` uploads the code of a batch.")
    stream_service_account: str = Field("", description="E-mail address of the account that a batch runs as.")
    subnetwork: str = Field("", description="Subnetwork of the batches; empty: the region's default one.")
    dataproc_name: str = Field(
        "csat", pattern=r"^[a-z][a-z0-9-]{0,19}$", description="Label of the stream's batches, and prefix of their ids."
    )
    dataproc_executors: int = Field(2, ge=2, description="Executors of a batch; Dataproc's minimum is two.")
    dataproc_timeout_seconds: float = Field(15, gt=0, description="Timeout of one Dataproc API call.")
    command_job: str = Field(
        "",
        pattern=r"^(projects/[^/]+/locations/[^/]+/jobs/[^/]+)?$",
        description="Cloud Run job in which Airflow runs csat, projects/P/locations/R/jobs/J; empty: the local .venv.",
    )
    result_id: str = Field(
        "", description="Id under which a command with --json keeps its result in the state files; Airflow sets it."
    )

    stale_seconds: float = Field(
        0, ge=0, description="Heartbeat age at which the stream counts as dead; 0: 20 locally, 180 on Google Cloud."
    )
    startup_seconds: float = Field(
        0, ge=0, description="First heartbeat's timeout; 0: 120 locally, 600 on Google Cloud."
    )
    stalled_seconds: float = Field(
        0, ge=0, description="Timeout of a batch while messages wait; 0: five trigger intervals, at least 120."
    )
    max_age_hours: float = Field(24, gt=0, description="Uptime at which the stream is restarted cleanly.")

    freshness_minutes: float = Field(
        15, gt=0, description="Freshness SLO: minutes until a response is on the dashboard; older data counts as stale."
    )
    dashboard_address: str = Field(
        "127.0.0.1", description="Address that the dashboard listens on; use 0.0.0.0 only in a container."
    )
    dashboard_hosts: str = Field(
        "127.0.0.1,localhost", description="Host names, comma-separated, under which browsers may reach the dashboard."
    )
    dashboard_query_seconds: float = Field(10, gt=0, description="Timeout of one query of the dashboard.")
    dashboard_refresh_seconds: float = Field(
        10, gt=0, description="Seconds between the dashboard's checks for a new build of the marts."
    )
    alert_webhook_url: SecretStr = Field(
        SecretStr(""), description="Webhook to which alerts are posted as JSON, such as Slack's; empty: none."
    )
    alert_remind_hours: float = Field(6, gt=0, description="Hours until an open alert is notified again.")

    kafka_controller_port: int = Field(9093, description="Port of the local broker's controller.")
    bigquery_port: int = Field(9050, description="REST port of the BigQuery emulator.")
    bigquery_grpc_port: int = Field(9060, description="gRPC port of the BigQuery emulator.")
    airflow_port: int = Field(8080, description="Port of the Airflow web UI and API.")
    airflow_worker_log_port: int = Field(8793, description="Port that serves Airflow's task logs.")
    airflow_trigger_log_port: int = Field(8794, description="Port that serves Airflow's trigger logs.")
    dashboard_port: int = Field(8090, description="Port of the dashboard.")
    dashboard_url: str = Field("", description="Address of the dashboard; empty: the local stack's.")
    airflow_url: str = Field("", description="Address of Airflow's web UI and API; empty: the local stack's.")
    airflow_database_url: str = Field(
        "",
        description="Airflow's database, driver://user@host/name; its password is the secret `postgres`. "
        "Empty: the local PostgreSQL.",
    )
    postgres_port: int = Field(15432, description="Port of the local PostgreSQL, which holds Airflow's database.")
    supervisord_url: str = Field("", description="supervisord's XML-RPC address; empty: the local stack's.")
    supervisord_port: int = Field(9001, description="Port of the local supervisord.")

    @field_validator("kafka_ca_file", mode="before")
    @classmethod
    def _without_file(cls, value: object) -> object:
        """An empty variable names no file; pathlib would take it for the folder of the call."""
        return value or None

    @model_validator(mode="after")
    def _check_target(self) -> Self:
        if self.target == "gcp" and 0 < self.trigger_seconds < MIN_CLOUD_TRIGGER_SECONDS:
            raise ValueError(
                f"CSAT_TRIGGER_SECONDS={self.trigger_seconds:g} is too short for CSAT_TARGET=gcp: BigQuery allows "
                f"{LOAD_JOBS_A_DAY:,} load jobs per table and day. Set {MIN_CLOUD_TRIGGER_SECONDS} or more (90 is the "
                "default)."
            )
        if self.target == "gcp" and self.project_id == "csat-local":
            raise ValueError("CSAT_PROJECT_ID must name the Google Cloud project when CSAT_TARGET=gcp.")
        return self

    @model_validator(mode="after")
    def _check_backend(self) -> Self:
        if self.target == "local" and self.stream_backend == "dataproc":
            raise ValueError("CSAT_STREAM_BACKEND=dataproc needs CSAT_TARGET=gcp.")
        if not self.is_on_dataproc and self.checkpoint_uri.startswith("gs://"):
            raise ValueError(
                f"CSAT_CHECKPOINT_URI={self.checkpoint_uri} needs CSAT_STREAM_BACKEND=dataproc: Spark on one machine "
                "cannot write there. Leave it empty to use the state folder."
            )
        if self.is_on_dataproc and self.max_age_hours > MAX_BATCH_HOURS:
            raise ValueError(
                f"CSAT_MAX_AGE_HOURS={self.max_age_hours:g} is more than {MAX_BATCH_HOURS}: Dataproc ends a batch "
                "after 14 days without letting it finish."
            )
        return self

    @property
    def is_local(self) -> bool:
        """Whether the one-machine stack is used."""
        return self.target == "local"

    @property
    def has_own_stack(self) -> bool:
        """Whether the parts are processes of this machine's stack: not containers, and not Google Cloud's."""
        return self.is_local and not self.supervisord_url

    @property
    def is_on_dataproc(self) -> bool:
        """Whether the stream is a Dataproc batch; else it is a process of supervisord."""
        return (self.stream_backend or ("supervisord" if self.is_local else "dataproc")) == "dataproc"

    @property
    def state(self) -> Path:
        """The state folder, absolute."""
        return self.state_dir.expanduser().absolute()

    @property
    def endpoint(self) -> str:
        """BigQuery's REST endpoint; empty means Google's own."""
        return self.bigquery_endpoint or (f"http://127.0.0.1:{self.bigquery_port}" if self.is_local else "")

    @property
    def staging_root(self) -> Path:
        """The folder that the emulator serves as gs://: bucket b is the folder b in it."""
        return self.state / "gcs"

    @property
    def checkpoint(self) -> str:
        """Spark's checkpoint folder."""
        return self.checkpoint_uri or str(self.state / "stream" / "checkpoint")

    @property
    def state_files(self) -> str:
        """Folder of the state files."""
        return self.state_files_uri or str(self.state / "stream")

    @property
    def trigger(self) -> float:
        """Seconds between batches."""
        return self.trigger_seconds or (5 if self.is_local else 90)

    @property
    def heartbeat_interval(self) -> float:
        """Seconds between heartbeats."""
        return self.heartbeat_seconds or (5 if self.is_local else 15)

    @property
    def marts_every(self) -> float:
        """Minimum seconds between builds that landed rows trigger: each statement bills 10 MiB on Google Cloud."""
        return self.marts_every_seconds or (30 if self.is_local else 900)

    @property
    def airflow(self) -> str:
        """Address of Airflow's web UI and API."""
        return self.airflow_url.rstrip("/") or f"http://127.0.0.1:{self.airflow_port}"

    @property
    def dashboard(self) -> str:
        """Address of the dashboard."""
        return self.dashboard_url.rstrip("/") or f"http://127.0.0.1:{self.dashboard_port}"

    @property
    def supervisord(self) -> str:
        """supervisord's address, without the password."""
        return self.supervisord_url or f"http://127.0.0.1:{self.supervisord_port}/RPC2"

    def as_environment(self) -> dict[str, str]:
        """Every setting as its environment variable, so that a child process sees the same in any folder."""
        variables = {}
        for name in type(self).model_fields:
            value = self.state if name == "state_dir" else getattr(self, name)
            if value is not None:
                plain = value.get_secret_value() if isinstance(value, SecretStr) else value
                variables[f"CSAT_{name.upper()}"] = str(plain)
        return variables

    def dataset(self, role: DatasetRole) -> str:
        """Name of one of the datasets."""
        return f"{self.dataset_prefix}_{role}"

    def table(self, role: DatasetRole, name: str) -> str:
        """Full name of a table: project.dataset.name."""
        return f"{self.project_id}.{self.dataset(role)}.{name}"


def environment(**changes: str) -> dict[str, str]:
    """This process's environment with changes, for a child process."""
    return {**os.environ, **changes}


def replace_environment(variables: Mapping[str, str]) -> None:
    """Replace this process's environment: for a fork that works on behalf of its caller."""
    os.environ.clear()
    os.environ.update(variables)


@cache
def get_settings() -> Settings:
    """The settings of this process. With Google Cloud it also sets the variable of a key in the home folder.

    Google's clients, dbt and Spark, here and in children, read that variable before the login of gcloud.
    Raises SettingsError.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError(settings_problem(error), "correct it in the environment or in .env") from error
    home = os.environ.get("HOME")
    if not settings.is_local and home and not os.environ.get(GOOGLE_KEY_VARIABLE):
        key = Path(home, GOOGLE_KEY)
        if key.is_file():
            os.environ[GOOGLE_KEY_VARIABLE] = str(key)
    return settings


def settings_problem(error: ValidationError) -> str:
    """One line that says what is wrong with the settings: their names, without their values."""
    problems = ((problem["loc"], problem["msg"].removeprefix("Value error, ")) for problem in error.errors())
    return "; ".join(f"CSAT_{str(loc[0]).upper()}: {text}" if loc else text for loc, text in problems)


def env_example() -> str:
    """Text of .env.example: every setting with its meaning and default."""
    lines = ["# Every setting of csat with its default. Copy to .env and uncomment what you change."]
    for name, field in Settings.model_fields.items():
        default = field.default
        value = default.get_secret_value() if isinstance(default, SecretStr) else default
        if isinstance(value, Path):
            value = value.relative_to(ROOT)
        lines += ["", f"# {field.description}", f"# CSAT_{name.upper()}={'' if value is None else value}"]
    return "\n".join(lines) + "\n"
