/* Messages in several folders at once. */
#include "plan-labels.h"

#include <string.h>

#include <mailhaul/text.h>

bool
haul_labels_is_elsewhere(const HaulMessagesInput *input, uint32_t index)
{
  return input->twins1 != NULL && input->twins1[index].first < input->place
         && (input->is_rest || input->labels != HAUL_LABELS_FOLDERS);
}

/* The note of who provides the object of a message; NULL if there is none. */
static uint32_t *
provider_of(const HaulMessagesInput *input, uint32_t index)
{
  return input->twins1 != NULL && input->providers != NULL && input->twins1[index].object != 0
             ? &input->providers[input->twins1[index].object]
             : NULL;
}

void
haul_labels_provide(const HaulMessagesInput *input, uint32_t index)
{
  uint32_t *provider = provider_of(input, index);
  if (provider != NULL && *provider == HAUL_NO_PLACE)
    *provider = input->place;
}

/* Not from the same folder: two messages there are two messages, whatever they hold. */
bool
haul_labels_can_link(const HaulMessagesInput *input, uint32_t index)
{
  const uint32_t *provider = provider_of(input, index);
  return provider != NULL && *provider != HAUL_NO_PLACE && *provider != input->place;
}

char *
haul_labels_keyword(const char *path)
{
  g_autofree char *encoded = haul_utf7_encode(path);
  g_autoptr(GString) keyword = g_string_new(NULL);
  for (const char *at = encoded; *at != '\0'; at++)
    if (*at <= ' ' || *at > '~' || strchr("_(){%*\"\\]", *at) != NULL)
      g_string_append_printf(keyword, "_%02X", (unsigned char)*at);
    else
      g_string_append_c(keyword, *at);
  return keyword->len <= HAUL_LABEL_KEYWORD_LIMIT ? g_string_free(g_steal_pointer(&keyword), FALSE)
                                                  : NULL;
}
