"""Letters by e-mail: an outbox, and the background step that hands them to a mail server.

`service.queue` writes a letter down in the caller's transaction; `sending.step` sends it. A letter
names a member, never an address: that is looked up in `members` when it is sent.
"""

from app.mail.service import Letter, queue, queue_all

__all__ = ["Letter", "queue", "queue_all"]
