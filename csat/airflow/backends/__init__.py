"""What runs the stream's process: supervisord or Dataproc."""
