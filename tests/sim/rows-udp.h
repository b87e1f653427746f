/* tests/sim/rows-udp.h -- the dialogues of datagrams: a name, and steps, which dialogues.c
 * explains. */
{"udp: a datagram",
 "udp A; bind A :; udp B; bind B :; put A 10 :B; settle; ready B; ready A; waiting B; from "
 "B 100; from B 100; ready B"},
{"udp: a truncated datagram",
 "udp A; bind A :; udp B; bind B :; put A 50 :B; settle; from B 20; from B 20"},
{"udp: an empty datagram",
 "udp A; bind A :; udp B; bind B :; put A 0 :B; put A 3 :B; settle; ready B; waiting B; "
 "from B 10; from B 10; from B 10"},
{"udp: the largest datagram, and larger",
 "udp A; bind A :; udp B; bind B :; put A 65507 :B; put A 65508 :B; settle; from B 70000"},
{"udp: sizes in a row",
 "udp A; bind A :; udp B; bind B :; put A 3 :B; put A 5 :B; put A 7 :B; settle; waiting B; "
 "from B 100; from B 100; from B 100"},
{"udp: no name to send to",
 "udp A; send A 5; ready A; get A 5; name A; peer A; end A; waiting A; facts A"},
{"udp: bound by sending",
 "udp A; udp B; bind B :; put A 4 :B; settle; from B 9; facts A"},
{"udp: a peer",
 "udp A; bind A :; udp B; bind B :; to A :B; peer A; name A; send A 9; settle; from B 99; "
 "put B 4 :A; settle; get A 99; facts A; put A 3 :B; settle; from B 9"},
{"udp: a peer, datagrams of others",
 "udp A; bind A :; udp B; bind B :; udp X; to A :B; put X 5 :A; put B 4 :A; settle; from A "
 "99; from A 99"},
{"udp: what came before the peer was set stays",
 "udp A; bind A :; udp B; bind B :; udp X; bind X :; put X 5 :A; settle; to A :B; from A 9"},
{"udp: the peer is not there",
 "udp A; to A :!; send A 5; settle; ready A; send A 5; settle; get A 5; error A; ready A"},
{"udp: the peer is not there, error asked",
 "udp A; to A :!; send A 5; settle; error A; ready A; get A 5"},
{"udp: the peer is not there, error before data",
 "udp A; bind A :; udp B; bind B :; to A :B; put B 4 :A; close B; settle; send A 1; "
 "settle; ready A; get A 9; get A 9; get A 9"},
{"udp: nobody there, no peer",
 "udp A; put A 5 :!; settle; ready A; get A 5; put A 5 :!; error A"},
{"udp: nobody there, refusals heeded",
 "udp A; heed A; put A 5 :!; settle; ready A; put A 5 :!; refusal A; refusal A; ready A"},
{"udp: refusals heeded, two of them",
 "udp A; heed A; put A 5 :!; settle; error A; put A 5 :!; settle; get A 1; refusal A; "
 "ready A; refusal A; refusal A; ready A; get A 1"},
{"udp: refusals heeded, then not",
 "udp A; heed A; put A 5 :!; settle; unheed A; ready A; error A; refusal A; put A 5 :!; "
 "settle; ready A"},
{"udp: refusals heeded, nothing refused",
 "udp A; bind A :; udp B; bind B :; heed A; put A 5 :B; settle; ready A; refusal A; from B "
 "9"},
{"udp: a peer dissolved",
 "udp A; bind A :; udp B; bind B :; to A :B; dissolve A; peer A; send A 1; udp X; put X 3 "
 ":A; settle; ready A"},
{"udp: a peer changed",
 "udp A; bind A :; udp B; bind B :; udp X; bind X :; to A :B; to A :X; send A 5; settle; "
 "from X 9; from B 9"},
{"udp: a port in use",
 "udp A; bind A :; udp B; bind B :A; reuse B; bind B :A"},
{"udp: a port shared",
 "udp A; set A share 1; bind A :; udp B; set B share 1; bind B :A; facts B"},
{"udp: all addresses",
 "udp B; bind B *; udp A; put A 5 :B; settle; from B 9; name B"},
{"udp: bind twice",
 "udp A; bind A :; bind A :"},
{"udp: IPv6 and IPv4",
 "udp6 B; bind B *; udp A; bind A :; put A 5 :B; settle; from B 9; udp6 C; bind C *; put C "
 "4 :B6; settle; from B 9; put B 3 :A; settle; from A 9; facts B"},
{"udp: IPv6 only",
 "udp6 B; only6 B; bind B *; udp A; heed A; put A 5 :B; settle; ready A; put B 3 :A; udp "
 "C; bind C :B; facts C"},
{"udp: IPv6 from an IPv4 socket",
 "udp A; put A 5 :6; to A :6"},
{"udp: half-close of a datagram socket",
 "udp A; bind A :; udp B; bind B :; to A :B; end A; send A 5; settle; from B 9; ready A"},
{"udp: options",
 "udp A; set A keep-alive 1; ask A keep-alive; set A low-delay 1; ask A low-delay; set A "
 "service 19; ask A service; set A hops 20; ask A hops; set A hops 0; set A hops 256; set "
 "A self 0; ask A self; set A broadcast 1; ask A broadcast; ask A mtu; set A mtu 1400; set "
 "A share 1; ask A share; set A unacknowledged 5; set A send-buffer 5000; ask A "
 "send-buffer; set A receive-buffer 5000; ask A receive-buffer; ask A count"},
{"udp: options of IPv6",
 "udp6 A; set A service 19; ask A service; set A hops 20; ask A hops; set A mtu 1400; ask "
 "A mtu; set A mtu 100; set A self 0; ask A self"},
{"udp: path MTU of a peer",
 "udp A; bind A :; udp B; bind B :; to A :B; ask A mtu"},
{"udp: port 0",
 "udp A; put A 5 :"},
{"udp: a full receive buffer drops",
 "udp B; set B receive-buffer 2000; bind B :; udp A; put A 1000 :B; put A 1000 :B; put A "
 "1000 :B; put A 1000 :B; put A 1000 :B; put A 1000 :B; settle; from B 2000; put A 2 :B; "
 "settle; ready B"},
{"udp: a group",
 "udp B; set B share 1; bind B *; udp A; via A; put A 5 #B; settle; from B 9; join B; put A 6 "
 "#B; settle; from B 9; udp C; set C share 1; bind C *B; leave B; put A 7 #B; settle; from B 9; "
 "leave B; join B; join B"},
