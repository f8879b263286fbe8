"""A lock that costs a C call when nobody else has it.

A record takes several. Through `threading.Lock` each is two calls through Python, a ninth of the instructions that
sending and receiving 64 bytes takes.
"""

import threading
import time

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.pythread cimport (
    NOWAIT_LOCK,
    PY_LOCK_ACQUIRED,
    PY_LOCK_INTR,
    PyLockStatus,
    PyThread_acquire_lock,
    PyThread_allocate_lock,
    PyThread_free_lock,
    PyThread_get_thread_ident,
    PyThread_release_lock,
    PyThread_type_lock,
)

cdef extern from "pythread.h" nogil:
    PyLockStatus PyThread_acquire_lock_timed(PyThread_type_lock lock, long long microseconds, int interruptible)

cdef extern from *:
    """
    #ifdef Py_GIL_DISABLED
    #    define FT_FREE_THREADED 1
    #else
    #    define FT_FREE_THREADED 0
    #endif
    """
    bint FT_FREE_THREADED

# Seconds that one call to the system waits at most.
cdef double _LONGEST = 1e9

cdef dict _THREADING = vars(threading)

# Whether what `threading.Lock` was at some time is the interpreter's own.
cdef dict _IS_OWN = {}


cdef bint _locks_are_own() except -1:
    # gevent and others put locks in its place that switch to another greenlet of the same thread: one that waited for
    # the system's would stop the greenlet that has it.
    factory = _THREADING["Lock"]
    found = _IS_OWN.get(factory)
    if found is None:
        found = _IS_OWN[factory] = type(factory()).__module__ == "_thread"
    return found


@cython.final
@cython.no_gc
cdef class Mutex:
    """What `threading.Lock` is when this is made, without its price.

    A thread that waits runs signal handlers, and what they raise ends the wait.

    Who has it is a field, which the interpreter's own lock guards. Only threads that wait need a lock of the system's:
    they wait at a gate, which release() opens for one of them, and who comes through it looks whether it is still free.
    Where the interpreter has no such lock (PEP 703), each of these has a `threading.Lock` inside.
    """

    def __cinit__(self):
        self._patched = None
        if FT_FREE_THREADED or not _locks_are_own():
            self._patched = threading.Lock()

    def __dealloc__(self):
        if self._gate is not NULL:
            if not self._open:  # a system's lock must not be held when it goes
                PyThread_release_lock(self._gate)
            PyThread_free_lock(self._gate)

    cpdef bint acquire(self) except -1:
        """Take it, waiting as long as that takes; return True."""
        if self._patched is not None:
            return self._patched.acquire() and self._taken()
        return self._wait(-1) if self._held else self._taken()

    cpdef bint acquire_now(self) except -1:
        """Take it if nobody has it; return whether it was taken."""
        if self._patched is not None:
            return self._patched.acquire(False) and self._taken()
        return not self._held and self._taken()

    cpdef bint acquire_within(self, double seconds) except -1:
        """Take it, waiting for so many seconds at most; return whether it was taken. Less than 0 seconds is no time."""
        if self.acquire_now():
            return True
        if not seconds > 0:
            return False
        if self._patched is not None:
            return self._patched.acquire(timeout=min(seconds, _LONGEST)) and self._taken()
        return self._wait(seconds)

    cpdef release(self):
        """Give it back. Raises RuntimeError when nobody has it."""
        if not self._held:
            raise RuntimeError("release unlocked lock")
        self._held = False
        if self._patched is not None:
            self._patched.release()
        elif self._waiting and not self._open:
            self._open = True
            PyThread_release_lock(self._gate)

    cpdef bint is_mine(self) except -1:
        """Return whether the thread that asks has it: who waited for it there, in a signal handler, waited for ever."""
        return self._held and self._owner == self._this_thread()

    cdef unsigned long _this_thread(self) except? 0:
        # Where locks are replaced, so is what tells threads apart: greenlets are many in one.
        if self._patched is not None:
            return <unsigned long>threading.get_ident()
        return <unsigned long>PyThread_get_thread_ident()

    cdef bint _taken(self) except -1:
        self._owner = self._this_thread()
        self._held = True
        return True

    def __enter__(self):
        return self.acquire()

    def __exit__(self, exc_type, exc, traceback):
        self.release()

    cdef bint _wait(self, double seconds) except -1:
        """Wait for it, for ever when seconds are less than 0."""
        cdef PyLockStatus status
        cdef double left = _LONGEST
        cdef double deadline = time.monotonic() + seconds
        if self._gate is NULL:
            self._gate = PyThread_allocate_lock()
            if self._gate is NULL:
                raise MemoryError
            PyThread_acquire_lock(self._gate, NOWAIT_LOCK)
        self._waiting += 1
        try:
            while self._held:
                if seconds >= 0:
                    left = min(max(deadline - <double>time.monotonic(), 0.0), _LONGEST)
                with nogil:
                    status = PyThread_acquire_lock_timed(self._gate, <long long>(left * 1e6), 1)
                if status == PY_LOCK_ACQUIRED:
                    self._open = False
                elif status == PY_LOCK_INTR:
                    PyErr_CheckSignals()
                elif left == 0.0:
                    return False
            return self._taken()
        finally:
            self._waiting -= 1
