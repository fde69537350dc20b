"""Exports that analysts have already, to posts: what a file is, and which of its fields is which.

`read.py` opens a file and goes through it row by row; `recognise.py` says what a row or a table is; one file a family of formats maps it.
"""
