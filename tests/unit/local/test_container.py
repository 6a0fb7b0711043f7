import configparser
from collections.abc import Callable
from pathlib import Path

import pytest

from csat.settings import Settings
from local import airflow, container, supervisord
from local.programs import stream

MakeSettings = Callable[..., Settings]


def test_supervisord_in_a_container_has_the_stream_only_and_listens_where_it_is_told(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    parser = configparser.RawConfigParser()
    parser.read_string(supervisord.conf(make_settings(supervisord_port=41), [stream()], "127.0.0.2", tmp_path))
    assert [name for name in parser.sections() if name.startswith("program:")] == ["program:stream"]
    assert parser["inet_http_server"]["port"] == "127.0.0.2:41"
    assert parser["supervisord"]["pidfile"] == f"{tmp_path}/supervisord.pid"


def test_airflow_finds_its_database_with_the_password_of_the_secret(make_settings: MakeSettings) -> None:
    settings = make_settings(airflow_database_url="postgresql+psycopg2://ada@host:5432/name")
    (settings.state / "secrets").mkdir(parents=True)
    (settings.state / "secrets" / "postgres").write_text("pass-word\n")
    address = airflow.variables(settings)["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert address == "postgresql+psycopg2://ada:pass-word@host:5432/name"


def test_a_container_whose_program_does_not_answer_is_unhealthy(
    make_settings: MakeSettings, free_port: Callable[[], int]
) -> None:
    settings = make_settings(airflow_port=free_port())
    with pytest.raises(container.ContainerError, match="scheduler does not answer"):
        container.check(settings, "scheduler")
