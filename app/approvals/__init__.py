"""Two people for what one alone should not do: one asks, another agrees or refuses."""
