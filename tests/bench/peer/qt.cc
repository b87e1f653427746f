/* tests/bench/peer/qt.cc -- Qt 5: QCoreApplication::processEvents() is a frame.
 *
 * A reply is followed by flush(), which Qt's users may leave out: it spares Qt a pass of the loop
 * and a notifier. Only Qt is C++ here, so make compiles this file by a rule of its own. */
#include "tests/bench/peer.h"
#include "tests/bench/wire.h"

#include <QCoreApplication>
#include <QLocalServer>
#include <QLocalSocket>
#include <QTcpServer>
#include <QTcpSocket>
#include <QUdpSocket>
#include <vector>

namespace
{

/* What fits into the queue of a QTcpServer of Qt 5: listen(2) is given 50. */
enum { BACKLOG = 50 };

/* One application in a process, made when the first object is. */
void start()
{
    static int argc = 1;
    static char name[] = "bench";
    static char *argv[] = {name, nullptr};
    static QCoreApplication application(argc, argv);
}

bool poll(void *)
{
    QCoreApplication::processEvents();
    return false;
}

void wait(void *)
{
    QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
}

void flush(QIODevice *device)
{
    if (auto *tcp = qobject_cast<QTcpSocket *>(device))
        tcp->flush();
    else if (auto *local = qobject_cast<QLocalSocket *>(device))
        local->flush();
}

/* ---- server ---------------------------------------------------------------------------------- */

struct Server {
    peer_tally *tally;
    QTcpServer tcp;
    QLocalServer local;
    std::vector<QObject *> gone; /* cannot be deleted while they report it */

    void take(QIODevice *client)
    {
        QByteArray data = client->readAll();

        if (tally->look != nullptr)
            tally->look(tally, data.constData(), size_t(data.size()));
        tally->bytes += size_t(data.size());
        if (!tally->echo)
            return;
        client->write(data);
        flush(client);
        tally->answered++;
    }

    template <class Socket> void admit(Socket *client)
    {
        QObject::connect(client, &QIODevice::readyRead, [this, client] { take(client); });
        QObject::connect(client, &Socket::disconnected, [this, client] {
            tally->ended++;
            gone.push_back(client);
        });
        tally->accepted++;
    }

    void admit_tcp()
    {
        while (QTcpSocket *client = tcp.nextPendingConnection()) {
            client->setSocketOption(QAbstractSocket::LowDelayOption, 1);
            admit(client);
        }
    }

    void admit_local()
    {
        while (QLocalSocket *client = local.nextPendingConnection())
            admit(client);
    }

    void sweep()
    {
        for (QObject *client : gone)
            delete client;
        gone.clear();
    }
};

void *server_open(const peer *, peer_tally *tally, const char *path, int *ret_port)
{
    start();
    auto *server = new Server;
    server->tally = tally;
    if (path != nullptr) {
        QObject::connect(&server->local, &QLocalServer::newConnection,
                         [server] { server->admit_local(); });
        if (!server->local.listen(QString::fromLocal8Bit(path)))
            bench_fail("listen by Qt");
        return server;
    }
    server->tcp.setMaxPendingConnections(PEER_BACKLOG);
    QObject::connect(&server->tcp, &QTcpServer::newConnection, [server] { server->admit_tcp(); });
    if (!server->tcp.listen(QHostAddress::LocalHost, 0))
        bench_fail("listen by Qt");
    *ret_port = server->tcp.serverPort();
    return server;
}

bool server_poll(void *object)
{
    auto *server = static_cast<Server *>(object);

    QCoreApplication::processEvents();
    if (!server->gone.empty())
        server->sweep();
    return false;
}

void server_close(void *object)
{
    auto *server = static_cast<Server *>(object);

    server->sweep();
    delete server;
}

/* ---- pair ------------------------------------------------------------------------------------ */

struct Pair {
    peer_tally *tally;
    QIODevice *near, *far;

    void take_far()
    {
        QByteArray data = far->readAll();

        tally->bytes += size_t(data.size());
        if (!tally->echo)
            return;
        far->write(data);
        flush(far);
    }

    void take_near()
    {
        tally->returned += size_t(near->readAll().size());
    }
};

QIODevice *open_end(peer_family family, int descriptor)
{
    if (family == PEER_TCP) {
        auto *socket = new QTcpSocket;
        socket->setSocketDescriptor(descriptor);
        return socket;
    }
    auto *socket = new QLocalSocket;
    socket->setSocketDescriptor(descriptor);
    return socket;
}

void *pair_open(const peer *, peer_tally *tally, peer_family family)
{
    int ends[2];

    start();
    wire_pair(family, ends);
    auto *pair = new Pair{tally, open_end(family, ends[0]), open_end(family, ends[1])};
    QObject::connect(pair->near, &QIODevice::readyRead, [pair] { pair->take_near(); });
    QObject::connect(pair->far, &QIODevice::readyRead, [pair] { pair->take_far(); });
    return pair;
}

void pair_send(void *object, const void *data, size_t size)
{
    auto *pair = static_cast<Pair *>(object);

    pair->near->write(static_cast<const char *>(data), qint64(size));
    flush(pair->near);
}

void pair_poll(void *object)
{
    (void)poll(object);
}

void pair_close(void *object)
{
    auto *pair = static_cast<Pair *>(object);

    delete pair->near;
    delete pair->far;
    delete pair;
}

/* ---- datagrams ------------------------------------------------------------------------------- */

struct Datagrams {
    peer_tally *tally;
    QUdpSocket socket;
    std::vector<quint16> ports;

    void take()
    {
        char room[2048];
        QHostAddress from;
        quint16 port;

        while (socket.hasPendingDatagrams() &&
               socket.readDatagram(room, sizeof room, &from, &port) >= 0)
            tally->bytes++;
    }
};

void *datagrams_open(const peer *, peer_tally *tally, const int *ports, size_t count, int *ret_port)
{
    start();
    auto *datagrams = new Datagrams;
    datagrams->tally = tally;
    datagrams->ports.assign(ports, ports + count);
    QObject::connect(&datagrams->socket, &QUdpSocket::readyRead,
                     [datagrams] { datagrams->take(); });
    if (!datagrams->socket.bind(QHostAddress(QHostAddress::LocalHost), 0))
        bench_fail("bind by Qt");
    *ret_port = datagrams->socket.localPort();
    return datagrams;
}

void datagrams_send(void *object)
{
    static const char payload[PEER_PAYLOAD] = {};
    static const QHostAddress host(QHostAddress::LocalHost);
    auto *datagrams = static_cast<Datagrams *>(object);

    for (size_t i = 0; i < PEER_BURST; i++)
        if (datagrams->socket.writeDatagram(payload, sizeof payload, host,
                                            datagrams->ports[i % datagrams->ports.size()]) < 0)
            bench_fail("writeDatagram");
}

void datagrams_poll(void *object)
{
    (void)poll(object);
}

void datagrams_close(void *object)
{
    delete static_cast<Datagrams *>(object);
}

/* ---- the table ------------------------------------------------------------------------------- */

const peer_server server_functions = {server_open, server_poll, wait, server_close, nullptr};
const peer_pair pair_functions = {pair_open, pair_send, pair_poll, pair_close};
const peer_datagrams datagram_functions = {datagrams_open,  datagrams_send, datagrams_poll,
                                           datagrams_close, nullptr,        nullptr};

} // namespace

const struct peer peer_qt = {
    "Qt 5", nullptr, 0, BACKLOG, false, &server_functions, &pair_functions, &datagram_functions};
