"""csat's variables as Terraform gives them to Composer and to the Cloud Run job, read from the module and its tests.

The module's own tests compare these values with its output `env_vars`.
"""

import re

from csat.contract.settings import ROOT

MODULE = ROOT / "terraform"
WEBHOOK = "CSAT_ALERT_WEBHOOK_URL"  # of the job alone: its value is a secret's


def values() -> dict[str, str]:
    """What both are given where Terraform makes Kafka too, in a subnetwork."""
    always = (MODULE / "tests/outputs.tftest.hcl").read_text()
    with_kafka = (MODULE / "tests/kafka.tftest.hcl").read_text()
    return {
        **dict(re.findall(r'^ +(CSAT_\w+) += "(.+)"$', always, re.MULTILINE)),
        **dict(re.findall(r'output\.env_vars\["(CSAT_\w+)"\] == "(.+)"', with_kafka)),
    }


def names_in(*files: str) -> set[str]:
    """The variables that these files of the module name."""
    return {name for file in files for name in re.findall(r"\bCSAT_\w+", (MODULE / file).read_text())}
