# What Airflow's tasks call when Airflow is Composer: csat's command line in a container, as a job of Cloud Run. Composer's
# own environment cannot hold dbt-bigquery beside the provider of Google. `make cloud-deploy` brings image and package.

resource "google_artifact_registry_repository" "main" {
  # checkov:skip=CKV_GCP_84: As of the datasets.
  for_each = var.enable_composer ? { images = "DOCKER", packages = "PYTHON" } : {}

  repository_id = "${var.name}-${each.key}"
  location      = var.region
  format        = each.value
  description   = each.key == "images" ? "The image of the job ${var.name}-commands." : "The package csat, for Airflow."

  cleanup_policies {
    id     = "old"
    action = "DELETE"

    condition {
      older_than = "${90 * 24 * 3600}s"
    }
  }
  cleanup_policies {
    id     = "newest"
    action = "KEEP"

    most_recent_versions {
      keep_count = 5
    }
  }

  depends_on = [google_project_service.main]
}

# Composer installs from there as its own account.
resource "google_artifact_registry_repository_iam_member" "airflow" {
  count = var.enable_composer ? 1 : 0

  location   = var.region
  repository = google_artifact_registry_repository.main["packages"].repository_id
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.main["airflow"].member
}

resource "google_cloud_run_v2_job" "commands" {
  count = var.enable_composer ? 1 : 0

  name                = "${var.name}-commands"
  location            = var.region
  deletion_protection = false # it keeps nothing

  template {
    template {
      service_account = google_service_account.main["airflow"].email
      timeout         = "3600s"
      max_retries     = 0 # Airflow tries again

      containers {
        # Google's sample, until the first deploy: a job cannot be made without an image that is there.
        image   = "us-docker.pkg.dev/cloudrun/container/job:latest"
        command = ["csat"]

        dynamic "env" {
          for_each = local.env_vars

          content {
            name  = env.key
            value = env.value
          }
        }

        # Alerts of csat are sent from here, those of Airflow's tasks too. Read when an execution starts.
        dynamic "env" {
          for_each = var.alert_webhook_secret[*]

          content {
            name = "CSAT_ALERT_WEBHOOK_URL"
            value_source {
              secret_key_ref {
                secret  = env.value
                version = "latest"
              }
            }
          }
        }

        resources {
          limits = { cpu = "1", memory = "2Gi" }
        }
      }

      # Into the network where Kafka is.
      dynamic "vpc_access" {
        for_each = local.subnetwork[*]

        content {
          egress = "PRIVATE_RANGES_ONLY"

          network_interfaces {
            network    = local.network
            subnetwork = vpc_access.value
          }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [client, client_version, template[0].template[0].containers[0].image]
  }

  # Cloud Run refuses a job whose account may not read its secret
  depends_on = [google_project_service.main, google_secret_manager_secret_iam_member.alert_webhook]
}

resource "google_secret_manager_secret_iam_member" "alert_webhook" {
  count = var.alert_webhook_secret == null ? 0 : 1

  secret_id = var.alert_webhook_secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.main["airflow"].member

  depends_on = [google_project_service.main]
}

# To run it with words of its own, to see how it ends, and to end it.
resource "google_cloud_run_v2_job_iam_member" "airflow" {
  for_each = var.enable_composer ? toset(["roles/run.jobsExecutorWithOverrides", "roles/run.viewer"]) : toset([])

  name     = google_cloud_run_v2_job.commands[0].name
  location = var.region
  role     = each.key
  member   = google_service_account.main["airflow"].member
}
