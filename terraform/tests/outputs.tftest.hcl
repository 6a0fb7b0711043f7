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

run "accounts_are_handed_over_by_job" {
  command = plan

  assert {
    condition     = toset(keys(output.service_accounts)) == toset(["producer", "stream", "marts", "airflow", "dashboard"])
    error_message = "An account is missing from the output."
  }
}
