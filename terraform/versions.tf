terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    google = {
      source = "hashicorp/google"
      # Before 7.45 an update of a dataset took away its fine-grained access:
      # https://github.com/hashicorp/terraform-provider-google/issues/28775
      version = ">= 7.45, < 9.0"
    }
  }

  # Bucket and prefix are in environments/<environment>.gcs.tfbackend.
  backend "gcs" {}
}

provider "google" {
  project        = var.project_id
  region         = var.region
  default_labels = merge(var.labels, { app = var.name })

  # Budgets and quotas are asked for in the name of a project: without these two, a person's own login is refused.
  user_project_override = true
  billing_project       = var.project_id
}
