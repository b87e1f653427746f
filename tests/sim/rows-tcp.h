/* tests/sim/rows-tcp.h -- the dialogues of TCP: a name, and steps, which dialogues.c explains. */
{"tcp: a connection",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; ready C; ready A; ready "
 "L; name C; peer C; name A; peer A; facts L; facts C; facts A; error C"},
{"tcp: bytes there and back",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; send C 10; settle; ready "
 "A; waiting A; get A 4; get A 100; get A 100; send A 3; settle; get C 100; ready C; "
 "unsent C"},
{"tcp: a new socket",
 "tcp C; ready C; get C 10; send C 10; end C; peer C; name C; error C; facts C; waiting C; "
 "ended C"},
{"tcp: a new socket of IPv6",
 "tcp6 C; ready C; name C; peer C; facts C"},
{"tcp: nobody listens",
 "tcp C; to C :!; settle; ready C; error C; ready C; error C; get C 1; send C 1; peer C"},
{"tcp: nobody listens, read first",
 "tcp C; to C :!; settle; get C 1; error C; send C 1; get C 1"},
{"tcp: nobody listens, written first",
 "tcp C; to C :!; settle; send C 1; error C; send C 1"},
{"tcp: nobody listens, then somebody",
 "tcp C; to C :!; settle; error C; tcp L; bind L :; listen L 8; to C :L; settle; ready C; "
 "error C; take A L; send C 5; settle; get A 9"},
{"tcp: connect twice",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; to C :L; to A :L; to L :L"},
{"tcp: listen twice, bind twice",
 "tcp L; bind L :; listen L 8; listen L 8; bind L :"},
{"tcp: a port in use",
 "tcp L; bind L :; listen L 8; tcp B; bind B :L; reuse B; bind B :L"},
{"tcp: a port shared by two that do not listen",
 "tcp A; reuse A; bind A :; tcp B; reuse B; bind B :A; listen A 1; listen B 1"},
{"tcp: a port in use, all addresses",
 "tcp L; bind L *; listen L 8; tcp B; bind B :L"},
{"tcp: a port in use of IPv6, of IPv4",
 "tcp6 L; bind L *; listen L 8; tcp B; bind B :L; tcp C; to C :L; settle; ready C; take A "
 "L; peer A; facts A"},
{"tcp: IPv6 only",
 "tcp6 L; only6 L; bind L *; listen L 8; tcp B; bind B :L; tcp C; to C :L; settle; error "
 "C; tcp6 D; to D :L6; settle; ready D; take A L; peer A"},
{"tcp: IPv6 only, to IPv4",
 "tcp6 C; only6 C; to C :!; error C"},
{"tcp: IPv4 to IPv6",
 "tcp C; to C :6; bind C :6"},
{"tcp: an address that is not here",
 "tcp C; bind C :?; udp D; bind D :?"},
{"tcp: a client with a port of its own",
 "tcp L; bind L :; listen L 8; tcp C; bind C :; to C :L; settle; name C; take A L; peer A"},
{"tcp: a client with a late port",
 "tcp L; bind L :; listen L 8; tcp C; late C; bind C :; to C :L; settle; take A L; peer A"},
{"tcp: accept without a connection",
 "tcp L; take A L; bind L :; take A L; listen L 8; take A L; ready L"},
{"tcp: accept of what does not listen",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; take B C; udp U; take B "
 "U; listen U 1"},
{"tcp: two wait in the queue",
 "tcp L; bind L :; listen L 8; tcp C; tcp D; to C :L; to D :L; settle; ready L; take A L; "
 "take B L; take E L; ready L; peer A; peer B"},
{"tcp: a full queue",
 "tcp L; bind L :; listen L 0; tcp C; tcp D; to C :L; settle; to D :L; settle; ready C; "
 "ready D; error D; get D 1; send D 1; peer D; take A L; ready A; take B L"},
{"tcp: data before accept",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; send C 20; settle; take A L; ready "
 "A; get A 50"},
{"tcp: data and end before accept",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; send C 20; close C; settle; take A "
 "L; ready A; get A 50; get A 50; peer A"},
{"tcp: reset before accept",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; reset C; close C; settle; ready L; "
 "take A L; ready A; get A 50; get A 50; error A"},
{"tcp: the listener closes with one waiting",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; close L; settle; ready C; get C 10; "
 "get C 10; send C 1"},
{"tcp: the listener closes with one waiting that sent",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; send C 9; close L; settle; ready C; "
 "send C 1; send C 1; get C 10"},
{"tcp: shutdown of a listener",
 "tcp L; bind L :; listen L 8; end L; tcp C; to C :L; settle; take A L"},
{"tcp: the peer closes",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; close C; settle; ready A; "
 "ended A; get A 10; get A 10; ready A; error A; peer A"},
{"tcp: the peer closes, then a write",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; close C; settle; send A "
 "10; settle; ready A; error A; send A 10; get A 10"},
{"tcp: the peer closes, then two writes",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; close C; settle; send A "
 "10; settle; send A 10; send A 10; get A 10; error A; ready A"},
{"tcp: the peer sends and closes",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; send C 30; close C; "
 "settle; ready A; get A 10; get A 100; get A 1; ready A"},
{"tcp: the peer sends and closes, a write first",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; send C 30; close C; "
 "settle; send A 10; settle; ready A; get A 100; get A 100; error A; send A 1"},
{"tcp: half-close",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; end C; settle; ready C; "
 "ready A; ended A; ended C; get A 10; send A 12; settle; get C 100; ready C; send C 1; "
 "get C 1"},
{"tcp: half-close, both",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; end C; settle; end A; "
 "settle; ready C; ready A; get C 1; get A 1; peer C; peer A; send C 1; send A 1; end C; "
 "end A; error C; error A"},
{"tcp: half-close, data, both",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; send A 7; end C; settle; "
 "end A; settle; ready C; get C 100; get C 100; ready C"},
{"tcp: shutdown twice",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; end C; end C; settle; "
 "send C 5; get A 5"},
{"tcp: half-close then close of the other",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; end C; settle; close A; "
 "settle; ready C; get C 1; peer C; send C 1; unsent C"},
{"tcp: reset",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; reset C; close C; settle; "
 "ready A; ended A; peer A; get A 10; get A 10; send A 1; error A; ready A"},
{"tcp: reset, error asked",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; reset C; close C; settle; "
 "error A; error A; get A 10; send A 1; ready A"},
{"tcp: reset, write first",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; reset C; close C; settle; "
 "send A 1; send A 1; get A 10; error A"},
{"tcp: reset beside data",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; send C 40; settle; reset "
 "C; close C; settle; ready A; waiting A; get A 15; get A 100; get A 100; get A 100; ready "
 "A"},
{"tcp: reset beside data, write first",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; send C 40; settle; reset "
 "C; close C; settle; send A 1; get A 100; get A 100; send A 1"},
{"tcp: close with unread bytes is a reset",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; send A 10; settle; close "
 "C; settle; ready A; get A 10; get A 10; send A 1"},
{"tcp: close with unread bytes after sending",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; send C 25; send A 10; "
 "settle; close C; settle; ready A; get A 100; get A 100; get A 100"},
{"tcp: reset after a half-close",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; end C; settle; get A 1; "
 "reset C; close C; settle; ready A; get A 1; send A 1; send A 1; error A"},
{"tcp: reset after a half-close, write first",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; end C; settle; reset C; "
 "close C; settle; send A 1; get A 1; error A; ready A"},
{"tcp: half-close of one that is then reset",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; end A; settle; reset C; "
 "close C; settle; ready A; get A 1; error A; get A 1; send A 1"},
{"tcp: a full send buffer",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; set C send-buffer 4000; "
 "fill C; ready C; unsent C; settle; ready A; drain A; settle; ready C; unsent C; send C "
 "10; settle; get A 100"},
{"tcp: a full send buffer, then end",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; set C send-buffer 4000; "
 "fill C 60000; end C; ready C; drain A; get A 1; ready C"},
{"tcp: a full send buffer, then close",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; set C send-buffer 4000; "
 "fill C; close C; drain A; get A 1; ready A"},
{"tcp: a full send buffer, then the peer resets",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; set C send-buffer 4000; "
 "fill C; reset A; close A; settle; ready C; get C 1; send C 1"},
{"tcp: a full send buffer, then the peer closes",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; set C send-buffer 4000; "
 "fill C; close A; settle; ready C; send C 1; get C 1; send C 1"},
{"tcp: small receive buffer",
 "tcp L; set L receive-buffer 4000; bind L :; listen L 8; tcp C; to C :L; settle; take A "
 "L; fill C; drain A; settle; ready C; send C 3; settle; get A 100"},
{"tcp: urgent byte",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; send C 5; urgent C 1; "
 "send C 5; settle; ready A; get A 100; get A 100; get A 100; ready A"},
{"tcp: urgent byte inline",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; inline A; send C 5; "
 "urgent C 1; send C 5; settle; ready A; waiting A; get A 100; get A 100; get A 100; ready "
 "A"},
{"tcp: urgent byte alone",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; urgent C 1; settle; ready "
 "A; get A 100; send C 3; settle; ready A; get A 100"},
{"tcp: urgent byte alone, inline",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; inline A; urgent C 1; "
 "settle; ready A; get A 100; send C 3; settle; get A 100"},
{"tcp: urgent byte at the end of bytes",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; urgent C 6; settle; get A "
 "3; get A 100; get A 100; send C 2; settle; get A 100"},
{"tcp: urgent byte, then the end",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; send C 4; urgent C 1; "
 "close C; settle; get A 100; get A 100; ready A"},
{"tcp: two urgent bytes",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; send C 3; urgent C 1; "
 "send C 3; urgent C 1; send C 3; settle; get A 100; get A 100; get A 100; get A 100"},
{"tcp: two urgent bytes inline",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; inline A; send C 3; "
 "urgent C 1; send C 3; urgent C 1; send C 3; settle; get A 100; get A 100; get A 100; get "
 "A 100"},
{"tcp: inline inherited from the listener",
 "tcp L; inline L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; send C 2; "
 "urgent C 1; send C 2; settle; get A 100; get A 100"},
{"tcp: a copy keeps the connection",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; copy D C; close C; "
 "settle; ready A; send D 5; settle; get A 9; close D; settle; get A 9"},
{"tcp: nothing to read, nothing to send",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; get A 0; send A 0; get C "
 "10"},
{"tcp: options",
 "tcp C; set C keep-alive 1; ask C keep-alive; set C idle 60; ask C idle; set C idle 0; "
 "set C interval 10; ask C interval; set C count 5; ask C count; set C count 128; set C "
 "low-delay 1; ask C low-delay; set C service 16; ask C service; set C service 19; ask C "
 "service; ask C mtu; set C mtu 1400; set C unacknowledged 5000; ask C unacknowledged; set "
 "C unacknowledged -1"},
{"tcp: sizes of buffers",
 "tcp C; set C send-buffer 10000; ask C send-buffer; set C send-buffer 1; ask C "
 "send-buffer; set C receive-buffer 10000; ask C receive-buffer; set C receive-buffer 1; "
 "ask C receive-buffer; set C receive-buffer 100000000; ask C receive-buffer"},
{"tcp: a listener's options are inherited",
 "tcp L; set L send-buffer 20000; set L keep-alive 1; set L low-delay 1; bind L :; listen "
 "L 8; tcp C; to C :L; settle; take A L; ask A send-buffer; ask A keep-alive; ask A "
 "low-delay"},
{"tcp: path MTU",
 "tcp L; bind L :; listen L 8; tcp C; to C :L; settle; take A L; ask C mtu"},
{"tcp: a descriptor that is none",
 "get A 1; send A 1; close A; ready A; bind A :; to A :!; end A; error A; name A; waiting "
 "A; unsent A; copy B A"},
{"tcp: unsent bytes of a listener",
 "tcp L; bind L :; listen L 8; unsent L; waiting L; get L 1; send L 1"},
