// libcurl, loaded on demand, with its options set one by one.
#include "ccurl.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "functions.h"

struct ccurl_functions ccurl_functions;
#define curl ccurl_functions

static void load(void) {
  static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
  void *library = NULL;
  for (size_t i = 0; !library && i < sizeof names / sizeof *names; i++)
    library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  const struct {
    void **place;
    const char *name;
  } wanted[] = {
      {(void **)&curl.global_init, "curl_global_init"},
      {(void **)&curl.init, "curl_easy_init"},
      {(void **)&curl.set, "curl_easy_setopt"},
      {(void **)&curl.get, "curl_easy_getinfo"},
      {(void **)&curl.perform, "curl_easy_perform"},
      {(void **)&curl.cleanup, "curl_easy_cleanup"},
      {(void **)&curl.append, "curl_slist_append"},
      {(void **)&curl.free_list, "curl_slist_free_all"},
      {(void **)&curl.text, "curl_easy_strerror"},
      {(void **)&curl.multi_init, "curl_multi_init"},
      {(void **)&curl.multi_set, "curl_multi_setopt"},
      {(void **)&curl.multi_add, "curl_multi_add_handle"},
      {(void **)&curl.multi_remove, "curl_multi_remove_handle"},
      {(void **)&curl.multi_perform, "curl_multi_perform"},
      {(void **)&curl.multi_poll, "curl_multi_poll"},
      {(void **)&curl.multi_wakeup, "curl_multi_wakeup"},
      {(void **)&curl.multi_read, "curl_multi_info_read"},
      {(void **)&curl.multi_cleanup, "curl_multi_cleanup"},
  };
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    *wanted[i].place = dlsym(library, wanted[i].name);
    if (!*wanted[i].place) return;
  }
  curl.loaded = curl.global_init(CURL_GLOBAL_NOTHING) == 0;
}

int ccurl_load(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return curl.loaded ? 0 : -1;
}

struct collector {
  struct ccurl_answer *answer;
  size_t limit;
  int too_long;
};

static size_t collect(char *bytes, size_t one, size_t count, void *context) {
  struct collector *collector = context;
  struct ccurl_answer *answer = collector->answer;
  size_t size = one * count;
  if (answer->size + size > collector->limit) {
    collector->too_long = 1;
    return 0;
  }
  char *grown = realloc(answer->body, answer->size + size + 1);
  if (!grown) return 0;
  memcpy(grown + answer->size, bytes, size);
  answer->body = grown;
  answer->size += size;
  return size;
}

static size_t supply(char *buffer, size_t one, size_t count, void *context) {
  ssize_t got;
  do {
    got = read(*(const int *)context, buffer, one * count);
  } while (got < 0 && errno == EINTR);
  return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

static struct curl_slist *headers(const struct ccurl_request *request) {
  struct curl_slist *list = curl.append(NULL, "Expect:");
  if (request->content_type) {
    char line[128];
    snprintf(line, sizeof line, "Content-Type: %s", request->content_type);
    list = curl.append(list, line);
  }
  if (request->body_file >= 0) list = curl.append(list, "Transfer-Encoding: chunked");
  return list;
}

static void set_up(CURL *easy, const struct ccurl_request *request, struct collector *collector) {
  curl.set(easy, CURLOPT_UNIX_SOCKET_PATH, request->socket);
  curl.set(easy, CURLOPT_URL, request->url);
  curl.set(easy, CURLOPT_NOSIGNAL, 1L);
  curl.set(easy, CURLOPT_PROXY, "");
  curl.set(easy, CURLOPT_TIMEOUT_MS, request->timeout);
  curl.set(easy, CURLOPT_WRITEFUNCTION, collect);
  curl.set(easy, CURLOPT_WRITEDATA, collector);
  curl.set(easy, CURLOPT_ERRORBUFFER, collector->answer->error);
  if (request->body_file >= 0) {
    curl.set(easy, CURLOPT_POST, 1L);
    curl.set(easy, CURLOPT_READFUNCTION, supply);
    curl.set(easy, CURLOPT_READDATA, &request->body_file);
  } else if (strcmp(request->method, "POST") == 0) {
    curl.set(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
    curl.set(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
  }
  curl.set(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

void ccurl_perform(const struct ccurl_request *request, struct ccurl_answer *answer) {
  memset(answer, 0, sizeof *answer);
  CURL *easy = curl.loaded ? curl.init() : NULL;
  if (!easy) {
    snprintf(answer->error, sizeof answer->error, "libcurl can't be used");
    return;
  }
  struct collector collector = {answer, request->answer_limit, 0};
  struct curl_slist *list = headers(request);
  set_up(easy, request, &collector);
  curl.set(easy, CURLOPT_HTTPHEADER, list);
  CURLcode code = curl.perform(easy);
  if (code == CURLE_OK) {
    curl.get(easy, CURLINFO_RESPONSE_CODE, &answer->status);
    answer->error[0] = 0;
  } else if (collector.too_long) {
    snprintf(answer->error, sizeof answer->error, "the answer is longer than %zu bytes",
             request->answer_limit);
  } else if (!answer->error[0]) {
    snprintf(answer->error, sizeof answer->error, "%s", curl.text(code));
  }
  curl.free_list(list);
  curl.cleanup(easy);
}

void ccurl_free(struct ccurl_answer *answer) {
  free(answer->body);
  answer->body = NULL;
  answer->size = 0;
}
