/*
 * A transcript: what a scripted server says and expects, what the client is asked to do meanwhile,
 * and what must come of it. tests/transcripts/README.md describes the format. This room parses;
 * server.c plays one side of it, player.c the other.
 */
#ifndef TRANSCRIPTS_SCRIPT_H
#define TRANSCRIPTS_SCRIPT_H

#include <glib.h>
#include <stdbool.h>

typedef enum {
  LINE_SERVER,  /* S: the server sends it                        */
  LINE_CLIENT,  /* C: the server waits for it                    */
  LINE_TLS,     /* S! tls: the server shakes hands               */
  LINE_DEFLATE, /* S! deflate: both ways are compressed from here  */
  LINE_CLOSE,   /* S! close: the server ends the connection      */
  LINE_SILENCE, /* S! silence: it waits until the client has   */
  LINE_STEP,    /* >> the client is asked to do it               */
  LINE_RESULT,  /* => it came of the last step                   */
} LineKind;

typedef struct {
  LineKind kind;
  unsigned number; /* in the file, from 1                                            */
  unsigned repeat; /* S*n: and C*n: the text this many times before the line end     */
  GString *text;   /* owned                                                          */
} Line;

typedef struct {
  char *path;    /* owned                     */
  GArray *lines; /* owned; Line, in order    */
} Script;

Script *script_read(const char *path, GError **error);
void script_free(Script *script);

/* Whether the line is one that the server plays. */
bool line_is_server(const Line *line);

/*
 * Splits a step into words at blanks. "..." holds blanks, and in it \r \n \" \\ and \xNN stand for
 * octets. Returns GString *, owned by the array.
 */
GPtrArray *script_words(const char *text);

/* Appends @size octets as a transcript shows them: control octets, quotes and 8-bit ones escaped. */
void script_show(GString *out, const void *octets, size_t size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Script, script_free)

#endif /* TRANSCRIPTS_SCRIPT_H */
