"""The cashier's page: served on loopback by the till program, shown by the shop's own browser.

outcomes   the closed list of what a cashier can be told, with colour, sign and sound (pure)
words      the same in four languages, with all other texts of the page
state      what the page shows: locked, waiting, card, done (pure)
desk       does what the cashier asks: one pair of hands, one customer after another
watching   the camera: frames to codes, and the picture for the page
guard      who may ask: this very page, or the shop's own POS with its token
server     the routes; serving them
"""
