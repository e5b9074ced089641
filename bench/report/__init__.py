"""What is made of the rows: a table, plots, and a page of the documentation."""
