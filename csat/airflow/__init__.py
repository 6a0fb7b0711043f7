"""What Airflow imports: operators, triggers, backends, alerts. Its import raises AirflowVersionError before 3.3."""

import re
from importlib import metadata

from csat.contract.errors import CsatError

_OLDEST = (3, 3)


class AirflowVersionError(CsatError):
    """Airflow is too old; the message has the version found."""


def _check_version() -> None:
    try:
        found = metadata.version("apache-airflow")
    except metadata.PackageNotFoundError:  # nothing of it can run here, and what imports Airflow says so
        return
    if tuple(map(int, re.findall(r"\d+", found)[:2])) < _OLDEST:
        raise AirflowVersionError(
            f"csat needs Airflow 3.3 or newer and found {found}",
            "install apache-airflow>=3.3,<3.4, or choose a Composer image that has it (composer_image_version in "
            "Terraform)",
        )


_check_version()
