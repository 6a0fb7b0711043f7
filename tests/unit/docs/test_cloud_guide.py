"""docs/cloud.md: each step has its command, needs, check, undo and cost, and what its commands rely on is there."""

import re

import pytest

from csat.contract.settings import ROOT

GUIDE = (ROOT / "docs/cloud.md").read_text()
PATHS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL))
# By the path's title and the step's
STEPS = {
    (path, title): step
    for path, text in PATHS.items()
    for title, step in re.findall(r"^### (\d+\. .+?)\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL)
}
WITH_COMPOSER = "From an empty project to the dashboard"
NUMBERS = {
    "BigQuery only, everything else on your machine": range(1, 5),
    WITH_COMPOSER: range(1, 10),
    "The compose stack on a machine of Google": range(5, 8),  # after steps of the path before
}
ROWS = ["needs", "prints", "check", "undo", "costs"]


def test_steps_of_each_path_are_numbered() -> None:
    found = {path: [int(title.partition(".")[0]) for of, title in STEPS if of == path] for path, _ in STEPS}
    assert found == {path: list(numbers) for path, numbers in NUMBERS.items()}


@pytest.mark.parametrize("step", STEPS.values(), ids=[" ".join(name) for name in STEPS])
def test_a_step_has_a_command_and_a_row_for_each_question(step: str) -> None:
    assert re.search(r"^```(sh|hcl)$", step, re.MULTILINE)
    names = re.findall(r"^\| (\w+) \| .+ \|$", step, re.MULTILINE)
    assert [name for name in names if name in ROWS] == ROWS


def commands(text: str) -> list[str]:
    """The commands of a text's blocks, each on one line."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [" ".join(line.split()) for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def test_what_is_installed_by_make_alone_is_called_by_make() -> None:
    assert [command for command in commands(GUIDE) if command.startswith("terraform ")] == []


def test_each_registry_that_a_deploy_pushes_to_has_a_login() -> None:
    deploy = (ROOT / "csat/cloud/deploy.py").read_text()
    registries = re.findall(r'(\w+) = "(DOCKER|PYTHON)"', (ROOT / "terraform/commands.tf").read_text())
    assert [kind for name, kind in registries if f"airflow['{name}']" in deploy] == ["DOCKER", "PYTHON"]
    step = commands(STEPS[WITH_COMPOSER, "5. Bring the code"])
    login = "gcloud auth configure-docker europe-west1-docker.pkg.dev"
    assert login in step[: step.index("make cloud-deploy")]
    assert '"gcloud", "auth", "print-access-token"' in deploy  # for that of Python packages


def test_a_machine_without_an_address_has_nat_and_a_way_in() -> None:
    machines = [(text, command) for text in PATHS.values() for command in commands(text) if "--no-address" in command]
    assert machines
    for text, machine in machines:
        [network] = re.findall(r"--network=\S+", machine)
        [region] = re.findall(r"--zone=(\S+)-\w", machine)
        for begin, *options in [
            ("gcloud compute routers create csat ", network, f"--region={region}"),
            ("gcloud compute routers nats create csat ", "--router=csat", f"--region={region}"),
            ("gcloud compute firewall-rules create ", network, "--allow=tcp:22", "--source-ranges=35.235.240.0/20"),
            ("gcloud services enable ", "iap.googleapis.com"),
        ]:
            found = [command for command in commands(text) if command.startswith(begin)]
            assert any(set(options) <= set(command.split()) for command in found), begin


def test_who_acts_as_an_account_is_told_the_role() -> None:
    act, role = "--impersonate-service-account=", "`roles/iam.serviceAccountTokenCreator`"
    counts = {step: (text.count(act), text.count(role)) for step, text in STEPS.items() if act in text}
    assert sum(acts for acts, _ in counts.values()) == GUIDE.count(act) > 0
    assert [step for step, (acts, roles) in counts.items() if roles < acts] == []
