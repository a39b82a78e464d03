"""Django's PostgreSQL, with an end to every wait: docs/adr/0017-waits-have-an-end.md."""
