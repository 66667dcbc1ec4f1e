"""The operations: what guest, operator, backend and environment may do; a file an owner.

A row says all that there is to know about an operation (`spec.OpSpec`). To add one, write its row
and the method of that name: in `driver.guest.GuestDriver`, or in `dataplane`, in `Operator`,
`BackendControl` or `Environment`. Codec, text form, mutator, minimizer and targets follow the row.
"""
