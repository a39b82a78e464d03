"""What must always hold, I1 to I10, each as a query for the rows that break it."""
