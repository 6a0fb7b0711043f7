"""The file that a batch of Dataproc begins with; the archive of packages holds all the rest."""

from spark.stream_responses import main

if __name__ == "__main__":
    main()
