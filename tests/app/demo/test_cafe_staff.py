"""What `serve --demo-data` prints for the owner."""

import re
from typing import Any

import pytest

from app.demo.cafe import open_cafe
from app.staff import links, signing_in


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_owner_comes_in_by_the_link_that_is_printed_each_time(context: Any, app: Any) -> None:
    client = app.test_client()
    lines = "\n".join(open_cafe(context))
    found = re.search(rf"{context.config.url}(/staff/kaffa/link/([0-9a-f]{{64}}))\n", lines)
    assert found is not None, lines
    page = client.get(found[1])
    assert page.status_code == 200 and "You are Olga of Kaffa Roasters" in page.text
    again = "\n".join(open_cafe(context))
    assert client.get(found[1]).status_code == 404
    token = re.search(r"/link/([0-9a-f]{64})", again)
    assert token is not None
    with context.database.write_all() as session:
        link, person = links.person_of_link(session, token[1], now=context.clock())
        assert link.forgets_second_factor
        half = signing_in.begin(session, person, now=context.clock())
    assert half.owed == signing_in.Owed.SET_UP
