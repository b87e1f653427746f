/* arena/arena.h -- one program, four roles: the parts it is made of.
 *
 *     main.c        reads the arguments and chooses the role
 *     demo.c        starts the others as processes of their own, and gives the verdict
 *     server.c      the authoritative server: its frame, its doors
 *     guest.c       the guests that are connected to the server, and their messages
 *     report.c      what the server has counted
 *     bot.c         a player without a person
 *     spectator.c   shows the game
 *     screen.c      draws it in the terminal
 *     find.c        server and guests find each other
 *     world.c       the game itself, without sockets
 *     picture.c     the picture of a frame, as bytes and as text
 *     link.c        commands over TCP and IPC, counted
 *     frame.c       frames and times
 *     stop.c        signals
 *
 * Guests speak with the server by commands, bots over TCP, spectators over IPC or TCP; link.h lists
 * them. Each frame a bot sends the direction it wants to go over UDP, and the server sends it the
 * picture.
 *
 * After END the server sends nothing more to this guest; the guest answers GOODBYE with its counts,
 * and disconnects. So both ends know how much had to arrive. */
#ifndef ARENA_H
#define ARENA_H

/* The settings of the command line. */
struct settings {
    int seconds;    /* of playing, 0 is until a signal arrives; of a guest: of its search */
    int bots;       /* how many must join before the game begins */
    int spectators; /* likewise */
    int frames_per_second;
    const char *where; /* to listen on or connect to; NULL of a guest: it searches the group */
    const char *group; /* in which server and guests find each other */
    const char *path;  /* the server's Unix socket for spectators; NULL is none */
    const char *name;  /* of a bot */
};

/* Each role returns the exit status: 0 only if everything that was sent has arrived. */
int run_demo(const struct settings *settings, const char *program);
int run_server(const struct settings *settings);
int run_bot(const struct settings *settings);
int run_spectator(const struct settings *settings);

#endif
