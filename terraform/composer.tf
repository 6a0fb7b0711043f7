# Airflow as a service. The DAGs go to the bucket `dags`, the package csat to the registry `packages`; csat's settings
# come as environment variables. Its tasks call csat in a Cloud Run job: commands.tf.

# For the environment's machines, of the whole project: Composer asks for it. It holds the objects of every bucket in the
# project. https://docs.cloud.google.com/composer/docs/composer-3/create-environments
resource "google_project_iam_member" "composer_worker" {
  # checkov:skip=CKV_GCP_49: Composer refuses to start without it.
  count = var.enable_composer ? 1 : 0

  project = var.project_id
  role    = "roles/composer.worker"
  member  = google_service_account.main["airflow"].member
}

resource "google_composer_environment" "main" {
  count = var.enable_composer ? 1 : 0

  name            = var.name
  region          = var.region
  deletion_policy = var.deletion_protection ? "PREVENT" : "DELETE"

  storage_config {
    bucket = google_storage_bucket.main["dags"].name
  }

  config {
    environment_size           = var.composer_environment_size
    enable_private_environment = true

    node_config {
      service_account = google_service_account.main["airflow"].email
      network         = local.network
      subnetwork      = local.subnetwork
    }

    software_config {
      image_version = var.composer_image_version
      env_variables = merge(local.env_vars, { CSAT_COMMAND_JOB = "projects/${var.project_id}/locations/${var.region}/jobs/${google_cloud_run_v2_job.commands[0].name}" })
    }

    # run_stream waits in the triggerer for weeks: without one the stream is not watched.
    workloads_config {
      triggerer {
        count     = 1
        cpu       = 0.5
        memory_gb = 1
      }
    }

    web_server_network_access_control {
      dynamic "allowed_ip_range" {
        for_each = var.composer_allowed_ranges

        content {
          value       = allowed_ip_range.key
          description = allowed_ip_range.value
        }
      }
    }

    data_retention_config {
      airflow_metadata_retention_config {
        retention_mode = "RETENTION_MODE_ENABLED"
        retention_days = 60
      }
    }
  }

  # `make cloud-deploy` installs csat there, since the triggerer sees no plugins folder.
  lifecycle {
    ignore_changes = [config[0].software_config[0].pypi_packages]
  }

  depends_on = [google_project_iam_member.composer_worker, google_project_service.main]
}
