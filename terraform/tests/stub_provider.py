"""Terraform without a network: runs it with a provider that knows Google's schema and reaches no cloud.

    .venvs/terraform/bin/python terraform/tests/stub_provider.py -chdir=terraform validate

The provider serves, over Terraform's plugin protocol 6, the schema in `google_provider_schema.json`, which has the
layout of `terraform providers schema -json`. `terraform validate` needs no more, nor does `terraform test` where the
test says `mock_provider "google"`: Terraform itself checks names, types, required arguments and counts of blocks, and
makes up the mocked values. Without a mock, plan and apply are refused.

This checks shape, not values: what the real provider says of enums, patterns and conflicts is not in a schema.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import msgpack
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc

from csat.settings import environment

ADDRESS = "registry.terraform.io/hashicorp/google"
SCHEMA_FILE = Path(__file__).with_name("google_provider_schema.json")
FLAGS = ("required", "optional", "computed", "sensitive", "deprecated")
WRITE_ONLY = b"\x58\x01"  # Schema.Attribute's field 11: newer than the messages of tf 1.2.0
MISSING = "terraform is missing: install Terraform 1.9 or newer (https://developer.hashicorp.com/terraform/install)"

Json = Mapping[str, Any]


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


def error(summary: str, detail: str) -> pb.Diagnostic:
    """An error for Terraform to show."""
    return pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=summary, detail=detail)


class StubProvider(rpc.ProviderServicer):
    """Answers the calls that Terraform makes to validate, and to test with a mock. Its names are the protocol's."""

    def __init__(self, schema_file: Path) -> None:
        self.spec: Json = json.loads(schema_file.read_text())["provider_schemas"][ADDRESS]

    def GetProviderSchema(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """The whole schema."""
        return pb.GetProviderSchema.Response(
            provider=schemas({"google": self.spec["provider"]})["google"],
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
        """A refusal: a mock is never configured, and there is no cloud here."""
        refusal = error("The stub provider reaches no cloud", 'In a test, add: mock_provider "google" {}')
        return pb.ConfigureProvider.Response(diagnostics=[refusal])

    def StopProvider(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Nothing to stop."""
        return pb.StopProvider.Response()

    def _errors(self, kind: str, request: Any) -> list[pb.Diagnostic]:
        """The one rule of a schema that Terraform leaves to the provider."""
        names = set_but_computed(self.spec[kind][request.type_name]["block"], msgpack.unpackb(request.config.msgpack))
        return [error("Value for unconfigurable attribute", f'"{name}" is set by the provider.') for name in names]


@contextmanager
def served(schema_file: Path) -> Iterator[dict[str, str]]:
    """The variables that make Terraform use the stub, which listens on a socket of its own until the block ends."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    rpc.add_ProviderServicer_to_server(StubProvider(schema_file), server)
    with tempfile.TemporaryDirectory(prefix="csat-tf-") as folder:
        socket = f"{folder}/socket"
        server.add_insecure_port(f"unix://{socket}")
        server.start()
        # "Test": Terraform leaves the process of this id alone when it has done.
        plugin = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True}
        plugin |= {"Addr": {"Network": "unix", "String": socket}}
        yield {
            "TF_REATTACH_PROVIDERS": json.dumps({ADDRESS: plugin}),
            "TF_CLI_CONFIG_FILE": "/dev/null",
            "TF_DATA_DIR": f"{folder}/data",  # not the real providers and state that may lie in the module
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "GOGC": "400",  # a quarter of a test's time would go into collecting garbage
        }
        server.stop(grace=0.2).wait()


def run(arguments: Sequence[str]) -> int:
    """Run `terraform <arguments>` and return its exit code."""
    if not shutil.which("terraform"):
        sys.exit(MISSING)
    with served(SCHEMA_FILE) as variables:
        return subprocess.run(["terraform", *arguments], env=environment(**variables), check=False).returncode


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
