"""What all pages share: the security headers, and errors said to people rather than programs."""

from apiflask import APIFlask
from flask import Response, make_response, render_template, request

from app import errors, problems

#: Nothing from elsewhere, no inline script, no inline style but what a nonce-free page needs: none.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "form-action 'self' https://pay.google.com; base-uri 'none'; frame-ancestors 'none'"
)


def install(app: APIFlask) -> None:
    """Add the headers to every answer, and pages for errors that a person meets."""
    answer_program = app.error_handler_spec[None][None][errors.CounterfoilError]

    @app.errorhandler(errors.CounterfoilError)
    def known(error: errors.CounterfoilError) -> Response:
        if problems.is_api():
            return make_response(answer_program(error))
        status, _, detail, _ = problems.describe(error)
        return make_response(render_template("problem.html", detail=detail), status)

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        if response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = POLICY
            response.headers["X-Frame-Options"] = "DENY"
        if not request.path.startswith("/static/"):
            # Links are secrets: nothing that stands between may keep what they lead to.
            response.headers.setdefault("Cache-Control", "no-store")
        return response
