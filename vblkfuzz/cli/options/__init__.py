"""Options and arguments that several verbs share, and the code behind them."""
