"""Programmes: a brand's scheme, its locations, and the versions of its rules."""
