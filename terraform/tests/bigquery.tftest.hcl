mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id = "shop-data-1"
  region     = "europe-west1"
  location   = "EU"
}

run "datasets_are_five_and_only_scratch_ends_by_itself" {
  command = plan

  assert {
    condition = jsonencode({
      for key, dataset in google_bigquery_dataset.main : dataset.dataset_id => dataset.default_table_expiration_ms
    }) == jsonencode({ csat_candidate = null, csat_marts = null, csat_ops = null, csat_raw = null, csat_scratch = 24 * 3600 * 1000 })
    error_message = "The datasets are csat_raw, _candidate, _marts, _ops and _scratch, whose tables end after a day."
  }

  assert {
    condition     = alltrue([for dataset in google_bigquery_dataset.main : dataset.location == "EU"])
    error_message = "A dataset is in another location than var.location."
  }

  assert {
    condition     = alltrue([for dataset in google_bigquery_dataset.main : !dataset.delete_contents_on_destroy])
    error_message = "A dataset may be deleted with its tables."
  }

  assert {
    condition     = google_bigquery_dataset.main["raw"].max_time_travel_hours == "168"
    error_message = "What landed can be read as it was seven days ago."
  }
}

run "tables_are_protected" {
  command = plan

  assert {
    condition     = google_bigquery_table.survey_responses.deletion_protection
    error_message = "The landing table may be deleted."
  }

  assert {
    condition     = length(google_bigquery_table.ops) > 0 && alltrue([for table in google_bigquery_table.ops : table.deletion_protection])
    error_message = "A table of the ops dataset may be deleted."
  }

  assert {
    condition     = google_bigquery_table.survey_responses.require_partition_filter != true
    error_message = "Rejected messages lie in the null partition: a filter cannot be demanded."
  }
}

run "protection_ends_everywhere_at_once" {
  command = plan

  variables {
    deletion_protection = false
  }

  assert {
    condition = alltrue(concat(
      [!google_bigquery_table.survey_responses.deletion_protection, !google_bigquery_table.landed_messages.deletion_protection],
      [for table in google_bigquery_table.ops : !table.deletion_protection],
      [for dataset in google_bigquery_dataset.main : dataset.delete_contents_on_destroy],
      [for bucket in google_storage_bucket.main : bucket.force_destroy],
    ))
    error_message = "deletion_protection = false leaves something that make cloud-destroy cannot delete."
  }
}

run "two_environments_in_one_project_have_different_names" {
  command = plan

  variables {
    name = "csat-dev"
  }

  assert {
    condition     = google_bigquery_dataset.main["raw"].dataset_id == "csat_dev_raw"
    error_message = "A dataset's name has underscores for the hyphens of var.name."
  }

  assert {
    condition     = google_storage_bucket.main["code"].name == "shop-data-1-csat-dev-code"
    error_message = "A bucket's name does not hold var.name."
  }
}
