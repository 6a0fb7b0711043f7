import hashlib
from pathlib import Path

import pytest

from csat.contract.errors import CsatError
from csat.local import jar_sums, jars


def test_fetch_leaves_folders_that_are_there_alone(tmp_path: Path) -> None:
    for bundle in (jars.kafka_bundle(), jars.spark_bundle()):
        (tmp_path / bundle.folder).mkdir()
        (tmp_path / bundle.folder / "a.jar").touch()
    lines: list[str] = []
    jars.fetch(tmp_path, lines.append)
    assert lines == []
    assert jars.kafka_jars(tmp_path) == [tmp_path / "kafka-4.3.1" / "a.jar"]


def test_of_an_artifact_in_two_versions_the_newest_stays(tmp_path: Path) -> None:
    names = ["kafka-clients-3.9.0.jar", "kafka-clients-3.10.1.jar", "gson-2.10.1.jar", "guava-33.0-jre.jar"]
    for name in names:
        (tmp_path / name).touch()
    jars._keep_newest(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


def test_a_batch_of_dataproc_gets_the_connector_of_its_own_spark_and_googles_login() -> None:
    bundle = jars.dataproc_bundle()
    assert ("org.apache.spark", "spark-sql-kafka-0-10_2.13", "4.0.1") in bundle.modules
    assert [name for _, name, _ in bundle.alone] == ["managed-kafka-auth-login-handler"]


def test_a_jar_that_changed_since_its_download_is_not_deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = tmp_path / "spark-kafka-4.0.1-dataproc" / "a.jar"
    jar.parent.mkdir()
    jar.write_text("jar")
    pinned = {f"{jar.parent.name}/a.jar": hashlib.sha256(b"jar").hexdigest()}
    monkeypatch.setattr(jar_sums, "pinned", lambda: pinned)
    assert jars.dataproc_jars(tmp_path) == [jar]
    jar.write_text("another jar")
    with pytest.raises(CsatError, match=r"a\.jar is not the pinned jar: its SHA-256 is"):
        jars.dataproc_jars(tmp_path)
