"""What shop systems may ask with an API key: quote, accrue, redeem, return, look up."""
