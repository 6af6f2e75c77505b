"""The contents of the book: recorded values, tables and figures; and the analysis behind `crack-utils growth`."""
