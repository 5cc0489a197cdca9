"""Both wallets of one installation: Apple's signed files, Google's objects, each in its module."""

from flask import current_app

from app.context import Context
from app.delivery.apple_passes import ApplePasses
from app.delivery.google.passes import GooglePasses
from app.delivery.pass_desk import PassDesk
from app.delivery.wake import bell_of

__all__ = ["ApplePasses", "GooglePasses", "Wallets", "current_wallets"]


class Wallets:
    """Both wallets of one installation."""

    def __init__(self, context: Context) -> None:
        self.apple = ApplePasses(context)
        self.google = GooglePasses(context)
        self.desk = PassDesk(context, self.apple)
        # From here on every commit of this process wakes delivery, wherever it runs.
        bell_of(context.database)


def current_wallets() -> Wallets:
    """The wallets, for the request that is being answered."""
    wallets: Wallets = current_app.extensions["counterfoil.wallets"]
    return wallets
