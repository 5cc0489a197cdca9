"""A letter as the bytes that go to the mail server. Source: RFC 5322, RFC 2369, RFC 8058."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

#: Only letters that every mail server takes: bodies are encoded, never sent as 8 bits.
_POLICY = SMTP.clone(cte_type="7bit")
#: What may stand in a local part without quotes (RFC 5322 and RFC 6531), and in a domain.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-\u0080-\U0010ffff]{1,64}")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
_PLACE = re.compile(r"\[\[([a-z_]{1,40})\]\]")


class NotAnAddress(Exception):
    """What a member gave as an address cannot be written on an envelope."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a letter is made of, with everything filled in."""

    id: str
    from_name: str
    from_address: str
    to: str
    subject: str
    text: str
    html: str | None
    reply_to: str | None = None
    unsubscribe_url: str | None = None


def mailbox(address: str) -> str:
    """An address as servers know it, its domain in ASCII. Raises `NotAnAddress`."""
    local, _, domain = address.rpartition("@")
    try:
        # Names of domains in other scripts travel in ASCII (RFC 5890).
        plain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise NotAnAddress(address) from error
    dotted = "." in plain and ".." not in plain + local
    if not dotted or not _DOMAIN.fullmatch(plain) or not _LOCAL.fullmatch(local):
        raise NotAnAddress(address)
    if local.startswith(".") or local.endswith("."):
        raise NotAnAddress(address)
    return f"{local}@{plain}"


def filled(template: str, values: Mapping[str, str], *, as_html: bool = False) -> str:
    """The text with its places filled; a place that nothing is known for becomes empty."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], "")
        return html.escape(found) if as_html else found

    return _PLACE.sub(value, template)


def places(*templates: str | None) -> set[str]:
    """The names of the places in these texts."""
    return {name for template in templates if template for name in _PLACE.findall(template)}


def written(envelope: Envelope, *, now: datetime) -> bytes:
    """The letter with CRLF at each line's end. Raises `NotAnAddress`."""
    # An address in another script stands in its header as it is (RFC 6532).
    message = EmailMessage(policy=_POLICY.clone(utf8=not envelope.to.isascii()))
    sender_domain = envelope.from_address.rpartition("@")[2]
    try:
        message["From"] = Address(_plain(envelope.from_name), addr_spec=envelope.from_address)
        local, _, domain = envelope.to.rpartition("@")
        message["To"] = Address(username=local, domain=domain)
        if envelope.reply_to:
            message["Reply-To"] = Address(addr_spec=envelope.reply_to)
    except (MessageError, ValueError, IndexError) as error:
        raise NotAnAddress(envelope.to) from error
    message["Subject"] = _plain(envelope.subject)
    message["Date"] = format_datetime(now)
    # The same at each try: a server that took it already can tell.
    message["Message-ID"] = f"<{envelope.id}@{sender_domain}>"
    message["Auto-Submitted"] = "auto-generated"
    if envelope.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{envelope.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(envelope.text)
    if envelope.html:
        message.add_alternative(envelope.html, subtype="html")
    return message.as_bytes()


def _plain(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
