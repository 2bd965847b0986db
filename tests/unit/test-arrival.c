/* Tests arrival.c and pseudo.c: what the header of a message tells of it. */
#include "suite.h"

#include <string.h>

#include "arrival.h"
#include "message.h"
#include "pseudo.h"

#define DATE "Date: Tue, 5 Nov 1996 09:00:00 +0100\r\n"
#define RECEIVED(zone) "Received: from a by b; 5 Nov 1996 10:00:00 " zone "\r\n"

static void
tb1_the_newest_received_tells_when_a_message_came(void)
{
  static const struct {
    const char *header;
    int64_t seconds; /* 0: none */
    int32_t zone;
  } table[] = {
    { RECEIVED("+0000") "Received: from x by a; 5 Nov 1996 08:00:00 +0000\r\n" DATE, 847188000, 0 },
    { DATE RECEIVED("+0200"), 847180800, 7200 },
    { "Received: from a by b\r\n\t; Tue, 5 Nov 1996\r\n 10:00:00 +0000 (c; d)\r\n\r\n", 0, 0 },
    { "Received: from a; by b (x; y); 5 Nov 1996 10:00:00 +0000\r\n\r\n", 847188000, 0 },
    { DATE, 847180800, 3600 },
    { "Received: no date\r\n" DATE "Date: 6 Nov 1996 10:00:00 +0000\r\n", 847180800, 3600 },
    { "Received: a; today\r\n" RECEIVED("+0000") DATE, 847188000, 0 },
    { "Received: a; 5 Nov 0001 10:00:00 +0000\r\n" DATE, 847180800, 3600 },
    { "Date: 1 Jan 9999 00:00:00 +0000\r\n", 0, 0 },
    { "Date: 31 Feb 2001 00:00:00 +0000\r\nSubject: x\r\n", 0, 0 },
    { "Subject: x\r\n\r\n" DATE, 0, 0 },
    { "", 0, 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    int64_t seconds = 0;
    int32_t zone = 0;
    size_t size = strlen(table[i].header);
    g_autofree uint8_t *header = g_memdup2(table[i].header, size);
    bool found = haul_arrival_by_header(header, size, &seconds, &zone);
    CU_ASSERT_EQUAL(found, table[i].seconds != 0);
    CU_ASSERT_EQUAL(found ? seconds : 0, table[i].seconds);
    CU_ASSERT_EQUAL(found ? zone : 0, table[i].zone);
  }
}

static void
a_date_that_the_source_gave_stays(void)
{
  static const char text[] = DATE "\r\nbody";
  HaulItem item = { .id = "1", .date = 1000 };
  g_autoptr(HaulMessage) dated = haul_message_new(&item, text, strlen(text));
  CU_ASSERT_FALSE(haul_arrival_supply(dated));
  CU_ASSERT_EQUAL(haul_message_item(dated)->date, 1000);
  item.date = HAUL_NO_DATE;
  g_autoptr(HaulMessage) undated = haul_message_new(&item, text, strlen(text));
  CU_ASSERT_TRUE(haul_arrival_supply(undated));
  CU_ASSERT_EQUAL(haul_message_item(undated)->date, 847180800);
  CU_ASSERT_EQUAL(haul_message_item(undated)->date_zone, 3600);
  g_autoptr(HaulMessage) empty = haul_message_new(&item, "", 0);
  CU_ASSERT_FALSE(haul_arrival_supply(empty));
}

static void
uw1_a_pseudo_message_has_both_traces(void)
{
  static const struct {
    const char *text;
    bool pseudo;
  } table[] = {
    { "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\r\nX-IMAP: 1 2\r\n\r\n", true },
    { "x-imapbase: 1 2\r\nsubject:\tDON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n\n", true },
    { "X-IMAPbase: 1 2\r\nSubject: an ordinary first message\r\n\r\n", false },
    { "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\r\n\r\nX-IMAP: 1\r\n", false },
    { "Subject: Re: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\r\nX-IMAP: 1\r\n\r\n",
      false },
    { "X-IMAP: 1\r\nSubject: DON'T\r\n\r\n", false },
    { "", false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    HaulItem item = { .id = "1" };
    g_autoptr(HaulMessage) message = haul_message_new(&item, table[i].text, strlen(table[i].text));
    CU_ASSERT_EQUAL(haul_message_is_pseudo(message), table[i].pseudo);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(tb1_the_newest_received_tells_when_a_message_came),
    CASE(a_date_that_the_source_gave_stays),
    CASE(uw1_a_pseudo_message_has_both_traces),
  };
  return RUN_SUITE("arrival", cases);
}
