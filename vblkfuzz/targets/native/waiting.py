"""Functions of QEMU that say nothing of a bug: how a thread sleeps, or what calls all its work."""

from __future__ import annotations

from typing import Final

_SLEEPS: Final = (
    "qemu_poll_ns fdmon_poll_wait fdmon_epoll_wait fdmon_io_uring_wait aio_poll qemu_futex_wait "
    "qemu_event_wait qemu_cond_wait_impl qemu_cond_timedwait_impl qemu_cond_timedwait_ts "
    "qemu_sem_wait qemu_sem_timedwait qemu_process_cpu_events"
)
_LOCKS: Final = (
    "qemu_mutex_lock_impl qemu_rec_mutex_lock_impl qemu_mutex_lock_iothread_impl bql_lock_impl "
    "qemu_lockcnt_lock aio_context_acquire"
)
_CALLS: Final = (
    "aio_dispatch aio_dispatch_handlers aio_bh_poll aio_ctx_dispatch os_host_main_loop_wait "
    "main_loop_wait qemu_main_loop qemu_default_main main _start iothread_run worker_thread "
    "call_rcu_thread qemu_thread_start qemu_wait_io_event rr_cpu_thread_fn mttcg_cpu_thread_fn "
    "coroutine_trampoline"
)
WAITS: Final = frozenset(f"{_SLEEPS} {_LOCKS} {_CALLS}".split())
"""Functions of QEMU that only say how a thread waits, or that call whatever it has to do."""
