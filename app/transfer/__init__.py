"""Records that come from elsewhere and go elsewhere: import of members, export of everything."""
