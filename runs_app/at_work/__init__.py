"""What a task's code may use while it runs. Importing it needs neither Django nor a database."""
