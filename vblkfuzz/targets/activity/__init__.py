"""Whether a process lives, rests, spins or owes an answer, observed from outside."""
