"""What every test needs: a Ctrl-C that works, also where the suite was started in the background."""

import signal
import threading

if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
