"""What verbs share: options, arguments, and what comes with them."""
