"""The things a programme may have besides points, each read from its settings. Pure."""
