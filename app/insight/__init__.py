"""What owner and marketer want to know: who comes back, what is spent, what worked.

`lift` is the arithmetic of campaigns against their hold-outs (pure). Everything else is read from
summaries (`models`) that `folding` keeps up with the ledger, so that a page answers at once however
large the ledger is; `docs/insight.md` defines each measure.
"""
