mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id = "shop-data-1"
  region     = "europe-west1"
  location   = "EU"
}

run "a_batch_is_given_what_it_needs" {
  assert {
    condition = (
      output.env_vars.CSAT_REGION == "europe-west1" && output.env_vars.CSAT_CODE_URI == "gs://shop-data-1-csat-code"
      && output.env_vars.CSAT_STREAM_SERVICE_ACCOUNT == "csat-stream@shop-data-1.iam.gserviceaccount.com" && output.env_vars.CSAT_DATAPROC_NAME == "csat"
      && !contains(keys(output.env_vars), "CSAT_SUBNETWORK")
    )
    error_message = "What is handed to a batch has changed."
  }

  assert {
    condition     = contains(keys(google_project_service.main), "dataprocrm.googleapis.com")
    error_message = "Batches of runtime 3.0 need the API dataprocrm.googleapis.com."
  }
}

run "a_batch_is_in_the_private_subnetwork" {
  variables {
    enable_network = true
  }

  assert {
    condition     = output.env_vars.CSAT_SUBNETWORK == google_compute_subnetwork.main[0].id
    error_message = "The batches are not where Kafka is."
  }
}
