"""Referrals: members bring members, and both are thanked once the newcomer has really bought."""
