"""What a card has besides points: stamps, coupons, gifts, rewards taken, anything that is counted.

`service` is the public face. Like the ledger it is append-only: each thing given or taken back is
a row of `grants`, and what an account has now (`tallies`, the state of `coupons`, `reward_stock`)
are caches that `check` rebuilds. It hangs on the ledger's postings:

* what a posting gave (``answer["given"]``) is kept in the posting's own transaction (`keep`);
* a reversal of any kind settles its source anew: what it still gives, less what was given (`post`);
* redeeming is a posting of the ledger, of no points where none are spent (`redeem`).

What the programme promises (how long a coupon lasts, what a receipt of which a part is kept still
gives) is asked of `promises.Promises`: this package knows no settings.
"""
