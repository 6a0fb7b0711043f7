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
    condition     = var.kafka_memory_gib >= var.kafka_vcpu_count && var.kafka_memory_gib <= 8 * var.kafka_vcpu_count
    error_message = "kafka_memory_gib is 1 to 8 for each of kafka_vcpu_count."
  }
}

variable "kafka_partition_count" {
  description = "Partitions of the topic. They can become more, which sends an agent's answers to another partition than before, and never fewer."
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
    condition     = var.kafka_retention_hours >= 24
    error_message = "kafka_retention_hours is 24 or more: the stream must have time to come back."
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
}

variable "subnetwork" {
  description = "A subnetwork that is there already, with private Google access, as projects/P/regions/R/subnetworks/S. Null: that of enable_network, or Google's default."
  type        = string
  default     = null

  validation {
    condition     = var.subnetwork == null || can(regex("^projects/[^/]+/regions/[^/]+/subnetworks/[^/]+$", var.subnetwork))
    error_message = "subnetwork is projects/P/regions/R/subnetworks/S."
  }

  validation {
    condition     = var.subnetwork == null || !var.enable_network
    error_message = "subnetwork and enable_network exclude each other."
  }
}
