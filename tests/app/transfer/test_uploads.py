"""Files that staff upload: looked through, imported, stopped; by whichever worker comes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.clock import FixedClock
from app.errors import Conflict, Invalid, NotFound
from app.members.models import Member
from app.transfer import uploads
from app.transfer.models import Upload, UploadState

FILE = (
    "number,name,email,points,note\n"
    "1,Anna Ozola,anna@example.com,120,x\n"
    "2,Jānis Bērziņš,no address,5,\n"
    "3,=cmd|x,carol@example.com,7,\n"
).encode()


@pytest.fixture
def add(shop: Any) -> Callable[..., str]:
    def one(data: bytes = FILE, **more: str) -> str:
        options = {"file_name": "old shop.csv", "name": "", "dates": "", "language": "lv"} | more
        with shop.context.database.write(shop.programme_id) as session:
            return uploads.add(
                session,
                shop.context.keys,
                data=data,
                by_id=shop.staff["Marta"],
                now=shop.context.clock(),
                **options,
            ).id

    return one


@pytest.fixture
def found(shop: Any) -> Callable[[str], Upload]:
    def one(upload_id: str) -> Upload:
        with shop.context.database.read(shop.programme_id) as session:
            return uploads.upload_by_id(session, upload_id)

    return one


def step(shop: Any) -> int:
    return uploads.step(shop.context, now=shop.context.clock())


def approve(shop: Any, upload_id: str, *, skip_wrong: bool = True) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        upload = uploads.upload_by_id(session, upload_id, locked=True)
        uploads.approve(session, upload, skip_wrong=skip_wrong, now=shop.context.clock())


def members(shop: Any) -> int:
    with shop.context.database.read(shop.programme_id) as session:
        return session.scalar(select(func.count(Member.id))) or 0


def test_a_file_is_looked_through_first_and_imported_when_somebody_says_so(
    shop: Any, add: Callable[..., str], found: Callable[[str], Upload]
) -> None:
    upload_id = add()
    kept = found(upload_id).file
    assert kept is not None and b"Anna" not in kept
    assert (step(shop), step(shop)) == (1, 0)
    upload = found(upload_id)
    assert (upload.state, upload.name, upload.leased_until) == ("looked", "old shop.csv", None)
    assert {name: upload.summary[name] for name in ("customers", "points", "wrong", "unused")} == {
        "customers": 2, "points": 127, "wrong": 1, "unused": 1,
    }  # fmt: skip
    [problem] = [
        each for each in uploads.problems_of(shop.context.keys, upload) if not each["is_warning"]
    ]
    assert (problem["line"], problem["column"]) == (3, "email")
    assert upload.problems is not None and b"email" not in upload.problems
    assert members(shop) == 0
    with pytest.raises(Conflict):
        approve(shop, upload_id, skip_wrong=False)
    approve(shop, upload_id)
    assert step(shop) == 1
    upload = found(upload_id)
    assert (upload.state, upload.summary["customers"], upload.file) == ("done", 2, None)
    assert members(shop) == 2
    with pytest.raises(Conflict):
        approve(shop, upload_id)
    again = add(name="old shop.csv")
    step(shop)
    assert found(again).summary["there_before"] == 2


def test_a_worker_that_died_over_a_file_is_followed_by_another(
    shop: Any, add: Callable[..., str], found: Callable[[str], Upload], clock: FixedClock
) -> None:
    upload_id = add()
    with shop.context.database.write(shop.programme_id) as session:
        session.execute(update(Upload).values(leased_until=clock() + uploads.LEASE))
    assert step(shop) == 0
    clock.advance(uploads.LEASE + timedelta(seconds=1))
    assert step(shop) == 1
    assert found(upload_id).state == UploadState.LOOKED


def test_a_file_is_stopped_at_any_moment_and_is_gone_then(
    shop: Any, add: Callable[..., str], found: Callable[[str], Upload]
) -> None:
    upload_id = add()
    with pytest.raises(Conflict):
        add()
    with shop.context.database.write(shop.programme_id) as session:
        upload = uploads.upload_by_id(session, upload_id, locked=True)
        uploads.stop(session, upload, now=shop.context.clock())
    assert (found(upload_id).file, step(shop), members(shop)) == (None, 0, 0)
    add()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_no_list_of_customers_is_said_to_be_none(
    shop: Any, add: Callable[..., str], found: Callable[[str], Upload]
) -> None:
    for data in (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, b"a\n", b'"' * 5000, b"\xff\xfe"):
        upload_id = add(data)
        step(shop)
        upload = found(upload_id)
        assert upload.state == UploadState.FAILED, data[:10]
        assert upload.failure and "counterfoil-import" not in upload.failure
        assert upload.file is None
    for wrong in (
        {"data": b""},
        {"data": b"x" * (uploads.LARGEST_BYTES + 1)},
        {"dates": "ymd"},
        {"language": "xx"},
        {"name": "x" * 81},
        {"name": "a\x07b"},
    ):
        with pytest.raises(Invalid):
            add(**wrong)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_file_that_nobody_imports_is_gone_after_a_day_and_its_record_after_ninety(
    shop: Any, add: Callable[..., str], found: Callable[[str], Upload], clock: FixedClock
) -> None:
    upload_id = add()
    step(shop)
    clock.advance(timedelta(days=1, seconds=1))
    step(shop)
    upload = found(upload_id)
    assert (upload.file, upload.problems, upload.state) == (None, None, "stopped")
    clock.advance(timedelta(days=90))
    step(shop)
    with pytest.raises(NotFound):
        found(upload_id)


def test_a_file_of_another_programme_is_none_here(
    shop: Any, open_shop: Callable[[], Any], add: Callable[..., str]
) -> None:
    upload_id = add()
    other = open_shop()
    with other.context.database.read(other.programme_id) as session, pytest.raises(NotFound):
        uploads.upload_by_id(session, upload_id)
