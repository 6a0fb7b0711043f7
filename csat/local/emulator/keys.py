"""A service account's key file for the emulator: programs that log in to Google with one can log in here.

dbt and Google's own tools read no token from a file, but they read such a key: they sign with it, and exchange the
signature for the token at the address in the file. Each start of the emulator creates a new key. Used by
csat.local.emulator.serve, in the emulator's own environment.
"""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from csat.local.emulator.access import Refusal
from csat.local.secret_files import write_private

PATH = "/token"
_BITS = 2048
_SECONDS = 3600


def offer_key(path: Path, address: str, project: str, token: str) -> Callable[[bytes], dict[str, Any]]:
    """Write a new key file, and return the handler of `PATH` at `address`: it exchanges a signature for the token."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    document = {
        "type": "service_account",
        "project_id": project,
        "private_key_id": "csat",
        "private_key": private.decode(),
        "client_email": f"csat@{project}.iam.gserviceaccount.com",
        "client_id": "csat",
        "token_uri": f"{address}{PATH}",
    }
    write_private(path, json.dumps(document))
    public = key.public_key()

    def respond(body: bytes) -> dict[str, Any]:
        assertion = parse_qs(body.decode("latin-1")).get("assertion", [""])[0]
        if not is_signed(assertion, public, time.time()):
            raise Refusal(
                400, f"invalid_grant: no valid signature of the key in {path.name}, which each start replaces"
            )
        return {"access_token": token, "token_type": "Bearer", "expires_in": _SECONDS}

    return respond


def is_signed(assertion: str, key: rsa.RSAPublicKey, now: float) -> bool:
    """Whether a JSON web token is signed with the key (RS256) and has not expired at `now`, seconds since 1970."""
    try:
        signed, _, signature = assertion.rpartition(".")
        key.verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return float(json.loads(_decoded(signed.partition(".")[2]))["exp"]) > now
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return False


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
