"""Where requests come in: gunicorn's threads for all of them, and short ways for two.

`Front` is gunicorn's threaded worker. Before a request takes a thread, the front looks whether it
is one of those that come by the thousand and is there in full, in plain form; then a `Lane` answers
it, together with all others of its kind that came in meanwhile. Everything else, and whatever a
lane hands on, goes the usual way through Flask.
"""

from app.front.lanes import LANES, Answer, Lane
from app.front.requests import Asked, Read, read_request

__all__ = ["LANES", "Answer", "Asked", "Lane", "Read", "read_request"]
