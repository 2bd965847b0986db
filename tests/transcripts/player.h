/*
 * The client's side of a transcript: carries out the >> steps through the doorman (core/store.h), as
 * the core would, and notes what comes of them in the words of the => lines.
 */
#ifndef TRANSCRIPTS_PLAYER_H
#define TRANSCRIPTS_PLAYER_H

#include <mailhaul/plugin.h>
#include <stdbool.h>
#include <stdint.h>

#include "script.h"

typedef struct Player Player;

/* @port: of the server. @folder: for a spool. @ca_path: certificate to trust, or NULL. */
Player *
player_new(const HaulPlugin *plugin, uint16_t port, const char *folder, const char *ca_path);
/* Closes the store. Returns whether every ticket was settled, and once. */
bool player_free(Player *player);

/*
 * Carries out one step.
 *
 * @results: gets a line per result, owned by it; "receipt" lines go to player_receipts() instead,
 * for they may come with any later step.
 * Returns false with @error set as the store's call did.
 */
bool player_step(Player *player, const char *step, GPtrArray *results, GError **error);

/* The receipts so far, in the order of their messages; lent. */
GPtrArray *player_receipts(Player *player);
/* How many messages were put, and how many tickets were not settled yet. */
unsigned player_outstanding(const Player *player);

#endif /* TRANSCRIPTS_PLAYER_H */
