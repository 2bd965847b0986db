/* Tests pin.c. */
#include "suite.h"

#include <glib.h>
#include <string.h>

#include "pin.h"

#define HEX "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define BASE64 "ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8="

static void
a_pin_may_be_written_in_several_ways(void)
{
  static const char *const lists[] = {
    "sha256:" HEX,
    "SHA256:" HEX,
    "sha256:" BASE64,
    "sha256:ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8",
    "sha256:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:"
    "AB:CD:"
    "EF",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
    char *bad = NULL;
    g_autoptr(GArray) pins = haul_pins_parse(lists[i], &bad);
    CU_ASSERT_FATAL(pins != NULL && pins->len == 1);
    g_autofree char *shown = haul_pin_show(&g_array_index(pins, HaulPin, 0));
    g_autofree char *wanted = g_ascii_strdown("sha256:" HEX, -1);
    CU_ASSERT_STRING_EQUAL(shown, wanted);
  }
}

static void
a_list_holds_each_of_its_pins(void)
{
  char *bad = NULL;
  HaulPin first = { { 0 } }, second = { { 1 } }, third = { { 2 } };
  g_autofree char *one = haul_pin_show(&first), *two = haul_pin_show(&second);
  g_autofree char *list = g_strdup_printf("%s, %s", one, two);
  g_autoptr(GArray) pins = haul_pins_parse(list, &bad);
  CU_ASSERT_FATAL(pins != NULL);
  CU_ASSERT(haul_pins_have(pins, &first) && haul_pins_have(pins, &second));
  CU_ASSERT(!haul_pins_have(pins, &third));
}

static void
what_is_no_pin_is_named(void)
{
  static const char *const lists[] = {
    "x",
    HEX,
    "sha1:" HEX,
    "sha256:",
    "sha256:" HEX "0",
    "sha256:12",
    "sha256:" HEX ",",
    "sha256:" BASE64 "=",
    "sha256:ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrz\n8=",
    "sha256:" HEX ",sha256:xyz",
    "sha256::" HEX,
  };
  for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
    g_autofree char *bad = NULL;
    g_autoptr(GArray) pins = haul_pins_parse(lists[i], &bad);
    if (pins != NULL)
      printf("%s\n", lists[i]);
    CU_ASSERT(pins == NULL && bad != NULL);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_pin_may_be_written_in_several_ways),
    CASE(a_list_holds_each_of_its_pins),
    CASE(what_is_no_pin_is_named),
  };
  return RUN_SUITE("pin", cases);
}
