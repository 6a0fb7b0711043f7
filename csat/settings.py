"""Every setting, its meaning and its default: the environment variable is CSAT_ and the field in capitals.

`.env` in the folder of the call is read too. `.env.example` is written from here by `make generated`.
"""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from csat.kafka_access import check_combination

# BigQuery takes 1,500 load jobs a table a day: one every 57.6 s. 75 s leaves a fifth for retries and restarts.
MIN_CLOUD_TRIGGER_SECONDS = 75
LOAD_JOBS_A_DAY = 1_500
MAX_BATCH_HOURS = 12 * 24  # a day less than the batch's own end, which is a day less than Dataproc's longest
MIN_FREE_BYTES = 2 * 1024**3  # of the disk that holds the state folder
ROOT = Path(__file__).parent.parent

GOOGLE_KEY_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
GOOGLE_KEY = Path(".google/credentials/google_credentials_project.json")  # in the home folder, found without a variable
GOOGLE_LOGIN_FIX = (
    f"put a service account's key at ~/{GOOGLE_KEY}, name another one in {GOOGLE_KEY_VARIABLE}, or run "
    "`gcloud auth application-default login`"
)


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it and the fix."""


class Settings(BaseSettings):
    """All settings, frozen. Units are in the names; ports are of 127.0.0.1."""

    model_config = SettingsConfigDict(
        env_prefix="CSAT_",
        env_file=".env",
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # it holds the secrets
    )

    target: Literal["local", "gcp"] = Field("local", description="Where it runs: one machine, or Google Cloud.")
    project_id: str = Field("csat-local", description="Google Cloud project, or the emulator's name for one.")
    location: str = Field("US", description="BigQuery location of datasets and jobs.")
    dataset_prefix: str = Field("csat", description="Datasets are <prefix>_raw, _marts, _ops and _scratch.")
    state_dir: Path = Field(ROOT / ".csat", description="Folder of the local stack's data, logs and secrets.")

    kafka_bootstrap_servers: str = Field("", description="Kafka brokers; empty: the local stack's.")
    kafka_topic: str = Field("messages", description="Topic of the survey responses.")
    kafka_partitions: int = Field(4, ge=1, description="Partitions of the topic when the local stack creates it.")
    kafka_security_protocol: Literal["PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="PLAINTEXT is for brokers on this machine only."
    )
    kafka_allow_plaintext: bool = Field(False, description="Let PLAINTEXT leave this machine, readable on its way.")
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-512", "OAUTHBEARER"] = Field(
        "SCRAM-SHA-512", description="How to log in with SASL_SSL."
    )
    kafka_username: str = Field("", description="User for PLAIN and SCRAM-SHA-512.")
    kafka_password: SecretStr = Field(SecretStr(""), description="Password for PLAIN and SCRAM-SHA-512.")
    kafka_ca_file: Path | None = Field(
        None, description="PEM file of the authority that signed the brokers; empty: those the system trusts."
    )
    kafka_oauth_source: Literal["", "google", "oidc"] = Field(
        "", description="Where OAUTHBEARER's token is from: google (Managed Service for Apache Kafka), or oidc."
    )
    kafka_oauth_url: str = Field("", description="Token endpoint of the OIDC server.")
    kafka_oauth_scope: str = Field("", description="Scope to ask the OIDC server for; empty: its default.")
    kafka_oauth_client_id: str = Field("", description="Client id at the OIDC server.")
    kafka_oauth_client_secret: SecretStr = Field(SecretStr(""), description="Client secret at the OIDC server.")

    bigquery_endpoint: str = Field("", description="BigQuery's REST endpoint; empty: the emulator, or Google's.")
    bigquery_timeout_seconds: float = Field(30, gt=0, description="Longest wait for one call to BigQuery.")
    bigquery_job_timeout_seconds: float = Field(300, gt=0, description="Longest wait for one BigQuery job.")
    bigquery_max_bytes_billed: int = Field(
        20_000_000_000, gt=0, description="BigQuery refuses a query that would bill more bytes."
    )

    bigquery_stuck_job_seconds: float = Field(
        20, gt=0, description="A job of the emulator that runs longer is looked into: a killed emulator leaves it so."
    )

    marts_look_back_days: int = Field(
        90, ge=1, description="Builds read so many days of answers; the nightly reconciliation takes up older ones."
    )

    marts_every_seconds: float = Field(
        0,
        ge=0,
        description="Fewest seconds between builds of the marts that rows start; 0: 30 locally, 900 on Google Cloud.",
    )

    staging_uri: str = Field("gs://csat-staging", description="Where a batch's Parquet files wait for their load job.")
    checkpoint_uri: str = Field("", description="Spark's checkpoint folder; empty: in the state folder.")
    documents_uri: str = Field(
        "", description="Folder of the control and health documents; empty: in the state folder."
    )
    trigger_seconds: float = Field(0, ge=0, description="Seconds between batches; 0: 5 locally, 90 on Google Cloud.")
    max_offsets_per_trigger: int = Field(200_000, ge=1, description="Most messages in one batch.")
    beat_seconds: float = Field(
        0, ge=0, description="Seconds between health documents; 0: 5 locally, 15 on Google Cloud."
    )
    jars_dir: Path = Field(ROOT / ".venvs" / "jars", description="Folder of the jars that `make setup` fetched.")
    spark_master: str = Field("local[2]", description="Spark master of the local stream.")
    spark_driver_memory: str = Field(
        "1g", pattern=r"^\d+[kmgt]$", description="Heap of the Spark driver, all of it taken at its start."
    )
    spark_driver_java_options: str = Field("", description="Further options of the Spark driver's JVM.")

    stream_backend: Literal["", "supervisord", "dataproc"] = Field(
        "", description="What owns the stream's process; empty: supervisord locally, dataproc on Google Cloud."
    )
    region: str = Field("", description="Region of the stream's batches on Dataproc, such as europe-west1.")
    code_uri: str = Field("", description="Folder, gs://…, that `make cloud-deploy` fills with what a batch runs.")
    stream_service_account: str = Field("", description="E-mail address of the account that a batch runs as.")
    subnetwork: str = Field("", description="Subnetwork of the batches; empty: the region's default one.")
    dataproc_name: str = Field(
        "csat", pattern=r"^[a-z][a-z0-9-]{0,19}$", description="Label of the stream's batches, and begin of their ids."
    )
    dataproc_executors: int = Field(2, ge=2, description="Executors of a batch; Dataproc takes no fewer than two.")
    dataproc_timeout_seconds: float = Field(15, gt=0, description="Longest wait for one call to Dataproc.")
    command_job: str = Field(
        "",
        pattern=r"^(projects/[^/]+/locations/[^/]+/jobs/[^/]+)?$",
        description="Cloud Run job in which Airflow calls csat, projects/P/locations/R/jobs/J; empty: .venv beside it.",
    )

    stale_seconds: float = Field(
        0, ge=0, description="Age of a beat that means dead; 0: 20 locally, 180 on Google Cloud."
    )
    startup_seconds: float = Field(0, ge=0, description="Time for a first beat; 0: 120 locally, 600 on Google Cloud.")
    stalled_seconds: float = Field(
        0, ge=0, description="Time for a batch while messages wait; 0: five triggers, at least 120."
    )
    max_age_hours: float = Field(24, gt=0, description="The stream is restarted in good order at this age.")

    freshness_minutes: float = Field(
        15, gt=0, description="The promise: an answer is on the board within so many minutes; older data is stale."
    )
    dashboard_address: str = Field(
        "127.0.0.1", description="Address that the dashboard listens at; 0.0.0.0 is for the inside of a container."
    )
    dashboard_hosts: str = Field(
        "127.0.0.1,localhost", description="Names, with commas between, that browsers may reach the dashboard by."
    )
    dashboard_query_seconds: float = Field(10, gt=0, description="Longest wait of the board for one query.")
    dashboard_refresh_seconds: float = Field(
        10, gt=0, description="Seconds between the board's looks for a new build of the marts."
    )
    alert_webhook_url: SecretStr = Field(
        SecretStr(""), description="Address that alerts are posted to as JSON, such as Slack's; empty: nowhere."
    )
    alert_remind_hours: float = Field(6, gt=0, description="An alert that still stands is told again after so long.")

    kafka_port: int = Field(9092, description="Port of the local broker.")
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
                f"CSAT_TRIGGER_SECONDS={self.trigger_seconds:g} is too short for CSAT_TARGET=gcp: BigQuery takes "
                f"{LOAD_JOBS_A_DAY:,} load jobs a table a day. Set {MIN_CLOUD_TRIGGER_SECONDS} or more (90 is the "
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
                "cannot write there. Leave it empty: it is in the state folder then."
            )
        if self.is_on_dataproc and self.max_age_hours > MAX_BATCH_HOURS:
            raise ValueError(
                f"CSAT_MAX_AGE_HOURS={self.max_age_hours:g} is more than {MAX_BATCH_HOURS}: Dataproc ends a batch "
                "after 14 days, in the middle of its work."
            )
        return self

    @model_validator(mode="after")
    def _check_kafka(self) -> Self:
        check_combination(self)
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
        """Whether the stream is a batch of Dataproc; else it is a process of supervisord's."""
        return (self.stream_backend or ("supervisord" if self.is_local else "dataproc")) == "dataproc"

    @property
    def state(self) -> Path:
        """The state folder, absolute."""
        return self.state_dir.expanduser().absolute()

    @property
    def bootstrap_servers(self) -> str:
        """Kafka brokers, host:port with commas between."""
        return self.kafka_bootstrap_servers or f"127.0.0.1:{self.kafka_port}"

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
    def documents(self) -> str:
        """Folder of control.json and health.json."""
        return self.documents_uri or str(self.state / "stream")

    @property
    def trigger(self) -> float:
        """Seconds between batches."""
        return self.trigger_seconds or (5 if self.is_local else 90)

    @property
    def beat(self) -> float:
        """Seconds between health documents."""
        return self.beat_seconds or (5 if self.is_local else 15)

    @property
    def marts_every(self) -> float:
        """Fewest seconds between builds that landed rows start: each statement of one bills 10 MiB on Google Cloud."""
        return self.marts_every_seconds or (30 if self.is_local else 900)

    @property
    def airflow(self) -> str:
        """Address of Airflow's web UI and API."""
        return self.airflow_url.rstrip("/") or f"http://127.0.0.1:{self.airflow_port}"

    @property
    def supervisord(self) -> str:
        """supervisord's address, without the password."""
        return self.supervisord_url or f"http://127.0.0.1:{self.supervisord_port}/RPC2"

    def as_environment(self) -> dict[str, str]:
        """Every setting as its environment variable, for a child that must see the same whatever its folder."""
        variables = {}
        for name in type(self).model_fields:
            value = self.state if name == "state_dir" else getattr(self, name)
            if value is not None:
                plain = value.get_secret_value() if isinstance(value, SecretStr) else value
                variables[f"CSAT_{name.upper()}"] = str(plain)
        return variables

    def dataset(self, role: Literal["raw", "marts", "ops", "scratch"]) -> str:
        """Name of one of the four datasets."""
        return f"{self.dataset_prefix}_{role}"

    def table(self, role: Literal["raw", "marts", "ops", "scratch"], name: str) -> str:
        """Full name of a table: project.dataset.name."""
        return f"{self.project_id}.{self.dataset(role)}.{name}"


def environment(**changes: str) -> dict[str, str]:
    """This process's environment with changes, for a child."""
    return {**os.environ, **changes}


def replace_environment(variables: Mapping[str, str]) -> None:
    """Give this process another environment: for a fork, which does the work of its caller."""
    os.environ.clear()
    os.environ.update(variables)


@cache
def get_settings() -> Settings:
    """The settings of this process. With Google Cloud it also sets the variable of a key in the home folder.

    Google's clients, dbt and Spark, here and in children, read that variable before the login of gcloud.
    """
    settings = Settings()
    home = os.environ.get("HOME")
    if not settings.is_local and home and not os.environ.get(GOOGLE_KEY_VARIABLE):
        key = Path(home, GOOGLE_KEY)
        if key.is_file():
            os.environ[GOOGLE_KEY_VARIABLE] = str(key)
    return settings


def settings_problem(error: ValidationError) -> str:
    """What is wrong with the settings, in one line with their names and without their values."""
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
