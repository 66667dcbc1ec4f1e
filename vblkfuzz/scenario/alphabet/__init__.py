"""The operations of guest, operator, backend and environment; one file per owner.

A row (`spec.OpSpec`) describes an operation. Codec, text form, mutator, minimizer and targets read
the row; a method of the same name carries the operation out. To add one, see CONTRIBUTING.md.
"""
