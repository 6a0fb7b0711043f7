mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id = "shop-data-1"
  region     = "europe-west1"
  location   = "EU"
}

run "kafka_and_the_network_are_off_unless_asked_for" {
  command = plan

  assert {
    condition     = length(google_managed_kafka_cluster.main) + length(google_managed_kafka_topic.survey_responses) == 0
    error_message = "Kafka bills although nobody asked for it."
  }

  assert {
    condition     = length(google_project_iam_member.kafka_client) + length(google_managed_kafka_acl.survey_responses) == 0
    error_message = "Access to a cluster that is not there."
  }

  assert {
    condition     = length(google_compute_network.main) + length(google_compute_subnetwork.main) + length(google_compute_firewall.within_subnetwork) == 0
    error_message = "A network although nobody asked for it."
  }

  assert {
    condition     = !contains(keys(google_project_service.main), "managedkafka.googleapis.com")
    error_message = "Kafka's API is on although nobody asked for it."
  }
}

run "kafka_keeps_three_copies_for_a_week_and_refuses_to_be_deleted" {
  command = plan

  variables {
    enable_managed_kafka = true
    network              = "projects/shop-data-1/global/networks/given"
    subnetwork           = "projects/shop-data-1/regions/europe-west1/subnetworks/given"
  }

  assert {
    condition = (
      google_managed_kafka_topic.survey_responses[0].replication_factor == 3
      && google_managed_kafka_topic.survey_responses[0].partition_count == 4
      && google_managed_kafka_topic.survey_responses[0].configs == tomap({
        "retention.ms" = "604800000", "min.insync.replicas" = "2", "message.timestamp.type" = "LogAppendTime", "cleanup.policy" = "delete"
      })
    )
    error_message = "The topic is kept three times, for seven days, takes a message only when two have it, and says when."
  }

  assert {
    condition = (
      google_managed_kafka_cluster.main[0].deletion_policy == "PREVENT"
      && google_managed_kafka_topic.survey_responses[0].deletion_policy == "PREVENT"
    )
    error_message = "Kafka may be deleted with its messages."
  }

  assert {
    condition = (
      google_managed_kafka_cluster.main[0].capacity_config[0].vcpu_count == "3"
      && google_managed_kafka_cluster.main[0].capacity_config[0].memory_bytes == "12884901888"
    )
    error_message = "The cluster has 3 CPUs and 12 GiB."
  }

  assert {
    condition = one(google_managed_kafka_cluster.main[0].gcp_config[0].access_config[0].network_configs).subnet == (
      "projects/shop-data-1/regions/europe-west1/subnetworks/given"
    )
    error_message = "Kafka is not in the subnetwork that was given."
  }

  assert {
    condition     = contains(keys(google_project_service.main), "managedkafka.googleapis.com")
    error_message = "Kafka's API is off."
  }

  assert {
    condition = (
      output.env_vars["CSAT_KAFKA_BOOTSTRAP_SERVERS"] == "bootstrap.csat.europe-west1.managedkafka.shop-data-1.cloud.goog:9092"
      && output.env_vars["CSAT_KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
      && output.env_vars["CSAT_KAFKA_SASL_MECHANISM"] == "OAUTHBEARER"
      && output.env_vars["CSAT_KAFKA_OAUTH_SOURCE"] == "google"
    )
    error_message = "csat does not get the address of Kafka and the login."
  }

  assert {
    condition     = output.env_vars["CSAT_SUBNETWORK"] == "projects/shop-data-1/regions/europe-west1/subnetworks/given"
    error_message = "The stream's batches would be in another network than Kafka."
  }
}

run "kafka_can_be_deleted_where_protection_is_off" {
  command = plan

  variables {
    enable_managed_kafka = true
    enable_network       = true
    deletion_protection  = false
  }

  assert {
    condition = (
      google_managed_kafka_cluster.main[0].deletion_policy == "DELETE"
      && google_managed_kafka_topic.survey_responses[0].deletion_policy == "DELETE"
    )
    error_message = "make cloud-destroy could not delete Kafka."
  }
}

run "the_network_is_private" {
  command = plan

  variables {
    enable_network = true
  }

  assert {
    condition     = !google_compute_network.main[0].auto_create_subnetworks
    error_message = "The network has a subnetwork in every region."
  }

  assert {
    condition     = google_compute_subnetwork.main[0].private_ip_google_access
    error_message = "Spark could not reach BigQuery: its machines have no address outside."
  }

  assert {
    condition     = google_compute_firewall.within_subnetwork[0].source_ranges == toset(["10.20.0.0/20"])
    error_message = "The network lets others in than its own machines."
  }

  assert {
    condition     = google_compute_firewall.within_subnetwork[0].direction == "INGRESS"
    error_message = "The rule is for what comes in."
  }
}
