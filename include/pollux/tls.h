/* pollux/tls.h -- TLS 1.2 and 1.3 for streams: TCP and IPC (Xojo's SSLSocket).
 *
 * This header belongs to a library of its own, libpollux-tls, which uses OpenSSL 3: pkg-config
 * pollux-tls. <pollux.h> does not include it.
 *
 * plx_tls *tls = plx_tls_new_client(); at start, once: reads the trusted certificates
 *     plx_socket_set_tls(socket, tls);            before connect: the connection is encrypted
 *
 * Settings (plx_tls) are shared by any number of sockets. A client's settings verify the server:
 * its certificate must lead to a trusted one and name the host of plx_socket_set_address, or the
 * name of plx_socket_set_tls_name. The handshake is part of PLX_CONNECTING: `connected` and then
 * `encrypted` follow it, and nothing that the program writes leaves before. A handshake or a check
 * that fails is reported by `error` alone, with PLX_LOST_CONNECTION, reason TLS_HANDSHAKE_FAILED,
 * and a message that names the check:
 *
 *     TLS to example.org port 443: the certificate has expired (CN=example.org)
 *
 * TLS says goodbye before the connection ends (close_notify), so that nobody on the way can cut a
 * stream short unnoticed: an end without it is PLX_LOST_CONNECTION with os_error EPROTO, and 0 is
 * the os_error of an orderly one. With PLX_OPTION_HALF_OPEN a peer that has said goodbye in TLS 1.3
 * can still be written to; TLS 1.2 has no half-open connections (RFC 5246, 7.2.1), so there the
 * connection ends, with os_error EPIPE. After plx_socket_disconnect the peer may end as it likes.
 *
 * Who does what: settings made by plx_tls_new_client play the client of TLS, settings made by
 * plx_tls_new_server the server, whichever side has connected.
 *
 * Costs: libpollux-tls allocates by OpenSSL, not by plx_memory_set. A change of settings counts for
 * connections that begin later; it forgets all sessions that could be resumed. Settings belong to
 * one thread at a time, with all sockets that use them. */
#ifndef POLLUX_TLS_H
#define POLLUX_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include <pollux/error.h>
#include <pollux/export.h>
#include <pollux/server.h>
#include <pollux/socket.h>

PLX_BEGIN_DECLS

/* ---- settings -------------------------------------------------------------------------------- */

/* Settings of TLS connections. Opaque. */
typedef struct plx_tls plx_tls;

/* plx_tls_new_client makes settings for clients: they verify the server against the trusted
 * certificates that are installed, as OpenSSL finds them (SSL_CERT_FILE and SSL_CERT_DIR count, but
 * not in setuid programs), and speak TLS 1.2 and later. This reads some 140 certificates in some
 * 20 ms: do it at start. Returns NULL when there is no memory or OpenSSL cannot begin. You free it
 * with plx_tls_free. */
PLX_API plx_tls *plx_tls_new_client(void);

/* plx_tls_new_server makes settings for servers. They need a certificate (plx_tls_use_file) before
 * the first handshake. They ask for no certificate of the client; one that does (PLX_TLS_VERIFY)
 * trusts nobody before plx_tls_trust_file. Returns NULL as plx_tls_new_client does. */
PLX_API plx_tls *plx_tls_new_server(void);

/* plx_tls_free gives up the caller's share: the settings are freed when no socket and no server
 * uses them any more. Accepts NULL; returns NULL. */
PLX_API plx_tls *plx_tls_free(plx_tls *tls);

/* The calls below that change settings return 0; PLX_INVALID_STATE with reason
 * TLS_INVALID_USER_DATA for what cannot be used, or for NULL; PLX_OUT_OF_MEMORY; or
 * PLX_OPEN_DRIVER with reason TLS_INTERNAL when OpenSSL failed in another way. Unless 0, nothing
 * changed. plx_tls_error has the reason in words. */

/* plx_tls_trust_file trusts the certificates of a PEM file, or of a folder that openssl-rehash(1)
 * has prepared. The first call replaces the installed ones, later calls add. */
PLX_API int plx_tls_trust_file(plx_tls *tls, const char *path);

/* plx_tls_trust_memory does the same for `size` bytes of PEM, which are copied. */
PLX_API int plx_tls_trust_memory(plx_tls *tls, const void *pem, size_t size);

/* plx_tls_reject_file refuses the certificates of a PEM file wherever they occur in a chain, also
 * if they are trusted (Xojo's CertificateRejectionFile). Later calls add. */
PLX_API int plx_tls_reject_file(plx_tls *tls, const char *path);

/* plx_tls_pin adds a key that the peer may have: the SHA-256 of its SubjectPublicKeyInfo (RFC 7469,
 * 2.4). With pins the peer's key must be one of them, whatever PLX_TLS_VERIFY says; together with
 * PLX_TLS_VERIFY_NONE a pin accepts a self-signed peer. */
PLX_API int plx_tls_pin(plx_tls *tls, const unsigned char sha256[32]);

/* plx_tls_use_file sets this side's certificate and its private key. `certificate` is a PEM file
 * with the certificate first and the intermediate ones behind it, or a PKCS#12 file; `key` is a PEM
 * file, NULL if the key is in the file of the certificate. `password` decrypts the key; NULL if it
 * is not encrypted: nobody is ever asked for a password on a terminal. The password is kept for
 * plx_tls_reload and erased with the settings. A later call replaces the certificate. */
PLX_API int plx_tls_use_file(plx_tls *tls, const char *certificate, const char *key,
                             const char *password);

/* plx_tls_use_memory does the same for bytes; they are not needed afterwards. */
PLX_API int plx_tls_use_memory(plx_tls *tls, const void *certificate, size_t size, const void *key,
                               size_t key_size, const char *password);

/* plx_tls_reload reads all files of the calls above again, such as a renewed certificate. If one
 * cannot be used, nothing changes. Connections keep what they began with. */
PLX_API int plx_tls_reload(plx_tls *tls);

/* Options of settings. Defaults are in brackets. */
typedef enum plx_tls_option {
    PLX_TLS_VERIFY,           /* PLX_TLS_VERIFY_NONE, ..._OPTIONAL, ..._REQUIRE [client REQUIRE,
                                 server NONE] */
    PLX_TLS_VERIFY_DEPTH,     /* intermediate certificates a chain may have, 1 to 100; 0: OpenSSL's
                                 limit [0] */
    PLX_TLS_MINIMUM,          /* 12 or 13: the oldest TLS, 1.2 or 1.3 [12] */
    PLX_TLS_MAXIMUM,          /* 12 or 13: the newest TLS [13] */
    PLX_TLS_SESSIONS,         /* switch: handshakes may be shortened by what both sides remember. A
                                 client keeps one session for each name and port, and 256 at most
                                 [1] */
    PLX_TLS_ALLOW_TRUNCATION, /* switch: an end without close_notify is an orderly one [0] */
    PLX_TLS_PAUSE_ON_PROBLEM  /* switch: without a check handler a failed check pauses the
                                 connection until plx_socket_resume, and does not end it [0] */
} plx_tls_option;

/* Values of PLX_TLS_VERIFY. */
enum {
    PLX_TLS_VERIFY_NONE,     /* a client accepts any certificate, a server asks for none, unless
                                plx_tls_pin or plx_tls_reject_file was called */
    PLX_TLS_VERIFY_OPTIONAL, /* a server's client may have no certificate; what is there is checked,
                                and a check handler is always asked */
    PLX_TLS_VERIFY_REQUIRE   /* the peer must have a certificate, which is checked */
};

/* plx_tls_set_option sets an option. PLX_INVALID_STATE for an option or a value that is not in the
 * list; TLS older than 1.2 is not there because it is not safe. */
PLX_API int plx_tls_set_option(plx_tls *tls, plx_tls_option option, int value);

/* plx_tls_set_ciphers sets the ciphers of TLS 1.2 and, which is another list, of TLS 1.3, in the
 * words of openssl-ciphers(1). NULL leaves a list as it is. */
PLX_API int plx_tls_set_ciphers(plx_tls *tls, const char *tls12, const char *tls13);

/* plx_tls_set_protocols sets the protocols to choose from by ALPN (RFC 7301), such as "h2", the
 * preferred first; names have 1 to 255 bytes. With `count` 0 none is offered. A server whose list
 * has none of the client's protocols ends the handshake; plx_tls_info has what was chosen. */
PLX_API int plx_tls_set_protocols(plx_tls *tls, const char *const *names, size_t count);

/* plx_tls_error returns the last failure of a call with these settings in full, also of
 * plx_socket_set_tls, plx_socket_start_tls and plx_server_set_tls; without one: code 0 and message
 * "". The error belongs to the settings and is valid until the next call with them. Never NULL: for
 * NULL settings the error is a PLX_INVALID_STATE. */
PLX_API const plx_error *plx_tls_error(const plx_tls *tls);

/* ---- sockets and servers --------------------------------------------------------------------- */

/* plx_socket_set_tls encrypts the connections that the socket makes, accepts or adopts from now on;
 * NULL: not any more, so compare with NULL what plx_tls_new_client has returned. The socket shares
 * the settings; they stay set after close. Returns 0; PLX_INVALID_STATE (not unconnected; not a
 * stream; a server's settings without a certificate); or PLX_OUT_OF_MEMORY. */
PLX_API int plx_socket_set_tls(plx_socket *socket, plx_tls *tls);

/* plx_socket_set_tls_name sets the host name or IP address that the peer's certificate must have,
 * and that a client asks for (SNI, RFC 6066), in place of the address of plx_socket_set_address. It
 * is copied; NULL and "" mean none. An IPC client that verifies needs one, and so does a client
 * that was accepted or adopted. The name stays set after close; one that is set while connecting
 * or connected is for that connection only (plx_socket_start_tls). Returns 0, PLX_INVALID_STATE
 * (not a stream; listening or closing; a string that is no name) or PLX_OUT_OF_MEMORY. */
PLX_API int plx_socket_set_tls_name(plx_socket *socket, const char *name);

/* plx_socket_start_tls encrypts a connection from now on, when both sides have agreed on it
 * (STARTTLS). What is queued leaves in clear before; later bytes are queued until `encrypted`; no
 * byte that arrives in clear after the call is handed to the program. Returns 0; PLX_INVALID_STATE
 * (not connected; encrypted already; received bytes are unread, which somebody on the way may have
 * put in; as plx_socket_set_tls); or PLX_OUT_OF_MEMORY. A handshake that fails ends the connection
 * with `error` and `disconnected`. */
PLX_API int plx_socket_start_tls(plx_socket *socket, plx_tls *tls);

/* plx_server_set_tls encrypts the connections of later clients; NULL: not any more. A client is in
 * PLX_CONNECTING until its handshake is done, and has 10 seconds for it unless
 * PLX_OPTION_CONNECT_TIMEOUT was set (plx_server_add_filter). The server shares the
 * settings of all its calls until it is freed: for a renewed certificate call plx_tls_reload.
 * Returns as plx_socket_set_tls does, and PLX_INVALID_STATE for settings of a client. */
PLX_API int plx_server_set_tls(plx_server *server, plx_tls *tls);

/* ---- what the check of the peer has found ---------------------------------------------------- */

/* What was wrong with the peer or the handshake. */
typedef enum plx_tls_check {
    PLX_TLS_CHECK_NONE,         /* nothing */
    PLX_TLS_NO_CERTIFICATE,     /* the peer has sent none */
    PLX_TLS_UNTRUSTED,          /* it does not lead to a certificate that is trusted here */
    PLX_TLS_EXPIRED,            /* a certificate is not valid any more */
    PLX_TLS_NOT_YET_VALID,      /* a certificate is not valid yet */
    PLX_TLS_WRONG_NAME,         /* it is for another host */
    PLX_TLS_REJECTED,           /* plx_tls_reject_file, or revoked */
    PLX_TLS_WEAK,               /* a key or a digest is too weak */
    PLX_TLS_WRONG_PURPOSE,      /* a certificate may not be used for this */
    PLX_TLS_BAD_SIGNATURE,      /* a signature is wrong */
    PLX_TLS_WRONG_PIN,          /* the key is none of plx_tls_pin */
    PLX_TLS_NO_COMMON_PROTOCOL, /* no version of TLS or no cipher in common */
    PLX_TLS_NO_ALPN,            /* no protocol of plx_tls_set_protocols in common */
    PLX_TLS_NOT_TLS,            /* the peer does not speak TLS */
    PLX_TLS_ALERT,              /* the peer has ended the handshake by an alert */
    PLX_TLS_OTHER               /* anything else; the message of the error has it */
} plx_tls_check;

/* What is known about a TLS connection. Later versions add members at the end. */
typedef struct plx_tls_info {
    int version;               /* 12, 13; 0: not known yet */
    char cipher[64];           /* such as "TLS_AES_256_GCM_SHA384" */
    char protocol[64];         /* inside TLS, as ALPN chose, such as "h2"; "": none, or longer */
    bool resumed;              /* by a session that both sides remembered: the check was skipped */
    bool peer_has_certificate; /* see plx_socket_peer_certificate */
    plx_tls_check check;       /* what was wrong, also if the program has accepted it */
    int depth;                 /* with which certificate of the chain; 0 is the peer's own */
    char subject[256];         /* of that certificate, or of the peer's, as "CN=example.org" */
} plx_tls_info;

/* plx_socket_tls_info returns in *ret_info what is known about the socket's last connection, also
 * inside `error` and after the end, until the next connect, listen, adopt or free. Returns false,
 * and *ret_info is untouched, for a socket without TLS. plx_socket_tls_info_sized writes only the
 * first `size` bytes. */
PLX_API bool plx_socket_tls_info_sized(const plx_socket *socket, plx_tls_info *ret_info,
                                       size_t size);
static inline bool plx_socket_tls_info(const plx_socket *socket, plx_tls_info *ret_info)
{
    return plx_socket_tls_info_sized(socket, ret_info, sizeof *ret_info);
}

/* plx_socket_peer_certificate returns the size of a certificate of the peer in DER: 0 is the
 * peer's own, 1 its issuer's, and so on as the peer has sent them. It is copied to `der` if it fits
 * into `size` bytes. Returns 0 when there is none. A resumed connection may know the first only. */
PLX_API size_t plx_socket_peer_certificate(const plx_socket *socket, size_t depth, void *der,
                                           size_t size);

/* ---- asking the program ---------------------------------------------------------------------- */

/* Answers of a check handler. */
enum {
    PLX_TLS_REFUSE, /* the connection fails */
    PLX_TLS_ACCEPT, /* the connection goes on, for this time */
    PLX_TLS_PAUSE   /* neither, until plx_socket_resume; time limits go on */
};

/* plx_tls_set_check sets the handler that is asked when the check of the peer has failed, and with
 * PLX_TLS_VERIFY_OPTIONAL always: problem->check is what is wrong. It runs in a poll as other
 * handlers do, and may make any call, also free the socket. A client asks before it sends anything
 * secret, such as its own certificate; a server asks when the handshake is done, before `connected`
 * and before any byte of the program moves. Without a handler (NULL) the answer is
 * PLX_TLS_REFUSE, or with PLX_TLS_PAUSE_ON_PROBLEM PLX_TLS_PAUSE. What was accepted so is not
 * remembered: the next connection asks again. Neither a pin that does not fit nor a rejected
 * certificate is asked about. The call counts at once, also for handshakes that run. Returns 0, or
 * PLX_INVALID_STATE for NULL settings. */
PLX_API int plx_tls_set_check(plx_tls *tls,
                              int (*check_peer)(plx_socket *socket, const plx_tls_info *problem,
                                                void *user),
                              void *user);

/* plx_socket_resume answers a check that was paused (Qt's resume). The next poll goes on. Returns
 * 0, or PLX_INVALID_STATE when nothing is paused. */
PLX_API int plx_socket_resume(plx_socket *socket, bool accept);

PLX_END_DECLS

#endif
