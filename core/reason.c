/* The table of reasons and exit codes. */
#include "reason.h"

#include <string.h>

static const struct {
  const char *name, *key;
} states[HAUL_N_STATES] = {
  [HAUL_STATE_COPIED] = { "copied", "copied" },
  [HAUL_STATE_THERE] = { "already there", "already_there" },
  [HAUL_STATE_DUPLICATE] = { "duplicate", "duplicate" },
  [HAUL_STATE_FILTERED] = { "filtered", "filtered" },
  [HAUL_STATE_TOO_BIG] = { "too big", "too_big" },
  [HAUL_STATE_REFUSED] = { "refused", "refused" },
  [HAUL_STATE_UNFETCHABLE] = { "unfetchable", "unfetchable" },
  [HAUL_STATE_FAILED] = { "failed", "failed" },
};

const char *
haul_state_name(HaulState state)
{
  return states[state].name;
}

const char *
haul_state_key(HaulState state)
{
  return states[state].key;
}

/* The first is what stands for any other. */
static const HaulReason reasons[] = {
  { "failed",
    HAUL_STATE_FAILED,
    111,
    { 0, 0 },
    "something failed",
    "Look at the lines of the log before it, and run again: what is done stays done." },
  { "login",
    HAUL_STATE_FAILED,
    16,
    { 161, 162 },
    "the server refused the login",
    "Check user and password. Many providers want an app password or OAuth2 for IMAP." },
  { "resolve",
    HAUL_STATE_FAILED,
    10,
    { 101, 102 },
    "the name of the server is not known",
    "Check --host1 or --host2 for a slip of the pen, and the name service of this machine." },
  { "connect",
    HAUL_STATE_FAILED,
    10,
    { 101, 102 },
    "the server could not be reached",
    "Check host and port, and whether a firewall stands between." },
  { "timeout",
    HAUL_STATE_FAILED,
    10,
    { 101, 102 },
    "the server was silent for too long",
    "Run again; --timeout1 and --timeout2 wait longer." },
  { "closed",
    HAUL_STATE_FAILED,
    10,
    { 101, 102 },
    "the server closed the connection",
    "Run again: it goes on where it was." },
  { "protocol",
    HAUL_STATE_FAILED,
    10,
    { 101, 102 },
    "the server said what it must not",
    "Run with --debug and look at the last lines; it may be a bug of the server or of ours." },
  { "busy",
    HAUL_STATE_FAILED,
    69,
    { 0, 0 },
    "the server asks for patience",
    "Run again later, with fewer lanes if it limits connections (--lanes 1)." },
  { "tls",
    HAUL_STATE_FAILED,
    12,
    { 0, 0 },
    "no trusted, encrypted connection",
    "Check the server's certificate. --tls-ca1 FILE or --tls-ca2 FILE trusts a private "
    "authority." },
  { "usage",
    HAUL_STATE_FAILED,
    64,
    { 0, 0 },
    "the command line is not right",
    "See mailhaul sync --help." },
  { "merge",
    HAUL_STATE_FAILED,
    64,
    { 0, 0 },
    "two folders of the source would go to one folder",
    "Nothing was written. Send one of them elsewhere with --f1f2, or put them together with "
    "--allow-merge." },
  { "input",
    HAUL_STATE_FAILED,
    66,
    { 0, 0 },
    "a file that was named cannot be read",
    "Check its name and its mode." },
  { "plugin",
    HAUL_STATE_FAILED,
    69,
    { 0, 0 },
    "a plugin is missing or was refused",
    "mailhaul plugins -v lists what was found, and why a file was refused." },
  { "unsupported",
    HAUL_STATE_FAILED,
    69,
    { 0, 0 },
    "the store cannot do what was asked",
    "Choose another backend, or leave out the option." },
  { "locked",
    HAUL_STATE_FAILED,
    8,
    { 0, 0 },
    "another run works on these two accounts",
    "Wait for it to end." },
  { "state",
    HAUL_STATE_FAILED,
    1,
    { 0, 0 },
    "the state cannot be read or written",
    "Check the folder, or choose another with --state DIR. Without a state, matching finds the "
    "copies." },
  { "disk-full",
    HAUL_STATE_FAILED,
    113,
    { 0, 0 },
    "a disk is full",
    "Free some space and run again: what was recorded is there." },
  { "spool",
    HAUL_STATE_FAILED,
    113,
    { 0, 0 },
    "a large message did not fit the spool",
    "Free some space in the state folder, or choose another with --state DIR, and run again." },
  { "maildir",
    HAUL_STATE_FAILED,
    1,
    { 101, 102 },
    "the Maildir cannot be opened or written",
    "Check the path, who owns it, and whether its file system is mounted and writable." },
  { "not-mounted",
    HAUL_STATE_FAILED,
    1,
    { 101, 102 },
    "a Maildir is not the one of the last run",
    "Mount its file system. If the tree was removed or replaced on purpose, begin anew with "
    "--newtree2 (--newtree1 for a source), once: messages are then paired by matching." },
  { "no-folder",
    HAUL_STATE_FAILED,
    117,
    { 0, 0 },
    "there is no such folder",
    "mailhaul sync --dry shows the folders and their names." },
  { "select",
    HAUL_STATE_FAILED,
    117,
    { 0, 0 },
    "a folder could not be opened",
    "Run again; if it stays, look at the folder with another program." },
  { "epoch",
    HAUL_STATE_FAILED,
    111,
    { 0, 0 },
    "the folder was replaced while we worked on it",
    "Run again: its messages are matched anew." },
  { "create",
    HAUL_STATE_FAILED,
    116,
    { 0, 0 },
    "a folder could not be made",
    "The destination's answer says why; its name may not be allowed there." },
  { "append", HAUL_STATE_FAILED, 114, { 0, 0 }, "a message could not be delivered", "Run again." },
  { "refused",
    HAUL_STATE_REFUSED,
    114,
    { 0, 0 },
    "the destination refused a message",
    "Its answer says why. The message is still at the source." },
  { "verify",
    HAUL_STATE_FAILED,
    114,
    { 0, 0 },
    "a message did not read back as it was stored",
    "The copy was removed, and the next run stores it again. The disk or the memory is to blame: "
    "see what the system's log says of them." },
  { "too-big",
    HAUL_STATE_TOO_BIG,
    114,
    { 0, 0 },
    "a message is larger than the destination takes",
    "Raise the destination's limit, or keep the message elsewhere." },
  { "unfetchable",
    HAUL_STATE_UNFETCHABLE,
    115,
    { 0, 0 },
    "the source did not give a message",
    "Run again; if it stays, try the message with another program." },
  { "over-quota",
    HAUL_STATE_FAILED,
    113,
    { 0, 0 },
    "the destination is full",
    "Raise its quota and run again: it goes on where it was." },
  { "too-many-errors",
    HAUL_STATE_FAILED,
    112,
    { 0, 0 },
    "so many errors that the run was ended",
    "Look at what they are before you run again; --errorsmax lets a run go on after more." },
  { "byte-limit",
    HAUL_STATE_FAILED,
    118,
    { 0, 0 },
    "as much was copied as --exitwhenover says",
    "Run again: it goes on where it was." },
  { "flags",
    HAUL_STATE_THERE,
    120,
    { 0, 0 },
    "flags could not be changed",
    "Run again; the messages themselves are there." },
  { "not-deleted",
    HAUL_STATE_THERE,
    121,
    { 0, 0 },
    "messages were not deleted",
    "What was said to it tells why. They are where they were; run again once that is mended." },
  { "not-mirrored",
    HAUL_STATE_THERE,
    121,
    { 0, 0 },
    "messages were not deleted at the destination",
    "A guard refused it; what was said to it tells which one, and what to do. All is where it was, "
    "and "
    "what was new is copied." },
  { "gone",
    HAUL_STATE_FILTERED,
    0,
    { 0, 0 },
    "the copy was removed at the destination since",
    "It is not copied again, for somebody took it away there. To have it back, run with another "
    "state folder (--state DIR): what is not there is copied then." },
  { "size",
    HAUL_STATE_FILTERED,
    0,
    { 0, 0 },
    "the message is larger or smaller than was asked for",
    "Run with another --maxsize or --minsize to copy it." },
  { "age",
    HAUL_STATE_FILTERED,
    0,
    { 0, 0 },
    "the message is older or younger than was asked for",
    "Run with another --maxage or --minage to copy it." },
  { "search",
    HAUL_STATE_FILTERED,
    0,
    { 0, 0 },
    "the search does not find the message",
    "Run with another --search1, or without, to copy it." },
  { "pseudo",
    HAUL_STATE_FILTERED,
    0,
    { 0, 0 },
    "it is no message, but what a mailbox file says of itself",
    "Nothing is to be done: UW's and Alpine's software puts it first into a mailbox file, and "
    "servers that do not know it show it as a message." },
  { "twice",
    HAUL_STATE_DUPLICATE,
    0,
    { 0, 0 },
    "the folder has the same message more than once",
    "--nosyncduplicates was given: of messages with the same octets one is copied. Without it they "
    "all "
    "are." },
  { "vanished",
    HAUL_STATE_FILTERED,
    0,
    { 0, 0 },
    "the message was removed at the source meanwhile",
    "It was there when the run began, and is not any more: there is nothing to copy." },
  { "withdrawn",
    HAUL_STATE_FAILED,
    111,
    { 0, 0 },
    "the source showed a message, and then no more, before it was copied",
    "Some servers hide what was read (Gmail's POP3): it is still in the account. Let it be shown "
    "again "
    "(Gmail: \"recent:\" before the user, or POP enabled anew for all mail), or copy by IMAP." },
  { "account",
    HAUL_STATE_FAILED,
    70,
    { 0, 0 },
    "more became of messages than there are: an error of mailhaul's own",
    "Please report it, with the log (--logfile). Nothing was deleted for it; mailhaul verify "
    "compares both "
    "sides." },
  { "missing",
    HAUL_STATE_FAILED,
    111,
    { 0, 0 },
    "a message of the source is not at the destination",
    "mailhaul sync copies it, unless its copy was removed there since, or the state is another "
    "one." },
  { "differs",
    HAUL_STATE_FAILED,
    111,
    { 0, 0 },
    "the copy of a message has other octets",
    "Some servers change what they store, mostly header lines. Where many differ, compare one with "
    "its "
    "original to see how; where one does, its copy may be damaged." },
  { "cancelled",
    HAUL_STATE_FAILED,
    6,
    { 0, 0 },
    "stopped on request",
    "Run again: it goes on where it was." },
  { "not-reached",
    HAUL_STATE_FAILED,
    111,
    { 0, 0 },
    "the run ended before its turn came",
    "Run again: it goes on where it was." },
};

const HaulReason *
haul_reason_table(size_t *n)
{
  *n = G_N_ELEMENTS(reasons);
  return reasons;
}

const HaulReason *
haul_reason_find(const char *code)
{
  for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++)
    if (strcmp(reasons[i].code, code) == 0)
      return &reasons[i];
  return &reasons[0];
}

int
haul_reason_exit_code(const char *code, unsigned side)
{
  const HaulReason *reason = haul_reason_find(code);
  int sided = side == 1 || side == 2 ? reason->exit_side[side - 1] : 0;
  return sided != 0 ? sided : reason->exit_code;
}

static const struct {
  int code;
  const char *meaning;
} exit_codes[] = {
  { 0, "All is done." },
  { 1, "Something else went wrong; the message says what." },
  { 6, "Stopped by a signal; the next run goes on from there." },
  { 8, "Another run holds the lock of these two accounts." },
  { 10, "Neither side could be reached." },
  { 101, "The source could not be reached or opened." },
  { 102, "The destination could not be reached or opened." },
  { 12, "No trusted, encrypted connection." },
  { 16, "Both sides refused the login." },
  { 161, "The source refused the login." },
  { 162, "The destination refused the login." },
  { 64, "The command line is not right." },
  { 66, "A file that was named cannot be read." },
  { 69, "A plugin or a server is not available." },
  { 70, "An error of mailhaul's own: please report it." },
  { 111, "Some messages were not copied; the report names each." },
  { 112, "So many errors that the run was ended." },
  { 113, "A quota or a disk is full." },
  { 114, "Messages could not be delivered." },
  { 115, "Messages could not be fetched." },
  { 116, "Folders could not be made." },
  { 117, "A folder is not there or could not be opened." },
  { 118, "As much was copied as --exitwhenover says; the next run goes on from there." },
  { 120, "Flags could not be changed." },
  { 121, "Messages were not deleted: it was refused, or would not have been safe." },
};

const char *
haul_exit_code_meaning(int exit_code)
{
  for (size_t i = 0; i < G_N_ELEMENTS(exit_codes); i++)
    if (exit_codes[i].code == exit_code)
      return exit_codes[i].meaning;
  return NULL;
}
