"""Staff: the people who work with the programme, their roles and their PINs."""
