"""Django's PostgreSQL, with an end to every wait: docs/adr/0021-waits-have-an-end.md."""
