"""SQL statements of tasks, on databases that connections name."""
