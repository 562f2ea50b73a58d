"""The emulator's keys: one for the service account, one that signs ID tokens, with its certificate."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

DEFAULT_PROJECT = "lull-demo"


@dataclass(frozen=True, slots=True)
class Keys:
    """Private keys as PEM text, and the certificate of the ID-token key. A plain value: it may cross processes."""

    service_account_pem: str
    id_token_pem: str
    id_token_certificate: str

    @property
    def key_id(self) -> str:
        """The `kid` of the ID-token key."""
        return sha256(self.id_token_certificate.encode()).hexdigest()[:40]

    @property
    def service_account_key_id(self) -> str:
        """The `private_key_id` of the service account."""
        return sha256(self.service_account_pem.encode()).hexdigest()[:40]


def generate_keys(now: datetime) -> Keys:
    """Two fresh RSA keys of 2048 bits; the certificate is valid from a day before `now` for a year."""
    service_account, id_token = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    return Keys(_pem(service_account), _pem(id_token), _certificate(id_token, now))


def service_account(keys: Keys, project_id: str, address: str) -> dict[str, str]:
    """The service-account document for an emulator at `address` (`http://127.0.0.1:9099`)."""
    email = service_account_email(project_id)
    return {
        "type": "service_account",
        "project_id": project_id,
        "private_key_id": keys.service_account_key_id,
        "private_key": keys.service_account_pem,
        "client_email": email,
        "client_id": "0",
        "auth_uri": f"{address}/auth",
        "token_uri": f"{address}/token",
        "auth_provider_x509_cert_url": f"{address}/certs",
        "client_x509_cert_url": f"{address}/certs",
        "universe_domain": "googleapis.com",
    }


def service_account_email(project_id: str) -> str:
    """Who the service account is."""
    return f"lull@{project_id}.iam.gserviceaccount.com"


def write_credentials(path: Path, document: dict[str, str]) -> None:
    """Writes the document readable by its owner alone, at once or not at all.

    Raises OSError, also when the path is a folder or a device.
    """
    if path.exists() and not path.is_file():
        # Renaming over it would put a file in the place of a device, such as /dev/null, for everyone on the machine.
        raise OSError(errno.EINVAL, "it is no ordinary file, give the name of one", str(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _certificate(key: rsa.RSAPrivateKey, now: datetime) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "securetoken.lull.invalid")])
    start = now.astimezone(UTC) - timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=366))
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
