"""What is wrong is said in plain words, whatever it is that a command meets."""

import errno
from typing import IO, Any

import click

from app.errors import CounterfoilError, Invalid


class Refused(click.ClickException):
    """Ends a command with exit code 1 and nothing but the words for it on standard error."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Say what is wrong, as it is."""
        click.echo(self.format_message(), file=file, err=True)


class PlainSpoken(click.Group):
    """Commands that say what is wrong in plain words, whatever it is that they meet."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error that an operator can do something about ends as `Refused`."""
        # Here, so that who only asks for help does not wait for it.
        from sqlalchemy.exc import DBAPIError

        try:
            return super().invoke(ctx)
        except CounterfoilError as error:
            fields = error.fields if isinstance(error, Invalid) else {}
            lines = [f"  {field}: {'; '.join(texts)}" for field, texts in fields.items()]
            raise Refused("\n".join([error.message, *lines])) from error
        except DBAPIError as error:
            said = str(error.orig).strip().partition("\n")[0]
            raise Refused(f"The database refused, and nothing was saved: {said}.") from error
        except UnicodeEncodeError as error:
            raise Refused("This is not text in UTF-8: look at what you typed.") from error
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # Whoever read our output has enough of it; click ends in silence.
            where = f"{error.filename}: " if error.filename else ""
            raise Refused(f"{where}{error.strerror or error}.") from error
