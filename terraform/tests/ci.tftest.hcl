mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id = "shop-data-1"
  region     = "europe-west1"
  location   = "EU"
}

override_resource {
  target = google_service_account.ci
  values = { member = "serviceAccount:csat-ci@shop-data-1.iam.gserviceaccount.com", email = "csat-ci@shop-data-1.iam.gserviceaccount.com", name = "projects/shop-data-1/serviceAccounts/csat-ci@shop-data-1.iam.gserviceaccount.com" }
}

run "ci_has_no_way_in_unless_asked_for" {
  command = plan

  assert {
    condition     = length(google_iam_workload_identity_pool.ci) + length(google_service_account.ci) + length(google_storage_bucket_iam_member.ci) == 0
    error_message = "CI has a way in although nobody asked for it."
  }

  assert {
    condition     = output.ci == null && !contains(keys(google_project_service.main), "sts.googleapis.com")
    error_message = "An API or an output for a CI that is not there."
  }
}

run "one_branch_of_one_repository_may_bring_code" {
  variables {
    github_repository_id = "1296269"
    github_owner_id      = "583231"
  }

  assert {
    condition = google_iam_workload_identity_pool_provider.github[0].attribute_condition == join(" && ", [
      "assertion.repository_id == '1296269'",
      "assertion.repository_owner_id == '583231'",
      "assertion.ref == 'refs/heads/main'",
      "assertion.event_name in ['push', 'workflow_dispatch']",
    ])
    error_message = "Other repositories, branches or events can log in, or a repository that took over the name."
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.github[0].attribute_mapping == tomap({ "google.subject" = "assertion.repository_id + ':' + assertion.ref" })
    error_message = "The subject is not the repository and the ref, or longer than the 127 bytes that Google takes."
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.github[0].oidc[0].issuer_uri == "https://token.actions.githubusercontent.com"
    error_message = "Tokens of another than GitHub are taken."
  }

  assert {
    condition = (
      google_service_account_iam_member.ci[0].role == "roles/iam.workloadIdentityUser"
      && google_service_account_iam_member.ci[0].service_account_id == "projects/shop-data-1/serviceAccounts/csat-ci@shop-data-1.iam.gserviceaccount.com"
      && google_service_account_iam_member.ci[0].member
      == "principal://iam.googleapis.com/projects/4711/locations/global/workloadIdentityPools/csat-ci/subject/1296269:refs/heads/main"
    )
    error_message = "Others than the branch may act as CI's account."
  }

  assert {
    condition = jsonencode([
      for grant in google_storage_bucket_iam_member.ci : "${grant.member} ${grant.bucket} ${grant.role}"
    ]) == jsonencode(["serviceAccount:csat-ci@shop-data-1.iam.gserviceaccount.com shop-data-1-csat-code roles/storage.objectUser"])
    error_message = "CI may write to more or less than the code."
  }
}

run "ci_brings_dags_where_there_is_an_airflow" {
  command = plan

  variables {
    github_repository_id    = "1296269"
    github_owner_id         = "583231"
    enable_composer         = true
    composer_allowed_ranges = { "203.0.113.0/24" = "the office" }
  }

  assert {
    condition     = toset([for grant in google_storage_bucket_iam_member.ci : grant.bucket]) == toset(["shop-data-1-csat-code", "shop-data-1-csat-dags"])
    error_message = "CI writes to the code and the DAGs."
  }
}
