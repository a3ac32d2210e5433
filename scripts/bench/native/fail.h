#ifndef FAIL_H
#define FAIL_H

/* Ends the program with a line on standard error and exit code 1: the run is of no use any more. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, with what errno says behind it. */
_Noreturn void fail_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
