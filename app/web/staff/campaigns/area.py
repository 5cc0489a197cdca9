"""The pages of campaigns: all of them are below one address."""

from app.web.staff.door import StaffPages

pages = StaffPages("campaigns", __name__)
