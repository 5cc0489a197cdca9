"""The figures for Prometheus, at `/metrics`: for this machine, or for who has the token."""

import hmac
from ipaddress import ip_address

from apiflask import APIBlueprint
from flask import Response, abort, current_app, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from app.api.figures import Figures
from app.config import Config
from app.context import current_context

blueprint = APIBlueprint("metrics", __name__, enable_openapi=False)

_REGISTRY = "counterfoil.metrics"
#: What a proxy says of whom it asks for.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


@blueprint.get("/metrics")
def metrics() -> Response:
    """Every figure in Prometheus' text format; for anybody else there is nothing here."""
    config = current_context().config
    if not (_has_token(config) or _is_from_here(config)):
        abort(404)
    return Response(generate_latest(_registry()), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _has_token(config: Config) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if config.metrics_token is None or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), config.metrics_token.encode())


def _is_from_here(config: Config) -> bool:
    """Whether this machine itself asks, and not somebody through a proxy on it.

    A proxy that the configuration does not know makes strangers look like this machine. So the
    address is believed only where nobody needs a proxy, or where it is known how many there are.
    """
    if config.trusted_proxies == 0:
        is_proxied = any(name in request.headers for name in _FORWARDED)
        if is_proxied or not config.on_loopback:
            return False
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _registry() -> CollectorRegistry:
    known: CollectorRegistry | None = current_app.extensions.get(_REGISTRY)
    if known is None:
        known = CollectorRegistry()
        known.register(Figures(current_context()))
        # Of two threads that come first, both find the one that was put there.
        known = current_app.extensions.setdefault(_REGISTRY, known)
    return known
