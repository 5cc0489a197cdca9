"""The signature of a pass: what it covers, who made it, and whether a phone trusts them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from cryptography import x509

from passes.apple import cms
from passes.apple.bundle import SIGNATURE
from passes.apple.preflight.finding import Finding, error, warning
from passes.apple.signature import describe, issued_by, may_issue
from passes.errors import SignatureError

_MAX_CHAIN = 5
_WWDR = "Apple's intermediate (Worldwide Developer Relations, G4; apple.com/certificateauthority)"


def check_signature(
    signature: bytes,
    manifest: bytes,
    content: dict[str, Any],
    *,
    now: datetime,
    roots: Sequence[x509.Certificate],
) -> Iterator[Finding]:
    """Yield what is wrong with the CMS `signature` over `manifest` of the pass `content`."""
    try:
        signed = cms.read(signature)
    except SignatureError as fault:
        yield error(
            "signature_malformed",
            SIGNATURE,
            str(fault),
            "Sign the manifest as CMS signed data in DER (openssl smime -sign -outform DER).",
        )
        return
    yield from _check_coverage(signed, manifest)
    if signed.signer is None:
        yield error(
            "signer_missing",
            SIGNATURE,
            "The signature does not include the certificate it was made with.",
            "Include the pass certificate in the signature.",
        )
        return
    try:
        signed.verify(manifest)
    except SignatureError as fault:
        yield error(
            "signature_wrong",
            SIGNATURE,
            str(fault),
            "Sign with the key that belongs to the pass certificate.",
        )
    yield from _check_signer(signed.signer, content, now)
    yield from _check_chain(signed.signer, signed.certificates, now, roots)


def _check_coverage(signed: cms.SignedData, manifest: bytes) -> Iterator[Finding]:
    if signed.attached:
        yield error(
            "signature_attached",
            SIGNATURE,
            "The signature carries the manifest inside; a pass has a detached one.",
            "Sign detached (openssl smime -sign without -nodetach).",
        )
    if not signed.digest_is_sha256:
        yield error(
            "signature_not_sha256",
            SIGNATURE,
            "The signature is not made over SHA-256.",
            "Sign with SHA-256.",
        )
    elif signed.attributes and signed.digest != hashlib.sha256(manifest).digest():
        yield error(
            "signature_other_bytes",
            SIGNATURE,
            "The signature is over other bytes than this manifest.",
            "Sign the manifest as it stands in the archive, as binary: without that option line "
            "ends are rewritten before signing.",
        )
    if signed.signing_time is None:
        yield error(
            "signing_time_missing",
            SIGNATURE,
            "The signature has no signingTime among its signed attributes.",
            "Sign with the standard attributes (without -noattr).",
        )
    if signed.attributes and not signed.content_type_is_data:
        yield error(
            "content_type_missing",
            SIGNATURE,
            "The signed attributes lack the content type, or it is not data.",
            "Sign with the standard attributes (without -noattr).",
        )
    if not signed.in_der_order:
        yield error(
            "attributes_order",
            SIGNATURE,
            "The signed attributes are not in the order of DER.",
            "Sort the encoded attributes before they are signed, or sign with a library that does.",
        )


def _check_signer(
    signer: x509.Certificate, content: dict[str, Any], now: datetime
) -> Iterator[Finding]:
    status = describe(signer)
    yield from _check_dates(signer, now, "certificate", "Renew it at developer.apple.com.")
    for key, code, named, part in (
        ("passTypeIdentifier", "pass_type_mismatch", status.pass_type_identifier, "UID"),
        ("teamIdentifier", "team_mismatch", status.team_identifier, "OU"),
    ):
        wanted = content.get(key)
        if isinstance(wanted, str) and wanted != named:
            yield error(
                code,
                key,
                f"{key} is {wanted[:80]!r}; the certificate's {part} is {named!r}.",
                f"Write {named!r}, or sign with the certificate of {wanted[:80]!r}."
                if named
                else "Sign with a pass certificate from Apple.",
            )


def _check_chain(
    signer: x509.Certificate,
    included: Sequence[x509.Certificate],
    now: datetime,
    roots: Sequence[x509.Certificate],
) -> Iterator[Finding]:
    if any(issued_by(signer, root) and issued_by(root, root) for root in roots):
        yield error(
            "intermediate_missing",
            SIGNATURE,
            "The root itself issued the certificate, with no intermediate between them.",
            f"Sign with a certificate that an intermediate issued, and include {_WWDR}.",
        )
        return
    others = [certificate for certificate in included if certificate != signer]
    issuer = next((other for other in others if issued_by(signer, other)), None)
    if issuer is None:
        yield _no_issuer(signer, others)
        return
    current = issuer
    for _ in range(_MAX_CHAIN):
        yield from _check_dates(current, now, "intermediate", f"Use {_WWDR}.")
        if current in roots:
            return
        if above_all := [root for root in roots if issued_by(current, root)]:
            # A root is renewed under the same name and key: one that is valid is enough.
            root = next((each for each in above_all if not describe(each).problem(now)), None)
            yield from _check_dates(
                root or above_all[0], now, "root", "Name the root that is in use today."
            )
            return
        above = next(
            (other for other in others if other != current and issued_by(current, other)), None
        )
        if above is None:
            break
        current = above
    if not roots:
        yield warning(
            "root_unchecked",
            SIGNATURE,
            "No root certificate is known, so the chain's end was not checked.",
            "Name the trusted root.",
        )
        return
    yield error(
        "root_untrusted",
        SIGNATURE,
        f'The chain ends at "{describe(current).issuer}", which is not trusted.',
        "Phones trust Apple's root alone; for a development chain name its root.",
    )


def _no_issuer(signer: x509.Certificate, others: Sequence[x509.Certificate]) -> Finding:
    name = describe(signer).issuer
    message = f'The intermediate "{name}" that issued the certificate is not included'
    message += ", another one is." if others else "."
    if any(other.subject == signer.issuer and not may_issue(other) for other in others):
        message = f'The certificate "{name}" is included and is no authority that may issue others.'
    return error(
        "intermediate_wrong" if others else "intermediate_missing",
        SIGNATURE,
        message,
        f"Include {_WWDR} in the signature.",
    )


def _check_dates(
    certificate: x509.Certificate, now: datetime, what: str, cure: str
) -> Iterator[Finding]:
    problem = describe(certificate).problem(now)
    if problem:
        early = now < certificate.not_valid_before_utc
        code = f"{what}_not_yet_valid" if early else f"{what}_expired"
        yield error(code, SIGNATURE, problem, "Check the clock." if early else cure)
