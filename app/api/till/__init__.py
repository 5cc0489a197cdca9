"""The till API, `/api/till/v1`: the only thing that a till knows of the service."""

from app.api.till import cashiers, looking, postings, setting_up
from app.api.till.door import blueprint

__all__ = ["blueprint", "cashiers", "looking", "postings", "setting_up"]
