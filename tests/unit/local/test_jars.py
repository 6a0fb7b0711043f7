from pathlib import Path

from local import jars


def test_fetch_leaves_folders_that_are_there_alone(tmp_path: Path) -> None:
    for bundle in (jars.kafka_bundle(), jars.spark_bundle()):
        (tmp_path / bundle.folder).mkdir()
        (tmp_path / bundle.folder / "a.jar").touch()
    told: list[str] = []
    jars.fetch(tmp_path, told.append)
    assert told == []
    assert jars.kafka_jars(tmp_path) == [tmp_path / "kafka-4.3.1" / "a.jar"]
