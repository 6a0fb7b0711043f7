"""Reading the analyser's trees: Google's protobuf messages, wrapped in Any…Proto where the kind may vary."""

from collections.abc import Iterator
from typing import Any

from tools.sqlcheck.wasm import SqlError

Node = Any


def concrete(node: Node) -> Node:
    """The node inside its Any…Proto wrappers."""
    while kind(node).startswith("Any"):
        inner = node.WhichOneof("node")
        if inner is None:
            raise SqlError("the analyser returned an empty node")
        node = getattr(node, inner)
    return node


def kind(node: Node) -> str:
    """The node's class, such as ResolvedJoinScanProto."""
    return type(node).__name__


def has(node: Node, field: str) -> bool:
    """Whether the field is set; for a list, whether it has items."""
    try:
        return bool(node.HasField(field))
    except ValueError:
        return bool(getattr(node, field))


def attribute(node: Node, field: str) -> Any:
    """The field of the node or of one that it inherits from; an empty list where none has it."""
    while field not in node.DESCRIPTOR.fields_by_name:
        if "parent" not in node.DESCRIPTOR.fields_by_name:
            return []
        node = node.parent
    return getattr(node, field)


def location(node: Node) -> Any:
    """The position of the node in the SQL, in bytes: start and end."""
    while kind(node) != "ASTNodeProto":
        node = node.parent
    return node.parse_location_range


def children(node: Node) -> Iterator[Node]:
    """The messages in the node's fields."""
    for field, value in node.ListFields():
        if field.message_type is not None:
            yield from value if not hasattr(value, "ListFields") else [value]


def descendants(node: Node) -> Iterator[Node]:
    """The node and every message under it."""
    yield node
    for child in children(node):
        yield from descendants(child)
