"""How Skytrail speaks to PostgreSQL: prepared statements, UUIDv7 keys, the database's clock."""
