locals {
  kafka_cluster = one(google_managed_kafka_cluster.main[*].cluster_id)

  # What an account may do with the topic. Spark asks for offsets by the admin API and commits to no group:
  # https://spark.apache.org/docs/latest/streaming/structured-streaming-kafka-integration.html
  topic_operations = {
    producer = ["WRITE", "DESCRIBE"]
    # reads the topic's configuration when it starts: what is compacted does not wait for it
    stream = ["READ", "DESCRIBE", "DESCRIBE_CONFIGS"]
    # sends rejected messages again, measures the backlog, and checks the topic's configuration
    airflow = ["WRITE", "DESCRIBE", "DESCRIBE_CONFIGS"]
  }
}

resource "google_managed_kafka_cluster" "main" {
  count = var.enable_managed_kafka ? 1 : 0

  cluster_id      = var.name
  location        = var.region
  deletion_policy = var.deletion_protection ? "PREVENT" : "DELETE"

  capacity_config {
    vcpu_count   = var.kafka_vcpu_count
    memory_bytes = var.kafka_memory_gib * pow(2, 30)
  }

  gcp_config {
    access_config {
      network_configs {
        subnet = local.subnetwork
      }
    }
  }

  rebalance_config {
    mode = "AUTO_REBALANCE_ON_SCALE_UP"
  }

  depends_on = [google_project_service.main]
}

resource "google_managed_kafka_topic" "survey_responses" {
  count = var.enable_managed_kafka ? 1 : 0

  cluster            = google_managed_kafka_cluster.main[0].cluster_id
  location           = var.region
  topic_id           = var.kafka_topic
  partition_count    = var.kafka_partition_count
  replication_factor = 3
  deletion_policy    = var.deletion_protection ? "PREVENT" : "DELETE"

  configs = {
    "retention.ms"        = var.kafka_retention_hours * 3600 * 1000
    "min.insync.replicas" = 2
    # kafka_timestamp is the time of arrival: no producer's clock decides what is in the future, or past its retention
    "message.timestamp.type" = "LogAppendTime"
    # compaction would delete all but the last response of an agent, who is the key
    "cleanup.policy" = "delete"
  }
}

# Once a topic has a list, whoever is not on it is refused.
resource "google_managed_kafka_acl" "survey_responses" {
  count = var.enable_managed_kafka ? 1 : 0

  cluster  = google_managed_kafka_cluster.main[0].cluster_id
  location = var.region
  acl_id   = "topic/${google_managed_kafka_topic.survey_responses[0].topic_id}"

  dynamic "acl_entries" {
    for_each = merge([
      for account, operations in local.topic_operations : {
        for operation in operations : "${account}/${operation}" => { account = account, operation = operation }
      }
    ]...)

    content {
      principal       = "User:${google_service_account.main[acl_entries.value.account].email}"
      permission_type = "ALLOW"
      operation       = acl_entries.value.operation
      host            = "*"
    }
  }
}

# To connect at all. Clusters have no access rules of their own, so the role is the project's; the list above says what
# an account may do once it is connected.
resource "google_project_iam_member" "kafka_client" {
  for_each = var.enable_managed_kafka ? local.topic_operations : {}

  project = var.project_id
  role    = "roles/managedkafka.client"
  member  = google_service_account.main[each.key].member
}
