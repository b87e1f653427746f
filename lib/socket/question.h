/* lib/socket/question.h -- the questions of filters to the program. */
#ifndef PLX_LIB_QUESTION_H
#define PLX_LIB_QUESTION_H

#include "lib/socket/object.h"

/* plx__question_put lets one filter of the socket put its question, if one has a question, and lets
 * the steps that wait run in the next poll. */
void plx__question_put(plx_socket *socket);

#endif
