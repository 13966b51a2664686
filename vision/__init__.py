"""ngatu's library: frames in, crossings out. No database and no HTTP in here."""
