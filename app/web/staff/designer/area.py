"""The blueprint of the area; uploads alone may be larger than forms are."""

from flask import request

from app.web.staff.door import StaffPages
from passes.artwork.upload import MAX_BYTES

pages = StaffPages("designer", __name__)

#: An upload at its largest, and the form around it.
LARGEST_REQUEST = MAX_BYTES + 500_000


@pages.blueprint.before_request
def allow_uploads() -> None:
    """Let the one address that takes pictures be sent one."""
    if request.endpoint == "designer.upload":
        request.max_content_length = LARGEST_REQUEST
