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
import uuid
from datetime import UTC, datetime


async def client(
    host: str,
    port: int,
    head: str,
    codes: list[str],
    cashier: str,
    end: float,
    pause: float,
    took: list[float],
) -> None:
    """Post accruals one after the other until *end*."""
    reader, writer = await asyncio.open_connection(host, port)
    number = 0
    while time.perf_counter() < end:
        body = json.dumps(
            {
                "id": str(uuid.uuid4()),
                "occurred_at": datetime.now(UTC).isoformat(),
                "cashier_id": cashier,
                "code": codes[number % len(codes)],
                "amount_minor": 1250,
                "currency": "EUR",
            }
        ).encode()
        number += 1
        begun = time.perf_counter()
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        status = await reader.readline()
        length = 0
        while (line := await reader.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        answer = await reader.readexactly(length)
        if b" 201 " not in status:
            raise SystemExit(f"an accrual was answered with {status!r}: {answer[:300]!r}")
        took.append(time.perf_counter() - begun)
        if pause:
            await asyncio.sleep(max(0.0, begun + pause - time.perf_counter()))
    writer.close()


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
    await asyncio.gather(
        *(
            client(host, int(port), head, codes[start::count], cashier, end, float(pause), took)
            for start in range(count)
        )
    )
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
