"""docs/cloud.md names the role that each resource of the module needs of whoever applies it."""

import re

import pytest

from tests.terraform.conftest import CLOUD_GUIDE, MODULE

# By the beginning of a resource's type, the longest first. Who makes a service that runs as an account of ours must be
# allowed to act as that account too.
ACT_AS = "roles/iam.serviceAccountUser"
NEEDED = {
    "google_artifact_registry_": ["roles/artifactregistry.admin"],
    "google_bigquery_": ["roles/bigquery.admin"],
    "google_billing_budget": ["roles/billing.costsManager"],
    "google_cloud_quotas_": ["roles/cloudquotas.admin"],
    "google_cloud_run_v2_job": ["roles/run.admin", ACT_AS],
    "google_composer_environment": ["roles/composer.admin", ACT_AS],
    "google_compute_firewall": ["roles/compute.securityAdmin"],
    "google_compute_": ["roles/compute.networkAdmin"],
    "google_iam_workload_identity_pool": ["roles/iam.workloadIdentityPoolAdmin"],
    "google_logging_metric": ["roles/logging.configWriter"],
    "google_managed_kafka_": ["roles/managedkafka.admin"],
    "google_monitoring_": ["roles/monitoring.editor"],
    "google_project_iam_member": ["roles/resourcemanager.projectIamAdmin"],
    "google_project_service": ["roles/serviceusage.serviceUsageAdmin"],
    "google_secret_manager_secret": ["roles/secretmanager.admin"],
    "google_service_account": ["roles/iam.serviceAccountAdmin"],
    "google_storage_bucket": ["roles/storage.admin"],
    "time_sleep": [],
}
TYPES = sorted(
    {kind for file in MODULE.glob("*.tf") for kind in re.findall(r'^resource "(\w+)"', file.read_text(), re.M)}
)


def named_roles() -> set[str]:
    """The roles that the table for whoever applies names."""
    section = CLOUD_GUIDE.partition("\n## What you need\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\|.+\|$", section, re.MULTILINE)
    return set(re.findall(r"`(roles/[\w.]+)`", "".join(rows)))


@pytest.mark.parametrize("kind", TYPES)
def test_role_for_a_resource_is_named(kind: str) -> None:
    prefix = max((prefix for prefix in NEEDED if kind.startswith(prefix)), key=len)
    assert set(NEEDED[prefix]) <= named_roles()


def test_no_kind_of_resource_is_left_out() -> None:
    assert len(TYPES) > 20
    assert [prefix for prefix in NEEDED if not any(kind.startswith(prefix) for kind in TYPES)] == []
