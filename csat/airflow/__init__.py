"""What Airflow imports: operators, triggers, backends, alerts."""
