# What Google would set, in its own forms: invented values are refused by the real provider wherever it checks an argument.

mock_resource "google_service_account" {
  defaults = {
    email  = "csat-mock@shop-data-1.iam.gserviceaccount.com"
    member = "serviceAccount:csat-mock@shop-data-1.iam.gserviceaccount.com"
    name   = "projects/shop-data-1/serviceAccounts/csat-mock@shop-data-1.iam.gserviceaccount.com"
  }
}

mock_resource "google_compute_network" {
  defaults = {
    id = "projects/shop-data-1/global/networks/csat"
  }
}

mock_resource "google_compute_subnetwork" {
  defaults = {
    id = "projects/shop-data-1/regions/europe-west1/subnetworks/csat"
  }
}

mock_resource "google_iam_workload_identity_pool" {
  defaults = {
    name = "projects/4711/locations/global/workloadIdentityPools/csat-ci"
  }
}

mock_resource "google_monitoring_notification_channel" {
  defaults = {
    id = "projects/shop-data-1/notificationChannels/1234567890"
  }
}

mock_data "google_project" {
  defaults = {
    number = "4711"
  }
}
