"""The checks, a function each; `doctor.registry` says what needs them."""
