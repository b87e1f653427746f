/* lib/base/error.h -- codes, reasons, texts; the one errno table.
 *
 * An error is a plx_error whose message is made when the error happens and freed with the error.
 * Invariant: `message` is NULL, a static string, or a block that belongs to this error alone; so
 * errors are copied and moved only by the functions below. A zeroed plx_error is no error and owns
 * no memory. */
#ifndef PLX_LIB_ERROR_H
#define PLX_LIB_ERROR_H

#include <pollux/error.h>

#include "lib/base/base.h"

/* plx__error_code returns the public code of an errno: its class if it has one, else the errno
 * itself; 0 for 0. A negative number gives PLX_OPEN_DRIVER. bind also fails with EACCES for a
 * reserved port, which is PLX_INVALID_PORT: only the caller of bind can distinguish the two. */
int plx__error_code(int os_error);

/* plx__error_code_of returns the public code of a number that is a class code, which stays, or an
 * errno. On Linux 101 and 104 are errnos and no class codes. */
int plx__error_code_of(int number);

/* plx__error_reason returns the reason of an errno; PLX_REASON_NONE for 0, and PLX_REASON_OPERATION
 * for an errno that has no meaning for sockets. */
plx_reason plx__error_reason(int os_error);

/* plx__error_os_name returns the name of an errno, such as "ECONNREFUSED"; "unknown" for a number
 * that is no errno, or that no call on sockets, their files or pollers returns. For 100 to 108 the
 * result differs from that of plx_code_name. The string is static. */
const char *plx__error_os_name(int os_error);

/* plx__error_os_text returns the text of an errno, as plx_code_text does. The string is static. */
const char *plx__error_os_text(int os_error);

/* PLX__SENTENCE in place of an errno means that no call failed and the step is the whole sentence.
 * It is for what the library itself refuses or detects: the text of a class has to fit all cases of
 * the class and so explains none of them. */
#define PLX__SENTENCE (-1)

/* PLX__SENTENCE_OF in place of an errno means that the step is the whole sentence although a call
 * failed with that errno. */
#define PLX__SENTENCE_OF(os_error) (PLX__SENTENCE - (os_error))

/* plx__error_number returns the errno of what stands in place of an errno. */
static inline int plx__error_number(int os_error)
{
    return os_error < 0 ? PLX__SENTENCE - os_error : os_error;
}

/* plx__error_set replaces `error`. The message is "<step>: <text> (<NAME>)": the format and its
 * arguments make the step; text and name are those of the errno, or of the code when os_error is 0.
 * Without a format the message has no step. When os_error is PLX__SENTENCE, the message is the step
 * alone and the os_error of the error becomes 0, with PLX__SENTENCE_OF its errno. The arguments may
 * point into the old message. When out of memory, the message is plx_code_text. */
PLX__PRINTF(5, 6)
void plx__error_set(plx_error *error, int code, plx_reason reason, int os_error, const char *format,
                    ...);

/* plx__error_bare returns an error of which only the numbers were kept, because there was no
 * memory; os_error 0 means that the errno is not known. The reason is the usual one of the numbers,
 * the message is plx_code_text. */
plx_error plx__error_bare(int code, int os_error);

/* plx__error_clear makes `error` no error: all members zero, and the message "". */
void plx__error_clear(plx_error *error);

/* plx__error_copy replaces `error` by a copy of `from`. When out of memory, the message is the text
 * of the code. */
void plx__error_copy(plx_error *error, const plx_error *from);

/* plx__error_take replaces `error` by `from` and clears `from`. It allocates nothing. */
void plx__error_take(plx_error *error, plx_error *from);

#endif
