"""What Airflow imports: operator, trigger, backends, alerts."""
