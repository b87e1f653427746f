#!/bin/sh
# tests/test-tls-interop.sh -- TLS with programs of other projects, both ways, in TLS 1.2 and 1.3.
#
# openssl s_client and s_server, curl, gnutls-cli and gnutls-serv, Python's ssl, stunnel and redis
# talk to tests/tls-peer, examples/https-get and examples/echo-server: 4 MB there and back, checked
# by a CA that the test makes, with client certificates, ALPN, sessions that are resumed, STARTTLS,
# and what has to be refused. A missing program is named loudly and its part is omitted; the test then
# counts as skipped, not as passed. The test uses a folder of its own.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
peer=$builddir/tests/tls-peer
examples=$builddir/examples
if ! grep -q '^D\["HAVE_OPENSSL"\]' "$builddir/config.status"; then
    echo "SKIPPED: this build has no TLS"
    exit 77
fi
for program in "$peer" "$examples/https-get" "$examples/echo-server"; do
    [ -x "$program" ] || { echo "SKIPPED: $program was not built"; exit 77; }
done
if ! command -v openssl > /dev/null; then
    echo "################ SKIPPED: openssl is not installed, which makes the certificates"
    exit 77
fi

workplace=tls-interop
. "$srcdir/tests/workplace.sh"

# result STATUS WHAT FILE...: counts and prints one result, and the files if it is bad.
result()
{
    if [ "$1" -eq 0 ]; then
        echo "ok: $2"
        passed=$((passed + 1))
        return
    fi
    echo "FAILED: $2"
    failed=$((failed + 1))
    shift 2
    for log in "$@"; do
        echo "---- $log"
        head -c 2000 "$log"
    done
}
# wait_for TEXT FILE: until the text is in the file, thirty seconds at most.
wait_for()
{
    tries=0
    until grep -q -- "$1" "$2" 2> /dev/null; do
        tries=$((tries + 1))
        [ $tries -le 600 ] || { echo "in vain: '$1' in $2, which has:"; head -c 2000 "$2"; return 1; }
        sleep 0.05
    done
}
stop()
{
    kill "$1" 2> /dev/null
    wait "$1" 2> /dev/null
}

# ---- a CA by three commands for each certificate -----------------------------------------------------

ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
# authority NAME: NAME.pem and NAME.key
authority()
{
    # shellcheck disable=SC2086
    openssl req -x509 $ec -keyout "$1.key" -out "$1.pem" -days 30 -subj "/CN=$1" 2>> openssl.log
}
# certificate NAME AUTHORITY SAN [DAYS]: NAME.pem and NAME.key
certificate()
{
    # shellcheck disable=SC2086
    openssl req $ec -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" -addext "subjectAltName=$3" 2>> openssl.log &&
        openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -out "$1.pem" -copy_extensions copy \
            -days "${4:-30}" 2>> openssl.log
}
authority good-ca && authority other-ca &&
    certificate server good-ca DNS:localhost,IP:127.0.0.1 &&
    certificate expired good-ca DNS:localhost -1 &&
    certificate client good-ca DNS:client && certificate foreigner other-ca DNS:foreigner &&
    openssl req -x509 $ec -keyout self.key -out self.pem -days 30 -subj /CN=self \
        -addext subjectAltName=DNS:localhost 2>> openssl.log ||
    { echo "openssl makes no certificates:"; cat openssl.log; exit 1; }
cat client.pem client.key > client-all.pem
head -c 3000000 /dev/urandom | base64 > bytes
echo hello > greeting
size=$(($(wc -c < bytes)))

# listen [OPTION...]: a tls-peer that listens; sets `server`, `port` and the log `listen.log`.
listen()
{
    rm -f listen.log
    "$peer" listen "$@" 2> listen.log &
    server=$!
    started="$started $server"
    wait_for 'listening on' listen.log
    port=$(sed -n 's/^listening on //p' listen.log)
}
encrypted() { grep -q "^encrypted: version $1, .*$2" "$3"; }

# serve COMMAND...: a server of another project; PORT in the words of the command is replaced by a port
# that is free. Its standard input stays open and is empty.
is_listening()
{
    awk -v port="$(printf ':%04X' "$1")" '$4 == "0A" && $2 ~ port "$" { found = 1 } END { exit !found }' \
        /proc/net/tcp /proc/net/tcp6 2> /dev/null
}
next=0
serve()
{
    for attempt in 0 1 2 3 4 5 6 7; do
        next=$((next + 1))
        port=$((10000 + ($$ * 64 + next) % 20000))
        is_listening $port && continue
        line=
        for word in "$@"; do
            line="$line $(echo "$word" | sed "s/PORT/$port/g")"
        done
        # shellcheck disable=SC2086 # no word has a blank
        $line < silent > serve.log 2>&1 &
        server=$!
        started="$started $server"
        tries=0
        while kill -0 $server 2> /dev/null && [ $tries -lt 600 ]; do
            is_listening $port && return
            tries=$((tries + 1))
            sleep 0.05
        done
    done
    echo "does not start: $*, attempt $attempt"
    cat serve.log
    return 1
}
mkfifo silent
exec 9<> silent

# send WHAT VERSION TEXT [OPTION...]: a tls-peer connects, sends the file and receives it again; TEXT is
# known about its connection.
send()
{
    what=$1 version=$2 text=$3
    shift 3
    "$peer" connect "localhost:$port" --tls "$version" --trust good-ca.pem --bytes $size "$@" < bytes > got 2> connect.log
    cmp -s bytes got && encrypted "$version" "$text" connect.log && ! grep -q '^error' connect.log
    result $? "$what, TLS 1.${version#1}: 4 MB there and back" connect.log serve.log
}
# resumes WHAT VERSION [OPTION...]: the second of two connections is a resumed one.
resumes()
{
    what=$1 version=$2
    shift 2
    echo hello | "$peer" connect "localhost:$port" --tls "$version" --trust good-ca.pem --bytes 6 --times 2 "$@" \
        > got 2> connect.log
    [ "$(grep -c '^encrypted' connect.log)" = 2 ] && encrypted "$version" 'resumed 1' connect.log
    result $? "$what resumes a session, TLS 1.${version#1}" connect.log serve.log
}
# refused WHAT SENTENCE [OPTION...]: a connect that must fail with the sentence in its message.
refused()
{
    what=$1 sentence=$2
    shift 2
    echo hello | "$peer" connect "localhost:$port" "$@" > got 2> connect.log
    grep -q "^error: code 102, reason 23, errno [0-9]*: TLS to localhost port $port: .*$sentence" connect.log &&
        ! grep -q '^encrypted' connect.log && [ ! -s got ]
    result $? "$what is refused: $sentence" connect.log
}
# received WHAT VERSION TEXT [FILE]: a client of another project has received the file from `listen`, and
# TEXT is known about its connection.
received()
{
    cmp -s "${4:-bytes}" got && encrypted "$2" "$3" listen.log && ! grep -q '^error' listen.log
    result $? "$1, TLS 1.${2#1}: $(($(wc -c < "${4:-bytes}") / 1000000)) MB there and back" listen.log client.log
    stop $server
}
# turned_away WHAT SENTENCE: the listener has refused its only client.
turned_away()
{
    wait_for '^disconnected' listen.log
    grep -q "^error: code 102, reason 23, errno [0-9]*: TLS from 127.0.0.1 port [0-9]*: .*$2" listen.log &&
        ! grep -q '^encrypted' listen.log
    result $? "$1 is refused: $2" listen.log client.log
    stop $server
}
certified="--use server.pem server.key --verify 2 --trust good-ca.pem --alpn pollux"

# ---- openssl s_client ----------------------------------------------------------------------------------

# s_client [OPTION...]
s_client() { openssl s_client -connect "127.0.0.1:$port" -servername localhost "$@" 2> client.log; }
verified='-verify_return_error -verify_hostname localhost -CAfile good-ca.pem'
mine='-cert client.pem -key client.key'
# shellcheck disable=SC2086 # lists of options
for version in 12 13; do
    listen $certified --tls $version --bytes $size
    s_client $verified $mine -alpn pollux -quiet < bytes > got
    received "openssl s_client with a certificate and ALPN" $version 'protocol "pollux", resumed 0, peer CN=client'

    listen --use server.pem server.key --tls $version --bytes 6
    for option in -sess_out -sess_in; do
        rm -f out
        s_client $verified -ign_eof $option session > out < greeting
    done
    [ "$(grep -c '^encrypted' listen.log)" = 2 ] && encrypted $version 'resumed 1' listen.log && grep -q '^Reused' out
    result $? "openssl s_client resumes a session, TLS 1.${version#1}" listen.log client.log out
    stop $server

    listen $certified --tls $version
    s_client $verified -alpn pollux < /dev/null > out
    turned_away "s_client without a certificate, TLS 1.${version#1}" "the peer has no certificate"
    listen $certified --tls $version
    s_client $verified -alpn pollux -cert foreigner.pem -key foreigner.key < /dev/null > out
    turned_away "s_client with a certificate of another CA, TLS 1.${version#1}" \
        'its issuer "CN=other-ca" is not trusted here (CN=foreigner)'
    listen $certified --tls $version
    s_client $verified -alpn other $mine < /dev/null > out
    turned_away "s_client with another protocol, TLS 1.${version#1}" 'no application protocol in common (ALPN)'
    listen --use server.pem server.key --tls $version
    s_client -verify_return_error -CAfile other-ca.pem < /dev/null > out
    turned_away "s_client with another CA, TLS 1.${version#1}" 'the peer has sent the alert "unknown CA"'

    listen --use server.pem server.key --tls $version --smtp --bytes $size
    s_client $verified -starttls smtp -quiet < bytes > out
    tail -c $size out > got # the answer to EHLO is before it
    received "openssl s_client by STARTTLS" $version 'resumed 0'
done
listen --use server.pem server.key --tls 13
s_client -tls1_2 < /dev/null > out
turned_away "s_client with TLS 1.2 where 1.3 is needed" "no version or cipher of TLS in common"
listen --use server.pem server.key
s_client -tls1_1 -cipher DEFAULT@SECLEVEL=0 < /dev/null > out
turned_away "s_client with TLS 1.1" "no version or cipher of TLS in common"
listen --use server.pem server.key --tls 12
(wait_for '^encrypted' listen.log && echo R && wait_for '^disconnected' listen.log) | s_client > out
grep -q 'no renegotiation' client.log && [ "$(grep -c '^encrypted' listen.log)" = 1 ]
result $? "openssl s_client renegotiates nothing" listen.log client.log
stop $server

# ---- openssl s_server ----------------------------------------------------------------------------------

s_server="openssl s_server -accept 127.0.0.1:PORT -cert server.pem -key server.key -CAfile good-ca.pem"
client="--use client.pem client.key --alpn pollux"
rev bytes > turned
# shellcheck disable=SC2086 # lists of options
for version in 12 13; do
    serve $s_server -tls1_${version#1} -rev -alpn pollux -Verify 1 -verify_return_error
    "$peer" connect "localhost:$port" --trust good-ca.pem --bytes $size $client < bytes > got 2> connect.log
    cmp -s turned got && encrypted $version 'protocol "pollux", resumed 0, peer CN=server' connect.log
    result $? "openssl s_server with a certificate and ALPN, TLS 1.${version#1}: 4 MB there and back" connect.log serve.log
    resumes "openssl s_server" $version $client
    refused "s_server with another CA, TLS 1.${version#1}" 'its issuer "CN=good-ca" is not trusted here' \
        --trust other-ca.pem $client
    refused "s_server with another name, TLS 1.${version#1}" \
        'the certificate is for localhost, not example.org (CN=server)' --trust good-ca.pem --name example.org $client
    stop $server
done
# shellcheck disable=SC2086 # lists of options
{
    serve openssl s_server -accept 127.0.0.1:PORT -rev -cert self.pem -key self.key
    refused "a self-signed s_server" 'the certificate is self-signed and not trusted here (CN=self)' --trust good-ca.pem
    stop $server
    serve openssl s_server -accept 127.0.0.1:PORT -rev -cert expired.pem -key expired.key
    refused "an expired s_server" 'the certificate has expired on 2[-0-9]* (CN=expired)' --trust good-ca.pem
    stop $server
    serve $s_server -tls1_1 -cipher DEFAULT@SECLEVEL=0 -rev
    refused "s_server with TLS 1.1" 'the peer has sent the alert "protocol version"' --trust good-ca.pem
    stop $server
    serve $s_server -rev -alpn other
    refused "s_server with another protocol" 'the peer has sent the alert "no application protocol"' --trust good-ca.pem --alpn pollux
    stop $server
}

# ---- https-get and echo-server ---------------------------------------------------------------------------

# fetch WHAT [OPTION...]: https-get fetches the file `bytes`, and the standard error names the version.
fetch()
{
    what=$1 version=$2
    shift 2
    "$examples/https-get" --trust good-ca.pem "$@" "https://localhost:$port/bytes" > got 2> get.log
    status=$?
    [ $status -eq 0 ] && cmp -s bytes got && grep -q "^TLS 1.${version#1}, .*CN=server" get.log
    result $? "https-get from $what, TLS 1.${version#1}: 4 MB (status $status)" get.log serve.log
}
# shellcheck disable=SC2086 # lists of options
for version in 12 13; do
    serve $s_server -tls1_${version#1} -WWW -Verify 1
    fetch "openssl s_server" $version --use client-all.pem
    "$examples/https-get" --trust other-ca.pem "https://localhost:$port/bytes" > got 2> get.log
    [ $? -eq 3 ] && [ ! -s got ] && grep -q 'its issuer "CN=good-ca" is not trusted here' get.log
    result $? "https-get refuses another CA, TLS 1.${version#1}" get.log
    stop $server
done
"$examples/echo-server" --tls server.pem server.key 127.0.0.1:0 > echo.log 2>&1 &
server=$!
started="$started $server"
wait_for 'listening on' echo.log
port=$(sed -n 's/^listening on .*://p' echo.log)
echo_port=$port
: > serve.log
send "echo-server" 12 'resumed 0'
send "echo-server" 13 'resumed 0'
resumes "echo-server" 12
resumes "echo-server" 13
refused "echo-server with another CA" 'its issuer "CN=good-ca" is not trusted here' --trust other-ca.pem
listen --smtp --use server.pem server.key
refused "a server without TLS" 'the peer does not speak TLS' --trust good-ca.pem
stop $server
listen --use server.pem server.key
"$peer" connect "127.0.0.1:$port" --plain < greeting > got 2> client.log
turned_away "a client without TLS" 'the peer does not speak TLS'

# ---- curl ------------------------------------------------------------------------------------------------

# shellcheck disable=SC2086 # lists of options
if has curl; then
    for version in 12 13; do
        only="--tlsv1.${version#1} --tls-max 1.${version#1}"
        listen --use server.pem server.key --verify 2 --trust good-ca.pem --alpn http/1.1 --tls $version --page bytes
        curl -sS --cacert good-ca.pem --cert client.pem --key client.key $only "https://localhost:$port/" > got 2> client.log
        received "curl with a certificate and ALPN" $version 'protocol "http/1.1", resumed 0, peer CN=client'
        listen --use server.pem server.key --tls $version --page bytes
        curl -sS --cacert other-ca.pem $only "https://localhost:$port/" > got 2> client.log
        [ $? -eq 60 ] && [ ! -s got ]
        result $? "curl accepts no other CA, TLS 1.${version#1}" client.log
        turned_away "curl with another CA, TLS 1.${version#1}" 'the peer has sent the alert "unknown CA"'
    done
fi

# ---- GnuTLS ------------------------------------------------------------------------------------------------

# shellcheck disable=SC2086 # lists of options
if has gnutls-cli; then
    head -c 1000000 bytes > part # which it writes byte by byte
    for version in 12 13; do
        only="--priority NORMAL:-VERS-ALL:+VERS-TLS1.${version#1}"
        listen $certified --tls $version --bytes 1000000
        (cat part && wait_for '^disconnected' listen.log) | gnutls-cli --x509cafile good-ca.pem --alpn pollux $only \
            --x509certfile client.pem --x509keyfile client.key --logfile client.log -p $port localhost > got 2>> client.log
        received "gnutls-cli with a certificate and ALPN" $version 'protocol "pollux", resumed 0, peer CN=client' part
        listen --use server.pem server.key --tls $version --bytes 6
        (sleep 0.1; cat greeting; wait_for 'resumed 1' listen.log) | gnutls-cli --x509cafile good-ca.pem $only --resume \
            --logfile client.log -p $port localhost > got 2>> client.log
        encrypted $version 'resumed 1' listen.log
        result $? "gnutls-cli resumes a session, TLS 1.${version#1}" listen.log client.log
        stop $server
        listen --use server.pem server.key --tls $version
        gnutls-cli --x509cafile other-ca.pem $only -p $port localhost < /dev/null > client.log 2>&1
        turned_away "gnutls-cli with another CA, TLS 1.${version#1}" 'the peer has sent the alert'
    done
fi
# shellcheck disable=SC2086 # lists of options
if has gnutls-serv; then
    for version in 12 13; do
        serve gnutls-serv --echo -p PORT --x509certfile server.pem --x509keyfile server.key --x509cafile good-ca.pem \
            --require-client-cert --verify-client-cert --alpn pollux --priority NORMAL:-VERS-ALL:+VERS-TLS1.${version#1}
        send "gnutls-serv with a certificate and ALPN" $version 'protocol "pollux", resumed 0, peer CN=server' $client
        resumes "gnutls-serv" $version $client
        refused "gnutls-serv with another CA, TLS 1.${version#1}" 'its issuer "CN=good-ca" is not trusted here' \
            --trust other-ca.pem $client
        stop $server
        serve gnutls-serv --http -p PORT --httpdata bytes --x509certfile server.pem --x509keyfile server.key \
            --disable-client-cert --priority NORMAL:-VERS-ALL:+VERS-TLS1.${version#1}
        fetch "gnutls-serv" $version
        stop $server
    done
fi

# ---- Python ------------------------------------------------------------------------------------------------

cat > tls.py << 'PYTHON'
import http.server, socket, ssl, sys, threading

side, version, port = sys.argv[1:4]
only = ssl.TLSVersion.TLSv1_2 if version == '12' else ssl.TLSVersion.TLSv1_3


def settings(protocol):
    context = ssl.SSLContext(protocol)
    context.minimum_version = context.maximum_version = only
    context.load_verify_locations('good-ca.pem' if 'other' not in sys.argv else 'other-ca.pem')
    context.verify_mode = ssl.CERT_REQUIRED if side != 'pages' else ssl.CERT_NONE
    return context


def goodbye():
    with settings(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(
            socket.create_connection(('127.0.0.1', int(port))), server_hostname='localhost') as peer:
        peer.sendall(b'hello')
        assert peer.recv(100) == b'hello'
        peer.unwrap()  # fails unless the goodbye is answered


def client():
    context = settings(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain('client.pem', 'client.key')
    context.set_alpn_protocols(['pollux'])
    data, session = open('bytes', 'rb').read(), None
    for number in range(2):
        plain = socket.create_connection(('127.0.0.1', int(port)))
        with context.wrap_socket(plain, server_hostname='localhost', session=session) as peer:
            sender = threading.Thread(target=peer.sendall, args=(data,))
            sender.start()
            got = b''
            while len(got) < len(data):
                got += peer.recv(65536)
            sender.join()
            assert got == data and peer.recv(1) == b''  # the goodbye: without it recv fails
            assert peer.session_reused == bool(number)
            session = peer.session


def echo(context):
    listener = socket.create_server(('127.0.0.1', 0))
    print('listening on', listener.getsockname()[1], flush=True)
    while True:
        plain, _ = listener.accept()
        try:
            if 'smtp' in sys.argv:
                plain.sendall(b'220 here\r\n')
                assert plain.recv(100) == b'EHLO there\r\n'
                plain.sendall(b'250-here\r\n250 STARTTLS\r\n')
                assert plain.recv(100) == b'STARTTLS\r\n'
                plain.sendall(b'220 go on\r\n')
            with context.wrap_socket(plain, server_side=True) as peer:
                while data := peer.recv(65536):
                    peer.sendall(data)
        except OSError as error:
            print(error, flush=True)


def server():
    context = settings(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain('server.pem', 'server.key')
    context.set_alpn_protocols(['pollux'])
    if side == 'echo':
        echo(context)
    pages = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)
    pages.socket = context.wrap_socket(pages.socket, server_side=True)
    print('listening on', pages.server_address[1], flush=True)
    pages.serve_forever()


{'client': client, 'goodbye': goodbye}.get(side, server)()
PYTHON
# python SIDE VERSION [WORD]: a server; sets `server` and `port`.
python()
{
    rm -f serve.log
    python3 tls.py "$1" "$2" 0 "${3:-}" > serve.log 2>&1 &
    server=$!
    started="$started $server"
    wait_for 'listening on' serve.log
    port=$(sed -n 's/^listening on //p' serve.log)
}
# shellcheck disable=SC2086 # lists of options
if has python3; then
    for version in 12 13; do
        listen $certified --tls $version --bytes $size
        python3 tls.py client $version $port > client.log 2>&1 && encrypted $version 'resumed 1, peer CN=client' listen.log
        result $? "Python's client with a certificate, ALPN and a session, TLS 1.${version#1}: 4 MB there and back" \
            listen.log client.log
        stop $server
        listen $certified --tls $version
        python3 tls.py client $version $port other > client.log 2>&1
        turned_away "Python's client with another CA, TLS 1.${version#1}" 'the peer has sent the alert "unknown CA"'
        listen --use server.pem server.key --tls $version
        python3 tls.py goodbye $version $port > client.log 2>&1 && python3 tls.py goodbye $version $echo_port >> client.log 2>&1
        result $? "Python's client gets a goodbye back, TLS 1.${version#1}" listen.log echo.log client.log
        stop $server

        python echo $version
        send "Python's server with a certificate and ALPN" $version 'protocol "pollux", resumed 0, peer CN=server' $client
        resumes "Python's server" $version $client
        refused "Python's server with another CA, TLS 1.${version#1}" 'its issuer "CN=good-ca" is not trusted here' \
            --trust other-ca.pem $client
        "$peer" connect "localhost:$port" --trust good-ca.pem --bytes 6 < greeting > got 2> connect.log
        grep -q 'alert' connect.log && [ ! -s got ]
        result $? "Python's server refuses a client without certificate, TLS 1.${version#1}" connect.log
        stop $server
        python echo $version smtp
        send "Python's server by STARTTLS" $version 'resumed 0' --smtp --use client.pem client.key
        stop $server
        python pages $version
        fetch "Python's web server" $version
        stop $server
    done
fi

# ---- stunnel -----------------------------------------------------------------------------------------------

# stunnel_conf FILE LINE...
stunnel_conf()
{
    file=$1
    shift
    printf '%s\n' 'foreground = yes' 'pid =' '[pollux]' "CAfile = $work/good-ca.pem" 'verifyChain = yes' "$@" > "$file"
}
cat > run-stunnel << 'STUNNEL'
sed "s/ACCEPT/$2/" "$1" > "$1.$2"
exec stunnel "$1.$2"
STUNNEL
# shellcheck disable=SC2086 # lists of options
if has stunnel; then
    for version in 12 13; do
        only="sslVersion = TLSv1.${version#1}"
        listen --plain
        echo=$server
        stunnel_conf before 'accept = 127.0.0.1:ACCEPT' "connect = 127.0.0.1:$port" "cert = $work/server.pem" \
            "key = $work/server.key" 'requireCert = yes' "$only"
        serve sh run-stunnel before PORT
        send "stunnel before a server, with a certificate" $version 'peer CN=server' --use client.pem client.key
        resumes "stunnel before a server" $version --use client.pem client.key
        stop $server
        stop $echo

        listen $certified --tls $version --bytes $size
        echo=$server
        stunnel_conf behind 'client = yes' 'accept = 127.0.0.1:ACCEPT' "connect = 127.0.0.1:$port" \
            "cert = $work/client.pem" "key = $work/client.key" 'checkHost = localhost' 'sni = localhost' "$only"
        serve sh run-stunnel behind PORT
        "$peer" connect "127.0.0.1:$port" --plain --bytes $size < bytes > got 2> connect.log
        stop $server
        server=$echo
        received "stunnel before a client, with a certificate" $version 'resumed 0, peer CN=client'
    done
fi

# ---- redis -------------------------------------------------------------------------------------------------

if has redis-server; then
    {
        printf 'PING\r\n*3\r\n$3\r\nSET\r\n$5\r\nbytes\r\n$%d\r\n' $size
        cat bytes
        printf '\r\nGET bytes\r\nQUIT\r\n'
    } > commands
    {
        printf '+PONG\r\n+OK\r\n$%d\r\n' $size
        cat bytes
        printf '\r\n+OK\r\n'
    } > answers
    for version in 12 13; do
        serve redis-server --bind 127.0.0.1 --port 0 --tls-port PORT --tls-cert-file server.pem --tls-key-file server.key \
            --tls-ca-cert-file good-ca.pem --tls-protocols TLSv1.${version#1} --appendonly no --dir "$work"
        if grep -q 'Bad directive' serve.log; then
            skip "this redis-server was built without TLS"
            break
        fi
        "$peer" connect "localhost:$port" --tls $version --trust good-ca.pem --use client.pem client.key \
            < commands > got 2> connect.log
        cmp -s answers got && encrypted $version 'peer CN=server' connect.log
        result $? "redis with a certificate, TLS 1.${version#1}: 4 MB there and back" connect.log serve.log
        stop $server
    done
fi

echo "$passed passed, $failed failed, $skipped left out"
[ $failed -eq 0 ] || exit 1
[ $skipped -eq 0 ] || exit 77
