## Where

variable "project_id" {
  description = "Google Cloud project that holds everything. It must be there, with billing on."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is 6 to 30 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }

  validation {
    condition     = !contains(["my-project", "my-project-dev"], var.project_id)
    error_message = "project_id is still the one of the example: write your own project's."
  }

  # https://docs.cloud.google.com/storage/docs/buckets#naming
  validation {
    condition     = !startswith(var.project_id, "goog") && !can(regex("g[o0][o0]g[l1]e", var.project_id))
    error_message = "project_id does not begin with goog and contains neither google nor a look-alike such as g00gle: the buckets are named for it, and Google keeps these names for itself."
  }
}

variable "region" {
  description = "Region of Kafka, Spark, Airflow and the network, such as europe-west1."
  type        = string
  default     = "us-central1"

  validation {
    condition     = contains(local.regions, var.region)
    error_message = "region is the name of one of Google's regions, such as europe-west1; not of a zone or a multi-region. One that is newer than this module goes into local.regions."
  }
}

variable "location" {
  description = "Location of the datasets and the buckets, but for Composer's own: US, EU, or the region itself. BigQuery loads files only from where the dataset is. Null: US or EU where the region is part of it, otherwise the region itself."
  type        = string
  default     = null

  validation {
    condition     = var.location == null ? true : contains(["US", "EU", var.region], var.location)
    error_message = "location is US, EU or the same as region."
  }
}

locals {
  # https://docs.cloud.google.com/compute/docs/regions-zones
  regions = [
    "africa-south1",
    "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3", "asia-south1", "asia-south2",
    "asia-southeast1", "asia-southeast2", "asia-southeast3",
    "australia-southeast1", "australia-southeast2",
    "europe-central2", "europe-north1", "europe-north2", "europe-southwest1", "europe-west1", "europe-west2",
    "europe-west3", "europe-west4", "europe-west6", "europe-west8", "europe-west9", "europe-west10", "europe-west12",
    "me-central1", "me-central2", "me-west1",
    "northamerica-northeast1", "northamerica-northeast2", "northamerica-south1",
    "southamerica-east1", "southamerica-west1",
    "us-central1", "us-east1", "us-east4", "us-east5", "us-south1", "us-west1", "us-west2", "us-west3", "us-west4",
  ]
  # The multi-region EU has no data in London and Zurich: https://docs.cloud.google.com/bigquery/docs/locations
  outside_eu = ["europe-west2", "europe-west6"]
  location = coalesce(
    var.location,
    contains(local.outside_eu, var.region) ? var.region : lookup({ us = "US", europe = "EU" }, split("-", var.region)[0], var.region)
  )
}

variable "credentials_file" {
  description = "Key file of a service account to act as, where it exists. Empty, or no such file: GOOGLE_APPLICATION_CREDENTIALS, or the login of gcloud."
  type        = string
  default     = "~/.google/credentials/google_credentials_project.json"
}

variable "name" {
  description = "What the names of everything begin with; the datasets' with its hyphens as underscores. Two environments in one project need two names."
  type        = string
  default     = "csat"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}[a-z0-9]$", var.name))
    error_message = "name is 3 to 16 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen: names of service accounts are made of it."
  }

  validation {
    condition     = !startswith(var.name, "gcp-") && !startswith(var.name, "goog") && !can(regex("g[o0][o0]g[l1]e", var.name))
    error_message = "name does not begin with gcp- or goog and contains neither google nor a look-alike such as g00gle: Google keeps those for itself."
  }
}

variable "labels" {
  description = "Labels of every resource that can have some, beside app."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))
    ])
    error_message = "labels have keys and values of at most 63 lower-case letters, digits, hyphens and underscores; keys begin with a letter."
  }

  # https://docs.cloud.google.com/resource-manager/docs/labels-overview
  validation {
    condition     = length(var.labels) <= 60 && alltrue([for key in keys(var.labels) : !startswith(key, "goog") && key != "app"])
    error_message = "labels are at most 60; their keys do not begin with goog, which is Google's, and none is app, which is the module's."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete what holds data: tables, datasets and buckets that are not empty, Kafka and Airflow."
  type        = bool
  default     = true
}

## Storage

variable "staging_days" {
  description = "Days after which a file in the staging bucket is deleted. The stream deletes its own once they are loaded."
  type        = number
  default     = 3

  validation {
    condition     = var.staging_days >= 1 && floor(var.staging_days) == var.staging_days
    error_message = "staging_days is a whole number of 1 or more: a load job must find its files."
  }
}

## Kafka

variable "kafka_topic" {
  description = "Topic of the survey responses."
  type        = string
  default     = "messages"

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,249}$", var.kafka_topic)) && !contains([".", ".."], var.kafka_topic) && !startswith(var.kafka_topic, "__")
    error_message = "kafka_topic is at most 249 letters, digits, dots, hyphens and underscores, and does not begin with two underscores as Kafka's own do."
  }
}

variable "enable_managed_kafka" {
  description = "Whether to make a cluster of Managed Service for Apache Kafka with the topic. It bills as long as it is there."
  type        = bool
  default     = false

  validation {
    condition     = !var.enable_managed_kafka || var.enable_network || var.subnetwork != null
    error_message = "enable_managed_kafka needs a subnetwork: set enable_network = true, or subnetwork to one that is there."
  }
}

variable "kafka_vcpu_count" {
  description = "Virtual CPUs of the Kafka cluster."
  type        = number
  default     = 3

  validation {
    condition     = var.kafka_vcpu_count >= 3 && floor(var.kafka_vcpu_count) == var.kafka_vcpu_count
    error_message = "kafka_vcpu_count is a whole number of 3 or more: one for each broker at least."
  }
}

variable "kafka_memory_gib" {
  description = "Memory of the Kafka cluster in GiB."
  type        = number
  default     = 12

  validation {
    condition     = var.kafka_memory_gib >= var.kafka_vcpu_count && var.kafka_memory_gib <= 8 * var.kafka_vcpu_count && floor(var.kafka_memory_gib) == var.kafka_memory_gib
    error_message = "kafka_memory_gib is a whole number, 1 to 8 for each of kafka_vcpu_count."
  }
}

variable "kafka_partition_count" {
  description = "Partitions of the topic. They can become more, which sends an agent's responses to another partition than before, and never fewer."
  type        = number
  default     = 4

  validation {
    condition     = var.kafka_partition_count >= 1 && floor(var.kafka_partition_count) == var.kafka_partition_count
    error_message = "kafka_partition_count is a whole number of 1 or more."
  }
}

variable "kafka_retention_hours" {
  description = "Hours for which Kafka keeps a message: the longest that the stream may stand still without loss."
  type        = number
  default     = 168

  validation {
    condition     = var.kafka_retention_hours >= 24 && floor(var.kafka_retention_hours) == var.kafka_retention_hours
    error_message = "kafka_retention_hours is a whole number of 24 or more: the stream must have time to come back."
  }
}

## Network

variable "enable_network" {
  description = "Whether to make a network with one private subnetwork for Kafka, Spark and Airflow."
  type        = bool
  default     = false
}

variable "subnetwork_cidr" {
  description = "Addresses of the subnetwork that enable_network makes."
  type        = string
  default     = "10.20.0.0/20"

  validation {
    condition     = can(cidrhost(var.subnetwork_cidr, 0)) && try(tonumber(split("/", var.subnetwork_cidr)[1]) <= 24, false)
    error_message = "subnetwork_cidr is an address range of /24 or larger, such as 10.20.0.0/20."
  }

  validation {
    condition     = can(regex("^[0-9.]+/", var.subnetwork_cidr)) && try(cidrsubnet(var.subnetwork_cidr, 0, 0) == var.subnetwork_cidr, false)
    error_message = "subnetwork_cidr is of IPv4 and has no bit set behind the prefix, such as 10.20.0.0/20."
  }

  # RFC 1918
  validation {
    condition = anytrue([
      for range in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] :
      try(tonumber(split("/", var.subnetwork_cidr)[1]) >= tonumber(split("/", range)[1]) &&
      cidrhost("${cidrhost(var.subnetwork_cidr, 0)}/${split("/", range)[1]}", 0) == cidrhost(range, 0), false)
    ])
    error_message = "subnetwork_cidr is in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16."
  }
}

variable "subnetwork" {
  description = "A subnetwork that is there already, with private Google access, as projects/P/regions/R/subnetworks/S. Null: that of enable_network, or Google's default."
  type        = string
  default     = null

  validation {
    condition     = var.subnetwork == null || can(regex("^projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/regions/[a-z0-9-]+/subnetworks/[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", var.subnetwork))
    error_message = "subnetwork is projects/P/regions/R/subnetworks/S, in lower case."
  }

  validation {
    condition     = var.subnetwork == null ? true : strcontains(var.subnetwork, "/regions/${var.region}/")
    error_message = "subnetwork is in another region than region: Kafka, Spark and Airflow could not use it."
  }

  validation {
    condition     = var.subnetwork == null || !var.enable_network
    error_message = "subnetwork and enable_network exclude each other."
  }
}

variable "network" {
  description = "The network of subnetwork, as projects/P/global/networks/N. Null: that of enable_network, or Google's default."
  type        = string
  default     = null

  validation {
    condition     = var.network == null || can(regex("^projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/global/networks/[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", var.network))
    error_message = "network is projects/P/global/networks/N, in lower case."
  }

  validation {
    condition     = (var.network == null) == (var.subnetwork == null)
    error_message = "network and subnetwork are set together."
  }
}

## Airflow

variable "enable_composer" {
  description = "Whether to make a Composer 3 environment, with a Cloud Run job for csat's commands and registries for both. It takes half an hour, and Composer bills as long as it is there."
  type        = bool
  default     = false

  validation {
    condition     = !var.enable_composer || length(var.composer_allowed_ranges) > 0
    error_message = "enable_composer needs composer_allowed_ranges: say who may reach Airflow's web page, if only { \"0.0.0.0/0\" = \"anyone who can log in\" }."
  }
}

variable "composer_image_version" {
  description = "Composer 3 with Airflow 3.3 or newer. Builds are withdrawn, so name a version of Airflow without one; composer-3-airflow-3 is the newest."
  type        = string
  default     = "composer-3-airflow-3"

  validation {
    condition     = can(regex("^composer-3-airflow-3(\\.([3-9]|[1-9][0-9]+)(\\.[0-9]+)?)?$", var.composer_image_version))
    error_message = "composer_image_version is composer-3-airflow-3, or that with a version of Airflow from 3.3 on, such as composer-3-airflow-3.3.0."
  }
}

variable "composer_environment_size" {
  description = "Size of Airflow's database and of what Composer runs itself."
  type        = string
  default     = "ENVIRONMENT_SIZE_SMALL"

  validation {
    condition     = contains(["ENVIRONMENT_SIZE_SMALL", "ENVIRONMENT_SIZE_MEDIUM", "ENVIRONMENT_SIZE_LARGE", "ENVIRONMENT_SIZE_EXTRA_LARGE"], var.composer_environment_size)
    error_message = "composer_environment_size is ENVIRONMENT_SIZE_SMALL, _MEDIUM, _LARGE or _EXTRA_LARGE."
  }
}

variable "composer_allowed_ranges" {
  description = "Address ranges from which Airflow's web page can be reached, each with who that is. Whoever reaches it must still log in."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for range in keys(var.composer_allowed_ranges) : try(cidrsubnet(range, 0, 0) == range, false)])
    error_message = "composer_allowed_ranges has ranges such as 203.0.113.0/24 or 2001:db8::/32, with no bit set behind the prefix."
  }

  validation {
    condition     = alltrue([for text in values(var.composer_allowed_ranges) : length(text) <= 300])
    error_message = "composer_allowed_ranges says who that is in at most 300 characters."
  }
}

## Monitoring and cost

variable "enable_monitoring" {
  description = "Whether to make alerts and a dashboard of uptime in Cloud Monitoring."
  type        = bool
  default     = false
}

variable "alert_emails" {
  description = "E-mail addresses to notify of alerts and of the budget. Google sends each a mail to confirm."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "alert_emails are e-mail addresses."
  }
}

variable "alert_webhook_secret" {
  description = "Name of a secret of this project in Secret Manager that holds the address of the webhook for csat's alerts. Its value is never in Terraform's state. Null: no webhook."
  type        = string
  default     = null

  validation {
    condition     = var.alert_webhook_secret == null ? true : can(regex("^[A-Za-z0-9_-]{1,255}$", var.alert_webhook_secret))
    error_message = "alert_webhook_secret is the secret's name alone: letters, digits, hyphens and underscores, not its address or its value."
  }

  validation {
    condition     = var.alert_webhook_secret == null || var.enable_composer
    error_message = "alert_webhook_secret is for the Cloud Run job of enable_composer. Elsewhere set CSAT_ALERT_WEBHOOK_URL in .env."
  }
}

variable "alert_silence_minutes" {
  description = "Minutes without a landed batch after which an alert is raised: longer than customers are ever quiet."
  type        = number
  default     = 60

  validation {
    condition     = var.alert_silence_minutes >= 10 && var.alert_silence_minutes <= 1410 && floor(var.alert_silence_minutes) == var.alert_silence_minutes
    error_message = "alert_silence_minutes is a whole number, 10 to 1410: Cloud Monitoring looks back for 23.5 hours."
  }
}

variable "alert_query_gib_per_day" {
  description = "GiB billed for queries in a day above which an alert is raised."
  type        = number
  default     = 500

  validation {
    condition     = var.alert_query_gib_per_day > 0
    error_message = "alert_query_gib_per_day is more than 0."
  }
}

variable "query_gib_per_day" {
  description = "GiB that all queries of the project together may read in a day: BigQuery refuses more. Null: as Google has it, 200 TiB."
  type        = number
  default     = null

  validation {
    condition     = var.query_gib_per_day == null ? true : var.query_gib_per_day >= 20 && floor(var.query_gib_per_day) == var.query_gib_per_day
    error_message = "query_gib_per_day is a whole number of 20 or more: one query alone may read CSAT_BIGQUERY_MAX_BYTES_BILLED."
  }
}

variable "monthly_budget" {
  description = "Whole units of the billing account's currency that a month may cost before someone is notified. Null: no budget."
  type        = number
  default     = null

  validation {
    condition     = var.monthly_budget == null ? true : var.monthly_budget >= 1 && floor(var.monthly_budget) == var.monthly_budget
    error_message = "monthly_budget is a whole number of 1 or more."
  }

  validation {
    condition     = var.monthly_budget == null || var.billing_account != null
    error_message = "monthly_budget needs billing_account."
  }
}

variable "billing_account" {
  description = "Billing account of the project, for monthly_budget."
  type        = string
  default     = null

  validation {
    condition     = var.billing_account == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "billing_account looks like 012345-6789AB-CDEF01."
  }
}

## CI

variable "github_repository_id" {
  description = "Id of the GitHub repository whose workflows may bring code and DAGs: `gh api repos/OWNER/NAME --jq .id`. Null: none."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository_id == null ? true : can(regex("^[1-9][0-9]{0,19}$", var.github_repository_id))
    error_message = "github_repository_id is the number of the repository, not its name."
  }

  validation {
    condition     = (var.github_repository_id == null) == (var.github_owner_id == null)
    error_message = "github_repository_id and github_owner_id are set together."
  }
}

variable "github_owner_id" {
  description = "Id of the repository's owner, a person or an organisation: `gh api repos/OWNER/NAME --jq .owner.id`."
  type        = string
  default     = null

  validation {
    condition     = var.github_owner_id == null ? true : can(regex("^[1-9][0-9]{0,19}$", var.github_owner_id))
    error_message = "github_owner_id is the number of the owner, not its name."
  }
}

variable "github_ref" {
  description = "Branch or tag whose workflows may."
  type        = string
  default     = "refs/heads/main"

  validation {
    condition     = can(regex("^refs/(heads|tags)/[A-Za-z0-9._-]([A-Za-z0-9._/-]{0,88}[A-Za-z0-9._-])?$", var.github_ref))
    error_message = "github_ref is refs/heads/BRANCH or refs/tags/TAG, its name at most 90 characters long."
  }
}
