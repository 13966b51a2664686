"""Counting a clip by hand: a local page to mark vehicles with the keyboard, and the file it writes."""
