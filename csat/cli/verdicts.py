"""The last line of a check: its result in words. Each takes the document that --json prints."""

from collections import Counter
from collections.abc import Mapping
from typing import Any


def status_verdict(document: Mapping[str, Any], is_healthy: bool) -> str:
    """Whether everything runs, or what does not."""
    states = {name: component["state"] for name, component in document["components"].items()}
    if is_healthy:
        return f"healthy: all of {len(states)} components"
    return f"not healthy: {', '.join(f'{name} is {state}' for name, state in states.items() if state != 'healthy')}"


def doctor_verdict(document: Mapping[str, Any]) -> str:
    """Whether the stack can start."""
    checks = document["checks"]
    failed = [check["name"] for check in checks if not check["ok"]]
    if not failed:
        return f"ready: {len(checks)} checks passed"
    return f"not ready: {len(failed)} of {len(checks)} checks failed: {', '.join(failed)}"


def completeness_verdict(document: Mapping[str, Any]) -> str:
    """Whether each message is one row."""
    if not document["partitions"]:
        return "nothing to compare: Kafka has no such topic, and nothing has landed"
    word = "not complete" if any(document[name] for name in ("lost", "duplicated", "replaced")) else "complete"
    counts = [f"{document[name]:,} {name}" for name in ("lost", "duplicated")] + [f"{document['pending']:,} in flight"]
    counts += [f"{document['unverifiable']:,} unverifiable"] if document["unverifiable"] else []
    counts += [f"another log in {document['replaced']:,} partitions"] if document["replaced"] else []
    return f"{word}: {', '.join(counts)}"


def health_verdict(document: Mapping[str, Any]) -> str:
    """Whether every check passed."""
    grades = Counter(check["grade"] for check in document["checks"])
    counts = [f"{grades[grade]} {grade}" for grade in ("critical", "warning", "ok", "skipped") if grades[grade]]
    return f"{'healthy' if document['is_healthy'] else 'not healthy'}: {', '.join(counts)}"


def reconcile_verdict(document: Mapping[str, Any]) -> str:
    """Whether the marts agreed with the landing table."""
    if not document["tests"]:
        return f"{document['status']}: there is nothing to compare"
    return f"{document['status']}: {len(document['differences']):,} differences, {document['tests']:,} tests passed"
