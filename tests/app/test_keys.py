"""The key directory: private, wrapped, versioned, shared between processes."""

import base64
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from app.clock import FixedClock
from app.config import Config
from app.errors import Conflict, Invalid, Misconfigured
from app.keys import KeyExists, KeyMissing, KeyRing, Purpose, WrongMasterKey

PROGRAMME = "6f9619ff-8b86-4011-b42d-00c04fc964ff"
OTHER = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    data = tmp_path / "data"
    return Config(data=data, database_url="sqlite:///:memory:", url="http://127.0.0.1:8000")


@pytest.fixture
def ring(config: Config, clock: FixedClock) -> KeyRing:
    return KeyRing.open(config, now=clock)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_folder_and_files_belong_to_this_account_alone(config: Config, ring: KeyRing) -> None:
    ring.current(Purpose.FIELD)
    before = os.umask(0)
    try:
        ring.rotate(Purpose.FIELD)
    finally:
        os.umask(before)
    assert mode(config.keys_dir) == 0o700
    assert mode(config.data / "master.key") == 0o600
    assert {mode(path) for path in config.keys_dir.iterdir()} == {0o600}


def test_a_key_file_holds_no_secret_in_the_clear(config: Config, ring: KeyRing) -> None:
    material = ring.current(Purpose.FIELD).material
    [path] = config.keys_dir.glob("*.json")
    text = path.read_bytes()
    assert material not in text
    assert base64.b64encode(material) not in text
    content = json.loads(text)
    assert (content["purpose"], content["version"], content["retired_at"]) == ("field", 1, None)
    assert repr(material) not in repr(ring.current(Purpose.FIELD))


def test_keys_are_the_same_after_a_restart(config: Config, ring: KeyRing) -> None:
    material = ring.current(Purpose.TOTP_MASTER).material
    assert KeyRing.open(config).current(Purpose.TOTP_MASTER).material == material


@pytest.mark.parametrize("open_to", [0o640, 0o604, 0o666])
def test_a_file_open_to_others_is_refused_with_the_cure(
    config: Config, ring: KeyRing, open_to: int
) -> None:
    ring.current(Purpose.FIELD)
    for path in (next(config.keys_dir.glob("*.json")), config.data / "master.key"):
        path.chmod(open_to)
        with pytest.raises(Misconfigured, match=f"chmod 600 {path}"):
            KeyRing.open(config).check()
        path.chmod(0o600)


def test_a_folder_open_to_others_is_refused_with_the_cure(config: Config, ring: KeyRing) -> None:
    config.keys_dir.chmod(0o750)
    with pytest.raises(Misconfigured, match=f"chmod 700 {config.keys_dir}"):
        KeyRing.open(config)


def test_a_wrong_master_key_is_named(config: Config, ring: KeyRing) -> None:
    ring.current(Purpose.FIELD)
    wrong = KeyRing.open(replace(config, master_key=bytes(32)))
    with pytest.raises(WrongMasterKey, match=r"field\.all\.00001\.json.*COUNTERFOIL_MASTER_KEY"):
        wrong.current(Purpose.FIELD)


def test_a_lost_master_key_is_not_replaced_by_a_new_one(config: Config, ring: KeyRing) -> None:
    ring.current(Purpose.FIELD)
    (config.data / "master.key").unlink()
    with pytest.raises(Misconfigured, match=r"master\.key is not there"):
        KeyRing.open(config).current(Purpose.FIELD)
    with pytest.raises(Misconfigured, match=r"master\.key is not there"):
        KeyRing.open(config).current(Purpose.TOTP_MASTER)
    assert not (config.data / "master.key").exists()


def test_a_master_key_file_named_by_the_owner_must_be_there(config: Config, tmp_path: Path) -> None:
    named = tmp_path / "mounted" / "key"
    ring = KeyRing.open(replace(config, master_key_file=named))
    with pytest.raises(Misconfigured, match="openssl rand"):
        ring.current(Purpose.FIELD)
    named.parent.mkdir()
    named.write_text(base64.b64encode(b"k" * 32).decode() + "\n")
    named.chmod(0o600)
    assert ring.current(Purpose.FIELD).version == 1
    named.write_text("no key")
    with pytest.raises(Misconfigured, match="32 bytes in base64"):
        KeyRing.open(replace(config, master_key_file=named)).current(Purpose.FIELD)


@pytest.mark.parametrize(
    ("field", "value"),
    [("retired_at", "2026-06-02T00:00:00+00:00"), ("name", "x"), ("wrapped", "AAAA")],
)
def test_an_edited_key_file_does_not_open(
    config: Config, ring: KeyRing, field: str, value: str
) -> None:
    ring.current(Purpose.FIELD)
    [path] = config.keys_dir.glob("*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(Misconfigured, match="was changed since it was written"):
        KeyRing.open(config).check()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"[" * 60_000, b"x" * 70_000, b'{"format": 2}', b'{"format": 1}', b"\xff"],
)
def test_a_broken_key_file_is_named(config: Config, ring: KeyRing, content: bytes) -> None:
    path = config.keys_dir / "field.all.00001.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(Misconfigured, match=r"field\.all\.00001\.json"):
        KeyRing.open(config)


def test_a_renamed_key_file_is_refused(config: Config, ring: KeyRing) -> None:
    ring.current(Purpose.FIELD)
    (config.keys_dir / "field.all.00001.json").rename(config.keys_dir / "field.all.00009.json")
    with pytest.raises(Misconfigured, match=r"must be named field\.all\.00001\.json"):
        KeyRing.open(config)


def test_a_programme_id_that_is_a_path_is_refused(ring: KeyRing) -> None:
    with pytest.raises(Invalid):
        ring.create(Purpose.CARD_SIGNING, programme_id="../../etc", version=1, material=b"x")


def test_signing_keys_belong_to_a_programme_and_carry_the_given_id(ring: KeyRing) -> None:
    ring.create(Purpose.CARD_SIGNING, programme_id=PROGRAMME, version=7, material=b"s" * 32)
    assert ring.current(Purpose.CARD_SIGNING, PROGRAMME).version == 7
    assert ring.get(Purpose.CARD_SIGNING, 7, programme_id=PROGRAMME).material == b"s" * 32
    for programme in (OTHER, None):
        with pytest.raises(KeyMissing):
            ring.get(Purpose.CARD_SIGNING, 7, programme_id=programme)
        with pytest.raises(KeyMissing):
            ring.current(Purpose.CARD_SIGNING, programme)


def test_a_version_is_never_used_again(ring: KeyRing) -> None:
    ring.create(Purpose.CARD_SIGNING, programme_id=PROGRAMME, version=7, material=b"s" * 32)
    ring.retire(Purpose.CARD_SIGNING, 7, programme_id=PROGRAMME)
    with pytest.raises(KeyExists):
        ring.create(Purpose.CARD_SIGNING, programme_id=PROGRAMME, version=7, material=b"t" * 32)


def test_only_keys_of_random_bytes_are_made_by_themselves(ring: KeyRing) -> None:
    for purpose in Purpose:
        if purpose.made_on_demand:
            assert len(ring.current(purpose).material) == 32
        else:
            with pytest.raises(KeyMissing):
                ring.current(purpose)
            with pytest.raises(Invalid):
                ring.rotate(purpose)


def test_what_was_sealed_before_a_rotation_opens_after_it(ring: KeyRing) -> None:
    sealed = ring.seal(b"Anna", context=b"members/1/name")
    ring.rotate(Purpose.FIELD)
    ring.retire(Purpose.FIELD, 1)
    assert ring.seal(b"", context=b"")[1:3] == b"\x00\x02"
    assert ring.open_sealed(sealed, context=b"members/1/name") == b"Anna"


@given(plaintext=st.binary(max_size=200), context=st.binary(max_size=40), data=st.data())
def test_a_sealed_field_opens_only_unchanged_and_in_its_place(
    plaintext: bytes, context: bytes, data: st.DataObject, shared_ring: KeyRing
) -> None:
    sealed = shared_ring.seal(plaintext, context=context)
    assert shared_ring.open_sealed(sealed, context=context) == plaintext
    with pytest.raises(Invalid):
        shared_ring.open_sealed(sealed, context=context + b"x")
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    flipped = bytearray(sealed)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises((Invalid, KeyMissing)):
        shared_ring.open_sealed(bytes(flipped), context=context)
    with pytest.raises(Invalid):
        shared_ring.open_sealed(sealed[: data.draw(st.integers(0, 14))], context=context)


@pytest.fixture(scope="module")
def shared_ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    data = tmp_path_factory.mktemp("ring")
    return KeyRing.open(Config(data=data, database_url="", url=""))


def test_the_key_in_use_is_not_retired(ring: KeyRing) -> None:
    ring.current(Purpose.FIELD)
    with pytest.raises(Conflict, match="rotate it first"):
        ring.retire(Purpose.FIELD, 1)


def test_retiring_is_dated_and_may_be_said_twice(ring: KeyRing, clock: FixedClock) -> None:
    ring.rotate(Purpose.FIELD)
    ring.rotate(Purpose.FIELD)
    first = ring.retire(Purpose.FIELD, 1)
    assert first.retired_at == clock.now
    clock.advance(timedelta(days=1))
    assert ring.retire(Purpose.FIELD, 1) == first
    assert [(info.version, info.retired_at) for info in ring.list()] == [
        (1, first.retired_at),
        (2, None),
    ]


def test_a_blind_index_is_found_under_every_key_in_use(ring: KeyRing) -> None:
    old = ring.blind_index("anna@example.com")
    assert len(old) == 32
    assert ring.blind_indexes("anna@example.com") == (old,)
    ring.rotate(Purpose.BLIND_INDEX)
    new = ring.blind_index("anna@example.com")
    assert ring.blind_indexes("anna@example.com") == (new, old)
    ring.retire(Purpose.BLIND_INDEX, 1)
    assert ring.blind_indexes("anna@example.com") == (new,)


def test_derived_keys_differ_by_purpose_version_and_info(ring: KeyRing) -> None:
    for purpose in (Purpose.TOTP_MASTER, Purpose.APPLE_TOKEN):
        ring.rotate(purpose)
        ring.rotate(purpose)
    derived = {
        ring.derive(purpose, version, info)
        for purpose in (Purpose.TOTP_MASTER, Purpose.APPLE_TOKEN)
        for version in (1, 2)
        for info in (b"a", b"b", b"")
    }
    assert len(derived) == 12
    assert ring.derive(Purpose.TOTP_MASTER, 1, b"a") == ring.derive(Purpose.TOTP_MASTER, 1, b"a")


def test_keys_are_derived_as_rfc_5869_says(ring: KeyRing) -> None:
    key = ring.rotate(Purpose.APPLE_TOKEN)
    for info in (b"", b"serial", bytes(range(256))):
        label = b"counterfoil apple_token\0" + info
        hkdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=label)
        opened = ring.get(Purpose.APPLE_TOKEN, key.version)
        assert ring.derive(Purpose.APPLE_TOKEN, key.version, info) == hkdf.derive(opened.material)


def test_another_process_s_new_key_is_noticed_at_once(config: Config, ring: KeyRing) -> None:
    ring.current(Purpose.FIELD)
    other = KeyRing.open(config)
    assert other.current(Purpose.FIELD).version == 1
    for version in range(2, 8):
        ring.rotate(Purpose.FIELD)
        assert other.current(Purpose.FIELD).version == version


def test_a_settled_folder_is_not_read_again_but_a_change_is_seen(
    config: Config, ring: KeyRing
) -> None:
    ring.current(Purpose.FIELD)
    other = KeyRing.open(config)
    os.utime(config.keys_dir, (1, 1))
    assert other.current(Purpose.FIELD).version == 1
    assert other._seen == 1_000_000_000
    ring.rotate(Purpose.FIELD)
    assert other.current(Purpose.FIELD).version == 2


def test_processes_that_need_a_first_key_at_once_make_one(config: Config) -> None:
    program = """
import sys
from pathlib import Path
from app.config import Config
from app.keys import KeyRing, Purpose
ring = KeyRing.open(Config(data=Path(sys.argv[1]), database_url="", url=""))
sys.stdin.read()
print(ring.current(Purpose.FIELD).material.hex())
"""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(config.data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    printed = {process.communicate(timeout=60)[0] for process in started}
    assert len(printed) == 1
    assert [info.version for info in KeyRing.open(config).list()] == [1]


def test_threads_that_rotate_at_once_make_a_version_each(config: Config) -> None:
    rings = [KeyRing.open(config) for _ in range(8)]
    threads = [threading.Thread(target=ring.rotate, args=(Purpose.FIELD,)) for ring in rings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [info.version for info in rings[0].list()] == list(range(1, 9))


def test_the_master_key_in_a_file_is_changed_under_a_running_service(
    config: Config, ring: KeyRing
) -> None:
    running = KeyRing.open(config)
    field = running.current(Purpose.FIELD).material
    totp = ring.current(Purpose.TOTP_MASTER).material
    before = (config.data / "master.key").read_bytes()
    assert ring.rewrap() == 2
    assert (config.data / "master.key").read_bytes() != before
    assert mode(config.data / "master.key") == 0o600
    assert not (config.data / "master.key.new").exists()
    # What it had opened and what it opens now for the first time.
    assert running.current(Purpose.FIELD).material == field
    assert running.current(Purpose.TOTP_MASTER).material == totp
    assert KeyRing.open(config).current(Purpose.FIELD).material == field
    old = KeyRing.open(replace(config, master_key=base64.b64decode(before)))
    with pytest.raises(WrongMasterKey):
        old.check()


def test_an_interrupted_change_of_the_master_key_loses_nothing(
    config: Config, ring: KeyRing
) -> None:
    purposes = [purpose for purpose in Purpose if purpose.made_on_demand]
    materials = {purpose: ring.current(purpose).material for purpose in purposes}
    paths = sorted(config.keys_dir.glob("*.json"))
    for path in paths:
        # Where the draft should be there is a folder: writing this key fails, half way through.
        obstacle = path.with_name(f".{path.name}.tmp")
        obstacle.mkdir()
        with pytest.raises(OSError):
            KeyRing.open(config).rewrap()
        with pytest.raises(Misconfigured, match="was interrupted"):
            KeyRing.open(config).rewrap(b"z" * 32)
        obstacle.rmdir()
        again = KeyRing.open(config)
        assert {purpose: again.current(purpose).material for purpose in purposes} == materials
    assert KeyRing.open(config).rewrap() == len(purposes)
    assert not (config.data / "master.key.new").exists()
    KeyRing.open(config).check()


def test_the_master_key_in_the_environment_is_changed_by_giving_the_new_one(
    config: Config,
) -> None:
    config = replace(config, master_key=b"1" * 32)
    ring = KeyRing.open(config)
    material = ring.current(Purpose.FIELD).material
    with pytest.raises(Misconfigured, match="give the new one"):
        ring.rewrap()
    with pytest.raises(Invalid):
        ring.rewrap(b"short")
    ring.rewrap(b"2" * 32)
    assert not (config.data / "master.key").exists()
    after = KeyRing.open(replace(config, master_key=b"2" * 32))
    assert after.current(Purpose.FIELD).material == material
    assert ring.rotate(Purpose.FIELD).version == 2
    KeyRing.open(replace(config, master_key=b"2" * 32)).check()


def test_a_draft_left_by_a_crash_is_in_nobody_s_way(config: Config, ring: KeyRing) -> None:
    draft = config.keys_dir / ".field.all.00001.json.tmp"
    draft.write_bytes(b"half a k")
    draft.chmod(0o644)
    ring.current(Purpose.FIELD)
    assert not draft.exists()
    KeyRing.open(config).check()
