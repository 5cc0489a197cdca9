"""Talking to the mail server: one connection, one letter after the other.

Source: RFC 5321. Each answer says which of four things came of a letter; what was said at its very
end and not heard is its own case, because then nobody knows.
"""

import base64
import re
import smtplib
import ssl
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

from app.config import Config

#: A server may think long about a letter; we have others to send.
PATIENCE_SECONDS = 60.0
_LONGEST_ANSWER = 300


class Result(Enum):
    """What came of one letter."""

    TAKEN = auto()
    #: Never: there is no such mailbox, or its server will not have this letter.
    REFUSED = auto()
    #: Not now.
    LATER = auto()
    #: The letter was handed over whole, and no answer came.
    UNHEARD = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the mail server made of a letter, and its words."""

    result: Result
    text: str
    #: The connection is no longer good for anything.
    is_cut: bool = False


class Unreachable(Exception):
    """The mail server cannot be talked to at all: not there, or it does not let us in."""


class Post:
    """A connection to the mail server that the configuration names. Raises `Unreachable`."""

    def __init__(self, config: Config, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        if config.smtp_server is None:
            raise Unreachable("COUNTERFOIL_SMTP_SERVER is not set")
        host, _, port = config.smtp_server.rpartition(":")
        self.sender = config.smtp_from or ""
        name = urlsplit(config.url).hostname or "localhost"
        try:
            self._smtp = _connected(config, host.strip("[]"), int(port), name, patience_seconds)
        except (OSError, smtplib.SMTPException) as error:
            raise Unreachable(_said(error)) from error

    def close(self) -> None:
        """Say good-bye."""
        try:
            self._smtp.quit()
        except (OSError, smtplib.SMTPException):
            self._smtp.close()

    def send(self, to: str, letter: bytes) -> Answer:
        """Hand one letter over; *to* is its recipient's address."""
        options = []
        if not to.isascii():
            if not self._smtp.has_extn("smtputf8"):
                return Answer(Result.REFUSED, "the mail server takes ASCII addresses only")
            options.append("SMTPUTF8")
            self._smtp.command_encoding = "utf-8"
        if self._smtp.has_extn("size"):
            options.append(f"size={len(letter)}")
        try:
            return self._hand_over(to, letter, options)
        except (OSError, smtplib.SMTPException) as error:
            return Answer(Result.LATER, _said(error), is_cut=True)

    def _hand_over(self, to: str, letter: bytes, options: list[str]) -> Answer:
        smtp = self._smtp
        # What is wrong with our own address or rights is no fault of the letter: it waits.
        code, text = smtp.mail(self.sender, options)
        if code != 250:
            return self._again(code, text, never=False)
        code, text = smtp.rcpt(to)
        if code not in {250, 251}:
            return self._again(code, text, never=code >= 500)
        code, text = smtp.docmd("DATA")
        if code != 354:
            return self._again(code, text, never=code >= 500)
        try:
            smtp.send(re.sub(rb"(?m)^\.", b"..", letter) + b".\r\n")
            code, text = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            return Answer(Result.UNHEARD, _said(error), is_cut=True)
        if code == 250:
            return Answer(Result.TAKEN, _words(code, text))
        return self._again(code, text, never=code >= 500)

    def _again(self, code: int, text: bytes, *, never: bool) -> Answer:
        is_cut = code == 421
        if not is_cut:
            try:
                is_cut = self._smtp.rset()[0] != 250
            except (OSError, smtplib.SMTPException):
                is_cut = True
        result = Result.REFUSED if never else Result.LATER
        return Answer(result, _words(code, text), is_cut)


def _connected(config: Config, host: str, port: int, name: str, patience: float) -> smtplib.SMTP:
    trusted = ssl.create_default_context(cafile=config.smtp_ca)
    if config.smtp_tls == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, name, timeout=patience, context=trusted)
    else:
        smtp = smtplib.SMTP(host, port, name, timeout=patience)
    try:
        if config.smtp_tls == "starttls":
            smtp.starttls(context=trusted)
        smtp.ehlo_or_helo_if_needed()
        password = config.read_smtp_password()
        if config.smtp_name is not None and password is not None:
            _log_in(smtp, config.smtp_name, password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _log_in(smtp: smtplib.SMTP, name: str, password: str) -> None:
    methods = smtp.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" not in methods:
        smtp.login(name, password)
        return
    # RFC 4616 wants UTF-8, the library only ASCII.
    secret = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
    code, text = smtp.docmd("AUTH", f"PLAIN {secret}")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, text)


def _words(code: int, text: bytes) -> str:
    plain = " ".join(text.decode("utf-8", "replace").split())
    return f"{code} {plain}"[:_LONGEST_ANSWER]


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return _words(error.smtp_code, said if isinstance(said, bytes) else str(said).encode())
    return (str(error) or type(error).__name__)[:_LONGEST_ANSWER]
