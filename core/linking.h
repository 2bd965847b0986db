/*
 * Links: messages that the destination has already, put into one more of its folders by itself, so that
 * no body travels twice. They are deliveries like others: intents first, receipts after.
 */
#ifndef HAUL_CORE_LINKING_H
#define HAUL_CORE_LINKING_H

#include "context.h"

/*
 * Makes the links of @pass. What cannot be linked (there is no copy after all, the store refuses) becomes
 * an ordinary copy: the actions of @pass are these afterwards, and no others.
 *
 * @left: gets whether there are any.
 * Returns false for what reaches beyond folders; then some folders are incomplete.
 */
bool haul_make_links(const HaulContext *context, HaulPass *pass, HaulOpenStore *store2, bool *left,
                     GError **error);

#endif /* HAUL_CORE_LINKING_H */
