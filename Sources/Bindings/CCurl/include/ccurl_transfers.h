// Many HTTP transfers at once on one thread by libcurl's multi interface, over connections that are kept.
// For a server that is asked often, with the certificates of client and authority from memory.
#pragma once
#include <stddef.h>
#include <stdint.h>

// A set of transfers and the connections they share; for one thread, save ccurl_pool_wake.
struct ccurl_pool;

struct ccurl_bytes {
  const void *bytes;  // NULL for none
  size_t size;
};

// Takes what arrives of an answer's body. Returns 0 to go on; anything else ends the transfer.
typedef int (*ccurl_sink)(void *context, long status, const void *bytes, size_t size);

// One transfer. All that it points to is only read while it is started, save the context.
struct ccurl_call {
  const char *method;
  const char *url;
  const char *proxy;          // NULL: what the environment says; "" for none
  const char *reroute;        // where to connect in place of the URL's host, as CURLOPT_CONNECT_TO; or NULL
  const char *const *headers; // whole lines; ends with NULL
  struct ccurl_bytes body;
  struct ccurl_bytes authority;    // PEM; none for the system's
  struct ccurl_bytes certificate;  // PEM
  struct ccurl_bytes key;          // PEM
  int unchecked;        // nonzero: any certificate of the server will do
  int compressed;       // nonzero: the answer may come compressed
  int alone;            // nonzero: over a new connection
  long connect_timeout; // milliseconds
  long timeout;         // milliseconds for all of it; 0 for none
  long dead_after;      // milliseconds after which a peer that acknowledges nothing counts as gone
  ccurl_sink sink;
  void *context;
};

// How a transfer ended.
struct ccurl_end {
  void *transfer;
  long status;       // of HTTP; 0 if there was no answer
  int code;          // of libcurl; 0 if all went well
  int kind;          // enum ccurl_failure
  long retry_after;  // seconds that the server asked for; 0 if it did not
  int version;       // 10, 11, 20: of HTTP
  char error[256];   // what went wrong
};

enum ccurl_failure {
  CCURL_FINE = 0,
  CCURL_NOT_CONNECTED,  // nothing was asked: no name, no route, refused
  CCURL_NOT_TRUSTED,    // TLS: theirs or ours
  CCURL_TIMED_OUT,
  CCURL_LOST,           // the connection ended before the answer did
  CCURL_STOPPED,        // by the sink
  CCURL_OTHER,
};

// A new pool, or NULL without memory. `ccurl_load` came before.
struct ccurl_pool *ccurl_pool_new(long connections);

// Ends transfers that still run, without a word, and closes all connections.
void ccurl_pool_free(struct ccurl_pool *pool);

// Begins a transfer. NULL if it can't begin, with the reason in `error`.
void *ccurl_start(struct ccurl_pool *pool, const struct ccurl_call *call, char error[256]);

// Ends a transfer, without a word.
void ccurl_stop(struct ccurl_pool *pool, void *transfer);

// Moves what can be moved now; sinks are called from here.
void ccurl_pool_run(struct ccurl_pool *pool);

// The next transfer that has ended, which is forgotten then. Returns 0 if there is none.
int ccurl_pool_ended(struct ccurl_pool *pool, struct ccurl_end *end);

// Sleeps until something can be moved, at most so many milliseconds.
void ccurl_pool_wait(struct ccurl_pool *pool, int milliseconds);

// Ends the sleep, from any thread.
void ccurl_pool_wake(struct ccurl_pool *pool);
