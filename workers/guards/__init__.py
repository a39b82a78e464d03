"""Who watches over what is executed: its lease, its limits, its end, and what it leaves behind."""
