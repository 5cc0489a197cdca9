"""``python -m app.cli``: the same as ``counterfoil``."""

from app.cli import main

main()
