# Lets GitHub's workflows of one branch of one repository bring code and DAGs here, without a key. They cannot run
# Terraform: that takes rights over the whole project, which stay with people.

locals {
  is_ci_on = var.github_repository != null

  # What GitHub calls a run of a branch or a tag; a pull request's is another.
  ci_subject = local.is_ci_on ? "repo:${var.github_repository}:ref:${var.github_ref}" : null
}

resource "google_iam_workload_identity_pool" "ci" {
  count = local.is_ci_on ? 1 : 0

  workload_identity_pool_id = "${var.name}-ci"
  display_name              = "${var.name} CI"

  depends_on = [google_project_service.main]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  # checkov:skip=CKV_GCP_125: The subject is bound to one branch; checkov does not follow the local value.
  count = local.is_ci_on ? 1 : 0

  workload_identity_pool_id          = google_iam_workload_identity_pool.ci[0].workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  attribute_condition                = "assertion.sub == '${local.ci_subject}'"
  attribute_mapping                  = { "google.subject" = "assertion.sub" }

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
  member             = "principal://iam.googleapis.com/${google_iam_workload_identity_pool.ci[0].name}/subject/${local.ci_subject}"
}

resource "google_storage_bucket_iam_member" "ci" {
  for_each = local.is_ci_on ? toset(concat(["code"], var.enable_composer ? ["dags"] : [])) : toset([])

  bucket = google_storage_bucket.main[each.key].name
  role   = "roles/storage.objectUser"
  member = google_service_account.ci[0].member
}
