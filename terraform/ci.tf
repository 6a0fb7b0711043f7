# Lets GitHub's workflows of one branch of one repository bring code and DAGs here, without a key. They cannot run
# Terraform: that takes rights over the whole project, which stay with people.

locals {
  is_ci_on = var.github_repository_id != null

  # The claims of GitHub's token that must hold. Ids, because a name can be given up and taken by another; and two events,
  # because one of a pull request may have the ref of the branch that it is for.
  # https://docs.github.com/en/actions/reference/security/oidc
  ci_claims = local.is_ci_on ? [
    "assertion.repository_id == '${var.github_repository_id}'",
    "assertion.repository_owner_id == '${var.github_owner_id}'",
    "assertion.ref == '${var.github_ref}'",
    "assertion.event_name in ['push', 'workflow_dispatch']",
  ] : []
}

resource "google_iam_workload_identity_pool" "ci" {
  count = local.is_ci_on ? 1 : 0

  workload_identity_pool_id = "${var.name}-ci"
  display_name              = "${var.name} CI"

  depends_on = [google_project_service.main]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  # checkov:skip=CKV_GCP_125: It looks for the subject, whose form GitHub has changed; the claims bind one branch.
  count = local.is_ci_on ? 1 : 0

  workload_identity_pool_id          = google_iam_workload_identity_pool.ci[0].workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  attribute_condition                = join(" && ", local.ci_claims)

  # GitHub's own subject may be longer than the 127 bytes of Google's.
  attribute_mapping = { "google.subject" = "assertion.repository_id + ':' + assertion.ref" }

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account" "ci" {
  count = local.is_ci_on ? 1 : 0

  account_id   = "${var.name}-ci"
  display_name = "${var.name} ci"
  description  = "Brings code and DAGs from CI."

  depends_on = [google_project_service.main]
}

resource "google_service_account_iam_member" "ci" {
  count = local.is_ci_on ? 1 : 0

  service_account_id = google_service_account.ci[0].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/${google_iam_workload_identity_pool.ci[0].name}/subject/${var.github_repository_id}:${var.github_ref}"
}

resource "google_storage_bucket_iam_member" "ci" {
  for_each = local.is_ci_on ? toset(concat(["code"], var.enable_composer ? ["dags"] : [])) : toset([])

  bucket = google_storage_bucket.main[each.key].name
  role   = "roles/storage.objectUser"
  member = google_service_account.ci[0].member
}
