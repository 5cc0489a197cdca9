"""A mail server on loopback that is strict: what others forgive, it refuses. Source: RFC 5321.

It takes letters, checks their form (RFC 5322: the fields that must be there, once), keeps them, and
can be told to behave as real servers do on bad days. It relays nothing to anybody.
"""

from __future__ import annotations

import base64
import hmac
import re
import socket
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path

from app.demo.tls import ServerCertificate

_LONGEST_COMMAND = 512
_LONGEST_LINE = 1000
_LARGEST = 1024 * 1024
_IDLE_SECONDS = 30.0
_PATH = re.compile(r"<([^<>\s@]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)>(.*)")
_ONCE = ("From", "Date", "Message-ID", "To", "Subject")


@dataclass(frozen=True, slots=True)
class Taken:
    """A letter as it was taken: the envelope's sender and recipient, and its bytes."""

    sender: str
    recipient: str
    data: bytes
    over_tls: bool
    login: str | None

    @property
    def message(self) -> EmailMessage:
        """The letter, parsed."""
        parsed = message_from_bytes(self.data, policy=SMTP_POLICY)
        if not isinstance(parsed, EmailMessage):
            raise TypeError("a letter was expected")
        return parsed

    def part(self, subtype: str = "plain") -> str:
        """The text of one of its parts, its lines ended as here."""
        body = self.message.get_body((subtype,))
        return "" if body is None else str(body.get_content()).replace("\r\n", "\n")


@dataclass
class Mood:
    """What the server does otherwise than usual; addresses are those of recipients."""

    #: There is no such mailbox: 550.
    unknown: set[str] = field(default_factory=set)
    #: Come again later: 451, for so many times each.
    grey: dict[str, int] = field(default_factory=dict)
    #: Take so many letters and hang up before the answer: nobody knows.
    mute_after_letter: int = 0
    #: Hang up on so many connections at once: 421.
    busy: int = 0


class MailServer:
    """The server in a thread. Use it in a `with` block, or `start` and `stop` it.

    With *login* (name, password) it takes nothing from whoever has not said so, and hears that
    only over TLS. *folder* is where the certificate's root is put for clients to trust (`ca`).
    """

    def __init__(
        self, folder: Path, *, login: tuple[str, str] | None = None, port: int = 0
    ) -> None:
        certificate = ServerCertificate("Counterfoil mail stand-in")
        self.ca = folder / "mail-ca.pem"
        self.ca.write_bytes(certificate.ca_pem)
        chain = folder / "mail-server.pem"
        chain.touch(mode=0o600)
        chain.write_bytes(certificate.key_and_chain_pem)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(chain)
        self.login = login
        self.mood = Mood()
        self.letters: list[Taken] = []
        #: What clients did wrong, in the order of it.
        self.faults: list[str] = []
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Conversation)
        self._server.mail = self
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Listen in a thread."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> MailServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    mail: MailServer


class _HangUp(Exception):
    """The conversation is over."""


class _Refused(Exception):
    """The client did something wrong: the answer to it."""


class _Conversation(socketserver.BaseRequestHandler):
    """One client, from greeting to QUIT."""

    server: _Server

    def handle(self) -> None:
        """Answer each command until one side hangs up."""
        self.mail = self.server.mail
        self.socket: socket.socket = self.request
        self.socket.settimeout(_IDLE_SECONDS)
        self._buffer = b""
        self._over_tls = False
        self._login: str | None = None
        self._forget()
        self._greeted = False
        try:
            with self.mail.lock:
                is_busy = self.mail.mood.busy > 0
                self.mail.mood.busy -= is_busy
            if is_busy:
                self._say("421 4.3.2 busy")
                return
            self._say("220 stand-in.example ESMTP")
            while True:
                try:
                    self._command(self._line(_LONGEST_COMMAND))
                except _Refused as refused:
                    with self.mail.lock:
                        self.mail.faults.append(str(refused))
                    self._say(str(refused))
        except (_HangUp, OSError):
            return
        finally:
            self.socket.close()

    def _forget(self) -> None:
        self._sender: str | None = None
        self._recipient: str | None = None
        self._utf8 = False

    def _say(self, *lines: str) -> None:
        self.socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def _line(self, longest: int) -> bytes:
        """The next line without its CRLF; a bare CR or LF ends the conversation."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > longest + 2:
                self._end("500 5.5.2 line too long")
            got = self.socket.recv(65536)
            if not got:
                raise _HangUp
            self._buffer += got
        line, _, self._buffer = self._buffer.partition(b"\n")
        if not line.endswith(b"\r") or b"\r" in line[:-1] or b"\0" in line:
            self._end("500 5.5.2 lines end with CR LF, and nowhere else")
        if len(line) + 1 > longest:
            self._end("500 5.5.2 line too long")
        return line[:-1]

    def _end(self, answer: str) -> None:
        with self.mail.lock:
            self.mail.faults.append(answer)
        self._say(answer)
        raise _HangUp

    def _command(self, line: bytes) -> None:
        verb, _, rest = line.decode("utf-8", "replace").partition(" ")
        verb = verb.upper()
        if verb == "QUIT":
            self._say("221 2.0.0 good-bye")
            raise _HangUp
        if verb in {"EHLO", "HELO"}:
            self._hello(verb, rest)
        elif verb == "STARTTLS":
            self._start_tls(rest)
        elif verb in {"NOOP", "RSET"}:
            if verb == "RSET":
                self._forget()
            self._say("250 2.0.0 fine")
        elif not self._greeted:
            raise _Refused("503 5.5.1 say EHLO first")
        elif verb == "AUTH":
            self._authenticate(rest)
        elif verb == "MAIL":
            self._mail(rest)
        elif verb == "RCPT":
            self._rcpt(rest)
        elif verb == "DATA":
            self._data(rest)
        else:
            raise _Refused("500 5.5.1 not a command")

    def _hello(self, verb: str, name: str) -> None:
        if not re.fullmatch(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f.:IPv]+\]", name):
            raise _Refused("501 5.5.4 that is no name of a host")
        self._greeted = True
        self._forget()
        if verb == "HELO":
            self._say("250 stand-in.example")
            return
        offers = ["stand-in.example", "8BITMIME", f"SIZE {_LARGEST}", "SMTPUTF8"]
        if not self._over_tls:
            offers.append("STARTTLS")
        elif self.mail.login:
            offers.append("AUTH PLAIN LOGIN")
        *most, last = offers
        self._say(*(f"250-{each}" for each in most), f"250 {last}")

    def _start_tls(self, rest: str) -> None:
        if rest or self._over_tls or self._buffer:
            # What was sent before the handshake must not count after it (CVE-2011-0411).
            raise _Refused("501 5.5.4 not now")
        self._say("220 2.0.0 go on")
        self.socket = self.mail.tls.wrap_socket(self.socket, server_side=True)
        self._over_tls, self._greeted, self._login = True, False, None
        self._forget()

    def _authenticate(self, rest: str) -> None:
        if not self._over_tls or self.mail.login is None or self._login is not None:
            raise _Refused("503 5.5.1 not now")
        method, _, first = rest.partition(" ")
        if method.upper() == "PLAIN":
            said = self._decoded(first or self._ask(""))
            _, name, password = [*said.split("\0"), "", ""][:3]
        elif method.upper() == "LOGIN":
            name = self._decoded(first or self._ask("VXNlcm5hbWU6"))
            password = self._decoded(self._ask("UGFzc3dvcmQ6"))
        else:
            raise _Refused("504 5.5.4 PLAIN or LOGIN")
        given, right = f"{name}\0{password}", "\0".join(self.mail.login)
        if not hmac.compare_digest(given.encode(), right.encode()):
            raise _Refused("535 5.7.8 who are you?")
        self._login = name
        self._say("235 2.7.0 welcome")

    def _ask(self, prompt: str) -> str:
        self._say(f"334 {prompt}")
        return self._line(_LONGEST_COMMAND).decode("ascii", "replace")

    def _decoded(self, text: str) -> str:
        try:
            return base64.b64decode(text, validate=True).decode()
        except ValueError as error:
            raise _Refused("501 5.5.2 that is not base64") from error

    def _mail(self, rest: str) -> None:
        if self.mail.login is not None and self._login is None:
            raise _Refused("530 5.7.0 say who you are first")
        if self._sender is not None:
            raise _Refused("503 5.5.1 there is a sender already")
        address, options = self._path(rest, "FROM:")
        for option in options.split():
            name, _, value = option.upper().partition("=")
            if name == "SIZE" and value.isdigit():
                if int(value) > _LARGEST:
                    raise _Refused("552 5.3.4 too large")
            elif option.upper() not in {"BODY=8BITMIME", "BODY=7BIT", "SMTPUTF8"}:
                raise _Refused("555 5.5.4 that is no parameter of mine")
        self._utf8 = "SMTPUTF8" in options.upper().split()
        self._sender = address
        self._say("250 2.1.0 fine")

    def _rcpt(self, rest: str) -> None:
        if self._sender is None:
            raise _Refused("503 5.5.1 MAIL first")
        address, options = self._path(rest, "TO:")
        if options.strip():
            raise _Refused("555 5.5.4 that is no parameter of mine")
        if not address.isascii() and not self._utf8:
            raise _Refused("553 5.6.7 that needs SMTPUTF8")
        with self.mail.lock:
            mood = self.mail.mood
            if address in mood.unknown:
                self._say("550 5.1.1 there is no such mailbox")
                return
            if mood.grey.get(address, 0) > 0:
                mood.grey[address] -= 1
                self._say("451 4.7.1 come again later")
                return
        if self._recipient is not None:
            raise _Refused("452 4.5.3 one recipient a letter: others are none of their business")
        self._recipient = address
        self._say("250 2.1.5 fine")

    def _path(self, rest: str, word: str) -> tuple[str, str]:
        match = _PATH.fullmatch(rest[len(word) :]) if rest.upper().startswith(word) else None
        if match is None:
            raise _Refused("501 5.1.7 that is no address")
        return match[1], match[2]

    def _data(self, rest: str) -> None:
        if rest or self._recipient is None or self._sender is None:
            raise _Refused("503 5.5.1 RCPT first")
        self._say("354 go on")
        lines = []
        size = 0
        while (line := self._line(_LONGEST_LINE)) != b".":
            lines.append(line[1:] if line.startswith(b".") else line)
            size += len(line) + 2
            if size > _LARGEST:
                self._end("552 5.3.4 too large")
        data = b"".join(line + b"\r\n" for line in lines)
        taken = Taken(self._sender, self._recipient, data, self._over_tls, self._login)
        fault = _fault(taken, in_utf8=self._utf8)
        self._forget()
        if fault:
            raise _Refused(f"554 5.6.0 {fault}")
        with self.mail.lock:
            self.mail.letters.append(taken)
            is_mute = self.mail.mood.mute_after_letter > 0
            self.mail.mood.mute_after_letter -= is_mute
        if is_mute:
            raise _HangUp
        self._say("250 2.0.0 taken")


def _fault(taken: Taken, *, in_utf8: bool) -> str | None:
    """What is wrong with a letter's form, or None."""
    head, mark, _ = taken.data.partition(b"\r\n\r\n")
    if not mark:
        return "no empty line between head and body"
    if not head.isascii() and not in_utf8:
        return "a header that is not ASCII"
    message = taken.message
    for name in _ONCE:
        if len(message.get_all(name, [])) != 1:
            return f"{name} has to be there once"
    if any(part.defects for part in message.walk()):
        return "a part that is broken"
    if message["List-Unsubscribe-Post"] and "https://" not in str(message["List-Unsubscribe"]):
        address = str(message["List-Unsubscribe"])
        if "http://127.0.0.1" not in address:
            return "one-click needs an https address (RFC 8058)"
    if not message["MIME-Version"]:
        return "no MIME-Version"
    return None
