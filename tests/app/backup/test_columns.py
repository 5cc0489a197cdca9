"""A value of any kind comes back the same."""

import json
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.backup.columns import Kind, decode, encode

VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Kind.BOOLEAN: st.booleans(),
    Kind.TEXT: st.text(),
    Kind.BYTES: st.binary(),
    Kind.UUID: st.uuids().map(str),
    Kind.MOMENT: st.datetimes(timezones=st.just(UTC)),
    Kind.DATE: st.dates(),
    Kind.JSON: st.text().map(json.dumps),
    Kind.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False).map(str),
}


@pytest.mark.parametrize("kind", list(Kind))
def test_a_value_of_any_kind_comes_back_the_same(kind: Kind) -> None:
    @given(VALUES[kind] | st.none())
    def holds(value: Any) -> None:
        line = json.dumps(encode(kind, value), ensure_ascii=False)
        assert decode(kind, json.loads(line)) == value

    holds()


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("value", [[], {}, 1.5, float("nan"), 2**63, "\u0000\u0001", "NaN"])
def test_a_value_of_another_kind_is_refused(kind: Kind, value: object) -> None:
    if kind in {Kind.TEXT, Kind.JSON} and isinstance(value, str):
        return
    with pytest.raises(ValueError):
        decode(kind, value)
