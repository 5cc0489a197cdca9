"""A service that speaks the till API on loopback, strict to the letter.

The service here is the other end of the wire for the till's own tests: it keeps postings by id,
compares bodies, and can be made to stall, lose its answers or talk like a captive portal.
"""

import json
import threading
import uuid
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passes import refused
from passes.code import STATIC_LENGTH, Outcome, verify
from passes.errors import CodeError

API = "/api/till/v1"
PROGRAMME = {
    "id": "0b7c5d9e-0000-4000-8000-000000000001",
    "name": "Morning Glory",
    "points_name": "beans",
    "currency": "EUR",
    "currency_exponent": 2,
    "time_zone": "Europe/Riga",
}
CASHIER = {"id": "0b7c5d9e-0000-4000-8000-0000000000aa", "name": "Anna", "role": "cashier"}
PIN = "271828"
POSTING = {"id": str, "occurred_at": str, "cashier_id": str}
ACCRUAL = POSTING | {
    "code": str, "amount_minor": int, "currency": str, "offline": bool,
    "receipt": (str, type(None)), "lines": (list, type(None)),
}  # fmt: skip
REVERSAL = POSTING | {
    "posting_id": str, "offline": bool, "reason": (str, type(None)),
    "amount_minor": (int, type(None)),
}  # fmt: skip
HOLD = POSTING | {
    "code": str, "points": int, "presentation_token": (str, type(None)),
    "receipt": (str, type(None)),
}  # fmt: skip


class Problem(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.facts = status, code, facts


@dataclass
class Gate:
    """Stalls a request of `path`: before it is done, or after it is done and unanswered."""

    path: str
    after: bool
    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)


@dataclass
class Raw:
    """An answer that is no JSON: a list, its name and the statement about it."""

    content: bytes
    name: str
    statement: bytes


class Service:
    """The service's end of the till API."""

    def __init__(self, key: Ed25519PrivateKey, key_id: int) -> None:
        self.keys = {key_id: (key.public_key(), None)}
        self.signs = (key_id, key)
        self.staff_changed: list[dict[str, str]] = []
        self.refused: dict[str, str] = {}
        self.enrolment_codes = {"GOOD-CODE"}
        self.tokens: set[str] = set()
        self.sessions: set[str] = set()
        self.pin = PIN
        self.clock_ahead = timedelta()
        self.postings: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {}
        self.holds: dict[str, int] = {}
        self.handed_over: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, bytes]] = []
        self.told: list[tuple[str | None, str | None]] = []
        self.gate: Gate | None = None
        self.intervene: Callable[[str], tuple[int, str, bytes] | None] = lambda path: None
        self.hangs_up: Callable[[str], bool] = lambda path: False
        self.locked = False
        self.lock = threading.Lock()

    def stall(self, path: str, *, after: bool = False) -> Gate:
        self.gate = Gate(path, after)
        return self.gate

    @property
    def balance(self) -> int:
        return sum(answer["points"] for _, _, answer in self.postings.values())

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.postings.values()]

    def handle(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        token = (headers.get("Authorization") or "").removeprefix("Bearer ")
        if (method, path) == ("POST", "/enrolments"):
            return 201, self._enrol(json.loads(body))
        if token not in self.tokens:
            raise Problem(401, "till_revoked")
        session = headers.get("Counterfoil-Cashier")
        match method, path.strip("/").split("/"):
            case "GET", ["keys"]:
                self.told.append(
                    (headers.get("Counterfoil-Waiting"), headers.get("Counterfoil-Oldest"))
                )
                return 200, self._keys()
            case "GET", ["refused-cards"]:
                return self._refused_cards(headers.get("If-None-Match"))
            case "POST", ["cashier-sessions"]:
                return 201, self._sign_in(json.loads(body))
            case "DELETE", ["cashier-sessions", "current"]:
                self.sessions.discard(session)
                return 204, None
            case "POST", ["presentations"]:
                if session not in self.sessions:
                    raise Problem(401, "sign_in_again")
                return 200, self._present(json.loads(body))
            case "POST", ["accruals"]:
                return 201, self._post("accrual", ACCRUAL, body, session)
            case "POST", ["reversals"]:
                return 201, self._post("reversal", REVERSAL, body, session)
            case "POST", ["waiting-postings"]:
                return 202, self._hand_over(json.loads(body))
            case "POST", ["holds"]:
                return 201, self._post("hold", HOLD, body, session)
            case "POST", ["holds", hold_id, "capture"]:
                return 201, self._post(f"capture {hold_id}", POSTING, body, session)
        raise Problem(404, "not_found")

    def _enrol(self, data: dict[str, Any]) -> dict[str, Any]:
        if data.get("code") not in self.enrolment_codes:
            raise Problem(401, "enrolment_refused")
        self.enrolment_codes.discard(data["code"])
        token = uuid.uuid4().hex
        self.tokens.add(token)
        place = {"id": str(uuid.uuid4()), "name": "Brivibas 1"}
        till = {"id": str(uuid.uuid4()), "name": "Till 1"}
        return {"token": token, "till": till, "location": place, "programme": PROGRAMME}

    def _keys(self) -> dict[str, Any]:
        listed = [
            {
                "key_id": key_id,
                "public_key": b64encode(public.public_bytes_raw()).decode(),
                "valid_until": until,
            }
            for key_id, (public, until) in self.keys.items()
        ]
        now = datetime.now(UTC) + self.clock_ahead
        return {
            "programme": PROGRAMME, "now": now.isoformat(), "keys": listed,
            "staff_changed": self.staff_changed, "service_version": "0",
        }  # fmt: skip

    def _refused_cards(self, known: str | None) -> tuple[int, Any]:
        packed = refused.pack((card, Outcome(why)) for card, why in self.refused.items())
        key_id, key = self.signs
        statement = refused.sign(
            packed, programme_id=PROGRAMME["id"], key_id=key_id,
            signed_at=datetime.now(UTC) + self.clock_ahead, private_key=key,
        )  # fmt: skip
        name = f'"{statement[27:43].hex()}"'
        return (304, Raw(b"", name, statement)) if known == name else (
            200, Raw(packed, name, statement)
        )  # fmt: skip

    def _sign_in(self, data: dict[str, Any]) -> dict[str, Any]:
        assert set(data) == {"cashier", "pin"}
        if self.locked:
            raise Problem(429, "locked", retry_after=60)
        if (data["cashier"], data["pin"]) != (CASHIER["name"], self.pin):
            raise Problem(401, "wrong_pin")
        token = uuid.uuid4().hex
        self.sessions.add(token)
        until = (datetime.now(UTC) + timedelta(hours=12)).isoformat()
        return {"token": token, "expires_at": until, "cashier": CASHIER}

    def _present(self, data: dict[str, Any]) -> dict[str, Any]:
        assert set(data) == {"code"} and len(data["code"]) <= 200
        nothing = dict.fromkeys(("presentation", "card", "member", "tier", "standing", "redeem"))
        try:
            reading = verify(data["code"], {k: public for k, (public, _) in self.keys.items()})
        except CodeError as error:
            outcome = "other_programme" if error.outcome == "unknown_key" else error.outcome
            return nothing | {"outcome": outcome, "message": f"Said by the service: {outcome}"}
        return {
            "outcome": "accepted",
            "message": "Card accepted.",
            "presentation": {
                "token": "shown-now", "expires_at": datetime.now(UTC).isoformat(), "rotating": False
            },
            "card": {"card_id": reading.card.card_id_hex, "kind": "member", "status": "active"},
            "member": {"name": "Ada Kalnina"},
            "tier": "Gold",
            "standing": self._standing(),
            "redeem": {"minimum": 10, "step": 1, "maximum": self.balance},
        }  # fmt: skip

    def _standing(self) -> dict[str, Any]:
        return {
            "balance": self.balance, "pending": 0, "held": 0, "available": self.balance,
            "debt": 0, "points_label": "beans",
        }  # fmt: skip

    def _post(
        self, kind: str, shape: dict[str, Any], raw: bytes, session: str | None
    ) -> dict[str, Any]:
        body = json.loads(raw)
        wrong = {name: ["wrong"] for name in set(shape) ^ set(body)}
        wrong |= {
            name: ["wrong"] for name, of in shape.items() if not isinstance(body.get(name), of)
        }
        if wrong:
            raise Problem(422, "invalid", errors=wrong)
        known = self.postings.get(body["id"])
        if known is not None:
            if known[:2] != (kind, body):
                raise Problem(409, "posting_id_reused")
            return known[2]
        if session not in self.sessions and not (body.get("offline") and session is None):
            raise Problem(401, "sign_in_again")
        points, status = self._do(kind, body)
        answer = {
            "posting_id": body["id"], "kind": kind.split()[0], "status": status, "points": points,
            "explain": [], "late": False, "recorded_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        self.postings[body["id"]] = (kind, body, answer)
        answer["standing"] = self._standing()
        return answer

    def _hand_over(self, data: dict[str, Any]) -> dict[str, Any]:
        assert set(data) == {"id", "kind", "posting", "reason"} and data["reason"]
        known = self.postings.get(data["id"])
        if known is not None:
            return known[2]
        if not isinstance(data["posting"].get("amount_minor", 1), int | None):
            raise Problem(422, "invalid")
        self.handed_over[data["id"]] = data
        return {"posting_id": data["id"], "status": "waiting_for_manager", "points": 0}

    def _do(self, kind: str, body: dict[str, Any]) -> tuple[int, str]:
        if kind in ("accrual", "hold"):
            assert len(body["code"]) == STATIC_LENGTH
            verify(body["code"], {k: public for k, (public, _) in self.keys.items()})
        if kind == "accrual":
            return body["amount_minor"] // 100, "posted"
        if kind == "reversal":
            if body["posting_id"] not in self.postings:
                raise Problem(404, "not_found")
            return -self.postings[body["posting_id"]][2]["points"], "posted"
        if kind == "hold":
            if body["points"] > self.balance:
                raise Problem(409, "insufficient_points")
            self.holds[body["id"]] = body["points"]
            return 0, "held"
        hold = self.holds.pop(kind.split()[1], None)
        if hold is None:
            raise Problem(409, "hold_not_open")
        return -hold, "posted"


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.removeprefix(API)
            service.requests.append((self.command, path, body))
            gate = service.gate if service.gate and service.gate.path == path else None
            if gate is not None and not gate.after:
                gate.reached.set()
                gate.opened.wait(20)
                self.close_connection = True
                return
            instead = service.intervene(path)
            if instead is not None:
                self._answer(*instead)
                return
            status, kind, content = self._result(path, body)
            raw, self.raw = self.raw, None
            if gate is not None:
                gate.reached.set()
                gate.opened.wait(20)
            if gate is not None or service.hangs_up(path):
                self.close_connection = True
                return
            self._answer(status, kind, content, raw)

        raw: Raw | None = None

        def _result(self, path: str, body: bytes) -> tuple[int, str, bytes]:
            try:
                with service.lock:
                    status, answer = service.handle(self.command, path, self.headers, body)
                if isinstance(answer, Raw):
                    self.raw = answer
                    return status, "application/octet-stream", answer.content
                return status, "application/json", json.dumps(answer).encode()
            except Problem as problem:
                answer = {
                    "type": "about:blank", "title": "No", "status": problem.status,
                    "detail": f"No: {problem.code}.", "code": problem.code, **problem.facts,
                }  # fmt: skip
                return problem.status, "application/problem+json", json.dumps(answer).encode()

        def _answer(self, status: int, kind: str, content: bytes, raw: Raw | None = None) -> None:
            if status == 204:
                content = b""
            self.send_response(status)
            if raw is not None:
                self.send_header("ETag", raw.name)
                self.send_header("Counterfoil-Statement", b64encode(raw.statement).decode())
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _serve

    return Handler


class Running:
    """The service on a port of its own, which it keeps when stopped and started again."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self.service))
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
