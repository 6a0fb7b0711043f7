from pathlib import Path

from csat.local import jars


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


def test_a_batch_of_dataproc_gets_the_connector_of_its_own_spark_and_googles_login(tmp_path: Path) -> None:
    folder = tmp_path / "spark-kafka-4.0.1-dataproc"
    folder.mkdir()
    (folder / "a.jar").touch()
    assert jars.dataproc_jars(tmp_path) == [folder / "a.jar"]
    bundle = jars.dataproc_bundle()
    assert ("org.apache.spark", "spark-sql-kafka-0-10_2.13", "4.0.1") in bundle.modules
    assert [name for _, name, _ in bundle.alone] == ["managed-kafka-auth-login-handler"]
