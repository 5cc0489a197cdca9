"""In which language a page answers: what the address asks for, or else the browser."""

from flask import Flask, request

from app.languages import LANGUAGES, current_language, speak
from app.languages.catalogues import translations


def install(app: Flask) -> None:
    """Let templates speak, and choose the language of each request."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda message: translations(current_language()).gettext(message),
        ngettext=lambda *forms: translations(current_language()).ngettext(*forms),
        newstyle=True,
    )
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.globals["current_language"] = current_language

    @app.before_request
    def choose() -> None:
        asked = request.args.get("lang", "")
        best = request.accept_languages.best_match(LANGUAGES, LANGUAGES[0])
        speak(asked if asked in LANGUAGES else best or LANGUAGES[0])
