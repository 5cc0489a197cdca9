"""A load generator: accruals over HTTP from several clients, each with one open connection.

A process of its own (``python -m benchmarks._load ADDRESS TOKEN SESSION CASHIER SECONDS CLIENTS
PAUSE``); the codes of the cards to use come in on standard input, one a line. Each client begins a
posting no sooner than PAUSE seconds after its last one (0: as fast as it is answered). Prints JSON:
how many were acknowledged, the seconds, the latencies' median and 99th percentile in milliseconds,
and, of clients that pause, all latencies.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from functools import partial

from scanner.posting_ids import posting_id


class Client(asyncio.Protocol):
    """Posts accruals one after the other until *end*, doing as little besides as can be done."""

    def __init__(
        self,
        head: str,
        codes: list[str],
        cashier: str,
        end: float,
        pause: float,
        took: list[float],
    ) -> None:
        self.head, self.codes, self.cashier = head, codes, cashier
        self.end, self.pause, self.took = end, pause, took
        self.number = 0
        self.begun = 0.0
        self.answer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        """Send the next posting, or stop."""
        self.begun = time.perf_counter()
        if self.begun >= self.end:
            self.done.set_result(None)
            self.transport.close()
            return
        now = datetime.now(UTC)
        body = (
            f'{{"id":"{posting_id(now)}","occurred_at":"{now.isoformat()}",'
            f'"cashier_id":"{self.cashier}","code":"{self.codes[self.number % len(self.codes)]}",'
            '"amount_minor":1250,"currency":"EUR"}'
        )
        self.number += 1
        self.transport.write(f"{self.head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

    def data_received(self, data: bytes) -> None:
        self.answer += data
        head, found, body = self.answer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        if b" 201 " not in head[:16]:
            self.done.set_exception(SystemExit(f"answered {head[:60]!r}: {body[:300]!r}"))
            return
        self.answer = b""
        now = time.perf_counter()
        self.took.append(now - self.begun)
        if self.pause:
            pause = max(0.0, self.begun + self.pause - now)
            asyncio.get_running_loop().call_later(pause, self.ask)
        else:
            self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or SystemExit("the service hung up"))


async def main() -> None:
    """Run all clients; each has cards of its own, as members have."""
    address, token, session, cashier, seconds, clients, pause = sys.argv[1:]
    host, _, port = address.removeprefix("http://").partition(":")
    codes = sys.stdin.read().splitlines()  # a code may contain spaces
    count = int(clients)
    head = (
        "POST /api/till/v1/accruals HTTP/1.1\r\n"
        f"Host: {host}\r\nAuthorization: Bearer {token}\r\nCounterfoil-Cashier: {session}\r\n"
        "Content-Type: application/json\r\n"
    )
    took: list[float] = []
    begun = time.perf_counter()
    end = begun + float(seconds)
    loop = asyncio.get_running_loop()
    pairs = [
        await loop.create_connection(
            partial(Client, head, codes[start::count], cashier, end, float(pause), took),
            host,
            int(port),
        )
        for start in range(count)
    ]
    await asyncio.gather(*(each.done for _, each in pairs))
    elapsed = time.perf_counter() - begun
    took.sort()
    print(
        json.dumps(
            {
                "done": len(took),
                "seconds": elapsed,
                "median_ms": took[len(took) // 2] * 1000,
                "p99_ms": took[len(took) * 99 // 100] * 1000,
                "took_ms": [round(each * 1000, 2) for each in took] if float(pause) else [],
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main())
