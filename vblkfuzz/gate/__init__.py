"""The gate: in which order the threads of an unmodified program go on.

The program writes a line for each of its trace events, each line by a write(2) of the thread that
reached the event. A seccomp filter (`filter`) lets that thread sleep in the kernel until the gate
answers (`listener`), so each trace line is a preemption point of the real thread. Neither root nor
ptrace nor a compiler is needed.

    filter.py     which system calls ask the gate
    listener.py   the calls that ask, and the answers
    line.py       the trace line that a thread wants to write
    threads.py    the threads of the program: their roles, and whether one sleeps
    points.py     which point a stop is; the deviation that interrupts there
    order.py      whose turn it is
    core.py       one core for all threads
    installation.py, available.py   from fork to exec; whether this machine can do it
    gate.py       all that as a thread of the fuzz process: start here

Exported programs carry these modules but `available`, all in one file (`export.qtest_schedule`): so
they need the standard library and each other only, and no two of them define the same name.
"""
