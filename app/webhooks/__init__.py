"""Webhooks: shop systems are told what happened, signed as in Standard Webhooks."""
