"""A small C program whose functions are called by name, and what is noted of it."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from vblkfuzz.targets.coverage.reached import Reached
from vblkfuzz.targets.native.call_frames import CallFrames
from vblkfuzz.targets.native.program_file import Program

SOURCE: Final = r"""
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#define FUNCTION __attribute__((noinline, noclone)) void
static volatile int count, trapped, signals, calls = 1000;
FUNCTION alpha(void) { count++; }
FUNCTION beta(void) { count++; }
FUNCTION gamma_(void) { count++; }
FUNCTION in_thread(void) { count++; }
FUNCTION crash(void) { *(volatile int *)8 = 1; }
FUNCTION own_trap(void) { __asm__ volatile("int3"); }
FUNCTION on_signal(int number) { trapped += number == SIGTRAP; signals++; }
FUNCTION forks(void) {
    int status;
    pid_t child = fork();
    if (!child) { beta(); gamma_(); _exit(7); }
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 7) _exit(2);
}
FUNCTION vforks(void) {
    int status;
    pid_t child = vfork();
    if (!child) { beta(); execl("/bin/sh", "sh", "-c", "exit 7", (char *)0); _exit(3); }
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 7) _exit(2);
}
static void *sleeps(void *unused) { for (;;) pause(); return unused; }
static void *runs(void *unused) {
    for (int i = 0; i < calls; i++) in_thread();
    return unused;
}
FUNCTION threads(void) {
    for (int round = 0; round < 10; round++) {
        pthread_t all[8];
        for (int i = 0; i < 8; i++) pthread_create(&all[i], 0, runs, 0);
        for (int i = 0; i < 8; i++) pthread_join(all[i], 0);
    }
}
int main(int argc, char **argv) {
    signal(SIGUSR1, on_signal);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (!strcmp(word, "alpha")) alpha();
        if (!strcmp(word, "beta")) beta();
        if (!strcmp(word, "gamma")) gamma_();
        if (!strcmp(word, "fork")) forks();
        if (!strcmp(word, "vfork")) vforks();
        if (!strcmp(word, "sleeper")) { pthread_t one; pthread_create(&one, 0, sleeps, 0); }
        if (!strcmp(word, "few")) calls = 3;
        if (!strcmp(word, "threads")) threads();
        if (!strcmp(word, "usr1")) { raise(SIGUSR1); if (!signals) _exit(4); }
        if (!strcmp(word, "handle-trap")) signal(SIGTRAP, on_signal);
        if (!strcmp(word, "trap")) { own_trap(); if (trapped != 1) _exit(5); }
        if (!strcmp(word, "crash")) crash();
        if (!strcmp(word, "pause")) while (!signals) usleep(1000);
        if (!strcmp(word, "wait")) for (;;) pause();
    }
    return 0;
}
"""

_FOLDERS: Final[list[TemporaryDirectory[str]]] = []
"""Removed when this process ends."""


@cache
def compiled(source: str = SOURCE, *flags: str) -> str:
    """Return the path of a program; skip the test if there is no compiler."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("needs gcc")
    _FOLDERS.append(TemporaryDirectory(prefix="vblkfuzz-test-"))
    folder = Path(_FOLDERS[-1].name)
    (folder / "program.c").write_text(source)
    command = [gcc, "-O1", "-pthread", *flags, "-o", str(folder / "program")]
    subprocess.run([*command, str(folder / "program.c")], check=True)
    return str(folder / "program")


def names(reached: Reached, path: str) -> set[str]:
    """Return the functions of a program that were reached."""
    program = Program(path)
    starts = CallFrames(program).functions
    marks = reached.marks
    return {program.name_of(start) for start, mark in zip(starts, marks, strict=False) if mark}
