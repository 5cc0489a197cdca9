"""One readable file that describes a programme: read, written, compared, applied.

What the file does not say is as it is by default; only locations stay although it is silent about
them, since tills stand there.
"""
