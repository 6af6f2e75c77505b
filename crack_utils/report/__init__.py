"""What the book shows: recorded values, tables, figures, and what a notebook says of itself."""
