"""Prize draws that anyone can check: committed to before, revealed after, recomputed by anybody.

`rules` is the arithmetic, and `docs/draws.md` says the same byte for byte; `service`
holds a draw and publishes it step by step; `checking` recomputes the winners from what was
published and from nothing else.
"""
