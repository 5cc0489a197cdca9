"""``python -m app.cli``: the same as ``counterfoil``."""

from app.cli import main

if __name__ == "__main__":  # A process that helps with a simulation imports this as well.
    main()
