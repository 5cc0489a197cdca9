"""`counterfoil …`: the service and its administration. One file a group of commands."""

import gc
import logging

import click

from app.cli.on_demand import OnDemand

#: In which file of this folder each command is.
HOMES = {
    "account": "accounts",
    "api-key": "api_keys",
    "backup": "backup",
    "card": "cards",
    "certs": "certs",
    "coupon": "coupons",
    "db": "serve",
    "delivery": "delivery",
    "demo": "serve",
    "design": "designs",
    "draw": "draws",
    "export": "exporting",
    "google": "google",
    "import": "importing",
    "insight": "insight",
    "keys": "keys",
    "ledger": "ledger",
    "location": "programmes",
    "mail": "mail",
    "member": "members",
    "partner": "partners",
    "pass": "passes",
    "programme": "programmes",
    "restore": "backup",
    "serve": "serve",
    "staff": "staff",
    "till": "programmes",
    "webhook": "webhooks",
    "work": "serve",
}


@click.group(
    cls=OnDemand,
    homes=HOMES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="counterfoil")
def cli() -> None:
    """Loyalty cards in phone wallets, read at the counter.

    Settings come from the environment (COUNTERFOIL_DATA, COUNTERFOIL_URL, ...); the README lists
    them all.
    """


def main() -> None:
    """Run a command; what is wrong is said in plain words, without a traceback."""
    # Modules live as long as the process: the collector need not look through them any more.
    gc.freeze()
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    # alembic and httpx2 tell more than an operator wants to know.
    for chatty in ("alembic", "httpx2", "httpcore2", "hpack"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    cli(standalone_mode=True)
