"""What charts of runs show, as numbers: what is drawn where, and how long."""
