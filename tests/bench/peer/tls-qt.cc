/* tests/bench/peer/tls-qt.cc -- TLS by Qt 5: QSslSocket. A rule of its own compiles it, as qt.cc.
 *
 * Its interface cannot turn off the tickets that OpenSSL sends in TLS 1.3 (SSL_CTX_set_num_tickets),
 * so its handshakes have two more messages. */
#include "tests/bench/tls.h"
#include "tests/bench/wire.h"

#include <QCoreApplication>
#include <QSslCertificate>
#include <QSslCipher>
#include <QSslConfiguration>
#include <QSslKey>
#include <QSslSocket>

namespace
{

struct Pair {
    peer_tally *tally;
    QSslSocket near, far;

    void take_far()
    {
        QByteArray data = far.readAll();

        tally->bytes += size_t(data.size());
        if (!tally->echo)
            return;
        far.write(data);
        far.flush();
    }
};

/* One application in a process. */
void start()
{
    static int argc = 1;
    static char name[] = "bench";
    static char *argv[] = {name, nullptr};
    static QCoreApplication application(argc, argv);

    tls_check(QSslSocket::supportsSsl(), "load OpenSSL by Qt");
}

QSslConfiguration make_settings(bool is_server)
{
    QSslConfiguration settings = QSslConfiguration::defaultConfiguration();

    settings.setProtocol(QSsl::TlsV1_3);
    settings.setSslOption(QSsl::SslOptionDisableSessionTickets, true);
    settings.setSslOption(QSsl::SslOptionDisableSessionSharing, true);
    settings.setSslOption(QSsl::SslOptionDisableSessionPersistence, true);
    if (is_server) {
        settings.setLocalCertificate(QSslCertificate(QByteArray(tls_papers()->certificate)));
        settings.setPrivateKey(QSslKey(QByteArray(tls_papers()->key), QSsl::Ec));
        settings.setPeerVerifyMode(QSslSocket::VerifyNone);
    } else {
        settings.setCaCertificates({QSslCertificate(QByteArray(tls_papers()->trusted))});
        settings.setPeerVerifyMode(QSslSocket::VerifyPeer);
    }
    return settings;
}

const QSslConfiguration &settings_of(bool is_server)
{
    static const QSslConfiguration client = make_settings(false), server = make_settings(true);

    return is_server ? server : client;
}

void open_end(QSslSocket &socket, bool is_server, int descriptor)
{
    tls_check(socket.setSocketDescriptor(descriptor), "give Qt a descriptor");
    socket.setSslConfiguration(settings_of(is_server));
    socket.setPeerVerifyName(TLS_HOST);
    if (is_server)
        socket.startServerEncryption();
    else
        socket.startClientEncryption();
}

void *pair_open(const peer *, peer_tally *tally, peer_family)
{
    int ends[2];

    start();
    wire_pair(PEER_UNIX, ends);
    auto *pair = new Pair;
    pair->tally = tally;
    open_end(pair->near, false, ends[0]);
    open_end(pair->far, true, ends[1]);
    while (!pair->near.isEncrypted() || !pair->far.isEncrypted()) {
        QCoreApplication::processEvents();
        tls_check(pair->near.state() == QAbstractSocket::ConnectedState &&
                      pair->far.state() == QAbstractSocket::ConnectedState,
                  "shake hands by Qt");
    }
    tls_check_cipher(pair->near.sessionCipher().name().toLatin1().constData());
    QObject::connect(&pair->near, &QIODevice::readyRead,
                     [pair] { pair->tally->returned += size_t(pair->near.readAll().size()); });
    QObject::connect(&pair->far, &QIODevice::readyRead, [pair] { pair->take_far(); });
    return pair;
}

void pair_send(void *object, const void *data, size_t size)
{
    auto *pair = static_cast<Pair *>(object);

    pair->near.write(static_cast<const char *>(data), qint64(size));
    pair->near.flush();
}

void pair_poll(void *)
{
    QCoreApplication::processEvents();
}

/* close says goodbye. */
void pair_close(void *object)
{
    auto *pair = static_cast<Pair *>(object);

    pair->near.close();
    pair->far.close();
    delete pair;
}

const peer_pair pair_functions = {pair_open, pair_send, pair_poll, pair_close};

} // namespace

const struct peer peer_tls_qt = {"Qt 5", nullptr, 0, 0, false, nullptr, &pair_functions, nullptr};
