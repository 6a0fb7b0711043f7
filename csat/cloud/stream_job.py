"""The main file of a Dataproc batch; the archive of packages holds everything else."""

from spark.stream_responses import main

if __name__ == "__main__":
    main()
