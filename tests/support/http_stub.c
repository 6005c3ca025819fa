#include "tests/support/http_stub.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum { CONNECTIONS_MAX = 64, ANSWERS_MAX = 64, REQUEST_BYTES_MAX = 1 << 16 };

struct answer {
    enum http_stub_manner manner;
    int status;
    char *body;
};

struct connection {
    struct http_stub *stub;
    pthread_t thread;
    int socket;
};

struct http_stub {
    int listener;
    char url[64];
    pthread_t thread; /* accepts; each connection has a thread of its own */
    sem_t is_running; /* the thread, that is */

    pthread_mutex_t lock; /* protects what follows */
    struct answer answers[ANSWERS_MAX];
    size_t answer_count, next_answer;
    char *requests[ANSWERS_MAX];
    size_t request_count;
    struct connection connections[CONNECTIONS_MAX];
    size_t connection_count;
};

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    perror(what);
    abort();
}

/* The length of head and body, or 0 while the request is not complete. */
static size_t complete_length(const char *text, size_t length)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *field = strcasestr(text, "\r\nContent-Length:");
    size_t head = end ? (size_t)(end - text) + 4 : 0;
    size_t body = field && field < end ? strtoul(field + 17, NULL, 10) : 0;

    return end && length >= head + body ? head + body : 0;
}

/* Returns owned one request, or NULL when the client closed. */
static char *read_request(int socket)
{
    char *text = mem_calloc(1, REQUEST_BYTES_MAX);
    size_t length = 0;

    while (complete_length(text, length) == 0) {
        ssize_t got = recv(socket, text + length, REQUEST_BYTES_MAX - 1 - length, 0);
        if (got <= 0) {
            free(text);
            return NULL;
        }
        length += (size_t)got;
        text[length] = '\0';
    }
    return text;
}

static void send_answer(int socket, const struct answer *answer)
{
    size_t length = strlen(answer->body);
    char *text =
        mem_sprintf("HTTP/1.1 %d Stub\r\nContent-Type: application/json\r\n"
                    "Content-Length: %zu\r\n\r\n%s",
                    answer->status, length + (answer->manner == HTTP_STUB_TRUNCATE), answer->body);

    (void)send(socket, text, strlen(text), MSG_NOSIGNAL);
    free(text);
}

/* Takes the next answer, and keeps the request. */
static struct answer next_answer(struct http_stub *stub, char *request)
{
    static char nothing_queued[] = "{\"error_code\":500,\"message\":\"the test queued nothing\"}";
    struct answer answer = {.manner = HTTP_STUB_ANSWER, .status = 500, .body = nothing_queued};

    pthread_mutex_lock(&stub->lock);
    if (stub->next_answer < stub->answer_count)
        answer = stub->answers[stub->next_answer++];
    if (stub->request_count < ANSWERS_MAX)
        stub->requests[stub->request_count++] = request;
    else
        free(request);
    pthread_mutex_unlock(&stub->lock);
    return answer;
}

static void *serve(void *context)
{
    struct connection *connection = context;
    char *request = NULL;

    while ((request = read_request(connection->socket))) {
        struct answer answer = next_answer(connection->stub, request);
        if (answer.manner == HTTP_STUB_HANG)
            continue;
        if (answer.manner != HTTP_STUB_CLOSE)
            send_answer(connection->socket, &answer);
        if (answer.manner != HTTP_STUB_ANSWER)
            break;
    }
    shutdown(connection->socket, SHUT_RDWR);
    return NULL;
}

static void *accept_connections(void *context)
{
    struct http_stub *stub = context;

    sem_post(&stub->is_running);
    for (;;) {
        int socket = accept(stub->listener, NULL, NULL);
        struct connection *connection = NULL;

        if (socket < 0)
            return NULL;
        pthread_mutex_lock(&stub->lock);
        require(stub->connection_count < CONNECTIONS_MAX, "http stub: too many connections");
        connection = &stub->connections[stub->connection_count++];
        *connection = (struct connection){.stub = stub, .socket = socket};
        require(pthread_create(&connection->thread, NULL, serve, connection) == 0, "http stub");
        pthread_mutex_unlock(&stub->lock);
    }
}

struct http_stub *http_stub_start(void)
{
    struct http_stub *stub = mem_calloc(1, sizeof *stub);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;

    pthread_mutex_init(&stub->lock, NULL);
    sem_init(&stub->is_running, 0, 0);
    stub->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(stub->listener >= 0, "http stub: socket");
    require(bind(stub->listener, (struct sockaddr *)&address, length) == 0, "http stub: bind");
    require(listen(stub->listener, 16) == 0, "http stub: listen");
    require(getsockname(stub->listener, (struct sockaddr *)&address, &length) == 0, "http stub");
    snprintf(stub->url, sizeof stub->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    require(pthread_create(&stub->thread, NULL, accept_connections, stub) == 0, "http stub");
    /* Who forks now must not do so while the thread begins: a sanitizer's locks would stay taken.
     */
    sem_wait(&stub->is_running);
    return stub;
}

void http_stub_stop(struct http_stub *stub)
{
    shutdown(stub->listener, SHUT_RDWR);
    pthread_join(stub->thread, NULL);
    for (size_t i = 0; i < stub->connection_count; i++) {
        shutdown(stub->connections[i].socket, SHUT_RDWR);
        pthread_join(stub->connections[i].thread, NULL);
        close(stub->connections[i].socket);
    }
    close(stub->listener);
    for (size_t i = 0; i < stub->answer_count; i++)
        free(stub->answers[i].body);
    for (size_t i = 0; i < stub->request_count; i++)
        free(stub->requests[i]);
    pthread_mutex_destroy(&stub->lock);
    sem_destroy(&stub->is_running);
    free(stub);
}

const char *http_stub_url(const struct http_stub *stub)
{
    return stub->url;
}

void http_stub_queue(struct http_stub *stub, enum http_stub_manner manner, int status,
                     const char *body)
{
    pthread_mutex_lock(&stub->lock);
    require(stub->answer_count < ANSWERS_MAX, "http stub: too many answers");
    stub->answers[stub->answer_count++] =
        (struct answer){.manner = manner, .status = status, .body = mem_strdup(body)};
    pthread_mutex_unlock(&stub->lock);
}

size_t http_stub_request_count(struct http_stub *stub)
{
    size_t count = 0;

    pthread_mutex_lock(&stub->lock);
    count = stub->request_count;
    pthread_mutex_unlock(&stub->lock);
    return count;
}

size_t http_stub_connection_count(struct http_stub *stub)
{
    size_t count = 0;

    pthread_mutex_lock(&stub->lock);
    count = stub->connection_count;
    pthread_mutex_unlock(&stub->lock);
    return count;
}

const char *http_stub_request(struct http_stub *stub, size_t index)
{
    const char *request = NULL;

    pthread_mutex_lock(&stub->lock);
    require(index < stub->request_count, "http stub: no such request");
    request = stub->requests[index];
    pthread_mutex_unlock(&stub->lock);
    return request;
}
