"""Cards: the account's tokens, their codes, links and signing keys."""
