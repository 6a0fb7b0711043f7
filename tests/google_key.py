"""A service account's key of nobody's, as Google hands one out."""

import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

EMAIL = "csat@shop-1.iam.gserviceaccount.com"


def write_key(file: Path) -> Path:
    """The file, with a key that google.auth takes and that no server knows."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "shop-1",
        "private_key_id": "k1",
        "private_key": text.decode(),
        "client_email": EMAIL,
        "client_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(account))
    return file
