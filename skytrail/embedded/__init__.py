"""PostgreSQL and Valkey without an installation, and the supervisor behind `skytrail up`."""
