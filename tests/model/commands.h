/* tests/model/commands.h -- sockets with commands.
 *
 * The number and the size of a command follow from its sender and its place (end.h): a command that
 * is lost, doubled or moved does not fit, also where a wait takes one out of their midst. */
#ifndef POLLUX_TESTS_MODEL_COMMANDS_H
#define POLLUX_TESTS_MODEL_COMMANDS_H

#include <stddef.h>
#include <stdint.h>

#include "tests/model/model.h"

struct person;

/* command_write sends the next command of a socket, and returns what the call returned; without
 * `may` one that is refused. command_take reads one; false: there is none. */
int command_write(struct model *model, bool may);
bool command_take(struct model *model);

/* command_event looks at what command_received has reported, and returns a sum for
 * command_event_over, which expects the same data when the handler returns. */
uint64_t command_event(struct model *model, int32_t command, const void *data, size_t size);
void command_event_over(uint64_t sum, const void *data, size_t size);

/* command_error holds the error of an end against what the peer has sent; command_expect_known
 * expects that a socket at rest has taken all. */
void command_error(const struct model *model, const plx_error *error);
void command_expect_known(const struct model *model);

/* command_lacks_memory returns whether an error may be that of a command that was not reported, which
 * stays, also where the connection has ended. */
bool command_lacks_memory(const struct model *model, const plx_error *error);

/* person_write_command writes the next command of a raw peer; returns its size with the length.
 * person_hear_command takes the first one of `data`; returns its size with the length, 0 while it is
 * not whole. person_hear_packet takes one that is a packet. person_fail follows a send that has
 * failed. */
size_t person_write_command(struct person *person, uint8_t *data);
size_t person_hear_command(struct person *person, const uint8_t *data, size_t size);
void person_hear_packet(struct person *person, const uint8_t *data, size_t size);
void person_fail(struct person *person, ptrdiff_t how);

/* person_spoil makes a raw peer send what is no command, in one of 8 ways. */
void person_spoil(struct person *person, int way);

#endif
