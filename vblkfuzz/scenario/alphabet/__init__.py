"""The operations of guest, operator, backend and environment; one file per owner.

A row (`spec.OpSpec`) describes an operation completely. To add an operation, write its row and the
method of that name: in `driver.guest.GuestDriver`, or in `dataplane` in `Operator`,
`BackendControl` or `Environment`. Codec, text form, mutator, minimizer and targets read the row.
"""
