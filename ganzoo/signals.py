"""Signals that ask a run to stop."""

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def asked_to_stop_by(stop: threading.Event) -> Iterator[None]:
    """Lets Ctrl-C, and SIGTERM where nothing else handles it, set an event; again, interrupt.

    Between two steps a GAN can be saved. Within one, or while its samples are written, it can't.
    """

    def ask(signal_number, frame):
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    ours = threading.current_thread() is threading.main_thread()
    taken = [one for one, handler in usual.items() if ours and signal.getsignal(one) is handler]
    for one in taken:
        signal.signal(one, ask)
    try:
        yield
    finally:
        for one in taken:
            signal.signal(one, usual[one])
