"""Delivery: brings changed passes to the wallets. A wanted state, not messages."""
