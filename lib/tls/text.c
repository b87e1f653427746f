/* lib/tls/text.c -- strings: copies, and names of certificates in words. */
#include "lib/tls/text.h"

#include <pollux/address.h>
#include <pollux/memory.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

char *plx__tls_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = plx_memory_resize(NULL, size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

/* Control characters are escaped as RFC 2253 says; UTF-8 stays. */
static void write_name(const X509_NAME *name, char *ret_text, size_t size)
{
    BIO *memory = BIO_new(BIO_s_mem());
    int count = 0;
    if (memory != NULL &&
        X509_NAME_print_ex(memory, name, 0,
                           XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
        count = BIO_read(memory, ret_text, (int)size - 1);
    }
    ret_text[count > 0 ? count : 0] = '\0';
    BIO_free(memory);
    ERR_clear_error();
}

void plx__tls_subject(const X509 *certificate, char *ret_text, size_t size)
{
    write_name(X509_get_subject_name(certificate), ret_text, size);
}

void plx__tls_issuer(const X509 *certificate, char *ret_text, size_t size)
{
    write_name(X509_get_issuer_name(certificate), ret_text, size);
}

static void write_host(const ASN1_STRING *host, char *ret_text, size_t size)
{
    const unsigned char *bytes = ASN1_STRING_get0_data(host);
    size_t length = (size_t)ASN1_STRING_length(host);
    size_t count = 0;
    for (; count < length && count < size - 1; count++) {
        ret_text[count] = bytes[count] > ' ' && bytes[count] < 127 ? (char)bytes[count] : '?';
    }
    ret_text[count] = '\0';
}

static void write_address(const ASN1_STRING *address, char *ret_text, size_t size)
{
    const unsigned char *bytes = ASN1_STRING_get0_data(address);
    if (ASN1_STRING_length(address) == 4) {
        snprintf(ret_text, size, "%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]);
    } else {
        snprintf(ret_text, size, "another address");
    }
}

void plx__tls_first_name(const X509 *certificate, char *ret_text, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    ret_text[0] = '\0';
    for (int place = 0; ret_text[0] == '\0' && place < sk_GENERAL_NAME_num(names); place++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, place);
        if (name->type == GEN_DNS) {
            write_host(name->d.dNSName, ret_text, size);
        } else if (name->type == GEN_IPADD) {
            write_address(name->d.iPAddress, ret_text, size);
        }
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
}

void plx__tls_day(const ASN1_TIME *time, char *ret_text, size_t size)
{
    struct tm parts;
    ret_text[0] = '\0';
    if (time != NULL && ASN1_TIME_to_tm(time, &parts) == 1) {
        strftime(ret_text, size, "%Y-%m-%d", &parts);
    }
}
