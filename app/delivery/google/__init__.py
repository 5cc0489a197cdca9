"""Google Wallet: classes and objects over REST, kept up to date, looked into, and heard from."""

from app.delivery.google.passes import GooglePasses
from app.delivery.google.sender import GoogleSender

__all__ = ["GooglePasses", "GoogleSender"]
