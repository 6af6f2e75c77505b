"""The study behind Table 1: many small trainings, their tidy tables, and what they say about the report's claims.

`cases` lists the trainings, `tables` collects the measures of the runs, and `claims` derives verdicts from them. The
workflow trains each case as a separate job (`make study`, and a small version in `make book`).
"""
