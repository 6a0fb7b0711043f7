## Where

variable "project_id" {
  description = "Google Cloud project that holds everything. It must be there, with billing on."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is 6 to 30 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "region" {
  description = "Region of Kafka, Spark, Airflow and the network, such as europe-west1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]{1,2}$", var.region))
    error_message = "region is the name of a region, such as europe-west1; not of a zone or a multi-region."
  }
}

variable "location" {
  description = "Location of the datasets and the buckets: US, EU, or the region itself. BigQuery loads files only from where the dataset is."
  type        = string

  validation {
    condition     = contains(["US", "EU", var.region], var.location)
    error_message = "location is US, EU or the same as region."
  }
}

variable "name" {
  description = "What the names of everything begin with; the datasets' with its hyphens as underscores. Two environments in one project need two names."
  type        = string
  default     = "csat"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$", var.name))
    error_message = "name is at most 16 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
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
    condition     = can(regex("^[A-Za-z0-9._-]{1,249}$", var.kafka_topic)) && !contains([".", ".."], var.kafka_topic)
    error_message = "kafka_topic is at most 249 letters, digits, dots, hyphens and underscores."
  }
}
