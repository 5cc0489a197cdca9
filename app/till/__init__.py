"""What a till may ask: one transaction each."""
