"""What all pages share: the security headers, and errors said to people rather than programs."""

from apiflask import APIFlask
from flask import Response, abort, render_template, request
from werkzeug.exceptions import NotFound

from app import problems
from app.languages import _

#: Nothing from elsewhere, and no script or style inside a page.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data: blob:; script-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def install(app: APIFlask) -> None:
    """Add the headers to every answer, and show problems as pages where a person asked."""

    @app.before_request
    def refuse_no_text() -> None:
        # No page's address has a NUL, and PostgreSQL would call it a mistake of ours. The APIs
        # answer for themselves: one must not tell what another would not.
        if problems.is_api():
            return
        asked = [request.path, *request.args.keys(), *request.args.values()]
        if any("\0" in each for each in asked):
            abort(404)

    @app.after_request
    def finish(response: Response) -> Response:
        if response.mimetype == problems.MIMETYPE and not problems.is_api():
            problem = response.get_json(force=True)
            if "code" in problem and problem["detail"] == NotFound.description:
                problem["detail"] = _("There is nothing at this address.")
            staff = request.path.startswith("/staff")
            page = "staff/problem.html" if staff else "problem.html"
            response.set_data(render_template(page, problem=problem))
            response.mimetype = "text/html"
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        if response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = POLICY
            response.headers["X-Frame-Options"] = "DENY"
        elif response.mimetype == "image/svg+xml":
            response.headers["Content-Security-Policy"] = PICTURE_POLICY
        if not request.path.startswith("/static/"):
            # Links are secrets: nothing that stands between may keep what they lead to.
            response.headers.setdefault("Cache-Control", "no-store")
        return response
