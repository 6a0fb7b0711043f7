"""Jars are the pinned ones, all of them and no others, or none is there."""

import hashlib
from pathlib import Path

import pytest

from csat.contract.errors import CsatError
from csat.contract.settings import ROOT
from csat.local import jar_sums, jars
from csat.local.jars import Bundle

WANTED = {"kafka-1/a-1.0.jar": "aa", "kafka-1/b-1.0.jar": "bb", "spark-1/c-1.0.jar": "cc"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kafka-1/a-1.0.jar": "ff"}, "kafka-1/a-1.0.jar is not the pinned jar: its SHA-256 is ff, and aa is pinned"),
        ({"kafka-1/a-1.0.jar": None}, "a-1.0.jar is not the pinned jar: its SHA-256 is no file, and aa is pinned"),
        ({"kafka-1/d-1.0.jar": "dd"}, "d-1.0.jar is not the pinned jar: its SHA-256 is dd, and nothing is pinned"),
    ],
)
def test_a_jar_that_is_changed_missing_or_unknown_is_refused(changes: dict[str, str | None], message: str) -> None:
    there = {name: digest for name, digest in WANTED.items() if name.startswith("kafka-1/")}
    found = {name: digest for name, digest in (there | changes).items() if digest}
    jar_sums.check(there, "kafka-1", WANTED, "lock-jars")
    with pytest.raises(CsatError, match=message):
        jar_sums.check(found, "kafka-1", WANTED, "lock-jars")


def test_a_refused_jar_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jar_sums, "pinned", lambda: {"other/good-1.0.jar": "aa"})
    monkeypatch.setattr(jars, "_resolve", lambda module, folder, *words: (folder / "evil-1.0.jar").write_text("evil"))
    digest = hashlib.sha256(b"evil").hexdigest()
    with pytest.raises(CsatError, match=f"other/evil-1.0.jar .* {digest}, and nothing is pinned"):
        jars.fetch(tmp_path, bundles=[Bundle("other", (("org", "evil", "1.0"),), is_beside_pyspark=False)])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_nobody_pinned_is_refused() -> None:
    with pytest.raises(CsatError, match="no sums are pinned for new, fix: make lock-jars"):
        jar_sums.check({"new/a-1.0.jar": "aa"}, "new", WANTED, "lock-jars")


def test_jars_without_a_pinned_sum_are_not_even_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jar_sums, "pinned", lambda: WANTED)
    monkeypatch.setattr(jars, "_resolve", lambda *module: pytest.fail("a download"))
    with pytest.raises(CsatError, match=r"no sums are pinned for .*-dataproc, fix: make lock-jars-dataproc, and read"):
        jars.dataproc_jars(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_pinning_replaces_the_sums_of_its_folders_only(tmp_path: Path) -> None:
    file = tmp_path / "jars.sha256"
    file.write_text("aa  kafka-1/a-1.0.jar\ncc  spark-1/c-1.0.jar\n")
    jar_sums.write({"kafka-1/b-2.0.jar": "bb"}, {"kafka-1"}, file)
    assert file.read_text() == "bb  kafka-1/b-2.0.jar\ncc  spark-1/c-1.0.jar\n"


def test_the_jars_of_the_stack_are_pinned() -> None:
    folders = {name.partition("/")[0] for name in jar_sums.pinned()}
    assert {bundle.folder for bundle in (jars.kafka_bundle(), jars.spark_bundle())} <= folders
    assert all(len(digest) == 64 for digest in jar_sums.pinned().values())


def test_jars_of_a_batch_are_pinned_or_the_guide_says_who_pins_them() -> None:
    bundle = jars.dataproc_bundle()
    is_pinned = any(name.startswith(f"{bundle.folder}/") for name in jar_sums.pinned())
    step = (ROOT / "docs/cloud.md").read_text().partition("\n### 5. ")[2].partition("\n### ")[0]
    assert is_pinned or f"\nmake {bundle.pinned_by}\n" in step
    assert f"\n{bundle.pinned_by}: " in (ROOT / "Makefile").read_text()
