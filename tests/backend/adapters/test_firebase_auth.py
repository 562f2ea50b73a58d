"""ID tokens verified by the real firebase-admin, with signatures, against the emulator's certificates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import firebase_admin
import pytest

from backend.adapters.firebase_auth import FirebaseVerifier, firebase_app
from backend.emulator.keys import Keys, generate_keys
from backend.emulator.running import RunningEmulator, running_emulator
from backend.emulator.tokens import IdTokenIssuer, TokenFault
from backend.service.errors import InvalidIdToken, Unavailable


@pytest.fixture(scope="module")
def keys() -> Keys:
    return generate_keys(datetime.now(UTC))


@pytest.fixture(scope="module")
def emulator(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    with running_emulator(tmp_path_factory.mktemp("auth") / "credentials.json", keys=keys) as running:
        yield running


@pytest.fixture
def app(emulator: RunningEmulator) -> Iterator[firebase_admin.App]:
    app = firebase_app(emulator.credentials, name="auth-test")
    yield app
    firebase_admin.delete_app(app)


@pytest.fixture
def issuer(emulator: RunningEmulator) -> IdTokenIssuer:
    return emulator.state.id_tokens


@pytest.fixture
def verifier(app: firebase_admin.App, emulator: RunningEmulator) -> FirebaseVerifier:
    return FirebaseVerifier(app, f"{emulator.address}/certs")


def test_a_genuine_token_gives_its_uid(verifier: FirebaseVerifier, issuer: IdTokenIssuer) -> None:
    assert verifier.verify(issuer.issue("member-1", {"tier": "gold"})) == "member-1"


def test_claims_cannot_replace_who_the_token_is_for(verifier: FirebaseVerifier, issuer: IdTokenIssuer) -> None:
    assert verifier.verify(issuer.issue("member-1", {"sub": "member-2", "uid": "member-2"})) == "member-1"


@pytest.mark.parametrize(
    "fault",
    [
        "wrong_aud",
        "wrong_iss",
        "expired",
        "future",
        "no_kid",
        "unknown_kid",
        "wrong_key",
        "alg_none",
        "alg_hs256",
        "no_sub",
        "empty_sub",
    ],
)
def test_a_forged_token_is_refused(verifier: FirebaseVerifier, issuer: IdTokenIssuer, fault: TokenFault) -> None:
    with pytest.raises(InvalidIdToken):
        verifier.verify(issuer.issue("member-1", fault=fault))


def test_a_token_whose_payload_was_swapped_is_refused(verifier: FirebaseVerifier, issuer: IdTokenIssuer) -> None:
    header, _, signature = issuer.issue("member-1").split(".")
    payload = issuer.issue("member-2").split(".")[1]
    with pytest.raises(InvalidIdToken):
        verifier.verify(f"{header}.{payload}.{signature}")


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "..", "W10.W10.W10", "e30.e30.e30", "é.é.é", "x" * 9000])
def test_what_is_no_token_is_refused_without_being_repeated(verifier: FirebaseVerifier, token: str) -> None:
    with pytest.raises(InvalidIdToken) as refused:
        verifier.verify(token)
    assert len(token) < 3 or token not in str(refused.value)


def test_certificates_are_fetched_once(app: firebase_admin.App, keys: Keys, tmp_path: Path) -> None:
    with running_emulator(tmp_path / "c.json", keys=keys) as running:
        verifier = FirebaseVerifier(app, f"{running.address}/certs")
        token = running.state.id_tokens.issue("member-1")
        verifier.verify(token)
    assert verifier.verify(token) == "member-1"


def test_without_certificates_nothing_is_said_about_the_token(
    app: firebase_admin.App, issuer: IdTokenIssuer, keys: Keys, tmp_path: Path
) -> None:
    with running_emulator(tmp_path / "c.json", keys=keys) as running:
        address = running.address
    with pytest.raises(Unavailable):
        FirebaseVerifier(app, f"{address}/certs").verify(issuer.issue("member-1"))


def test_an_address_without_certificates_is_unavailable_too(
    app: firebase_admin.App, emulator: RunningEmulator, issuer: IdTokenIssuer
) -> None:
    with pytest.raises(Unavailable):
        FirebaseVerifier(app, f"{emulator.address}/nothing").verify(issuer.issue("member-1"))


def test_the_variable_that_turns_signatures_off_is_refused(
    app: firebase_admin.App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9")
    with pytest.raises(ValueError, match="unsigned"):
        FirebaseVerifier(app)


def test_no_app_is_opened_while_signatures_are_turned_off(
    emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9")
    with pytest.raises(ValueError, match="unsigned"):
        firebase_app(emulator.credentials, name="unsigned")


def test_a_missing_service_account_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        firebase_app(tmp_path / "none.json", name="missing")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no secret", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "not a service account"),
        (b"{}", "not a service account"),
        (b'{"type": "service_account", "project_id": 7}', "has no project_id"),
        (
            (
                b'{"type": "service_account", "project_id": "a", "client_email": "b", "token_uri": "c", '
                b'"private_key": "d"}'
            ),
            "private_key in the service account",
        ),
    ],
)
def test_a_file_that_is_no_service_account_says_so(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "account.json"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=says) as refused:
        firebase_app(file, name="wrong")
    assert "secret" not in str(refused.value)
