"""What each quarter of an hour brought a programme, added up beside the postings.

A page that shows thirty days must not read ten million entries. A background step adds up what is
settled; what came in the minutes since is read as it stands and added to it.
"""
