"""What the pages of every app have in common: frame, errors, times, lists in pages."""
