mock_provider "google" {}

variables {
  project_id = "shop-data-1"
  region     = "europe-west1"
  location   = "EU"
}

override_resource {
  target = google_service_account.main["stream"]
  values = { member = "serviceAccount:stream@x", email = "stream@x", name = "projects/shop-data-1/serviceAccounts/stream@x" }
}

override_resource {
  target = google_service_account.history
  values = { member = "serviceAccount:history@x", email = "history@x", name = "projects/shop-data-1/serviceAccounts/history@x" }
}

run "a_batch_is_given_what_it_needs" {
  assert {
    condition = jsonencode(output.spark) == jsonencode({
      region          = "europe-west1"
      service_account = "stream@x"
      subnetwork      = null
      code_uri        = "gs://shop-data-1-csat-code"
      staging_bucket  = "shop-data-1-csat-staging"
      history_server  = null
    })
    error_message = "What is handed to a batch has changed."
  }

  assert {
    condition     = length(google_dataproc_cluster.history) + length(google_service_account.history) == 0
    error_message = "A history server bills although nobody asked for it."
  }
}

run "the_history_server_only_reads" {
  variables {
    enable_history_server = true
    enable_network        = true
  }

  assert {
    condition = toset([for grant in google_storage_bucket_iam_member.history : "${grant.member} ${grant.bucket} ${grant.role}"]) == toset([
      "serviceAccount:stream@x shop-data-1-csat-history roles/storage.objectUser",
      "serviceAccount:history@x shop-data-1-csat-history roles/storage.objectViewer",
    ])
    error_message = "The stream writes event logs and the history server reads them."
  }

  assert {
    condition     = google_project_iam_member.history_worker[0].role == "roles/dataproc.worker"
    error_message = "The history server may do more than a machine of a cluster must."
  }

  assert {
    condition     = google_dataproc_cluster.history[0].cluster_config[0].gce_cluster_config[0].internal_ip_only
    error_message = "The history server has an address outside."
  }

  assert {
    condition     = google_dataproc_cluster.history[0].cluster_config[0].gce_cluster_config[0].service_account == "history@x"
    error_message = "The history server runs as another account than its own."
  }

  assert {
    condition     = google_dataproc_cluster.history[0].cluster_config[0].gce_cluster_config[0].shielded_instance_config[0].enable_secure_boot
    error_message = "The history server starts what nobody has signed."
  }

  assert {
    condition     = one(google_storage_bucket.main["history"].lifecycle_rule[0].condition).age == 30
    error_message = "Event logs are kept for thirty days."
  }
}
