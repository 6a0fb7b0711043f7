"""The layers that docs/architecture.md draws are those that the import contract holds."""

import re
import tomllib

from csat.contract.settings import ROOT


def test_the_drawn_layers_are_those_of_the_import_contract() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    [drawn] = re.findall(r"^## The layers\n.*?^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    assert drawn.splitlines() == [layer.replace("csat.", "") for layer in layers]


def test_every_folder_of_the_package_is_in_a_layer() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    folders = {f"csat.{path.parent.name}" for path in (ROOT / "csat").glob("*/__init__.py")}
    assert folders | {"producer", "spark"} == {name for layer in layers for name in layer.split(" | ")}
