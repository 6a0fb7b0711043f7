"""Every command in the documents is one that exists and that a test runs, or is marked as one that no test can run.

A command is a line of a fenced block of shell, or `code` in the text that begins with the name of a program.
"""

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile
from os.path import normpath
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from csat.cli.app import app
from csat.contract.settings import ROOT, Settings
from tests.documents import documents, read, tracked_files
from tools.bench.run import BENCHMARKS

SHELL = {"", "sh"}
OTHER_LANGUAGES = {"diff", "hcl", "ini", "json", "python", "sql", "text", "yaml"}
PROGRAMS = {"cd", "checkov", "csat", "dbt", "docker", "gcloud", "git", "jq", "make", "mypy", "pip", "pkill", "pyenv"}
PROGRAMS |= {"pytest", "python", "python3", "ruff", "sqlfluff", "streamlit", "supervisorctl", "terraform", "uv"}

# By the words that a command begins with: the test that runs it, or what runs the same.
RUN_BY = {
    "kafka-python admin": "tests/integration/stream/test_records_expired.py",
    "dbt build": "tests/integration/marts/test_dbt_by_hand.py",
    "dbt docs generate": "tests/integration/marts/test_dbt_by_hand.py",
    "dbt run": "tests/integration/marts/test_dbt_by_hand.py",
    "dbt test": "tests/integration/marts/test_dbt_by_hand.py",
    "make bench NAME=fairness": "tests/integration/marts/test_fairness.py",
    "make chaos": "tests/chaos/test_chaos.py",
    "make cloud-apply": "tests/terraform/test_guide.py",
    "make cloud-costs": "tests/unit/cloud/test_costs.py",
    "make cloud-plan": "tests/terraform/test_guide.py",
    "make cloud-plan-offline": "tests/terraform/test_plan.py",
    "make down": "tests/e2e/conftest.py",
    "make generated": "tests/integration/test_recipes.py",
    "make test-long NAME=spark-4-0": "tests/integration/stream/test_spark_4_0.py",
    "make test-terraform": "tests/terraform/test_module.py",
    "make up": "tests/e2e/conftest.py",
    "python -m csat.dashboard.serve": "tests/integration/dashboard/test_browser.py",
    "terraform apply": "tests/terraform/test_guide.py",
    "terraform destroy": "tests/terraform/test_guide.py",
    "terraform init": "tests/terraform/test_guide.py",
    "terraform plan": "tests/terraform/test_guide.py",
    "make cloud-backend": "tests/terraform/test_guide.py",
    "terraform -chdir=terraform test": "tests/terraform/test_module.py",
    "terraform -chdir=terraform validate": "tests/terraform/test_module.py",
}
# And why no test runs it.
NOT_RUN = {
    "git archive": "by hand: packs the commit for a machine on Google Cloud",
    "printf": "in parts: the address of a webhook, into gcloud",
    "chmod 600": "by hand: of a key that nobody has here",
    "echo": "by hand: writes a line into a file of this machine",
    "setfacl -m": "by hand: of a key that nobody has here",
    "export": "by hand: sets a variable",
    "docker compose": "by hand: needs a Docker Engine; make test-containers runs them",
    "gcloud": "cloud: asks Google Cloud",
    "bq query": "cloud: asks Google Cloud",
    "kafka-configs.sh --bootstrap-server": "by hand: changes a topic; the integration test runs the tool's Java class",
    "jq": "cloud: cuts the answer of the real provider",
    "make bench": "by hand: measures for minutes, and best alone on the machine",
    "make check": "in parts: all of it is in make test",
    "make cloud-": "cloud: asks Google Cloud; tests/terraform has the module",
    "make demo": "in parts: tests/e2e has a stack and its commands, with a shorter history",
    "make format": "by hand: changes the tree",
    "make lock-jars": "by hand: fetches jars, and changes the tree",
    "make lock-jars-dataproc": "by hand: fetches jars, and changes the tree",
    "make lint-checkov": "by hand: an environment of its own, of 150 packages; the workflow runs it",
    "make locks": "by hand: asks for newer packages",
    "make reset": "by hand: deletes data",
    "make screenshots": "by hand: pictures of a stack of its own; tests/integration/dashboard has the same pages",
    "make soak": "by hand: takes an hour and a half",
    "make test-containers": "by hand: needs a Docker Engine; the workflow runs it",
    "make test-long NAME=dbt-next": "by hand: needs a second dbt",
    "make test-long": "by hand: takes long; make test has a short form of each",
    "pkill -9 -f spark.stream_responses": "by hand: ends the streams of all stacks; tests/chaos kills one by its id",
    "terraform -chdir=terraform init": "cloud: fetches the real provider, where the tests have a stub",
    "terraform -chdir=terraform providers schema": "cloud: asks the real provider",
}
# What typer raises about arguments; it has no name there
USAGE_ERROR: Any = typer.BadParameter.__base__
# Where the benches write.
WRITTEN = "tools/bench/results/"
# What upper-case words of a command stand for.
EXAMPLES = {"KEY": "stream_down", "PARTITION": "0", "OFFSET": "7"}


@dataclass(frozen=True)
class Command:
    """A command without its comment, redirections and variables, and where it is."""

    place: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.words)


def commands() -> list[Command]:
    """Every command of every document, in their order."""
    found: list[Command] = []
    for document in documents():
        prose, blocks = read(document)
        for number, line in enumerate(prose.splitlines(), start=1):
            for code in re.findall(r"`([^`]+)`", line):
                words = code.split()
                if len(words) > 1 and program(words) in PROGRAMS:
                    found += simple_commands(f"{document}:{number}", code)
        for block in blocks:
            if block.language in SHELL:
                for line in block.text.replace("\\\n", " ").splitlines():
                    found += simple_commands(block.place, line)
    return found


def program(words: list[str]) -> str:
    """The program that these words call."""
    called = without_variables(words)
    return called[0] if called else ""


def without_variables(words: list[str]) -> list[str]:
    return list(dropwhile(lambda word: re.match(r"[A-Z_]+=", word), words))


def simple_commands(place: str, line: str) -> Iterator[Command]:
    """The commands of a line, without what joins them."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;>")
    lexer.whitespace_split = True  # a comma parts no words
    words: list[str] = []
    for token in [*lexer, ";"]:
        if token[0] not in "|&;":
            words.append(token)
            continue
        if called := without_variables(words):
            yield Command(place, (program(called), *called[1:]))
        words = []


COMMANDS = commands()
COMPOSE_FILES = [Path("docker-compose.yaml"), *sorted(path.relative_to(ROOT) for path in (ROOT / "docker").iterdir())]


def test_every_block_says_what_it_holds() -> None:
    blocks = [block for document in documents() for block in read(document)[1]]
    assert [block.place for block in blocks if block.language not in SHELL | OTHER_LANGUAGES] == []


def test_programs_are_called_by_their_names_alone() -> None:
    # One spelling everywhere: the README says once how to have them on PATH. Decisions may name a program's path.
    pages = [path for path in documents() if "decisions" not in path.parts]
    assert [str(path) for path in pages if ".venv/bin/" in (ROOT / path).read_text()] == []
    assert (ROOT / "README.md").read_text().count('export PATH="$PWD/.venv/bin:$PATH"') == 1


def test_every_command_is_known() -> None:
    assert len(COMMANDS) > 60
    problems = [f"{command.place}: {command}: {why}" for command in COMMANDS if (why := problem(command))]
    assert problems == [], "fix the document, or say in this file what runs it"


def problem(command: Command) -> str:
    """What is wrong with a command; empty where it exists and it is known who runs it."""
    name, *arguments = command.words
    match name:
        case "make":
            return make_problem(arguments) or unproved_target(command)
        case "csat":
            return csat_problem(arguments)
        case "docker" if arguments[:4] == ["compose", "run", "--rm", "csat"]:
            return csat_problem(arguments[4:])
        case "gcloud" if arguments[:4] == ["run", "jobs", "execute", "csat-commands"]:
            return csat_problem(of_job(arguments))
        case "cd":
            return "" if (ROOT / arguments[0]).is_dir() else "no such folder"
        case "pytest":
            missing = [word for word in arguments if "/" in word and not (ROOT / word.partition("::")[0]).exists()]
            return f"no {missing}" if missing else ""
        case "python" if arguments[0] == "-m":
            path = ROOT.joinpath(*arguments[1].split("."))
            return "" if path.with_suffix(".py").exists() or path.is_dir() else "no such module"
    return "" if any(begins(command, known) for known in RUN_BY | NOT_RUN) else "no test is said to run it"


def of_job(arguments: list[str]) -> list[str]:
    """What the Cloud Run job gives to csat: the words of --args."""
    return [word for option in arguments if option.startswith("--args=") for word in option[7:].split(",")]


def begins(command: Command, known: str) -> bool:
    return f"{command} ".startswith(known if known.endswith("-") else f"{known} ")


def make_problem(arguments: list[str]) -> str:
    text = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z0-9-]+):", text, re.MULTILINE)
    names = {"bench": BENCHMARKS, "test-long": re.findall(r"^LONG_(\S+)", text, re.MULTILINE)}
    unknown = [word for word in arguments if "=" not in word and word not in targets]
    for variable, _, value in (word.partition("=") for word in arguments if "=" in word):
        if f"$({variable})" not in text or (variable == "NAME" and value not in names.get(arguments[0], [])):
            unknown.append(f"{variable}={value}")
    return f"the Makefile has no {unknown}" if unknown else ""


def unproved_target(command: Command) -> str:
    """Why no one runs this target; empty where `make test` comes to it, or this file says who does."""
    rules = dict(re.findall(r"^([a-z0-9-]+):(.*?)(?:#.*)?$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    run, waiting = set(), ["test"]
    while waiting:
        run.add(waiting.pop())
        waiting += {word for name in run for word in rules[name].split() if word in rules} - run
    left = [word for word in command.words[1:] if "=" not in word and word not in run]
    name = "".join(f" {word}" for word in command.words if word.startswith("NAME="))
    unproved = [word for word in left if not any(f"make {word}{name}".startswith(known) for known in RUN_BY | NOT_RUN)]
    return f"no test is said to run {unproved}" if unproved else ""


def csat_problem(arguments: list[str]) -> str:
    """What typer says of the arguments, without calling the command. "…" stands for what is left out."""
    command, name = get_command(app), "csat"
    is_abbreviated = "…" in arguments
    rest = [EXAMPLES.get(word, word) for word in arguments[: arguments.index("…") if is_abbreviated else None]]
    try:
        while hasattr(command, "resolve_command"):
            if not rest:
                return "" if is_abbreviated else "a command is missing"
            context = command.make_context(name, rest)
            name, command, rest = command.resolve_command(context, rest)
        if not is_abbreviated:
            command.make_context(name, rest)
    except typer.Exit:  # of --help
        return ""
    except USAGE_ERROR as error:
        return str(error)
    return ""


def test_every_command_in_the_comments_of_the_compose_file_exists() -> None:
    found: list[Command] = []
    for path in COMPOSE_FILES:
        for number, line in enumerate((ROOT / path).read_text().splitlines(), start=1):
            comment = line.partition("#")[2]
            for code in re.findall(r"`([^`]+)`|(docker compose [^`.,;]+)", comment):
                found += simple_commands(f"{path}:{number}", "".join(code))
    assert {command.words[0] for command in found} >= {"docker"}
    assert [f"{command.place}: {command}: {why}" for command in found if (why := problem(command))] == []


def test_every_registered_command_is_in_a_document_and_its_test_is_there() -> None:
    unused = [known for known in RUN_BY | NOT_RUN if not any(begins(command, known) for command in COMMANDS)]
    assert unused == []
    assert [path for path in RUN_BY.values() if not (ROOT / path).is_file()] == []
    assert {why.partition(":")[0] for why in NOT_RUN.values()} <= {"cloud", "by hand", "in parts"}


def test_every_target_of_a_document_says_in_the_makefile_what_it_does() -> None:
    described = re.findall(r"^([a-z0-9-]+):.* ##? [A-Z].+[^.]$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = {
        word for command in COMMANDS if command.words[0] == "make" for word in command.words[1:] if "=" not in word
    }
    assert {"demo", "test"} <= named
    assert named - set(described) == set()


def test_make_lists_what_is_often_called() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    listed = re.findall(r"^  (\S+) +[A-Z].+[^.]$", done.stdout, re.MULTILINE)
    assert {"demo", "down", "check", "test", "bench", "test-long"} <= set(listed)
    assert len(listed) <= 20


def test_long_tests_are_listed_by_name() -> None:
    words = ["make", "--no-print-directory", "test-long"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    listed = [line.split()[0] for line in done.stdout.splitlines()]
    assert listed == ["guard", "marts", "stream", "spark-4-0", "dbt-next"]
    refused = subprocess.run(
        [*words, "NAME=nonsense"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (refused.returncode, refused.stdout) == (2, done.stdout)
    assert "no long tests have the name nonsense" in refused.stderr


@pytest.mark.parametrize(
    "line",
    [
        "make nonsense",
        "make marts",
        "make chaos FALTS=3",
        "make bench NAME=nonsense",
        "make test-long NAME=stack",
        "csat marts nonsense",
        "csat marts",
        "csat status --often",
        "csat rejected show PARTITION",
        "csat marts show nonsense",
        "docker compose run --rm csat marts show leaderboard",
        "gcloud run jobs execute csat-commands --region=europe-west1 --args=alert,critical,dag_failed,test --wait",
        "gcloud run jobs execute csat-commands --region=europe-west1 --wait",
        "dbt compile",
        "pytest tests/nowhere",
        "python -m bench.nothing",
    ],
)
def test_an_unknown_command_is_found(line: str) -> None:
    [command] = simple_commands("here", line)
    assert problem(command)


def test_every_setting_that_a_document_names_exists() -> None:
    known = {f"CSAT_{name.upper()}" for name in Settings.model_fields}
    known |= {"CSAT_KAFKA_"}  # a prefix
    known |= {"CSAT_TOUCHED_DATES", "CSAT_NEW_SINCE", "CSAT_NEW_UNTIL", "CSAT_AS_OF"}  # dbt's own
    known |= {"CSAT_INSTALL"}  # of tools/bootstrap
    named = {name for path in documents() for name in re.findall(r"CSAT_[A-Z_]+", (ROOT / path).read_text())}
    assert len(named) > 20
    assert named <= known


def test_every_file_of_the_repository_that_a_document_names_exists() -> None:
    paths = tracked_files()
    there = {str(path) for path in paths} | {str(folder) for path in paths for folder in path.parents}
    tops = {path.parts[0] for path in paths if len(path.parts) > 1}
    missing = []
    for document in documents():
        prose, _ = read(document)
        links = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", prose) if "://" not in target]
        names = [name for name in re.findall(r"`([\w./-]+)`", prose) if "/" in name and name.split("/")[0] in tops]
        for name in filter(None, links + names):
            beside = normpath(document.parent / name)
            if beside.startswith(WRITTEN) or name.startswith(WRITTEN):
                continue
            if beside not in there and (name in links or normpath(name) not in there):
                missing.append(f"{document}: {name}")
    assert missing == []
