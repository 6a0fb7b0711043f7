"""Terraform without a network: runs it with providers that know the schemas of the real ones and reach no cloud.

    .venvs/terraform/bin/python terraform/tests/stub_provider.py -chdir=terraform validate

They serve, over Terraform's plugin protocol 6, the schemas in `google_provider_schema.json`, which has the layout of
`terraform providers schema -json` and the providers' names of `versions.tf`, without a registry's host. Terraform
itself checks names, types, required arguments and counts of blocks. `plan` shows what Google would set as known after
apply, and `apply` makes that up. Apply in a copy of the module's folder: the state that it writes is of nothing that
exists.

This checks shape, not values: what the real provider says of enums, patterns and conflicts is not in a schema. The few
values that it was seen to refuse are in `REFUSED`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from contextlib import ExitStack, contextmanager
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import grpc
import msgpack
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc

from csat.contract.settings import ROOT, environment

SCHEMA_FILE = Path(__file__).with_name("google_provider_schema.json")
FLAGS = ("required", "optional", "computed", "sensitive", "deprecated")
WRITE_ONLY = b"\x58\x01"  # Schema.Attribute's field 11: newer than the messages of tf 1.2.0
UNKNOWN = msgpack.ExtType(0, b"\0")  # "(known after apply)"
MODULE = SCHEMA_FILE.parents[1]
WRITES_STATE = {"apply", "destroy", "import", "refresh", "state", "taint", "untaint"}
NO_STATE = (
    f"the stub provider makes nothing: the state it writes in {MODULE} would say otherwise. Use a copy of the folder"
)
OWN_FOLDER = ROOT / ".venvs" / "terraform-cli"  # tools/bootstrap fills it where the machine has no Terraform that fits
MISSING = "terraform is missing: tools/bootstrap terraform"

Json = Mapping[str, Any]

# By argument, what a known value must match, as in the real provider's own checks
_EMAIL = r"[a-z][-a-z0-9]{4,28}[a-z0-9]@[a-z][-a-z0-9]+\.iam\.gserviceaccount\.com"
REFUSED = {
    "account_id": r"[a-z][-a-z0-9]{4,28}[a-z0-9]",
    "member": r".+:.+|allUsers|allAuthenticatedUsers",
    "service_account_id": rf"projects/[^/]+/serviceAccounts/{_EMAIL}",
    "workload_identity_pool_id": r"[-a-z0-9]{4,32}",
}


_MADE_UP_EMAIL = "csat-stub@stub-project.iam.gserviceaccount.com"
MADE_UP = {
    "email": _MADE_UP_EMAIL,
    "member": f"serviceAccount:{_MADE_UP_EMAIL}",
    "name": f"projects/stub-project/serviceAccounts/{_MADE_UP_EMAIL}",
}


def refused(config: Any) -> Iterator[str]:
    """The arguments whose values the real provider refuses."""
    for name, pattern in REFUSED.items():
        value = config.get(name) if isinstance(config, dict) else None
        if isinstance(value, str) and not re.fullmatch(pattern, value):
            yield f'{name} = "{value}"'
    value = config.get("ip_cidr_range") if isinstance(config, dict) else None
    if isinstance(value, str) and not is_ipv4_network(value):
        yield f'ip_cidr_range = "{value}"'


def is_ipv4_network(text: str) -> bool:
    """Whether it is an IPv4 range with no bit set after its prefix."""
    try:
        return str(ip_network(text)) == text and ip_network(text).version == 4
    except ValueError:
        return False


def attribute(name: str, spec: Json) -> pb.Schema.Attribute:
    """One attribute; its type goes out as JSON, just as the schema file spells it."""
    message = pb.Schema.Attribute(name=name, **{flag: spec.get(flag, False) for flag in FLAGS})
    if "nested_type" in spec:
        nested = spec["nested_type"]
        message.nested_type.nesting = pb.Schema.Object.NestingMode.Value(nested["nesting_mode"].upper())
        message.nested_type.attributes.extend(attribute(*item) for item in nested["attributes"].items())
    else:
        message.type = json.dumps(spec["type"]).encode()
    if spec.get("write_only"):
        message.MergeFromString(WRITE_ONLY)
    return message


def block(spec: Json) -> pb.Schema.Block:
    """A block with its attributes and the blocks in it."""
    return pb.Schema.Block(
        deprecated=spec.get("deprecated", False),
        attributes=[attribute(*item) for item in spec.get("attributes", {}).items()],
        block_types=[
            pb.Schema.NestedBlock(
                type_name=name,
                nesting=pb.Schema.NestedBlock.NestingMode.Value(nested["nesting_mode"].upper()),
                min_items=nested.get("min_items", 0),
                max_items=nested.get("max_items", 0),
                block=block(nested["block"]),
            )
            for name, nested in spec.get("block_types", {}).items()
        ],
    )


def schemas(specs: Mapping[str, Json]) -> dict[str, pb.Schema]:
    """The schemas of resource types or data sources, by name."""
    return {name: pb.Schema(version=spec["version"], block=block(spec["block"])) for name, spec in specs.items()}


def set_but_computed(spec: Json, value: Any) -> Iterator[str]:
    """The attributes given in a block's `value` that only the provider may set."""
    if not isinstance(value, dict):  # null or unknown
        return
    for name, attr in spec.get("attributes", {}).items():
        if value.get(name) is not None and not (attr.get("required") or attr.get("optional")):
            yield name
    for name, nested in spec.get("block_types", {}).items():
        held = value.get(name)
        if nested["nesting_mode"] == "map" and isinstance(held, dict):
            held = list(held.values())
        for item in held if isinstance(held, list) else [held]:
            yield from (f"{name}.{inner}" for inner in set_but_computed(nested["block"], item))


def completed(spec: Json, value: Any, chosen: Callable[[str, Any], Any]) -> Any:
    """A block's value with what the provider sets where nothing was given: `chosen` says it of a name and a type."""
    if not isinstance(value, dict):  # null or unknown
        return value
    filled = dict(value)
    for name, attr in spec.get("attributes", {}).items():
        if attr.get("computed") and (filled.get(name) is None or isinstance(filled[name], msgpack.ExtType)):
            filled[name] = chosen(name, attr.get("type"))
    for name, nested in spec.get("block_types", {}).items():
        held = filled.get(name)
        inner = partial(completed, nested["block"], chosen=chosen)
        if isinstance(held, list):
            filled[name] = [inner(item) for item in held]
        elif nested["nesting_mode"] == "map" and isinstance(held, dict):
            filled[name] = {key: inner(item) for key, item in held.items()}
        else:
            filled[name] = inner(held)
    return filled


def made_up(name: str, kind: Any) -> Any:
    """What stands for a value of Google's: of a type as the schema spells it; null for those with attributes."""
    plain = {"string": MADE_UP.get(name, "stub"), "number": 0, "bool": False}
    if isinstance(kind, str):
        return plain.get(kind)
    if kind and kind[0] in {"list", "set"}:
        return []
    return {} if kind and kind[0] == "map" else None


def known_of_account(account_id: str, project: str) -> dict[str, str]:
    """What the real provider knows of a new service account when it plans."""
    email = f"{account_id}@{project}.iam.gserviceaccount.com"
    return {"email": email, "member": f"serviceAccount:{email}"}


def packed(value: Any) -> Any:
    """A value as it goes to Terraform."""
    return pb.DynamicValue(msgpack=msgpack.packb(value))


def error(summary: str, detail: str) -> pb.Diagnostic:
    """An error for Terraform to show."""
    return pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=summary, detail=detail)


class StubProvider(rpc.ProviderServicer):
    """Responses the calls of Terraform's commands. Its names are the protocol's."""

    def __init__(self, spec: Json) -> None:
        self.spec = spec
        self.project: Any = None

    def GetProviderSchema(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """The whole schema."""
        return pb.GetProviderSchema.Response(
            provider=schemas({"provider": self.spec["provider"]})["provider"],
            resource_schemas=schemas(self.spec["resource_schemas"]),
            data_source_schemas=schemas(self.spec["data_source_schemas"]),
            # Lets Terraform ask once a command, not once a run of a test.
            server_capabilities=pb.ServerCapabilities(get_provider_schema_optional=True),
        )

    def ValidateProviderConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """No complaint: Terraform has checked it against the schema."""
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """What is wrong with a resource."""
        return pb.ValidateResourceConfig.Response(diagnostics=self._errors("resource_schemas", request))

    def ValidateDataResourceConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """What is wrong with a data source."""
        return pb.ValidateDataResourceConfig.Response(diagnostics=self._errors("data_source_schemas", request))

    def ConfigureProvider(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """No complaint: it reaches no cloud, whoever it is asked to be."""
        self.project = msgpack.unpackb(request.config.msgpack).get("project")
        return pb.ConfigureProvider.Response()

    def UpgradeResourceState(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """The stored state as it is: there is one version of the schema."""
        return pb.UpgradeResourceState.Response(upgraded_state=pb.DynamicValue(json=request.raw_state.json))

    def ReadResource(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """The state as it is: nobody changes what does not exist."""
        return pb.ReadResource.Response(new_state=request.current_state)

    def ReadDataSource(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """The query with a made-up answer."""
        query = msgpack.unpackb(request.config.msgpack)
        answered = completed(self._block("data_source_schemas", request), query, made_up)
        return pb.ReadDataSource.Response(state=packed(answered))

    def PlanResourceChange(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """What Terraform proposes; of a new resource, most of what Google would set is known after apply."""
        planned = msgpack.unpackb(request.proposed_new_state.msgpack)
        if msgpack.unpackb(request.prior_state.msgpack) is None:
            if request.type_name == "google_service_account" and isinstance(self.project, str):
                planned |= known_of_account(planned["account_id"], self.project)
            planned = completed(self._block("resource_schemas", request), planned, lambda *_: UNKNOWN)
        return pb.PlanResourceChange.Response(planned_state=packed(planned))

    def ApplyResourceChange(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """The plan with made-up values for what only Google knows."""
        planned = msgpack.unpackb(request.planned_state.msgpack)
        made = completed(self._block("resource_schemas", request), planned, made_up)
        return pb.ApplyResourceChange.Response(new_state=packed(made))

    def StopProvider(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Nothing to stop."""
        return pb.StopProvider.Response()

    def _errors(self, kind: str, request: Any) -> list[pb.Diagnostic]:
        """The one rule of a schema that Terraform leaves to the provider, and the values that are known."""
        config = msgpack.unpackb(request.config.msgpack)
        names = set_but_computed(self._block(kind, request), config)
        computed = [error("Value for unconfigurable attribute", f'"{name}" is set by the provider.') for name in names]
        return computed + [error("Invalid value", f"{request.type_name}: {value}") for value in refused(config)]

    def _block(self, kind: str, request: Any) -> Json:
        block: Json = self.spec[kind][request.type_name]["block"]
        return block


@contextmanager
def served(schema_file: Path) -> Iterator[dict[str, str]]:
    """The variables that make Terraform use the stubs, which listen on sockets of their own until the block ends."""
    providers: Json = json.loads(schema_file.read_text())["provider_schemas"]
    with tempfile.TemporaryDirectory(prefix="csat-tf-") as folder, ExitStack() as servers:
        # "Test": Terraform leaves the process of this id alone when it has done.
        plugin = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True}
        plugins = {}
        for address, spec in providers.items():
            socket = f"{folder}/{Path(address).name}"
            servers.enter_context(listening(StubProvider(spec), socket))
            plugins[address] = plugin | {"Addr": {"Network": "unix", "String": socket}}
        yield {
            "TF_REATTACH_PROVIDERS": json.dumps(plugins),
            "TF_CLI_CONFIG_FILE": "/dev/null",
            "TF_DATA_DIR": f"{folder}/data",  # not the real providers that may be in the module
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "GOGC": "400",  # a quarter of a test's time would go into collecting garbage
        }


@contextmanager
def listening(provider: StubProvider, socket: str) -> Iterator[None]:
    """Serve a provider on a socket until the block ends."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    rpc.add_ProviderServicer_to_server(provider, server)
    server.add_insecure_port(f"unix://{socket}")
    server.start()
    yield
    server.stop(grace=0.2).wait()


def run(arguments: Sequence[str]) -> int:
    """Run `terraform <arguments>` and return its exit code."""
    terraform = shutil.which("terraform", path=OWN_FOLDER) or shutil.which("terraform")
    if terraform is None:
        sys.exit(MISSING)
    folder = next((Path(word.removeprefix("-chdir=")) for word in arguments if word.startswith("-chdir=")), Path())
    is_module = folder.resolve() == MODULE.resolve()
    if is_module and WRITES_STATE.intersection(arguments):
        sys.exit(NO_STATE)
    with served(SCHEMA_FILE) as variables:
        if not is_module:  # a copy has a folder of its own for what init writes
            del variables["TF_DATA_DIR"]
        return subprocess.run([terraform, *arguments], env=environment(**variables), check=False).returncode


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
