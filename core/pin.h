/*
 * Pins: keys that a user trusts by their digest, whoever has signed their certificates. Pure; what
 * a handshake does with them is trust.c's.
 */
#ifndef HAUL_CORE_PIN_H
#define HAUL_CORE_PIN_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define HAUL_PIN_OCTETS 32 /* SHA-256 of the SubjectPublicKeyInfo (RFC 7469 §2.4) */
typedef struct {
  uint8_t digest[HAUL_PIN_OCTETS];
} HaulPin;

/*
 * Parses a list such as "sha256:HEX,sha256:BASE64"; hexadecimal digits may be parted by colons.
 *
 * Returns an array of HaulPin; NULL where a member is none, and @bad gets it, to be freed.
 */
GArray *haul_pins_parse(const char *list, char **bad);

bool haul_pins_have(const GArray *pins, const HaulPin *pin);

/* Returns @pin as one would write it, to be freed. */
char *haul_pin_show(const HaulPin *pin);

#endif /* HAUL_CORE_PIN_H */
