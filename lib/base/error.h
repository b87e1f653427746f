/* lib/base/error.h -- codes, reasons, texts; the one errno table.
 *
 * An error is a plx_error whose message is made when the error happens and freed with it.
 * Invariant: `message` is NULL or a static text or a block of its own that nobody else frees; so
 * errors are copied and moved by the calls below only. A zeroed plx_error is no error and owns
 * nothing. */
#ifndef PLX_LIB_ERROR_H
#define PLX_LIB_ERROR_H

#include <pollux/error.h>

#include "lib/base/base.h"

/* plx__error_code returns the code to hand out for an errno: its class if it has one, else the
 * errno itself; 0 for 0. Negative numbers are PLX_OPEN_DRIVER. A reserved port is EACCES as well
 * and should be PLX_INVALID_PORT: only who binds can tell. */
int plx__error_code(int os_error);

/* plx__error_reason returns the reason that an errno stands for; PLX_REASON_NONE for 0, and
 * PLX_REASON_OPERATION for one that says nothing about sockets. */
plx_reason plx__error_reason(int os_error);

/* plx__error_os_name returns the name of an errno, such as "ECONNREFUSED"; "unknown" for a number
 * that is none, or that no call on sockets, their files or pollers returns. Differs from plx_code_name for 100 to 108. Static. */
const char *plx__error_os_name(int os_error);

/* plx__error_os_text returns what an errno means, as plx_code_text does. Static. */
const char *plx__error_os_text(int os_error);

/* In place of an errno: there is none, and the step is the whole sentence. For what the library itself
 * refuses or finds out: the text of a class has to fit all its cases and so explains none of them. */
#define PLX__SENTENCE (-1)

/* plx__error_set makes `error` that error, in place of what it was. The message is
 * "<step>: <text> (<NAME>)", where the step is made from the format and text and name are those of
 * the errno, or of the code where os_error is 0; without a format there is no step. With
 * PLX__SENTENCE as os_error the message is the step alone, and the error's os_error 0. The arguments
 * may point into the old message. For want of memory the message is plx_code_text. */
PLX__PRINTF(5, 6)
void plx__error_set(plx_error *error, int code, plx_reason reason, int os_error, const char *format,
                    ...);

/* plx__error_bare returns an error that was kept as numbers where there was no memory; an os_error
 * of 0 is not known. The reason is the one that the numbers mostly have, the message
 * plx_code_text. */
plx_error plx__error_bare(int code, int os_error);

/* plx__error_clear makes `error` no error: all zero, but its message is "". */
void plx__error_clear(plx_error *error);

/* plx__error_copy makes `error` a copy of `from`, in place of what it was. For want of memory the
 * message is the bare text of the code. */
void plx__error_copy(plx_error *error, const plx_error *from);

/* plx__error_take moves what `from` is into `error`, in place of what that was, and clears `from`.
 * Nothing is allocated. */
void plx__error_take(plx_error *error, plx_error *from);

#endif
