"""Forms for terms: what is sent with a form becomes JSON terms, and terms become fields again.

A form is a description: parts with a name, a label and a kind. Nothing is checked here that the
reading functions of the programme check; their words are put next to the field they are about.
"""
