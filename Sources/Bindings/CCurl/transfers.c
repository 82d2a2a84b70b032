// libcurl's multi interface: transfers that go on side by side, with their options set one by one.
#include "ccurl_transfers.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "functions.h"

#define curl ccurl_functions

struct ccurl_pool {
  CURLM *multi;
};

struct transfer {
  CURL *easy;
  struct curl_slist *headers;
  struct curl_slist *reroute;
  ccurl_sink sink;
  void *context;
  int dead_after;
  int stopped;
  char error[CURL_ERROR_SIZE];
};

struct ccurl_pool *ccurl_pool_new(long connections) {
  struct ccurl_pool *pool = calloc(1, sizeof *pool);
  if (!pool) return NULL;
  pool->multi = curl.loaded ? curl.multi_init() : NULL;
  if (!pool->multi) {
    free(pool);
    return NULL;
  }
  curl.multi_set(pool->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
  curl.multi_set(pool->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
  curl.multi_set(pool->multi, CURLMOPT_MAXCONNECTS, connections);
  return pool;
}

static void discard(struct ccurl_pool *pool, struct transfer *transfer) {
  curl.multi_remove(pool->multi, transfer->easy);
  curl.cleanup(transfer->easy);
  curl.free_list(transfer->headers);
  curl.free_list(transfer->reroute);
  free(transfer);
}

void ccurl_pool_free(struct ccurl_pool *pool) {
  curl.multi_cleanup(pool->multi);
  free(pool);
}

static size_t deliver(char *bytes, size_t one, size_t count, void *context) {
  struct transfer *transfer = context;
  long status = 0;
  curl.get(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  if (transfer->sink(transfer->context, status, bytes, one * count) == 0) return one * count;
  transfer->stopped = 1;
  return 0;
}

// A peer that is gone without a word is noticed by the kernel: idle connections are probed, and what was
// sent and is not acknowledged counts from then on.
static int prepare_socket(void *context, curl_socket_t socket, curlsocktype purpose) {
  const struct transfer *transfer = context;
  if (purpose != CURLSOCKTYPE_IPCXN || transfer->dead_after <= 0) return CURL_SOCKOPT_OK;
  int on = 1, third = transfer->dead_after / 3000, probes = 2;
  if (third < 1) third = 1;
  unsigned limit = (unsigned)transfer->dead_after;
  // Without them it works as well, and trouble is noticed later.
  (void)setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  (void)setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &third, sizeof third);
  (void)setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &third, sizeof third);
  (void)setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
  (void)setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
  return CURL_SOCKOPT_OK;
}

static CURLcode set_bytes(CURL *easy, CURLoption option, struct ccurl_bytes content) {
  if (!content.bytes) return CURLE_OK;
  struct curl_blob blob = {(void *)content.bytes, content.size, CURL_BLOB_COPY};
  return curl.set(easy, option, &blob);
}

static CURLcode set_trust(CURL *easy, const struct ccurl_call *call) {
  CURLcode code = set_bytes(easy, CURLOPT_CAINFO_BLOB, call->authority);
  if (code == CURLE_OK) code = set_bytes(easy, CURLOPT_SSLCERT_BLOB, call->certificate);
  if (code == CURLE_OK) code = set_bytes(easy, CURLOPT_SSLKEY_BLOB, call->key);
  if (call->unchecked) {
    curl.set(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl.set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  return code;
}

static void set_request(struct transfer *transfer, const struct ccurl_call *call) {
  CURL *easy = transfer->easy;
  curl.set(easy, CURLOPT_URL, call->url);
  curl.set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  if (call->body.bytes) {
    curl.set(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size);
    curl.set(easy, CURLOPT_COPYPOSTFIELDS, call->body.bytes);
  }
  curl.set(easy, CURLOPT_CUSTOMREQUEST, call->method);
  transfer->headers = curl.append(NULL, "Expect:");
  for (const char *const *line = call->headers; *line; line++)
    transfer->headers = curl.append(transfer->headers, *line);
  curl.set(easy, CURLOPT_HTTPHEADER, transfer->headers);
  if (call->compressed) curl.set(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  if (call->proxy) curl.set(easy, CURLOPT_PROXY, call->proxy);
  if (call->reroute) {
    transfer->reroute = curl.append(NULL, call->reroute);
    curl.set(easy, CURLOPT_CONNECT_TO, transfer->reroute);
  }
}

static void set_manner(struct transfer *transfer, const struct ccurl_call *call) {
  CURL *easy = transfer->easy;
  curl.set(easy, CURLOPT_NOSIGNAL, 1L);
  curl.set(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  // Wait for a connection that is being made rather than make one more.
  curl.set(easy, CURLOPT_PIPEWAIT, 1L);
  curl.set(easy, CURLOPT_FRESH_CONNECT, call->alone ? 1L : 0L);
  curl.set(easy, CURLOPT_CONNECTTIMEOUT_MS, call->connect_timeout);
  curl.set(easy, CURLOPT_TIMEOUT_MS, call->timeout);
  curl.set(easy, CURLOPT_ERRORBUFFER, transfer->error);
  curl.set(easy, CURLOPT_WRITEFUNCTION, deliver);
  curl.set(easy, CURLOPT_WRITEDATA, transfer);
  curl.set(easy, CURLOPT_SOCKOPTFUNCTION, prepare_socket);
  curl.set(easy, CURLOPT_SOCKOPTDATA, transfer);
  curl.set(easy, CURLOPT_PRIVATE, transfer);
}

void *ccurl_start(struct ccurl_pool *pool, const struct ccurl_call *call, char error[256]) {
  struct transfer *transfer = calloc(1, sizeof *transfer);
  CURL *easy = transfer ? curl.init() : NULL;
  if (!easy) {
    free(transfer);
    snprintf(error, 256, "no memory");
    return NULL;
  }
  transfer->easy = easy;
  transfer->sink = call->sink;
  transfer->context = call->context;
  transfer->dead_after = (int)call->dead_after;
  CURLcode code = set_trust(easy, call);
  set_request(transfer, call);
  set_manner(transfer, call);
  if (code == CURLE_OK && curl.multi_add(pool->multi, easy) == CURLM_OK) return transfer;
  snprintf(error, 256, "%s",
           code == CURLE_OK ? "no memory"
                            : "this libcurl takes no certificates from memory; install libcurl4");
  discard(pool, transfer);
  return NULL;
}

void ccurl_stop(struct ccurl_pool *pool, void *transfer) { discard(pool, transfer); }

void ccurl_pool_run(struct ccurl_pool *pool) {
  int running;
  curl.multi_perform(pool->multi, &running);
}

static int kind_of(CURLcode code) {
  switch (code) {
    case CURLE_OK: return CCURL_FINE;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY: return CCURL_NOT_CONNECTED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION: return CCURL_NOT_TRUSTED;
    case CURLE_OPERATION_TIMEDOUT: return CCURL_TIMED_OUT;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return CCURL_LOST;
    default: return CCURL_OTHER;
  }
}

static int version_of(CURL *easy) {
  long version = 0;
  curl.get(easy, CURLINFO_HTTP_VERSION, &version);
  if (version == CURL_HTTP_VERSION_2_0) return 20;
  return version == CURL_HTTP_VERSION_1_0 ? 10 : 11;
}

int ccurl_pool_ended(struct ccurl_pool *pool, struct ccurl_end *end) {
  CURLMsg *message;
  int left;
  do {
    message = curl.multi_read(pool->multi, &left);
    if (!message) return 0;
  } while (message->msg != CURLMSG_DONE);
  CURLcode code = message->data.result;
  struct transfer *transfer = NULL;
  curl.get(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
  memset(end, 0, sizeof *end);
  end->transfer = transfer;
  end->code = code;
  end->kind = transfer->stopped ? CCURL_STOPPED : kind_of(code);
  end->version = version_of(transfer->easy);
  curl_off_t wait = 0;
  curl.get(transfer->easy, CURLINFO_RESPONSE_CODE, &end->status);
  curl.get(transfer->easy, CURLINFO_RETRY_AFTER, &wait);
  end->retry_after = wait > 1000000 ? 1000000 : (long)wait;
  if (code != CURLE_OK)
    snprintf(end->error, sizeof end->error, "%s", transfer->error[0] ? transfer->error : curl.text(code));
  discard(pool, transfer);
  return 1;
}

void ccurl_pool_wait(struct ccurl_pool *pool, int milliseconds) {
  curl.multi_poll(pool->multi, NULL, 0, milliseconds, NULL);
}

void ccurl_pool_wake(struct ccurl_pool *pool) { curl.multi_wakeup(pool->multi); }
