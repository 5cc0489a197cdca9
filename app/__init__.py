"""The Counterfoil service."""
