/* explain: what a reason or an exit code means, and what to do. */
#include "commands.h"

#include <string.h>

#include "reason.h"

int
haul_command_explain(int argc, char **argv)
{
  size_t n;
  const HaulReason *reasons = haul_reason_table(&n);
  if (argc == 0) {
    for (size_t i = 0; i < n; i++)
      printf("%-12s %s\n", reasons[i].code, reasons[i].what);
    return 0;
  }
  const char *meaning = haul_exit_code_meaning(strspn(argv[0], "0123456789") == strlen(argv[0])
                                                   ? (int)g_ascii_strtoll(argv[0], NULL, 10)
                                                   : -1);
  if (meaning != NULL) {
    printf("exit code %s: %s\n", argv[0], meaning);
    return 0;
  }
  for (size_t i = 0; i < n; i++)
    if (strcmp(reasons[i].code, argv[0]) == 0) {
      printf("%s: %s.\n%s\n", reasons[i].code, reasons[i].what, reasons[i].advice);
      return 0;
    }
  fprintf(stderr, "mailhaul: no reason or exit code \"%s\"; mailhaul explain lists them\n",
          argv[0]);
  return haul_reason_exit_code("usage", 0);
}
