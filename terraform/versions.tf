terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    google = {
      source = "hashicorp/google"
      # Before 7.45 an update of a dataset took away its fine-grained access:
      # https://github.com/hashicorp/terraform-provider-google/issues/28775
      version = ">= 7.45, < 9.0"
    }
    time = {
      source  = "hashicorp/time"
      version = ">= 0.9, < 1.0"
    }
  }

  # State is in this folder, unless `make cloud-backend ENVIRONMENT=…` wrote backend_override.tf: then in a bucket.
}

locals {
  # Null where there is no such file: the provider then looks for a login as Google's clients do.
  credentials_file = try(fileexists(pathexpand(var.credentials_file)) ? pathexpand(var.credentials_file) : null, null)
}

provider "google" {
  credentials    = local.credentials_file
  project        = var.project_id
  region         = var.region
  default_labels = merge(var.labels, { app = var.name })

  # Budgets and quotas are asked for in the name of a project: without these two, a person's own login is refused.
  user_project_override = true
  billing_project       = var.project_id
}
