"""Why something waits, is late, was skipped or never came: reasons in plain words, with causes."""
