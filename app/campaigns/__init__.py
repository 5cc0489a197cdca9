"""Campaigns: whom to tell what, when, how often; what became of it, and whether it worked.

A campaign only changes what cards are to show (`app.cards.news`) and gives what it promises;
delivery brings changed cards to the wallets as it brings every other change.

=================  ==========================================================================
`segments`         who: conditions combined with and, or, not (pure)
`plans`            what, when, and within which limits (pure)
`timing`           quiet hours, best hours, repeating, in the programme's zone (pure)
`choosing`         the seeded draw: who is held out, in which order (pure)
`habits`           what is known of each account's visits, kept up in the background
`selecting`        segments as conditions of the database: counts and pages of accounts
`service`          the life of a campaign: draft, proposed, approved, paused, stopped
`planning`         recipients of a campaign, a page at a time
`events`           recipients of a campaign that waits for something to happen
`releasing`        lets recipients' cards show the news, as fast as delivery takes them
`arriving`         notes what became of them; `app.delivery.reaching` knows the wallets
`results`          what they did afterwards, against those held out
=================  ==========================================================================
"""
