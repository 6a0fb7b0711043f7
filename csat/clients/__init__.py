"""Clients of Airflow's and supervisord's APIs."""
