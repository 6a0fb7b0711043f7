mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id              = "shop-data-1"
  region                  = "europe-west1"
  location                = "EU"
  enable_composer         = true
  composer_allowed_ranges = { "203.0.113.0/24" = "the office" }
}

override_resource {
  target = google_service_account.main["airflow"]
  values = { member = "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com", email = "csat-airflow@shop-data-1.iam.gserviceaccount.com", name = "projects/shop-data-1/serviceAccounts/csat-airflow@shop-data-1.iam.gserviceaccount.com" }
}

run "without_composer_there_is_no_job_and_no_registry" {
  command = plan

  variables {
    enable_composer         = false
    composer_allowed_ranges = {}
  }

  assert {
    condition     = length(google_cloud_run_v2_job.commands) + length(google_artifact_registry_repository.main) == 0
    error_message = "A job or a registry that nobody asked for."
  }

  assert {
    condition     = !contains(keys(google_project_service.main), "run.googleapis.com")
    error_message = "The API of a service that is not used is on."
  }
}

run "the_job_runs_csat_as_airflow_and_does_not_try_again_by_itself" {
  assert {
    condition = (
      google_cloud_run_v2_job.commands[0].template[0].template[0].service_account == "csat-airflow@shop-data-1.iam.gserviceaccount.com"
      && google_cloud_run_v2_job.commands[0].template[0].template[0].max_retries == 0
      && google_cloud_run_v2_job.commands[0].template[0].template[0].containers[0].command == tolist(["csat"])
    )
    error_message = "The job runs as another account, or another program, or more than once."
  }

  assert {
    condition = jsonencode({
      for variable in google_cloud_run_v2_job.commands[0].template[0].template[0].containers[0].env : variable.name => variable.value
    }) == jsonencode(output.env_vars)
    error_message = "The job does not see the settings of csat."
  }

  assert {
    condition     = length(google_cloud_run_v2_job.commands[0].template[0].template[0].vpc_access) == 0
    error_message = "Without a subnetwork there is none to be in."
  }
}

run "the_webhook_is_a_secret_that_only_the_job_reads" {
  variables {
    alert_webhook_secret = "csat-webhook"
  }

  assert {
    condition = jsonencode(flatten([
      for variable in google_cloud_run_v2_job.commands[0].template[0].template[0].containers[0].env :
      [for source in variable.value_source[0].secret_key_ref : "${source.secret} ${source.version}"]
      if variable.name == "CSAT_ALERT_WEBHOOK_URL"
    ])) == jsonencode(["csat-webhook latest"])
    error_message = "The job does not get the webhook's address from the secret."
  }

  assert {
    condition = (
      google_secret_manager_secret_iam_member.alert_webhook[0].secret_id == "csat-webhook"
      && google_secret_manager_secret_iam_member.alert_webhook[0].role == "roles/secretmanager.secretAccessor"
      && google_secret_manager_secret_iam_member.alert_webhook[0].member == "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com"
    )
    error_message = "The job may not read its secret, or others may."
  }

  assert {
    condition     = contains(keys(google_project_service.main), "secretmanager.googleapis.com")
    error_message = "The API of the secret is off."
  }

  assert {
    condition     = !contains(keys(google_composer_environment.main[0].config[0].software_config[0].env_variables), "CSAT_ALERT_WEBHOOK_URL")
    error_message = "The webhook's address would be seen by whoever may see Composer's settings."
  }
}

run "airflow_may_run_that_job_and_read_that_registry" {
  assert {
    condition = toset([for grant in google_cloud_run_v2_job_iam_member.airflow : "${grant.member} ${grant.name} ${grant.role}"]) == toset([
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com csat-commands roles/run.jobsExecutorWithOverrides",
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com csat-commands roles/run.viewer",
    ])
    error_message = "Airflow may do more or less with the job than run and watch it."
  }

  assert {
    condition = (
      google_artifact_registry_repository_iam_member.airflow[0].repository == "csat-packages"
      && google_artifact_registry_repository_iam_member.airflow[0].role == "roles/artifactregistry.reader"
      && google_artifact_registry_repository_iam_member.airflow[0].member == "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com"
    )
    error_message = "Composer could not install csat, or may do more than that."
  }

  assert {
    condition = { for key, repository in google_artifact_registry_repository.main : key => repository.format } == {
      images = "DOCKER", packages = "PYTHON"
    }
    error_message = "A registry for the image and one for the package."
  }
}

run "the_job_is_in_the_private_subnetwork" {
  variables {
    enable_network = true
  }

  assert {
    condition = jsonencode([
      for interface in google_cloud_run_v2_job.commands[0].template[0].template[0].vpc_access[0].network_interfaces : interface.subnetwork
    ]) == jsonencode([google_compute_subnetwork.main[0].id])
    error_message = "The job could not reach Kafka."
  }

  assert {
    condition     = google_cloud_run_v2_job.commands[0].template[0].template[0].vpc_access[0].egress == "PRIVATE_RANGES_ONLY"
    error_message = "The job's other ways out would go through the network too."
  }
}
