mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id = "shop-data-1"
  region     = "europe-west1"
  location   = "EU"
}

override_resource {
  target = google_service_account.main["airflow"]
  values = { member = "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com", email = "csat-airflow@shop-data-1.iam.gserviceaccount.com", name = "projects/shop-data-1/serviceAccounts/csat-airflow@shop-data-1.iam.gserviceaccount.com" }
}

run "airflow_is_off_unless_asked_for" {
  command = plan

  assert {
    condition     = length(google_composer_environment.main) + length(google_project_iam_member.composer_worker) == 0
    error_message = "Composer bills although nobody asked for it."
  }

  assert {
    condition     = !contains(keys(google_storage_bucket.main), "dags") && !contains(keys(google_project_service.main), "composer.googleapis.com")
    error_message = "A bucket or an API for a Composer that is not there."
  }

  assert {
    condition     = output.airflow == null
    error_message = "There is no Airflow to speak of."
  }
}

run "airflow_is_private_and_runs_as_its_own_account" {
  variables {
    enable_composer         = true
    enable_network          = true
    composer_allowed_ranges = { "203.0.113.0/24" = "the office" }
  }

  assert {
    condition     = google_composer_environment.main[0].config[0].enable_private_environment
    error_message = "Airflow's machines have addresses outside."
  }

  assert {
    condition     = google_composer_environment.main[0].config[0].node_config[0].service_account == "csat-airflow@shop-data-1.iam.gserviceaccount.com"
    error_message = "Airflow runs as another account than its own."
  }

  assert {
    condition = jsonencode([
      google_composer_environment.main[0].config[0].node_config[0].network, google_composer_environment.main[0].config[0].node_config[0].subnetwork
    ]) == jsonencode([google_compute_network.main[0].id, google_compute_subnetwork.main[0].id])
    error_message = "Airflow is not in the network: it could not reach Kafka."
  }

  assert {
    condition = jsonencode([
      for range in google_composer_environment.main[0].config[0].web_server_network_access_control[0].allowed_ip_range : range.value
    ]) == jsonencode(["203.0.113.0/24"])
    error_message = "Airflow's web page can be reached from more than the ranges that were given."
  }

  assert {
    condition     = google_composer_environment.main[0].deletion_policy == "PREVENT"
    error_message = "Airflow may be deleted with its history."
  }

  assert {
    condition     = google_composer_environment.main[0].config[0].workloads_config[0].triggerer[0].count == 1
    error_message = "Without a triggerer the stream is not watched."
  }

  assert {
    condition = google_composer_environment.main[0].config[0].software_config[0].env_variables == tomap(merge(
      output.env_vars, { CSAT_COMMAND_JOB = "projects/shop-data-1/locations/europe-west1/jobs/csat-commands" }
    ))
    error_message = "Airflow does not see the settings of csat."
  }

  assert {
    condition = (
      google_project_iam_member.composer_worker[0].role == "roles/composer.worker"
      && google_project_iam_member.composer_worker[0].member == "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com"
    )
    error_message = "Airflow's machines may do more or less than Composer asks for."
  }

  assert {
    condition     = google_storage_bucket.main["dags"].versioning[0].enabled && output.airflow.bucket_uri == "gs://shop-data-1-csat-dags"
    error_message = "The DAGs have a bucket that keeps their old versions."
  }

  assert {
    condition     = upper(google_storage_bucket.main["dags"].location) == "EUROPE-WEST1"
    error_message = "Composer refuses a bucket outside of the environment's region."
  }

  assert {
    condition     = alltrue([for key, bucket in google_storage_bucket.main : upper(bucket.location) == "EU" if key != "dags"])
    error_message = "A bucket is not where the datasets are: BigQuery could not load from it."
  }
}

run "airflow_is_in_a_network_that_was_given" {
  command = plan

  variables {
    enable_composer         = true
    network                 = "projects/shop-data-1/global/networks/n"
    subnetwork              = "projects/shop-data-1/regions/europe-west1/subnetworks/s"
    composer_allowed_ranges = { "0.0.0.0/0" = "anyone who can log in" }
    deletion_protection     = false
  }

  assert {
    condition = (
      google_composer_environment.main[0].config[0].node_config[0].network == "projects/shop-data-1/global/networks/n"
      && google_composer_environment.main[0].config[0].node_config[0].subnetwork == "projects/shop-data-1/regions/europe-west1/subnetworks/s"
    )
    error_message = "Airflow is not in the network that was given."
  }

  assert {
    condition     = google_composer_environment.main[0].deletion_policy == "DELETE"
    error_message = "make cloud-destroy could not delete Airflow."
  }
}
