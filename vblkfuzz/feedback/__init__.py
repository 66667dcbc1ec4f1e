"""How the fuzzer learns what an input reached: coverage, states, features."""
