"""Clients' connections, and the order in which their time runs out."""

from collections.abc import Iterator

from gunicorn.workers.gthread import TConn


class Connection(TConn):  # type: ignore[misc]
    """A client's connection, and where it is."""

    #: It was accepted and has not been answered yet.
    is_new = True
    #: So many bytes of an unfinished head have come; it is looked at again when there are more.
    unfinished = 0
    #: What was taken off the socket and belongs to no answered request: a lane's.
    rest = b""
    #: A lane has a request of it in hand.
    in_hand = False
    #: The poller that has it tells when it has something to say.
    is_watched = True


class Connections:
    """Open connections, the one that spoke longest ago first: gunicorn's deque, without a search.

    It closes those at the beginning when their time is over.
    """

    def __init__(self) -> None:
        self._all: dict[Connection, None] = {}
        self.append = self._all.setdefault
        self.remove = self._all.__delitem__

    def popleft(self) -> Connection:
        """Take the first."""
        first = next(iter(self._all))
        del self._all[first]
        return first

    def __getitem__(self, index: int) -> Connection:
        if index:
            raise IndexError("only the first is ever asked for")
        return next(iter(self._all))

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)
