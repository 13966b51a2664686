"""What surrounds the library: command line, files, later database and pages. No pixels in here."""
