// libcurl's functions as they were found when it was loaded; for this folder alone.
#pragma once
#include <curl/curl.h>

// curl.h makes macros of these, to check types.
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

struct ccurl_functions {
  CURLcode (*global_init)(long);
  CURL *(*init)(void);
  CURLcode (*set)(CURL *, CURLoption, ...);
  CURLcode (*get)(CURL *, CURLINFO, ...);
  CURLcode (*perform)(CURL *);
  void (*cleanup)(CURL *);
  struct curl_slist *(*append)(struct curl_slist *, const char *);
  void (*free_list)(struct curl_slist *);
  const char *(*text)(CURLcode);
  CURLM *(*multi_init)(void);
  CURLMcode (*multi_set)(CURLM *, CURLMoption, ...);
  CURLMcode (*multi_add)(CURLM *, CURL *);
  CURLMcode (*multi_remove)(CURLM *, CURL *);
  CURLMcode (*multi_perform)(CURLM *, int *);
  CURLMcode (*multi_poll)(CURLM *, struct curl_waitfd *, unsigned, int, int *);
  CURLMcode (*multi_wakeup)(CURLM *);
  CURLMsg *(*multi_read)(CURLM *, int *);
  CURLMcode (*multi_cleanup)(CURLM *);
  int loaded;
};

extern struct ccurl_functions ccurl_functions;
