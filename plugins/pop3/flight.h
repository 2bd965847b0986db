/*
 * One command for each of many messages, as many under way as the server allows, answered in order.
 */
#ifndef POP3_FLIGHT_H
#define POP3_FLIGHT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "mailbox.h"
#include "session.h"

/*
 * Takes the answer to the command about the message at @index: reads what follows a status that is ok.
 * False ends the flight, with @error or (the caller's callback wants no more) without.
 */
typedef bool (*Pop3Answer)(HaulStore *store, guint index, const Pop3Status *status, void *data,
                           GError **error);

typedef struct {
  const char *command, *argument; /* "TOP", " 0" */
  bool brings_messages;           /* whole ones: what is asked for is bounded by their sizes, too */
  Pop3Answer answer;
  void *data;
  bool asks_sizes; /* LIST goes in front, and its answer is taken (pop3_mailbox_take_sizes) */
} Pop3Flight;

/*
 * Sends the commands for the messages @indices (guint). If it ends early, the session is dropped: what is
 * still on its way would be taken for other answers.
 */
bool pop3_flight(HaulStore *store, const Pop3Flight *flight, const GArray *indices, GError **error);

#endif /* POP3_FLIGHT_H */
