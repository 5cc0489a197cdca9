"""Field types of our APIs: strict where marshmallow forgives."""

from collections.abc import Mapping
from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Integer, String
from apiflask.validators import Length, Range, Regexp

#: A UUID in its usual form; compared as text, so only one spelling is let in.
UUID = r"\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"


class Whole(Integer):
    """A whole number: neither 1.5 nor "1" nor true."""

    def __init__(self, lowest: int, highest: int, **options: Any) -> None:
        super().__init__(strict=True, validate=Range(lowest, highest), **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any
    ) -> int:
        if type(value) is not int:
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **options)


def text(longest: int, *, shortest: int = 1, **options: Any) -> String:
    """A text of bounded length that every database can keep: no zero byte, no half characters."""
    printable = Regexp(
        r"[^\x00\ud800-\udfff]*\Z", error="This text has characters that do not exist."
    )
    return String(validate=[Length(shortest, longest), printable], **options)


def uuid(**options: Any) -> String:
    """A UUID in small letters."""
    return String(
        validate=Regexp(UUID, error="Send a UUID in small letters."),
        metadata={"format": "uuid"},
        **options,
    )


def moment(**options: Any) -> AwareDateTime:
    """A moment with its zone, as in ISO 8601."""
    return AwareDateTime(format="iso", **options)


class Problem(Schema):
    """Problem details as in RFC 9457."""

    type = String()
    title = String()
    status = Integer()
    detail = String(metadata={"description": "What happened and what to do next."})
    code = String(metadata={"description": "For programs: a fixed word."})


class Flag(Boolean):
    """True or false: neither 1 nor "yes"."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any
    ) -> bool:
        if type(value) is not bool:
            raise self.make_error("invalid", input=value)
        return value
