"""The ledger: the truth about points. Append-only, integers only, one writer."""
