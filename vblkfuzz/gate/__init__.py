"""The gate: in which order the threads of an unmodified program go on.

QEMU writes a line for each of its trace events, each line by a write(2) of the thread that reached
the event. A seccomp filter (`filter`) lets that thread sleep in the kernel until the gate answers
(`listener`), so each trace line is a preemption point of the real thread. Of a program without such
lines the points are reads and writes of eventfds and waits for locks (`calls`). Neither root nor
ptrace nor a compiler is needed.

    filter.py       which system calls ask the gate
    listener.py     the calls that ask, and the answers
    line.py         the trace line that a thread wants to write
    calls.py        the other calls that ask
    threads.py      the threads of the program: their roles, and whether one sleeps
    points.py       which point a stop is; the deviation that interrupts there
    order.py        whose turn it is
    start_order.py  their roles if they have no names
    core.py         one core for all threads
    shared_core.py  and for those that talk to them
    installation.py, available.py   from fork to exec; whether this machine can do it
    gate.py         all that as a thread of the fuzz process: start here

Exported programs carry most of these modules, all in one file (`export.qtest_schedule`): so
they need the standard library and each other only, and no two of them define the same name.
"""
