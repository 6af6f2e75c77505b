"""The study behind Table 1: many small trainings, their tidy tables, and what they say about the report's claims.

`cases` says what is trained, `tables` gathers the runs' measures into tables, `claims` reads verdicts off them. The
workflow trains each case as a job of its own (`make study`, and a small version within `make book`).
"""
