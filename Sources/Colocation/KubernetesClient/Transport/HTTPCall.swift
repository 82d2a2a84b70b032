// One question to a server over HTTP and its answer, as values.

/// Whom to trust, and as whom to come.
struct Trust: Sendable, Equatable {
  /// Certificates (PEM) of those who may sign for the server; nil for the system's.
  var authority: [UInt8]?
  /// Certificate (PEM) and key of ours.
  var certificate: [UInt8]?
  var key: Secret?
  /// Any certificate of the server will do.
  var isUnchecked = false
}

struct HTTPCall: Sendable {
  var method: String
  var url: String
  /// Whole lines. One may hold a token: they are shown to nobody.
  var headers: [String] = []
  var secretHeaders: [Secret] = []
  var body: [UInt8]?
  var trust = Trust()
  /// nil: what the environment says.
  var proxy: Secret?
  /// Where to connect in place of the host in the URL, as libcurl's CONNECT_TO.
  var reroute: String?
  var isCompressed = true
  /// Seconds to a connection.
  var connectTimeout: Double
  /// Seconds for all of it; nil for none.
  var timeout: Double?
  /// Seconds without a byte; nil for any.
  var idleTimeout: Double?
  /// Seconds after which a peer that acknowledges nothing counts as gone.
  var deadAfter: Double
  /// The most bytes of an answer, or that may wait to be read of one that goes on.
  var answerLimit: Int
}

struct HTTPAnswer: Sendable {
  var status: Int
  var body: [UInt8]
  /// Seconds that the server asks to wait.
  var retryAfter: Int?
  /// 10, 11 or 20.
  var version: Int
}

/// Why there is no answer.
enum TransportFailure: Error, Sendable, Equatable {
  /// Nothing was asked: no name, no route, refused.
  case notConnected(String)
  /// TLS: their certificate or ours.
  case notTrusted(String)
  case timedOut(String)
  /// The connection ended before the answer did; what was asked may have been done.
  case lost(String)
  case tooLong(limit: Int)
  case cancelled
  case other(String)

  /// Whether the connection may be half open: the next call had better take a new one.
  var casts: Bool {
    if case .timedOut = self { true } else { false }
  }
}
