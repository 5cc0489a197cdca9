"""The OpenAPI document: complete, with examples that hold, and true to every answer."""

import uuid
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from apiflask import APIFlask
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api.pos import door
from app.pos.rate import Rate
from tests.app.api.pos.shop_system import ShopSystem

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
EXAMPLES = 12


@pytest.fixture
def document(system: ShopSystem) -> dict[str, Any]:
    answer = system.shop.client.get("/api/pos/v1/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json)


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, each in document["paths"].items()
        for method, operation in each.items()
        if isinstance(operation, dict) and "responses" in operation
    ]


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "components": document["components"]}


def test_every_route_is_described_with_its_scope_and_nothing_else_is(
    document: dict[str, Any],
) -> None:
    found = operations(document)
    assert len(found) == len(door.SCOPES)
    assert {operation["x-scope"] for _, _, operation in found} >= {
        str(scope) for scope in door.SCOPES.values()
    }
    assert all(operation["security"] for _, _, operation in found)
    assert all(path.startswith("/api/pos/v1/") for _, path, _ in found)


def test_every_example_is_as_its_schema_says(document: dict[str, Any]) -> None:
    checked = 0
    for method, path, operation in operations(document):
        contents = [
            each["content"]["application/json"]
            for code, each in operation["responses"].items()
            if code.startswith("2") and "content" in each
        ]
        if "requestBody" in operation:
            contents.append(operation["requestBody"]["content"]["application/json"])
        for content in contents:
            assert "example" in content, (method, path)
            jsonschema_rs.validate(resolved(document, content["schema"]), content["example"])
            checked += 1
    assert checked >= len(door.SCOPES)


def test_every_answer_is_as_described(
    app: APIFlask, shop: Any, system: ShopSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "_rate", Rate(burst=1_000_000))
    card = shop.issue()
    assert system.accrue(card, 50000, receipt="R-1").status_code == 201
    schema = schemathesis.openapi.from_wsgi("/api/pos/v1/openapi.json", app)
    tried = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        tried[operation.label] = ask_about(operation, system, card)
    assert len(tried) == len(door.SCOPES)
    # The generated ones reach the work itself, not only what is refused before it.
    assert sum(bool(seen & {200, 201}) for seen in tried.values()) >= 5, tried


def ask_about(operation: Any, system: ShopSystem, card: Any) -> set[int]:
    """Ask what the document allows, and what it does not; the statuses that were seen."""
    seen: set[int] = set()
    own = {"card_id": card.id, "account_id": card.account_id}

    @seed(2026)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        headers = {"Authorization": f"Bearer {system.key}"}
        if "Idempotency-Key" in (case.headers or {}):
            headers["Idempotency-Key"] = str(uuid.uuid4())
        # Else nothing would ever be found.
        for name in own.keys() & (case.path_parameters or {}).keys():
            case.path_parameters[name] = own[name]
        if isinstance(case.body, dict) and "card" in case.body:
            case.body["card"] = card.code
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS)
        seen.add(answer.status_code)

    ask()
    return seen
