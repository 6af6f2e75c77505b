"""The contents of the book: recorded values, tables and figures, and the names of executed notebooks."""
