"""Members: the only home of personal data, encrypted, found through a keyed blind index."""
