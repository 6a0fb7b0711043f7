mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id = "shop-data-1"
  region     = "europe-west1"
  location   = "EU"
}

# tests/terraform compares this plan with csat's settings and tables.
run "names_are_handed_to_csat" {
  command = plan

  assert {
    condition = output.env_vars == {
      CSAT_TARGET          = "gcp"
      CSAT_PROJECT_ID      = "shop-data-1"
      CSAT_LOCATION        = "EU"
      CSAT_DATASET_PREFIX  = "csat"
      CSAT_KAFKA_TOPIC     = "messages"
      CSAT_STAGING_URI     = "gs://shop-data-1-csat-staging"
      CSAT_CHECKPOINT_URI  = "gs://shop-data-1-csat-checkpoints/stream"
      CSAT_STATE_FILES_URI = "gs://shop-data-1-csat-documents/stream"

      CSAT_REGION                 = "europe-west1"
      CSAT_CODE_URI               = "gs://shop-data-1-csat-code"
      CSAT_STREAM_SERVICE_ACCOUNT = "csat-stream@shop-data-1.iam.gserviceaccount.com"
      CSAT_DATAPROC_NAME          = "csat"
    }
    error_message = "The settings that are handed to csat have changed."
  }
}

run "without_a_template_the_link_makes_a_plain_page" {
  command = plan

  assert {
    condition = output.dashboard_link == join("", [
      "https://lookerstudio.google.com/reporting/create?c.mode=edit",
      "&ds.series.connector=bigQuery&ds.series.datasetId=csat_marts&ds.series.isPartitioned=true&ds.series.projectId=shop-data-1",
      "&ds.series.refreshFields=true&ds.series.tableId=response_series&ds.series.type=TABLE&r.reportName=Customer%20satisfaction",
    ])
    error_message = "The link has changed."
  }
}

run "with_a_template_the_link_binds_its_three_sources" {
  command = plan

  variables {
    data_studio_template_id = "0b8d1f9e-2a52-4a5f-9d3a-6d0f5d1c2b3a"
  }

  assert {
    condition = output.dashboard_link == join("", [
      "https://lookerstudio.google.com/reporting/create?c.mode=edit&c.reportId=0b8d1f9e-2a52-4a5f-9d3a-6d0f5d1c2b3a",
      "&ds.categories.connector=bigQuery&ds.categories.datasetId=csat_marts&ds.categories.projectId=shop-data-1",
      "&ds.categories.refreshFields=false&ds.categories.tableId=category_ranking&ds.categories.type=TABLE",
      "&ds.leaderboard.connector=bigQuery&ds.leaderboard.datasetId=csat_marts&ds.leaderboard.projectId=shop-data-1",
      "&ds.leaderboard.refreshFields=false&ds.leaderboard.tableId=agent_leaderboard&ds.leaderboard.type=TABLE",
      "&ds.series.connector=bigQuery&ds.series.datasetId=csat_marts&ds.series.isPartitioned=true&ds.series.projectId=shop-data-1",
      "&ds.series.refreshFields=false&ds.series.tableId=response_series&ds.series.type=TABLE&r.reportName=Customer%20satisfaction",
    ])
    error_message = "The link has changed."
  }
}

run "accounts_are_handed_over_by_job" {
  command = plan

  assert {
    condition     = toset(keys(output.service_accounts)) == toset(["producer", "stream", "marts", "airflow", "dashboard"])
    error_message = "An account is missing from the output."
  }
}
