"""A load generator: GET requests from many phones at once, each with one open connection.

A process of its own (``python -m benchmarks._fetch HOST:PORT CLIENTS SECONDS``); the heads of the
requests come in on standard input, separated by an empty line. With SECONDS 0 each is asked once,
else they go round until the time is over. Prints JSON: how many were answered, and the seconds. It
does as little as it can, since it shares the processor with what it measures.
"""

import json
import select
import socket
import sys
import time

_LARGEST = 1 << 20
_LONGEST_HEAD = 4096


class Phone:
    """One connection, and how much of its answer is still to come."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.left = 0
        self.head = b""

    def is_answered(self, buffer: memoryview, size: int) -> bool:
        """Take in the *size* bytes that have arrived; whether those were the last of it."""
        if self.left:
            self.left -= size
            return self.left == 0
        arrived = min(size, _LONGEST_HEAD)
        data = self.head + bytes(buffer[:arrived])
        end = data.find(b"\r\n\r\n")
        if end < 0:
            if len(data) >= _LONGEST_HEAD:
                raise SystemExit("a head without an end came back")
            self.head = data
            return False
        self.head = b""
        if not data.startswith(b"HTTP/1.1 20"):
            raise SystemExit(f"a request was answered with {data[:300]!r}")
        head = data[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        self.left = length - (len(data) - end - 4) - (size - arrived)
        return self.left == 0


def main() -> None:
    """Ask, and count the answers."""
    host, _, port = sys.argv[1].partition(":")
    clients, seconds = int(sys.argv[2]), float(sys.argv[3])
    requests = [head + b"\r\n\r\n" for head in sys.stdin.buffer.read().split(b"\r\n\r\n") if head]
    phones = {}
    poll, buffer = select.epoll(), memoryview(bytearray(_LARGEST))
    begun = time.perf_counter()
    asked, done, waiting = 0, 0, 0
    for _ in range(clients):
        # Each asks at once: connections that are open and idle would all go to one worker.
        phone = Phone((host, int(port)))
        phones[phone.socket.fileno()] = phone
        poll.register(phone.socket.fileno(), select.EPOLLIN)
        phone.socket.send(requests[asked % len(requests)])
        asked, waiting = asked + 1, waiting + 1
    while waiting:
        for descriptor, _ in poll.poll():
            phone = phones[descriptor]
            # Into the same memory each time: a new megabyte for each answer costs more than the
            # answer's way through the kernel.
            size = phone.socket.recv_into(buffer)
            if not size:
                raise SystemExit("the server hung up")
            if not phone.is_answered(buffer, size):
                continue
            done, waiting = done + 1, waiting - 1
            if asked < len(requests) if not seconds else time.perf_counter() - begun < seconds:
                phone.socket.send(requests[asked % len(requests)])
                asked, waiting = asked + 1, waiting + 1
    print(json.dumps({"done": done, "seconds": time.perf_counter() - begun}))


if __name__ == "__main__":
    main()
