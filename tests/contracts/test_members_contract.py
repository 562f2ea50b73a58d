"""Members: identity, phones, consent, preferences, imports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta

import pytest

from backend.decision.facts import QuietHours
from backend.service.errors import NotFound
from backend.service.loyalty_model import Profile
from backend.service.model import Consent, Device, Member, Preferences, Registration
from backend.service.own_word import IMPORTED
from backend.service.ports import Ports
from tests.contracts.examples import BY, CONSENT, NOW, PHONE, at_once, give, minutes, open_shop


def test_the_first_sign_in_makes_a_member_without_any_consent(ports: Ports) -> None:
    made = ports.members.sign_in("firebase-1", NOW)
    assert (made.uid, made.tier, made.consents, made.device) == ("firebase-1", "green", frozenset(), None)
    assert ports.members.get(made.id) == made


def test_who_signs_in_again_is_the_same_member(ports: Ports) -> None:
    first = ports.members.sign_in("firebase-1", NOW)
    assert ports.members.sign_in("firebase-1", NOW + timedelta(days=1)).id == first.id
    assert ports.members.sign_in("firebase-2", NOW).id != first.id


def test_many_first_sign_ins_at_once_make_one_member(ports: Ports) -> None:
    made = at_once(8, lambda _: ports.members.sign_in("firebase-1", NOW).id)
    assert len(set(made)) == 1


def test_signing_out_begins_another_generation_of_sessions_that_an_import_keeps(ports: Ports) -> None:
    made = ports.members.sign_in("firebase-1", NOW)
    assert made.sessions == 0
    ports.members.end_sessions(made.id)
    ports.members.end_sessions(made.id)
    ports.members.add([(replace(made, tier="gold"), ())], BY)
    assert ports.members.sign_in("firebase-1", NOW).sessions == 2
    with pytest.raises(NotFound):
        ports.members.end_sessions("nobody")


def test_nobody_is_nobody(ports: Ports) -> None:
    assert ports.members.get("nobody") is None
    assert ports.members.consents("nobody") == ()


def test_a_phone_is_kept(ports: Ports) -> None:
    aino = ports.members.sign_in("aino", NOW)
    ports.members.set_device(aino.id, PHONE)
    known = ports.members.get(aino.id)
    assert known is not None
    assert known.device == PHONE


def test_a_new_phone_takes_the_place_of_the_old(ports: Ports) -> None:
    aino = ports.members.sign_in("aino", NOW)
    other = Device(Registration("token", "phone-2"), "ios", "en", "Europe/Berlin")
    ports.members.set_device(aino.id, PHONE)
    ports.members.set_device(aino.id, other)
    ports.members.drop_device("phone-1")
    known = ports.members.get(aino.id)
    assert known is not None
    assert known.device == other


def test_a_registration_belongs_to_who_claimed_it_last(ports: Ports) -> None:
    aino, eero = (ports.members.sign_in(uid, NOW) for uid in ("aino", "eero"))
    ports.members.set_device(aino.id, PHONE)
    ports.members.set_device(eero.id, PHONE)
    known = [ports.members.get(member.id) for member in (aino, eero)]
    assert [member.device if member else None for member in known] == [None, PHONE]


def test_a_dropped_registration_is_forgotten(ports: Ports) -> None:
    aino = ports.members.sign_in("aino", NOW)
    ports.members.set_device(aino.id, PHONE)
    ports.members.drop_device("phone-1")
    ports.members.drop_device("phone-1")
    known = ports.members.get(aino.id)
    assert known is not None
    assert known.device is None


def test_the_newest_entry_of_a_purpose_holds(ports: Ports) -> None:
    aino = ports.members.sign_in("aino", NOW)
    entries = [
        Consent("location_offers", True, "2026-01", "app", NOW),
        Consent("measurement", True, "2026-01", "app", NOW + timedelta(minutes=1)),
        Consent("location_offers", False, "2026-02", "app", NOW + timedelta(minutes=2)),
    ]
    for entry in entries:
        ports.members.record_consent(aino.id, entry)
    known = ports.members.get(aino.id)
    assert known is not None
    assert known.consents == {"measurement"}
    assert ports.members.consents(aino.id) == tuple(entries)


def test_preferences_are_replaced(ports: Ports) -> None:
    aino = ports.members.sign_in("aino", NOW)
    for wish in (Preferences(QuietHours(time(21, 30), time(6)), 1, ("tea", "bun")), Preferences(None, 5, ())):
        assert ports.members.change_preferences(aino.id, lambda _, wish=wish: wish) == wish  # type: ignore[misc]
        known = ports.members.get(aino.id)
        assert known is not None
        assert known.preferences == wish


def test_tastes_are_set_for_members_who_agreed(ports: Ports) -> None:
    aino, eero = ports.members.sign_in("aino", NOW), ports.members.sign_in("eero", NOW)
    ports.members.record_consent(aino.id, replace(CONSENT, purpose="personalisation"))
    wanted = {who: {"tea": 0.25, "bun": 0.75} for who in (aino.id, eero.id, "nobody")}
    assert ports.members.set_tastes(wanted, BY) == 1
    known = [ports.members.get(who) for who in (aino.id, eero.id)]
    assert [who.tastes for who in known if who] == [{"tea": 0.25, "bun": 0.75}, {}]
    assert ports.members.get("nobody") is None


def test_who_withdraws_from_personalisation_has_no_tastes_left(ports: Ports) -> None:
    aino = ports.members.sign_in("aino", NOW)
    ports.members.record_consent(aino.id, replace(CONSENT, purpose="personalisation"))
    ports.members.set_tastes({aino.id: {"tea": 1.0}}, BY)
    ports.members.record_consent(aino.id, replace(CONSENT, purpose="personalisation", granted=False, at=NOW))
    known = ports.members.get(aino.id)
    assert known is not None
    assert known.tastes == {}


AINO = Member("aino", "uid-aino", "green", time_zone="Europe/Helsinki", locale="fi", tastes={"tea": 1.0})


def test_an_import_adds_members_with_their_consents(ports: Ports) -> None:
    assert ports.members.add([(AINO, (CONSENT,)), (replace(AINO, id="eero", uid="uid-eero"), ())], BY) == 2
    assert ports.members.get("aino") == replace(AINO, consents=frozenset({"location_offers"}))
    assert ports.members.sign_in("uid-eero", NOW).id == "eero"


def test_the_same_import_again_changes_nothing(ports: Ports) -> None:
    ports.members.add([(AINO, (CONSENT,))], BY)
    before = ports.members.get("aino")
    ports.members.add([(AINO, (CONSENT,))], BY)
    assert ports.members.get("aino") == before
    assert ports.members.consents("aino") == (CONSENT,)


def test_an_import_replaces_but_for_newer_consents(ports: Ports) -> None:
    ports.members.add([(AINO, (CONSENT,))], BY)
    refusal = Consent("location_offers", False, "2026-01", "app", NOW)
    ports.members.record_consent("aino", refusal)
    ports.members.add([(replace(AINO, locale="sv"), (CONSENT,))], BY)
    known = ports.members.get("aino")
    assert known is not None
    assert (known.locale, known.consents) == ("sv", frozenset())


def test_the_same_file_every_night_takes_back_nothing_that_a_member_set(ports: Ports) -> None:
    file = replace(AINO, preferences=Preferences(weekly_maximum=7), profile=Profile(name="Aino"))
    tonight = replace(CONSENT, source=IMPORTED)
    ports.members.add([(file, (tonight,))], BY)
    ports.members.record_consent("aino", replace(CONSENT, granted=False, at=CONSENT.at + minutes(1)))
    ports.members.change_preferences("aino", lambda old: replace(old, weekly_maximum=1, own=True))
    ports.members.change_profile("aino", lambda old: replace(old, name=None, own=True))
    before = ports.members.get("aino")
    assert ports.members.add([(file, (replace(tonight, at=CONSENT.at + minutes(9)),))], BY) == 0
    assert ports.members.get("aino") == before


def test_of_several_words_an_import_tells_the_last_holds(ports: Ports) -> None:
    """Whoever refused after having agreed has refused, in a first import and in a later one."""
    log = (CONSENT, Consent("location_offers", False, "2026-02", "shop", NOW))
    ports.members.add([(AINO, log), (replace(AINO, id="eero", uid="uid-eero"), ())], BY)
    ports.members.add([(replace(AINO, id="eero", uid="uid-eero"), log)], BY)
    known = [ports.members.get(name) for name in ("aino", "eero")]
    assert [member.consents if member else None for member in known] == [frozenset(), frozenset()]


def test_an_import_forgets_neither_the_phone_nor_the_last_coupon(ports: Ports) -> None:
    open_shop(ports)
    ports.members.set_device("aino", PHONE)
    given = give(ports)
    ports.members.add([(replace(AINO, locale="sv"), (CONSENT,))], BY)
    known = ports.members.get("aino")
    assert known is not None
    assert (known.device, known.last_given_at) == (PHONE, given.issued_at)


def test_an_import_that_breaks_off_leaves_nothing_behind(ports: Ports) -> None:
    def broken() -> Iterator[tuple[Member, tuple[Consent, ...]]]:
        yield AINO, (CONSENT,)
        raise RuntimeError("line 2 cannot be read")

    with pytest.raises(RuntimeError):
        ports.members.add(broken(), BY)
    assert ports.members.get("aino") is None
