"""The pass designer: a draft of a design, what phones make of it, and how it is published.

`form` reads what was typed, `drafts` keeps it; `samples` makes faces of it that `iphone` and
`android` draw; `checking` asks the preflights; `publishing` brings it to every pass, and `trials`
puts a test pass on the owner's own phone.
"""
