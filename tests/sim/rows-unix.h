/* tests/sim/rows-unix.h -- the dialogues of Unix sockets and files: a name, and steps, which
 * dialogues.c explains. */
{"ipc: a connection",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; ready C; ready A; ready L; name "
 "C; peer C; name A; peer A; facts L; facts C; facts A; credentials C; credentials A; "
 "credentials L; remove /l"},
{"ipc: an abstract name",
 "ipc L; bind L @a; listen L 1; ipc C; to C @a; take A L; peer C; name L; ipc B; bind B "
 "@a; close L; bind B @a"},
{"ipc: bytes there and back",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; send C 10; ready A; waiting A; "
 "unsent C; get A 4; get A 100; get A 100; unsent C; send A 3; get C 100; ready C; remove "
 "/l"},
{"ipc: a new socket",
 "ipc C; ready C; get C 10; send C 10; end C; ready C; peer C; name C; error C; facts C; "
 "waiting C; unsent C; ended C; listen C 1; take A C; credentials C"},
{"ipc: no file",
 "ipc C; to C /none; error C; ready C; to C @none; ipc L; bind L /l; listen L 1; to C /l; "
 "ready C; remove /l"},
{"ipc: a file without a listener",
 "ipc L; bind L /l; ipc C; to C /l; close L; to C /l; file /l; ipc B; bind B /l; remove "
 "/l; bind B /l; to C /l; listen B 1; to C /l; remove /l"},
{"ipc: a file of another kind",
 "packet L; bind L /l; listen L 1; ipc C; to C /l; remove /l"},
{"ipc: a file that is no socket",
 "lock A /k; ipc C; to C /k; bind C /k; unlock A /k; file /k; bind C /k; file /k; remove "
 "/k"},
{"ipc: the file is removed",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; remove /l; ipc D; to D /l; send "
 "C 4; get A 9; name L; peer C; remove /l"},
{"ipc: connect twice",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; to C /l; to A /l; to L /l; bind "
 "C /c; name C; peer A; bind C /d; remove /l; remove /c; remove /d"},
{"ipc: a full queue",
 "ipc L; bind L /l; listen L 0; ipc C; to C /l; ipc D; to D /l; ready D; take A L; to D "
 "/l; ready D; ready L; take B L; take E L; ready L; remove /l"},
{"ipc: listen changes the queue",
 "ipc L; bind L /l; listen L 0; ipc C; to C /l; ipc D; to D /l; listen L 5; to D /l; "
 "remove /l"},
{"ipc: data before accept",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; ready C; send C 20; take A L; ready A; get "
 "A 50; remove /l"},
{"ipc: data and end before accept",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; send C 20; close C; ready L; take A L; "
 "ready A; get A 50; get A 50; peer A; send A 1; remove /l"},
{"ipc: the listener closes with one waiting",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; close L; ready C; error C; get C 10; send "
 "C 10; get C 10; peer C; remove /l"},
{"ipc: the listener closes with one waiting that sent",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; send C 9; close L; ready C; get C 10; get "
 "C 10; send C 1; remove /l"},
{"ipc: the peer closes",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; close C; ready A; ended A; get A "
 "10; get A 10; send A 10; get A 10; error A; peer A; ready A; remove /l"},
{"ipc: the peer closes, a write first",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; close C; send A 10; send A 10; "
 "get A 10; ready A; remove /l"},
{"ipc: the peer sends and closes",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; send C 30; close C; ready A; "
 "waiting A; get A 10; get A 100; get A 100; get A 1; ready A; remove /l"},
{"ipc: the peer sends and closes, a write first",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; send C 30; close C; send A 10; "
 "ready A; get A 100; get A 100; error A; remove /l"},
{"ipc: the peer closes with unread bytes",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; send A 30; close C; ready A; get "
 "A 10; get A 10; send A 10; ready A; remove /l"},
{"ipc: the peer closes with unread bytes, write first",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; send A 30; close C; send A 10; "
 "send A 10; get A 10; get A 10; ready A; remove /l"},
{"ipc: the peer closes with unread bytes, error asked",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; send A 30; close C; error A; "
 "error A; get A 10; unsent A; ready A; remove /l"},
{"ipc: the peer sends, and closes with unread bytes",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; send C 20; send A 30; close C; "
 "ready A; get A 100; get A 100; get A 100; send A 1; remove /l"},
{"ipc: half-close",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; end C; ready C; ready A; ended "
 "A; ended C; get A 10; send A 12; get C 100; ready C; send C 1; get C 1; remove /l"},
{"ipc: half-close, both",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; end C; end A; ready C; ready A; "
 "get C 1; get A 1; peer C; send C 1; send A 1; end C; error C; remove /l"},
{"ipc: half-close with data",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; send C 5; end C; ready A; get A "
 "3; get A 9; get A 9; close A; ready C; get C 1; remove /l"},
{"ipc: a full buffer",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; set C send-buffer 20000; fill C; "
 "ready C; unsent C; ready A; drain A; unsent C; ready C; send C 10; get A 100; remove /l"},
{"ipc: a full buffer, then end",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; set C send-buffer 20000; fill C; "
 "end C; ready C; drain A; get A 1; ready C; remove /l"},
{"ipc: a full buffer, then close",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; set C send-buffer 20000; fill C; "
 "close C; ready A; drain A; get A 1; remove /l"},
{"ipc: a full buffer, then the peer closes",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; set C send-buffer 20000; fill C; "
 "close A; ready C; send C 1; get C 1; unsent C; remove /l"},
{"ipc: a descriptor",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; udp U; bind U :; give C 5 U; "
 "ready A; catch A 100 V; name V; catch A 100; close U; facts V; remove /l"},
{"ipc: a descriptor of the connection itself, closed",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; udp U; give C 5 U; close U; "
 "close C; catch A 100 V; facts V; get A 1; remove /l"},
{"ipc: a descriptor that is dropped",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; udp U; give C 5 U; get A 100; "
 "catch A 100; remove /l"},
{"ipc: a descriptor read in parts",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; udp U; give C 6 U; catch A 2; "
 "catch A 100; catch A 100; remove /l"},
{"ipc: descriptors behind and before bytes",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; udp U; send C 4; give C 3 U; "
 "send C 5; give C 2 U; catch A 100; catch A 100; catch A 100; catch A 100; remove /l"},
{"ipc: a descriptor that keeps no end open",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; ipc X; give C 3 X; close A; "
 "close L; ready C; send C 1; remove /l"},
{"ipc: an end that travels",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; ipc D; to D /l; take B L; give C "
 "1 D; close D; ready B; catch A 9 E; send E 7; get B 9; close E; ready B; get B 9; remove "
 "/l"},
{"ipc: an end that travels and is never received",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; ipc D; to D /l; take B L; give C "
 "1 D; close D; ready B; close A; close C; ready B; get B 9; send B 1; remove /l"},
{"ipc: a descriptor that is none",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; give C 1 Z; get A 9; remove /l"},
{"ipc: a descriptor without a peer",
 "udp U; ipc C; give C 1 U"},
{"ipc: a copy keeps the connection",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; copy D C; close C; ready A; send "
 "D 5; get A 9; close D; get A 9; remove /l"},
{"ipc: nothing to send",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; send C 3; get A 0; get A 9; "
 "ready A; remove /l"},
{"ipc: shutdown of a listener",
 "ipc L; bind L /l; listen L 8; end L; ipc C; to C /l; ready C; take A L; ready L; remove "
 "/l"},
{"ipc: options",
 "ipc C; set C keep-alive 1; ask C keep-alive; set C idle 60; set C low-delay 1; ask C "
 "low-delay; set C service 19; set C send-buffer 5000; ask C send-buffer; set C "
 "receive-buffer 5000; ask C receive-buffer; set C mtu 1400; set C hops 7; set C broadcast "
 "1; set C unacknowledged 9; only6 C; late C"},
{"packet: a connection",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; ready C; ready A; ready L; "
 "name C; peer C; name A; peer A; facts L; facts C; facts A; credentials C; credentials A; "
 "credentials L; remove /l"},
{"packet: an abstract name",
 "packet L; bind L @a; listen L 1; packet C; to C @a; take A L; peer C; name L; packet B; "
 "bind B @a; close L; bind B @a"},
{"packet: bytes there and back",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; send C 10; ready A; "
 "waiting A; unsent C; get A 4; get A 100; get A 100; unsent C; send A 3; get C 100; ready "
 "C; remove /l"},
{"packet: a new socket",
 "packet C; ready C; get C 10; send C 10; end C; ready C; peer C; name C; error C; facts "
 "C; waiting C; unsent C; ended C; listen C 1; take A C; credentials C"},
{"packet: no file",
 "packet C; to C /none; error C; ready C; to C @none; packet L; bind L /l; listen L 1; to "
 "C /l; ready C; remove /l"},
{"packet: a file without a listener",
 "packet L; bind L /l; packet C; to C /l; close L; to C /l; file /l; packet B; bind B /l; "
 "remove /l; bind B /l; to C /l; listen B 1; to C /l; remove /l"},
{"packet: a file of another kind",
 "ipc L; bind L /l; listen L 1; packet C; to C /l; remove /l"},
{"packet: a file that is no socket",
 "lock A /k; packet C; to C /k; bind C /k; unlock A /k; file /k; bind C /k; file /k; "
 "remove /k"},
{"packet: the file is removed",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; remove /l; packet D; to D "
 "/l; send C 4; get A 9; name L; peer C; remove /l"},
{"packet: connect twice",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; to C /l; to A /l; to L /l; "
 "bind C /c; name C; peer A; bind C /d; remove /l; remove /c; remove /d"},
{"packet: a full queue",
 "packet L; bind L /l; listen L 0; packet C; to C /l; packet D; to D /l; ready D; take A "
 "L; to D /l; ready D; ready L; take B L; take E L; ready L; remove /l"},
{"packet: listen changes the queue",
 "packet L; bind L /l; listen L 0; packet C; to C /l; packet D; to D /l; listen L 5; to D "
 "/l; remove /l"},
{"packet: data before accept",
 "packet L; bind L /l; listen L 8; packet C; to C /l; ready C; send C 20; take A L; ready "
 "A; get A 50; remove /l"},
{"packet: data and end before accept",
 "packet L; bind L /l; listen L 8; packet C; to C /l; send C 20; close C; ready L; take A "
 "L; ready A; get A 50; get A 50; peer A; send A 1; remove /l"},
{"packet: the listener closes with one waiting",
 "packet L; bind L /l; listen L 8; packet C; to C /l; close L; ready C; error C; get C 10; "
 "send C 10; get C 10; peer C; remove /l"},
{"packet: the listener closes with one waiting that sent",
 "packet L; bind L /l; listen L 8; packet C; to C /l; send C 9; close L; ready C; get C "
 "10; get C 10; send C 1; remove /l"},
{"packet: the peer closes",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; close C; ready A; ended A; "
 "get A 10; get A 10; send A 10; get A 10; error A; peer A; ready A; remove /l"},
{"packet: the peer closes, a write first",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; close C; send A 10; send A "
 "10; get A 10; ready A; remove /l"},
{"packet: the peer sends and closes",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; send C 30; close C; ready "
 "A; waiting A; get A 10; get A 100; get A 100; get A 1; ready A; remove /l"},
{"packet: the peer sends and closes, a write first",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; send C 30; close C; send A "
 "10; ready A; get A 100; get A 100; error A; remove /l"},
{"packet: the peer closes with unread bytes",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; send A 30; close C; ready "
 "A; get A 10; get A 10; send A 10; ready A; remove /l"},
{"packet: the peer closes with unread bytes, write first",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; send A 30; close C; send A "
 "10; send A 10; get A 10; get A 10; ready A; remove /l"},
{"packet: the peer closes with unread bytes, error asked",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; send A 30; close C; error "
 "A; error A; get A 10; unsent A; ready A; remove /l"},
{"packet: the peer sends, and closes with unread bytes",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; send C 20; send A 30; "
 "close C; ready A; get A 100; get A 100; get A 100; send A 1; remove /l"},
{"packet: half-close",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; end C; ready C; ready A; "
 "ended A; ended C; get A 10; send A 12; get C 100; ready C; send C 1; get C 1; remove /l"},
{"packet: half-close, both",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; end C; end A; ready C; "
 "ready A; get C 1; get A 1; peer C; send C 1; send A 1; end C; error C; remove /l"},
{"packet: half-close with data",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; send C 5; end C; ready A; "
 "get A 3; get A 9; get A 9; close A; ready C; get C 1; remove /l"},
{"packet: a full buffer",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; set C send-buffer 20000; "
 "fill C; ready C; unsent C; ready A; drain A; unsent C; ready C; send C 10; get A 100; "
 "remove /l"},
{"packet: a full buffer, then end",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; set C send-buffer 20000; "
 "fill C; end C; ready C; drain A; get A 1; ready C; remove /l"},
{"packet: a full buffer, then close",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; set C send-buffer 20000; "
 "fill C; close C; ready A; drain A; get A 1; remove /l"},
{"packet: a full buffer, then the peer closes",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; set C send-buffer 20000; "
 "fill C; close A; ready C; send C 1; get C 1; unsent C; remove /l"},
{"packet: a descriptor",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; udp U; bind U :; give C 5 "
 "U; ready A; catch A 100 V; name V; catch A 100; close U; facts V; remove /l"},
{"packet: a descriptor of the connection itself, closed",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; udp U; give C 5 U; close "
 "U; close C; catch A 100 V; facts V; get A 1; remove /l"},
{"packet: a descriptor that is dropped",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; udp U; give C 5 U; get A "
 "100; catch A 100; remove /l"},
{"packet: a descriptor read in parts",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; udp U; give C 6 U; catch A "
 "2; catch A 100; catch A 100; remove /l"},
{"packet: descriptors behind and before bytes",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; udp U; send C 4; give C 3 "
 "U; send C 5; give C 2 U; catch A 100; catch A 100; catch A 100; catch A 100; remove /l"},
{"packet: a descriptor that keeps no end open",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; ipc X; give C 3 X; close "
 "A; close L; ready C; send C 1; remove /l"},
{"packet: an end that travels",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; packet D; to D /l; take B "
 "L; give C 1 D; close D; ready B; catch A 9 E; send E 7; get B 9; close E; ready B; get B "
 "9; remove /l"},
{"packet: an end that travels and is never received",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; packet D; to D /l; take B "
 "L; give C 1 D; close D; ready B; close A; close C; ready B; get B 9; send B 1; remove /l"},
{"packet: a descriptor that is none",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; give C 1 Z; get A 9; "
 "remove /l"},
{"packet: a descriptor without a peer",
 "udp U; packet C; give C 1 U"},
{"packet: a copy keeps the connection",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; copy D C; close C; ready "
 "A; send D 5; get A 9; close D; get A 9; remove /l"},
{"packet: nothing to send",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; send C 3; get A 0; get A "
 "9; ready A; remove /l"},
{"packet: shutdown of a listener",
 "packet L; bind L /l; listen L 8; end L; packet C; to C /l; ready C; take A L; ready L; "
 "remove /l"},
{"packet: options",
 "packet C; set C keep-alive 1; ask C keep-alive; set C idle 60; set C low-delay 1; ask C "
 "low-delay; set C service 19; set C send-buffer 5000; ask C send-buffer; set C "
 "receive-buffer 5000; ask C receive-buffer; set C mtu 1400; set C hops 7; set C broadcast "
 "1; set C unacknowledged 9; only6 C; late C"},
{"ipc: bytes of several sends in one read",
 "ipc L; bind L /l; listen L 8; ipc C; to C /l; take A L; send C 3; send C 4; send C 5; "
 "get A 100; send C 3; get A 2; send C 3; get A 100; remove /l"},
{"packet: sizes",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; size A; send C 3; send C "
 "4; size A; get A 100; size A; get A 2; size A; close C; size A; remove /l"},
{"packet: an empty packet",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; send C 0; ready A; size A; "
 "get A 10; get A 10; send C 2; get A 10; remove /l"},
{"packet: too large",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; set C send-buffer 5000; "
 "send C 20000; send C 9968; send C 9969; get A 20000; ready C; remove /l"},
{"packet: truncated",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; send C 30; from A 10; from "
 "A 10; remove /l"},
{"packet: size after the peer closes with unread bytes",
 "packet L; bind L /l; listen L 8; packet C; to C /l; take A L; send C 20; send A 30; "
 "close C; size A; size A; get A 100; size A; remove /l"},
{"files: a lock",
 "file /k; lock A /k; file /k; lock B /k; unlock A /k; file /k; lock B /k; unlock B /k; "
 "remove /k; remove /k"},
{"files: a lock closed",
 "lock A /k; close A; lock B /k; unlock B /k; file /k; remove /k"},
{"files: what is no socket",
 "lock A /k; get A 1; name A; error A; waiting A; facts A; end A; remove /k"},
{"files: a lock on a socket",
 "ipc L; bind L /l; lock A /l; file /l; ipc M; bind M /l; remove /l; lock A /l; bind M /l; "
 "unlock A /l; bind M /l; file /l; remove /l"},
