"""Who may do what: accounts, sessions, tokens, sealed secrets, allowed addresses, uploads in a cage."""
