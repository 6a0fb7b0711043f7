locals {
  network    = var.enable_network ? one(google_compute_network.main[*].id) : var.network
  subnetwork = var.enable_network ? one(google_compute_subnetwork.main[*].id) : var.subnetwork
}

# Nothing in it has an address outside: Google's services are reached by private access.
resource "google_compute_network" "main" {
  count = var.enable_network ? 1 : 0

  name                    = var.name
  auto_create_subnetworks = false

  depends_on = [google_project_service.main]
}

resource "google_compute_subnetwork" "main" {
  count = var.enable_network ? 1 : 0

  name                     = var.name
  network                  = google_compute_network.main[0].id
  region                   = var.region
  ip_cidr_range            = var.subnetwork_cidr
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "EXCLUDE_ALL_METADATA"
  }
}

# Spark's driver and executors find each other on any port; what is not allowed here is refused.
resource "google_compute_firewall" "within_subnetwork" {
  count = var.enable_network ? 1 : 0

  name          = "${var.name}-within-subnetwork"
  network       = google_compute_network.main[0].id
  direction     = "INGRESS"
  source_ranges = [var.subnetwork_cidr]

  allow {
    protocol = "tcp"
  }
  allow {
    protocol = "udp"
  }
  allow {
    protocol = "icmp"
  }
}
