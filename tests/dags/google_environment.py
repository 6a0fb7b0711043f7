"""The environments of Google Cloud: csat's variables as Terraform gives them, for the project of the fakes."""

from tests.dags.fake_cloud_run import JOB
from tests.terraform_variables import WEBHOOK, values

CLOUD = {name: value.replace("shop-data-1", "shop") for name, value in values().items()}
COMPOSER = {**CLOUD, "CSAT_COMMAND_JOB": JOB}
STATE_FILES = CLOUD["CSAT_STATE_FILES_URI"]


def of_job(webhook: str) -> dict[str, str]:
    """The variables of the Cloud Run job, whose secret is this address."""
    return {**CLOUD, WEBHOOK: webhook}
