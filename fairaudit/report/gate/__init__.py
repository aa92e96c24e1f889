"""What a gate decided, as a terminal and a pull request show it."""
