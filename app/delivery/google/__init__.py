"""Google Wallet: classes and objects over REST, kept up to date, looked into, and heard from."""
