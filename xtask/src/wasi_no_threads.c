/* Thread functions that Rust's standard library names and Debian 12's WASI C library lacks.
 * The kernel has one thread: each of these says that no other can be had. */
#include <errno.h>

int pthread_create(void *thread, const void *attr, void *start, void *arg) { return EAGAIN; }
int pthread_join(void *thread, void **result) { return EAGAIN; }
int pthread_detach(void *thread) { return EAGAIN; }
int pthread_attr_init(void *attr) { return EAGAIN; }
int pthread_attr_setstacksize(void *attr, unsigned long size) { return EAGAIN; }
int pthread_attr_destroy(void *attr) { return EAGAIN; }
