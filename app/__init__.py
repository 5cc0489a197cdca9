"""The Counterfoil service. `create_app` puts it together and does nothing else."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apiflask import APIFlask

    from app.context import Context


def create_app(context: "Context") -> "APIFlask":
    """The service as a WSGI application, on an installation that is open and migrated."""
    app = _application()
    open_on(app, context)
    return app


def open_on(app: "APIFlask", context: "Context") -> None:
    """Let *app* answer for the installation of *context*, and for no other any more."""
    from werkzeug.middleware.proxy_fix import ProxyFix

    from app.api.accrual_lane import AccrualDesk, AccrualLane
    from app.api.pass_lane import PassLane
    from app.delivery.wallets import Wallets
    from app.front import LANES

    app.config["SERVERS"] = [{"url": context.config.url}]
    app.extensions.clear()
    app.extensions["counterfoil"] = context
    wallets = app.extensions["counterfoil.wallets"] = Wallets(context)
    desk = app.extensions["counterfoil.accruals"] = AccrualDesk(context)
    app.extensions[LANES] = [PassLane(wallets.desk), AccrualLane(desk)]
    vars(app).pop("wsgi_app", None)
    if context.config.trusted_proxies:
        hops = context.config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]


def _application() -> "APIFlask":
    """All pages and APIs, of no installation yet."""
    # Imported here: whoever wants one part of the service should not load all of it.
    from apiflask import APIFlask

    from app import problems
    from app.api import apple, google, metrics, pos, till
    from app.web import customer, draws, formats, pages, speaking, staff, trials

    app = APIFlask(
        "app",
        title="Counterfoil",
        version="1",
        docs_path=None,
        spec_path="/openapi.json",
        static_folder="web/static",
        template_folder="web/templates",
    )
    # It would redirect to whatever the Host header names.
    app.url_map.merge_slashes = False
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        AUTO_OPERATION_ID=True,
        VALIDATION_ERROR_STATUS_CODE=422,
        MAX_CONTENT_LENGTH=1024 * 1024,
    )
    app.security_schemes = {
        "till": {"type": "http", "scheme": "bearer"},
        "pos": pos.document.SECURITY,
    }
    app.spec_processor(pos.document.complete)
    problems.install(app)
    pages.install(app)
    speaking.install(app)
    formats.install(app)
    staff.install(app)
    for part in (till, pos, apple, google, metrics, customer, draws, trials):
        app.register_blueprint(part.blueprint)
    return app
