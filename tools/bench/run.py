"""Run a benchmark as a process of its own: `python -m tools.bench.run <name> [option …]`; without a name, list them.

Results go to tools/bench/results/<name>.json.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from csat.contract.settings import ROOT, environment

_FOLDER = Path(__file__).parent
# What each measures. A name is a module beside this one; the variables of make that change it are in parentheses.
BENCHMARKS = {
    "stream": "the stream against baselines (EVENTS=1000000)",
    "executors": "the stream with one executor process and with two (EVENTS=800000)",
    "stream_parts": "the time of each step of the stream (EVENTS=1000000)",
    "marts": "a build of the marts over a history of 100 thousand, 1 and 5 million responses",
    "scans": "the bytes that each statement of a build would read on BigQuery, for the histories of marts",
    "response_to_dashboard": "the latency from a response to the dashboard, at 20 a second",
    "dashboard": "how long a viewer of the dashboard waits (EVENTS=1000000, responses in the history)",
    "fairness": "the leaderboard against the simulator's truth (SEEDS=12)",
    "soak": "the stream's memory and completeness under load (MINUTES=90 RATE=50, events a second)",
}


def catalog() -> str:
    """A line for each benchmark."""
    width = max(map(len, BENCHMARKS))
    return "\n".join(f"  {name:{width}}  {text}" for name, text in BENCHMARKS.items())


def command(name: str, options: list[str]) -> list[str]:
    """What runs the benchmark of this name."""
    results = _FOLDER / "results" / f"{name}.json"
    return [sys.executable, "-m", f"tools.bench.{name}", *options, "--results", str(results)]


def main() -> int:
    """Run the benchmark that the command line names, or list all; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.run", description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", choices=BENCHMARKS)
    known, options = parser.parse_known_args()
    if known.name is None:
        print("make bench NAME=…", catalog(), sep="\n")
        return 0
    # For a Spark session in the benchmark's own process
    variables = environment(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    return subprocess.run(command(known.name, options), cwd=ROOT, env=variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
