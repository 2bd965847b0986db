/*
 * A plugin that does nothing, in as many wrong forms as the build defines: see ../meson.build. Each
 * of NAME, ABI, SIZE, STORE, STORE_SIZE, MATCHER, KEY, TYPE and FALLBACK has its right value here.
 */
#include <mailhaul/plugin.h>

#ifndef ABI
#define ABI HAUL_ABI_VERSION
#endif
#ifndef SIZE
#define SIZE sizeof(HaulPlugin)
#endif
#ifndef STORE
#define STORE &store_ops
#endif
#ifndef STORE_SIZE
#define STORE_SIZE sizeof(HaulStoreOps)
#endif
#ifndef MATCHER
#define MATCHER NULL
#endif
#ifndef KEY
#define KEY "path"
#endif
#ifndef TYPE
#define TYPE 'p'
#endif
#ifndef FALLBACK
#define FALLBACK ""
#endif
#ifndef CLOSE
#define CLOSE fixture_close
#endif

static HaulStore *
fixture_open(const HaulAccount *account, HaulIntent intent, GError **error)
{
  return (HaulStore *)account;
}

G_GNUC_UNUSED static void
fixture_close(HaulStore *store)
{
}

static bool
fixture_flush(HaulStore *store, GError **error)
{
  return true;
}

static char *
fixture_identity(HaulStore *store)
{
  return g_strdup("fixture");
}

/* Followed by what a later version might have added. */
G_GNUC_UNUSED static const struct {
  HaulStoreOps ops;
  const void *later[4];
} store = {
  .ops = {
    .struct_size = STORE_SIZE,
    .open = fixture_open,
    .close = CLOSE,
    .flush = fixture_flush,
    .identity = fixture_identity,
  },
  .later = { &store, &store, &store, &store },
};
#define store_ops store.ops

G_GNUC_UNUSED static const HaulMatcherOps keyless = { .struct_size = sizeof keyless };

#ifndef NO_SETTINGS
static const HaulSetting settings[] = {
  { "user", 's', "", "A setting that is right." },
  { KEY, TYPE, FALLBACK, "One that may not be." },
  { NULL, 0, NULL, NULL },
};
#endif

#ifdef NO_SYMBOL
extern HAUL_PUBLIC const HaulPlugin haul_plug;
const HaulPlugin haul_plug = {
#else
HAUL_PLUGIN(fixture) = {
#endif
  .abi_version = ABI,
  .struct_size = SIZE,
  .name = NAME,
  .version = "1",
  .summary = "A fixture.",
#ifndef NO_SETTINGS
  .settings = settings,
#endif
  .store = STORE,
  .matcher = MATCHER,
};
