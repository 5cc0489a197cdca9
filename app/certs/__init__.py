"""Certificates and accounts of Apple and Google: made for development, installed, loaded, checked.

Public halves are PEM files in DATA/certs; private keys are in the key ring and nowhere else.
"""

from app.certs.check import CertFinding, check, inventory
from app.certs.dev import make_dev_chain
from app.certs.files import (
    GOOGLE_PUBLIC_KEY,
    PASS,
    ROOT,
    WWDR,
    development_files,
    trusted_roots,
)
from app.certs.install import install, is_locked
from app.certs.load import (
    google_issuer,
    is_development_account,
    load_google_account,
    load_pass_signer,
)
from app.certs.notices import Expiry, days_left, expiries, tell, whole_days_left
from app.certs.request import Request, pending, request

__all__ = [
    "GOOGLE_PUBLIC_KEY",
    "PASS",
    "ROOT",
    "WWDR",
    "CertFinding",
    "Expiry",
    "Request",
    "check",
    "days_left",
    "development_files",
    "expiries",
    "google_issuer",
    "install",
    "inventory",
    "is_development_account",
    "is_locked",
    "load_google_account",
    "load_pass_signer",
    "make_dev_chain",
    "pending",
    "request",
    "tell",
    "trusted_roots",
    "whole_days_left",
]
