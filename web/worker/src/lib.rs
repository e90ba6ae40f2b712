//! The browser driver: the worker that runs the kernel and the Python guest.
