#!/bin/sh
# tests/test-proxy-interop.sh -- proxies of other projects: microsocks, Dante, ssh -D, tinyproxy, Squid.
#
# examples/https-get and curl fetch the same page through the same proxy, with right, wrong and no
# credentials, and targets that the proxy refuses or does not find: both have to succeed or both to
# fail. A missing program is named loudly and its part is omitted; the test then counts as skipped. It
# needs root for a network of its own, in which the target 192.0.2.7 is not loopback (connections to
# this computer use no proxy).
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
get=$builddir/examples/https-get
if [ ! -x "$get" ]; then
    echo "SKIPPED: $get was not built"
    exit 77
fi
for program in curl openssl ip unshare; do
    command -v $program > /dev/null || { echo "################ SKIPPED: $program is not installed"; exit 77; }
done
if [ "${POLLUX_OWN_NETWORK:-}" != yes ]; then
    if ! unshare --net --mount true 2> /dev/null; then
        echo "################ SKIPPED: no network of the test's own is allowed here"
        exit 77
    fi
    POLLUX_OWN_NETWORK=yes exec unshare --net --mount sh "$0"
fi

PATH=$PATH:/usr/sbin:/sbin
workplace=proxy-interop
. "$srcdir/tests/workplace.sh"
chmod 755 "$work"
unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY

is_listening()
{
    awk -v port="$(printf ':%04X' "$1")" '$4 == "0A" && $2 ~ port "$" { found = 1 } END { exit !found }' \
        /proc/net/tcp /proc/net/tcp6 2> /dev/null
}
# serve PORT COMMAND...: sets `server`. No port of this network is anybody else's.
serve()
{
    port=$1
    shift
    "$@" > serve.log 2>&1 < /dev/null &
    server=$!
    started="$started $server"
    tries=0
    until is_listening "$port"; do
        tries=$((tries + 1))
        if [ $tries -gt 200 ] || ! kill -0 "$server" 2> /dev/null; then
            echo "FAILED: $1 does not listen:"
            head -c 2000 serve.log
            failed=$((failed + 1))
            return 1
        fi
        sleep 0.05
    done
}
stop()
{
    kill "$server" 2> /dev/null
    wait "$server" 2> /dev/null
}

# ---- the network and the target --------------------------------------------------------------------

ip link set lo up && ip addr add 192.0.2.7/32 dev lo || { echo "FAILED: no network"; exit 1; }
printf '127.0.0.1 localhost\n192.0.2.7 page.test\n' > hosts
mount -t tmpfs tmpfs /run && mount --bind hosts /etc/hosts || { echo "FAILED: no files of its own"; exit 1; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out ca.pem -days 30 \
    -subj /CN=page -addext subjectAltName=DNS:page.test,DNS:nowhere.test,IP:192.0.2.7 2> openssl.log ||
    { cat openssl.log; exit 1; }
head -c 300000 /dev/urandom | base64 > page
serve 8443 openssl s_server -accept 192.0.2.7:8443 -cert ca.pem -key key.pem -WWW -quiet || exit 1

# both WHAT PROXY HOST WANTED [WORDS]: https-get and curl fetch through the proxy. WANTED is 0 if they
# have to succeed. https-get's failure has these words, and never the password.
both()
{
    timeout 30 curl -sS --proxy "$2" --cacert ca.pem --max-time 20 -o theirs "https://$3/page" 2> curl.log
    theirs=$?
    timeout 30 "$get" --proxy "$2" --trust ca.pem "https://$3/page" > ours 2> get.log
    ours=$?
    bad=
    if [ "$4" -eq 0 ]; then
        [ $theirs -eq 0 ] && [ $ours -eq 0 ] && cmp -s page ours && cmp -s page theirs || bad=yes
    else
        [ $theirs -ne 0 ] && [ $ours -eq 3 ] && grep -q -- "$5" get.log || bad=yes
    fi
    grep -q 'abracadabra' get.log && bad=yes
    if [ -z "$bad" ]; then
        echo "ok: $1"
        passed=$((passed + 1))
        return
    fi
    echo "FAILED: $1: curl $theirs, https-get $ours"
    head -c 1000 curl.log get.log serve.log
    failed=$((failed + 1))
}

# open NAME SCHEME: what every proxy has to do that lets everybody in.
open()
{
    both "$1, $2: an address" "$2://127.0.0.1:$port" 192.0.2.7:8443 0
    both "$1, $2: a name" "$2://127.0.0.1:$port" page.test:8443 0
    both "$1, $2: nobody listens there" "$2://127.0.0.1:$port" 192.0.2.7:8444 1 "proxy $2"
    both "$1, $2: no such name" "$2://127.0.0.1:$port" nowhere.test:8443 1 "nowhere.test\|proxy $2"
}
# closed NAME SCHEME: what every proxy has to do that lets in sesame. Tinyproxy answers 401 to a wrong
# password, as if it were the server.
closed()
{
    both "$1, $2: the right password" "$2://sesame:abracadabra@127.0.0.1:$port" page.test:8443 0
    both "$1, $2: a wrong password" "$2://sesame:abracadabrb@127.0.0.1:$port" page.test:8443 1 'credentials\|401'
    both "$1, $2: no password" "$2://127.0.0.1:$port" page.test:8443 1 credentials
}

# ---- the proxies ------------------------------------------------------------------------------------

both "no proxy listens" http://127.0.0.1:8001 page.test:8443 1 "proxy 127.0.0.1 port 8001"
if has microsocks; then
    serve 8002 microsocks -i 127.0.0.1 -p 8002 && open microsocks socks5h && open microsocks socks5
    stop
    serve 8003 microsocks -i 127.0.0.1 -p 8003 -u sesame -P abracadabra && closed microsocks socks5h
    stop
fi
if has tinyproxy; then
    printf 'Port 8004\nListen 127.0.0.1\nAllow 127.0.0.1\nMaxClients 10\n' > tinyproxy.conf
    serve 8004 tinyproxy -d -c tinyproxy.conf && open tinyproxy http
    stop
    printf 'Port 8005\nListen 127.0.0.1\nMaxClients 10\nBasicAuth sesame abracadabra\n' > tinyproxy.conf
    serve 8005 tinyproxy -d -c tinyproxy.conf && closed tinyproxy http
    stop
fi
if has danted; then
    dante()
    {
        cat > danted.conf << END
logoutput: stderr
internal: 127.0.0.1 port = 8006
external: 192.0.2.7
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
END
    }
    dante
    serve 8006 danted -f danted.conf && open Dante socks5h && open Dante socks5
    stop
fi
if has sshd && has ssh-keygen; then
    ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f mine
    cp mine.pub authorized
    mkdir -p /run/sshd
    cat > sshd.conf << END
ListenAddress 127.0.0.1:8007
HostKey $work/host
AuthorizedKeysFile $work/authorized
StrictModes no
PidFile none
PermitRootLogin yes
END
    if serve 8007 "$(command -v sshd)" -D -e -f "$work/sshd.conf"; then
        sshd=$server
        serve 8008 ssh -N -D 127.0.0.1:8008 -p 8007 -i mine -o StrictHostKeyChecking=no -o BatchMode=yes \
            -o UserKnownHostsFile=/dev/null 127.0.0.1 &&
            both "ssh -D: an address" socks5h://127.0.0.1:8008 192.0.2.7:8443 0 &&
            both "ssh -D: a name" socks5h://127.0.0.1:8008 page.test:8443 0 &&
            both "ssh -D: nobody listens there" socks5h://127.0.0.1:8008 192.0.2.7:8444 1 "proxy"
        stop
        server=$sshd
        stop
    fi
fi
if has squid; then
    helper=$(find /usr/lib/squid /usr/libexec/squid -name basic_ncsa_auth 2> /dev/null | head -n 1)
    cat > squid.conf << END
http_port 127.0.0.1:8009
pid_filename none
cache deny all
access_log none
cache_log $work/squid.log
hosts_file $work/hosts
dns_nameservers 192.0.2.7
dns_timeout 1 second
shutdown_lifetime 0 seconds
logfile_rotate 0
END
    printf 'sesame:%s\n' "$(openssl passwd -apr1 abracadabra)" > users
    cp squid.conf squid-auth.conf
    echo 'http_access allow all' >> squid.conf
    printf 'auth_param basic program %s %s/users\nauth_param basic realm gate\nacl known proxy_auth REQUIRED\n%s\n' \
        "$helper" "$work" 'http_access allow known' >> squid-auth.conf
    chown -R proxy "$work" 2> /dev/null
    serve 8009 squid -N -f squid.conf && open Squid http
    stop
    if [ -n "$helper" ]; then
        serve 8009 squid -N -f squid-auth.conf && closed Squid http
        stop
    else
        skip "Squid has no basic_ncsa_auth"
    fi
fi

echo "$passed passed, $failed failed, $skipped left out"
[ $failed -eq 0 ] || exit 1
[ $skipped -eq 0 ] || exit 77
