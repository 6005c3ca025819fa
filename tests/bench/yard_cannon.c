/*
 * An exchange that does nothing but send trades-all frames: as fast as they are taken, or so many a
 * second. Its cost per frame is a fifth of okx-sim's, so that it is not what is measured.
 *
 *   yard_cannon --instruments K --trades N [--rate PER_SECOND] [--send-times]
 *
 * Prints {"port":P} first, {"subscribed":K} once that many instruments are subscribed on any number
 * of connections, then waits for SIGUSR1, sends N trades with contiguous ids, and prints when it
 * began and ended (monotonic microseconds). It goes on answering pings until SIGTERM. --send-times:
 * seqId carries the wall clock's microseconds of the moment of sending.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

enum {
    PEERS_MAX = 256,
    BATCH_BYTES = 128 * 1024,
    BUFFER_BYTES_MAX = 1 << 20,
    FRAME_BYTES = 512,
    ID_DIGITS = 9,
    TIME_DIGITS = 13,
    SEND_TIME_DIGITS = 16,
    PRICE_DIGITS = 4, /* the last of px and sz, taken from the id */
};

/* A frame whose digits are changed in place for each trade. */
struct gun {
    size_t length;
    size_t id_at, price_at, size_at, time_at, send_time_at;
    char frame[FRAME_BYTES];
};

struct peer {
    int fd;
    bool is_open; /* a WebSocket */
    struct buf in, out;
    size_t sent; /* of out */
    struct gun *guns;
    size_t gun_count;
    size_t next_gun;
};

struct cannon {
    size_t instruments;
    int64_t trades;
    int64_t rate; /* per second; 0: as fast as they are taken */
    bool has_send_times;

    int listener;
    struct peer peers[PEERS_MAX];
    size_t peer_count;
    size_t next_peer; /* whose turn it is when a rate is kept */
    size_t subscribed;
    int64_t fired;
    int64_t began_us, ended_us;
};

static volatile sig_atomic_t may_fire;
static volatile sig_atomic_t should_stop;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        may_fire = 1;
    else
        should_stop = 1;
}

/* --- frames -------------------------------------------------------------------------------------
 */

static void write_digits(char *text, int count, int64_t value)
{
    for (int i = count - 1; i >= 0; i--) {
        text[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* The position of the digits behind mark. */
static size_t digits_behind(const struct gun *gun, const char *mark)
{
    const char *found = memmem(gun->frame, gun->length, mark, strlen(mark));

    return found ? (size_t)(found - gun->frame) + strlen(mark) : 0;
}

static void load_gun(struct gun *gun, const char *inst_id, bool has_send_times)
{
    char *payload = gun->frame + 4;
    int length = snprintf(payload, FRAME_BYTES - 4,
                          "{\"arg\":{\"channel\":\"trades-all\",\"instId\":\"%s\"},\"data\":[{"
                          "\"instId\":\"%s\",\"tradeId\":\"100000000\",\"px\":\"68208.0000\","
                          "\"sz\":\"0.00010000\",\"side\":\"buy\",\"source\":\"0\","
                          "\"ts\":\"0000000000000\"%s}]}",
                          inst_id, inst_id, has_send_times ? ",\"seqId\":1000000000000000" : "");

    gun->frame[0] = (char)0x81; /* a final text frame */
    gun->frame[1] = 126;        /* two bytes of length */
    gun->frame[2] = (char)(length >> 8);
    gun->frame[3] = (char)length;
    gun->length = 4 + (size_t)length;
    gun->id_at = digits_behind(gun, "\"tradeId\":\"");
    gun->price_at = digits_behind(gun, "\"px\":\"68208.");
    gun->size_at = digits_behind(gun, "\"sz\":\"0.0001");
    gun->time_at = digits_behind(gun, "\"ts\":\"");
    gun->send_time_at = digits_behind(gun, "\"seqId\":");
}

static void fire(struct gun *gun, int64_t now_us, struct buf *out)
{
    char *id = gun->frame + gun->id_at;
    int digit = ID_DIGITS - 1;

    write_digits(gun->frame + gun->time_at, TIME_DIGITS, now_us / 1000);
    if (gun->send_time_at != 0)
        write_digits(gun->frame + gun->send_time_at, SEND_TIME_DIGITS, now_us);
    memcpy(gun->frame + gun->price_at, id + ID_DIGITS - PRICE_DIGITS, PRICE_DIGITS);
    memcpy(gun->frame + gun->size_at, id + ID_DIGITS - PRICE_DIGITS, PRICE_DIGITS);
    (void)buf_append(out, gun->frame, gun->length);
    while (id[digit] == '9')
        id[digit--] = '0';
    id[digit]++;
}

static void append_text_frame(struct buf *out, const char *text, size_t length)
{
    const unsigned char head[4] = {0x81, 126, (unsigned char)(length >> 8), (unsigned char)length};
    const unsigned char short_head[2] = {0x81, (unsigned char)length};

    (void)buf_append(out, length > 125 ? head : short_head, length > 125 ? 4 : 2);
    (void)buf_append(out, text, length);
}

/* --- what clients ask for -----------------------------------------------------------------------
 */

static void shake_hands(struct peer *peer, const char *key)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[SHA_DIGEST_LENGTH];
    char accept[64];
    char text[128];
    int length = snprintf(text, sizeof text, "%.*s%s", (int)strcspn(key, "\r"), key, guid);

    SHA1((const unsigned char *)text, (size_t)length, digest);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
    (void)buf_append_format(&peer->out,
                            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                            accept);
    peer->is_open = true;
}

/* A request that is no WebSocket's: REST, which has nothing to say here. */
static void answer_rest(struct peer *peer)
{
    static const char body[] = "{\"code\":\"0\",\"msg\":\"\",\"data\":[]}";

    (void)buf_append_format(&peer->out,
                            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                            "Content-Length: %zu\r\n\r\n%s",
                            sizeof body - 1, body);
}

static bool take_http(struct peer *peer)
{
    static const char name[] = "\r\nsec-websocket-key: ";
    char *end = peer->in.data ? strstr(peer->in.data, "\r\n\r\n") : NULL;
    const char *key;

    if (!end)
        return false;
    key = strcasestr(peer->in.data, name);
    if (key && key < end)
        shake_hands(peer, key + sizeof name - 1);
    else
        answer_rest(peer);
    buf_consume(&peer->in, (size_t)(end + 4 - peer->in.data));
    return true;
}

enum { INST_ID_BYTES = 64 };

/* The next instrument that a request names. */
static bool next_inst_id(const char **at, char inst_id[INST_ID_BYTES])
{
    static const char mark[] = "\"instId\":\"";
    const char *found = strstr(*at, mark);

    if (!found)
        return false;
    *at = found + sizeof mark - 1;
    snprintf(inst_id, INST_ID_BYTES, "%.*s", (int)strcspn(*at, "\""), *at);
    return true;
}

static void subscribe(struct cannon *cannon, struct peer *peer, const char *request)
{
    char inst_id[INST_ID_BYTES];
    char text[256];

    while (next_inst_id(&request, inst_id)) {
        int length = snprintf(text, sizeof text,
                              "{\"event\":\"subscribe\",\"arg\":{\"channel\":\"trades-all\","
                              "\"instId\":\"%s\"},\"connId\":\"1\"}",
                              inst_id);
        append_text_frame(&peer->out, text, (size_t)length);
        peer->guns = mem_realloc_array(peer->guns, peer->gun_count + 1, sizeof *peer->guns);
        load_gun(&peer->guns[peer->gun_count++], inst_id, cannon->has_send_times);
        if (++cannon->subscribed == cannon->instruments) {
            printf("{\"subscribed\":%zu}\n", cannon->subscribed);
            fflush(stdout);
        }
    }
}

static void unsubscribe(struct cannon *cannon, struct peer *peer, const char *request)
{
    char inst_id[INST_ID_BYTES];

    while (next_inst_id(&request, inst_id)) {
        for (size_t i = peer->gun_count; i > 0; i--) {
            struct gun *gun = &peer->guns[i - 1];

            if (!memmem(gun->frame, gun->length, inst_id, strlen(inst_id)))
                continue;
            *gun = peer->guns[--peer->gun_count];
            cannon->subscribed--;
        }
    }
    peer->next_gun = 0;
}

static void take_text(struct cannon *cannon, struct peer *peer, const char *text)
{
    if (strcmp(text, "ping") == 0)
        append_text_frame(&peer->out, "pong", 4);
    else if (strstr(text, "\"subscribe\""))
        subscribe(cannon, peer, text);
    else if (strstr(text, "\"unsubscribe\""))
        unsubscribe(cannon, peer, text);
}

/* A client's frame: masked, at most 64 KiB, never fragmented by the clients that we know. */
static bool take_frame(struct cannon *cannon, struct peer *peer)
{
    const unsigned char *in = (const unsigned char *)peer->in.data;
    size_t head = 2 + 4;
    size_t length = peer->in.length >= 2 ? in[1] & 0x7F : 0;
    char *text;

    if (length == 126) {
        head += 2;
        length = peer->in.length >= 4 ? (size_t)(in[2] << 8 | in[3]) : BUFFER_BYTES_MAX;
    }
    if (peer->in.length < head || peer->in.length < head + length)
        return false;
    text = mem_alloc(length + 1);
    for (size_t i = 0; i < length; i++)
        text[i] = (char)(in[head + i] ^ in[head - 4 + i % 4]);
    text[length] = '\0';
    if ((in[0] & 0x0F) == 1)
        take_text(cannon, peer, text);
    free(text);
    buf_consume(&peer->in, head + length);
    return true;
}

/* --- sockets ------------------------------------------------------------------------------------
 */

static void close_peer(struct cannon *cannon, size_t index)
{
    struct peer *peer = &cannon->peers[index];

    cannon->subscribed -= peer->gun_count;
    close(peer->fd);
    buf_clear(&peer->in);
    buf_clear(&peer->out);
    free(peer->guns);
    *peer = cannon->peers[--cannon->peer_count];
}

static void accept_peer(struct cannon *cannon)
{
    int fd = accept4(cannon->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int on = 1;

    if (fd < 0)
        return;
    if (cannon->peer_count == PEERS_MAX) {
        close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct peer *peer = &cannon->peers[cannon->peer_count++];
    *peer = (struct peer){.fd = fd};
    buf_init(&peer->in, BUFFER_BYTES_MAX);
    buf_init(&peer->out, BUFFER_BYTES_MAX);
}

/* False when the client is gone. */
static bool read_peer(struct cannon *cannon, struct peer *peer)
{
    char bytes[16 * 1024];
    ssize_t count = read(peer->fd, bytes, sizeof bytes);

    if (count <= 0)
        return count < 0 && (errno == EAGAIN || errno == EINTR);
    if (buf_append(&peer->in, bytes, (size_t)count) != 0)
        return false;
    while (peer->is_open ? take_frame(cannon, peer) : take_http(peer))
        continue;
    return true;
}

static bool flush_peer(struct peer *peer)
{
    while (peer->sent < peer->out.length) {
        ssize_t count = send(peer->fd, peer->out.data + peer->sent, peer->out.length - peer->sent,
                             MSG_NOSIGNAL);

        if (count < 0)
            return errno == EAGAIN || errno == EINTR;
        peer->sent += (size_t)count;
    }
    buf_reset(&peer->out);
    peer->sent = 0;
    return true;
}

/* --- firing -------------------------------------------------------------------------------------
 */

static void fire_next(struct cannon *cannon, struct peer *peer, int64_t now_us)
{
    fire(&peer->guns[peer->next_gun], now_us, &peer->out);
    peer->next_gun = (peer->next_gun + 1) % peer->gun_count;
    cannon->fired++;
}

/* As fast as they are taken: a batch for everyone whose last one is gone. */
static void fire_batches(struct cannon *cannon)
{
    int64_t now_us = clock_wall_us();

    for (size_t i = 0; i < cannon->peer_count; i++) {
        struct peer *peer = &cannon->peers[i];

        while (peer->gun_count > 0 && peer->out.length < BATCH_BYTES && peer->sent == 0 &&
               cannon->fired < cannon->trades)
            fire_next(cannon, peer, now_us);
    }
}

/* So many a second: what is due by now, each connection in turn. */
static void fire_due(struct cannon *cannon, int64_t now_us)
{
    int64_t due = (now_us - cannon->began_us) * cannon->rate / 1000000 + 1;
    int64_t wall_us = clock_wall_us();

    if (due > cannon->trades)
        due = cannon->trades;
    while (cannon->fired < due) {
        struct peer *peer = &cannon->peers[cannon->next_peer++ % cannon->peer_count];

        if (peer->gun_count > 0)
            fire_next(cannon, peer, wall_us);
    }
}

/* How long to wait for sockets, in nanoseconds. */
static int64_t patience_ns(const struct cannon *cannon)
{
    if (cannon->began_us == 0 || cannon->ended_us != 0)
        return 20 * 1000000;
    if (cannon->rate == 0)
        return 1000000;
    int64_t next_us = cannon->began_us + cannon->fired * 1000000 / cannon->rate;
    int64_t left_us = next_us - clock_monotonic_us();
    return left_us > 50 ? left_us * 1000 : 50 * 1000;
}

static bool is_flushed(const struct cannon *cannon)
{
    for (size_t i = 0; i < cannon->peer_count; i++) {
        if (cannon->peers[i].sent < cannon->peers[i].out.length)
            return false;
    }
    return true;
}

static void report(struct cannon *cannon)
{
    struct rusage usage;

    cannon->ended_us = clock_monotonic_us();
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"began_us\":%lld,\"ended_us\":%lld,\"trades\":%lld,\"cpu_seconds\":%.6f}\n",
           (long long)cannon->began_us, (long long)cannon->ended_us, (long long)cannon->fired,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    fflush(stdout);
}

static void shoot(struct cannon *cannon)
{
    if (cannon->ended_us != 0 || cannon->subscribed < cannon->instruments || !may_fire)
        return;
    if (cannon->began_us == 0)
        cannon->began_us = clock_monotonic_us();
    if (cannon->rate == 0)
        fire_batches(cannon);
    else
        fire_due(cannon, clock_monotonic_us());
}

static void serve(struct cannon *cannon)
{
    struct pollfd polled[PEERS_MAX + 1];
    struct timespec patience = {.tv_nsec = patience_ns(cannon)};
    size_t count = cannon->peer_count;

    polled[0] = (struct pollfd){.fd = cannon->listener, .events = POLLIN};
    for (size_t i = 0; i < count; i++) {
        bool has_output = cannon->peers[i].sent < cannon->peers[i].out.length;

        polled[i + 1] = (struct pollfd){
            .fd = cannon->peers[i].fd,
            .events = has_output ? POLLIN | POLLOUT : POLLIN,
        };
    }
    if (ppoll(polled, count + 1, &patience, NULL) < 0)
        return;
    for (size_t i = count; i > 0; i--) {
        if ((polled[i].revents & (POLLIN | POLLHUP | POLLERR)) &&
            !read_peer(cannon, &cannon->peers[i - 1]))
            close_peer(cannon, i - 1);
    }
    if (polled[0].revents & POLLIN)
        accept_peer(cannon);
}

static void run(struct cannon *cannon)
{
    while (!should_stop) {
        shoot(cannon);
        for (size_t i = cannon->peer_count; i > 0; i--) {
            if (!flush_peer(&cannon->peers[i - 1]))
                close_peer(cannon, i - 1);
        }
        if (cannon->ended_us == 0 && cannon->fired == cannon->trades && is_flushed(cannon))
            report(cannon);
        serve(cannon);
    }
}

static int listen_on_loopback(struct cannon *cannon)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof address;

    cannon->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (cannon->listener < 0 ||
        bind(cannon->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(cannon->listener, PEERS_MAX) != 0 ||
        getsockname(cannon->listener, (struct sockaddr *)&address, &length) != 0)
        return -1;
    printf("{\"port\":%d}\n", ntohs(address.sin_port));
    fflush(stdout);
    return 0;
}

static void read_arguments(int argc, char **argv, struct cannon *cannon)
{
    static const struct option options[] = {
        {"instruments", required_argument, NULL, 'i'},
        {"trades", required_argument, NULL, 't'},
        {"rate", required_argument, NULL, 'r'},
        {"send-times", no_argument, NULL, 's'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'i':
            cannon->instruments = strtoull(optarg, NULL, 10);
            break;
        case 't':
            cannon->trades = strtoll(optarg, NULL, 10);
            break;
        case 'r':
            cannon->rate = strtoll(optarg, NULL, 10);
            break;
        case 's':
            cannon->has_send_times = true;
            break;
        default:
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    static struct cannon cannon = {.instruments = 1, .trades = 1};
    struct sigaction action = {.sa_handler = on_signal};

    read_arguments(argc, argv, &cannon);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (listen_on_loopback(&cannon) != 0) {
        perror("yard_cannon");
        return 1;
    }
    run(&cannon);
    return 0;
}
