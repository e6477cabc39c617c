"""The page that a drill ends in: self-contained HTML, with its timeline as a picture. Python's bare library alone."""
