/* lib/tls/name.c -- the name that the certificate of the peer has to have.
 *
 * A socket keeps it in a filter without steps, through which bytes pass at no cost: so it lives as
 * long as the settings of the socket, also before plx_socket_set_tls and plx_socket_start_tls. */
#include "config.h"

#include "lib/tls/name.h"
#include "lib/tls/text.h"

#include <pollux/address.h>
#include <pollux/filter.h>
#include <pollux/memory.h>

#include <string.h>

#ifdef HAVE_LIBIDN2
#include <idn2.h>
#endif

struct set_name {
    char *text; /* NULL: none */
};

static void forget(plx_filter *filter)
{
    struct set_name *set = plx_filter_state(filter);
    plx_memory_resize(set->text, 0);
}

static const plx_filter_kind lasting = {
    .size = sizeof lasting,
    .state_size = sizeof(struct set_name),
    .name = "TLS name",
    .forget = forget,
};

/* Pushed while connected, so that the next connection frees it. */
static const plx_filter_kind of_one_connection = {
    .size = sizeof of_one_connection,
    .state_size = sizeof(struct set_name),
    .name = "TLS name of one connection",
    .forget = forget,
};

/* ---- the form in which certificates have it -------------------------------------------------- */

static bool is_ascii(const char *text)
{
    while (*text > ' ' && *text < 127) {
        text++;
    }
    return *text == '\0';
}

/* The same form that the resolver looks up (IDNA2008). */
static bool to_ascii(const char *text, char ret_text[256])
{
    bool good = false;
#ifdef HAVE_LIBIDN2
    char *name = NULL;
    good = idn2_to_ascii_8z(text, &name, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK &&
           strlen(name) < 256;
    if (good) {
        strcpy(ret_text, name);
    }
    idn2_free(name);
#else
    (void)text;
    (void)ret_text;
#endif
    return good;
}

/* Copies a name without one dot at its end, and an address without its scope: RFC 6066, 3. With a
 * dot before it OpenSSL would accept every host below it (X509_check_host(3)). */
static bool copy(const char *text, char ret_text[256])
{
    size_t length = strlen(text);
    const char *scope = strchr(text, '%');
    length = scope != NULL && strchr(text, ':') != NULL ? (size_t)(scope - text) : length;
    length -= length > 1 && text[length - 1] == '.' ? 1 : 0;
    if (length == 0 || length > 255 || text[0] == '.' || !is_ascii(text)) {
        return false;
    }
    memcpy(ret_text, text, length);
    ret_text[length] = '\0';
    return true;
}

/* plx_address_parse accepts both, and no certificate has them. */
static bool has_brackets_or_port(const struct plx__tls_name *name, const plx_address *address)
{
    bool is_ipv6 = name->is_address && address->family == 6;
    return name->text[0] == '[' || (strchr(name->text, ':') != NULL && !is_ipv6);
}

static bool parse(const char *text, struct plx__tls_name *ret_name)
{
    struct plx__tls_name name = {.text = ""};
    plx_address address;
    char ascii[256];
    bool good =
        is_ascii(text) ? copy(text, name.text) : to_ascii(text, ascii) && copy(ascii, name.text);
    if (!good) {
        return false;
    }
    name.is_address = plx_address_parse(name.text, &address) == 0;
    if (has_brackets_or_port(&name, &address)) {
        return false;
    }
    *ret_name = name;
    return true;
}

/* ---- of a socket ----------------------------------------------------------------------------- */

struct plx__tls_name plx__tls_name_of(const plx_socket *socket)
{
    struct plx__tls_name name = {.text = ""};
    plx_filter *filter = plx_socket_filter(socket, &of_one_connection);
    filter = filter != NULL ? filter : plx_socket_filter(socket, &lasting);
    const struct set_name *set = plx_filter_state(filter);
    const char *text = set != NULL && set->text != NULL ? set->text : plx_socket_address(socket);
    if (text[0] != '\0' && !parse(text, &name)) {
        name = (struct plx__tls_name){.text = ""};
    }
    return name;
}

/* Takes over the text, which may be NULL: for one connection that needs a filter too, if there is a
 * lasting name. */
static int keep(plx_socket *socket, char *text)
{
    bool is_open = plx_socket_state(socket) != PLX_UNCONNECTED;
    const plx_filter_kind *kind = is_open ? &of_one_connection : &lasting;
    plx_filter *filter = plx_socket_filter(socket, kind);
    bool is_needed = text != NULL || plx_socket_filter(socket, &lasting) != NULL;
    if (filter == NULL && is_needed) {
        filter = plx_socket_push_filter(socket, kind);
    }
    if (filter == NULL) {
        plx_memory_resize(text, 0);
        return is_needed ? plx_socket_last_error(socket) : 0;
    }
    forget(filter);
    ((struct set_name *)plx_filter_state(filter))->text = text;
    return 0;
}

int plx_socket_set_tls_name(plx_socket *socket, const char *text)
{
    struct plx__tls_name name = {.text = ""};
    bool is_none = text == NULL || text[0] == '\0';
    if (socket == NULL || (!is_none && !parse(text, &name))) {
        return PLX_INVALID_STATE;
    }
    char *copied = is_none ? NULL : plx__tls_copy(name.text);
    return !is_none && copied == NULL ? PLX_OUT_OF_MEMORY : keep(socket, copied);
}
